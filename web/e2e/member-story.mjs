// Who comes on the roster, and what the secretary asks of them. All invented.
export const MEMBER = { name: '罗建设', nickname: '建设', phone: '19900009901' }

const HEAD = '姓名,党员类别,手机号,入党日期,转正日期'
const PEOPLE = [
  [MEMBER.name, '正式党员', MEMBER.phone, '2012-07-01', '2013-07-01'],
  ['方晓梅', '正式党员', '19900009902', '2010-06-18', '2011-06-18'],
  ['汤学军', '正式党员', '19900009903', '1999-07-01', '2000-07-01'],
  ['倪慧珍', '正式党员', '19900009904', '2005-11-20', '2006-11-20'],
  ['石广才', '正式党员', '19900009905', '1988-07-01', '1989-07-01'],
]
const MISTAKES = [
  { row: 1, cell: 2, text: '1990000', column: '手机号' },
  { row: 2, cell: 1, text: '党员', column: '党员类别' },
  { row: 4, cell: 3, text: '1988-13-01', column: '入党日期' },
]
const csv = (rows) => '\uFEFF' + [HEAD, ...rows.map((r) => r.join(','))].join('\r\n') + '\r\n'
const spoiled = PEOPLE.map((r, row) => r.map((text, cell) => MISTAKES.find((m) => m.row === row && m.cell === cell)?.text ?? text))

/** The file as it comes first, and mended. */
export const ROSTER = { wrong: csv(spoiled), right: csv(PEOPLE) }
/** What is wrong in it; the header is line 1. */
export const WRONG_ROWS = MISTAKES.map((m) => ({ line: m.row + 2, name: PEOPLE[m.row][0], column: m.column }))

export const NOTICE = { kind: 'meeting', title: '本周五主题党日', body: '地点在支部活动室。\n\n**请带好学习笔记**，不能到会的请说明。', place: '支部活动室' }
export const ASK = ['参加', '请假']

export const TOPIC = '支部应知应会'
/** Stands in every explanation and must not leave the server early. */
export const PHRASE = '见支部学习手册'
export const QUESTIONS = [
  { stem: '支部党员大会一般多久召开一次？', options: ['每季度一次', '每月一次', '每年一次'], right: '每季度一次' },
  { stem: '党小组会一般多久召开一次？', options: ['每月一次', '每两年一次', '每周两次'], right: '每月一次' },
  { stem: '主题党日一般多久开展一次？', options: ['每月相对固定一天', '每年七月一日', '由党员各自决定'], right: '每月相对固定一天' },
  { stem: '预备党员的预备期为多长？', options: ['一年', '半年', '三年'], right: '一年' },
  { stem: '正式党员不足几人的不能单独成立党支部？', options: ['三人', '十人', '五十人'], right: '三人' },
].map((q, i) => ({ ...q, explanation: `${PHRASE}第 ${i + 1} 页。` }))
