// Every page opens, says what it should and complains about nothing, with and
// without anything to show.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { open, phone, problems, said, serve, signedIn, settled } from './kit.mjs'

const single = { kind: 'single', stem: '<p>题</p>', options: ['甲', '乙'] }
const empty = {
  ...signedIn,
  'GET /inbox': { items: [] },
  'GET /feed': { items: [] },
  'GET /quiz/daily': { paper: null, state: 'none', streak: 0 },
  'GET /papers': { items: [] },
  'GET /wrong': { items: [], due: 0 },
  'GET /topics': { items: [] },
  'GET /contests': { items: [] },
  'GET /results': { items: [] },
  'GET /results/topics': { items: [] },
  'GET /certificates': { items: [] },
  'GET /papers/{id}/ranking': { items: [], hidden: '考试结束后公布排名。' },
  'GET /me/data': { madeAt: '2026-03-02T01:00:00Z', member: { name: '刘芳', kind: 'full', state: 'active', orgName: '第一党支部', joinedAt: '1998-07-01' }, numbers: { phone: '19900000100', idNumber: '000000196805011234' }, requests: [], parts: [{ title: '答题记录', items: [{ at: '2026-03-01T01:00:00Z', label: '三会一课知识测试', text: '8 分（满分 10 分）' }] }], retention: [{ text: '离开组织一年后删除号码。', source: '本系统约定' }] },
  'GET /me/requests': { items: [] },
  'GET /sessions': { items: [{ id: '1', device: '安卓手机', client: 'mini', createdAt: '2026-03-01T01:00:00Z', seenAt: '2026-03-02T01:00:00Z', addr: '127.0.0.1', current: true }] },
}
const paper = { id: '31', title: '党章知识测试', kind: 'exam', questions: 10, points: 100, passPoints: 60, durationSec: 1800, attemptsAllowed: 2, attemptsUsed: 1, closesAt: '2099-03-02T01:00:00Z' }
const full = {
  ...empty,
  'GET /papers': { items: [paper, { ...paper, id: '32', title: '二十大精神', openAttemptId: '9' }] },
  'GET /papers/31': { ...paper, rules: ['可以返回修改。'], attempts: [{ id: '9', number: 1, state: 'graded', startedAt: '2026-03-02T01:00:00Z', submittedAt: '2026-03-02T01:20:00Z', score: 88 }] },
  'GET /wrong': { items: [{ questionId: '5', shown: single, key: { answer: { choice: [1] }, explanation: '<p>因为</p>' }, lastAnswer: { choice: [0] }, wrongTimes: 2, lastAt: '2026-03-01T01:00:00Z', dueAt: '2026-03-02T01:00:00Z', topics: ['党章'] }], due: 1 },
  'POST /wrong/{id}/rate': () => undefined,
  'DELETE /wrong/{id}': () => undefined,
  'GET /topics': { items: [{ name: '党章', questions: 20, answered: 10, rightShare: 0.8 }] },
  'GET /contests': { items: [{ id: '61', title: '知识竞赛', state: 'lobby', mode: 'teams', players: 3, questions: 5, joined: false, teams: ['红队', '蓝队'] }] },
  'GET /results': { items: [{ attemptId: '9', title: '党章知识测试', points: 100, score: 88, submittedAt: '2026-03-02T01:20:00Z' }] },
  'GET /results/topics': { items: [{ topic: '党章', answered: 10, share: 80, verdict: 'strong' }, { topic: '纪律', answered: 8, share: 30, verdict: 'gap' }] },
  'GET /certificates': { items: [{ id: '71', number: '2026-000012', title: '合格证书', paperTitle: '党章知识测试', earnedAt: '2026-03-02T01:00:00Z' }] },
  'GET /papers/{id}/ranking': { items: [{ rank: 1, name: '刘芳', org: '第一党支部', score: 88, usedSec: 600, me: true }] },
  'GET /me/requests': { items: [{ id: '81', kind: 'correction', text: '入党日期有误', state: 'open', createdAt: '2026-03-02T01:00:00Z' }] },
  'POST /me/requests': (r) => ({ id: '82', ...r.body, state: 'open', createdAt: '2026-03-02T01:00:00Z' }),
}
const PAGES = [
  ['pages/learn/index', {}, /今天没有安排每日答题.*现在没有考试/, /错题本.*1 题.*专题练习.*练短板.*党章知识测试.*10 题 · 100 分 · 限时 30 分钟.*未交卷/],
  ['pages/contest/index', {}, /用参赛码进入.*找人对战.*现在没有比赛/, /知识竞赛.*团队赛 · 5 题 · 3 人.*等待开始/],
  ['pages/me/index', {}, /刘芳.*正式党员.*支部书记.*城关街道党工委 · 第一党支部 · 第一党小组/, /我的成绩.*我的资料.*登录的设备.*设置/],
  ['news/inbox/index', {}, /还没有通知/, /未读 1/],
  ['news/feed/index', {}, /还没有发布图文/, /图文|搜索/],
  ['quiz/list/index', {}, /现在没有考试/, /党章知识测试.*二十大精神/],
  ['quiz/paper/index', { id: '31' }, null, /最多 2 次，已用 1 次.*可以返回修改.*再答一次.*第 1 次.*88 分.*看排名/],
  ['quiz/ranking/index', { id: '31' }, /考试结束后公布排名/, /1刘芳（我）.*第一党支部 · 用时 10 分钟.*88 分/],
  ['quiz/wrong/index', {}, /错题本是空的/, /该复习的 1.*重做错题.*错过 2 次.*党章.*想好了，看答案/],
  ['quiz/topics/index', {}, /题库里还没有题目/, /党章.*20 题 · 做过 10 题 · 答对 80%/],
  ['account/results/index', {}, /还没有成绩/, /党章.*强项.*得分率 80%.*去练习.*纪律.*要加强.*党章知识测试 合格证书.*编号 2026-000012.*88 \/ 100/],
  ['account/data/index', {}, /姓名刘芳.*手机号199\*\*\*\*0100.*000\*+1234.*职务支部书记.*入党日期1998-07-01.*答题记录.*三会一课知识测试.*8 分.*离开组织一年后删除号码/, /复制全部资料/],
  ['account/requests/index', {}, /还没有申请/, /入党日期有误.*|更正信息/],
  ['account/devices/index', {}, /安卓手机.*这台/, /全部退出/],
]

for (const [path, query, nothing, something] of PAGES) {
  test(path, async () => {
    phone.storage.set('session', 'r1')
    for (const [routes, want] of [[empty, nothing], [full, something]]) {
      if (!want) continue
      serve(routes)
      const p = await open(path, query)
      assert.match(p.text, want)
      assert.ok(!/undefined|NaN|\[object/.test(p.text), p.text)
      p.leave()
    }
  })
}

test('the wrong-answer book shows the key on a tap and takes a rating', async () => {
  serve(full)
  const p = await open('quiz/wrong/index')
  assert.doesNotMatch(p.text, /应选|解析/)
  await p.tap('想好了，看答案')
  assert.match(p.text, /选错.*应选.*正确答案：B.*解析/)
  await p.tap('记住了')
  const sent = phone.requests.find((r) => r.path === '/wrong/5/rate')
  assert.deepEqual(sent.body, { rating: 'good' })
  assert.match(p.text, /想好了，看答案/)
  p.leave()
})

test('a team contest asks for the team first', async () => {
  const p = await open('pages/contest/index')
  await p.tap(p.all('cell').at(-1))
  assert.match(p.text, /选一支队伍.*红队.*蓝队/)
  await p.tap('蓝队')
  assert.equal(phone.went.at(-1), '/live/room/index?id=61&team=%E8%93%9D%E9%98%9F')
  p.leave()
})

test('a request for correction needs words and is then listed', async () => {
  const p = await open('account/requests/index')
  await p.tap('提交申请')
  assert.match(p.text, /请写明哪一项有错/)
  assert.equal(phone.requests.some((r) => r.method === 'POST' && r.path === '/me/requests'), false)
  await settled()
  p.leave()
})

test('nothing was complained about', () => {
  assert.deepEqual(problems, [])
  assert.deepEqual(said, [])
})
