import assert from 'node:assert/strict'
import { test } from 'node:test'
import { open, phone, problems, Refusal, said, serve, settled, signedIn, tick } from './kit.mjs'

const shown = { kind: 'single', stem: '<p>题</p>', options: ['甲', '乙', '丙'] }
const later = (s) => new Date(Date.now() + s * 1000).toISOString()
let joins = 0
const hear = async (f) => {
  phone.sockets.at(-1).on.message({ data: JSON.stringify(f) })
  await settled()
}
const question = (n, s = 15) => ({ type: 'question', n, total: 3, shown, endsAt: later(s), now: new Date().toISOString(), points: 100 })

test('a contest: lobby, question, answer, lost connection, reveal, board, end', async () => {
  phone.storage.set('session', 'r1')
  serve({ ...signedIn, 'POST /contests/join': (r) => (assert.deepEqual(r.body, { code: '123456' }), joins++, { contestId: '61', ticket: `t${joins}`, ws: `/ws/contest?ticket=t${joins}` }), 'POST /contests/61/join': () => (joins++, { contestId: '61', ticket: `t${joins}`, ws: `/ws/contest?ticket=t${joins}` }) })
  const p = await open('live/room/index', { code: '123456' })
  assert.equal(phone.sockets.at(-1).url, 'ws://127.0.0.1:8080/ws/contest?ticket=t1')
  phone.sockets.at(-1).on.open({})
  await hear({ type: 'welcome', v: 1, now: new Date().toISOString(), contest: { id: '61', title: '知识竞赛', mode: 'solo', state: 'lobby', total: 3, n: 0, rule: '答得快得分多。' }, me: { id: '1', name: '刘芳', score: 0 } })
  await hear({ type: 'lobby', players: 12, online: 11, locked: false })
  assert.match(p.text, /知识竞赛11人已经到场.*主持人马上开始.*答得快得分多/)

  await hear(question(1))
  assert.match(p.text, /1 \/ 3.*1[45] 秒.*0 分/)
  await p.tap('提交答案')
  assert.deepEqual(phone.sockets.at(-1).sent, [], 'nothing is chosen yet')
  await p.tap(p.all('choice')[1])
  await p.tap('提交答案')
  assert.deepEqual(phone.sockets.at(-1).sent, [{ type: 'answer', n: 1, answer: { choice: [1] } }])
  assert.match(p.text, /正在送出/)

  // The connection goes before the answer is acknowledged.
  phone.sockets.at(-1).on.close({ code: 1006 })
  await settled()
  assert.match(p.text, /正在重新连接/)
  await tick(600)
  await settled()
  assert.equal(joins, 2)
  phone.sockets.at(-1).on.open({})
  await hear({ type: 'welcome', v: 1, contest: { id: '61', title: '知识竞赛', mode: 'solo', state: 'running', total: 3, n: 1 }, me: { id: '1', name: '刘芳', score: 0 } })
  await hear(question(1, 9))
  assert.deepEqual(phone.sockets.at(-1).sent, [{ type: 'answer', n: 1, answer: { choice: [1] } }])
  await hear({ type: 'ack', n: 1, receivedAt: later(0) })
  assert.match(p.text, /答案已送达/)
  assert.doesNotMatch(p.text, /应选|正确答案/)

  await hear({ type: 'closed', n: 1 })
  assert.match(p.text, /正在统计/)
  await hear({ type: 'reveal', n: 1, key: { answer: { choice: [2] } }, share: [0, 1, 10], answered: 11, right: 10, mine: { answer: { choice: [1] }, right: false, points: 0 } })
  assert.match(p.text, /选错.*应选.*正确答案：C.*没有答对，下一题加油。.*全场 11 人作答，10 人答对/)
  await hear({ type: 'board', n: 1, of: 12, top: [{ rank: 1, name: '马国强', org: '第一党支部', score: 95, delta: 0 }], me: { rank: 11, score: 0, delta: 0, right: 0 } })
  assert.match(p.text, /1马国强第一党支部95 分.*11我0 分/)

  await hear(question(2))
  assert.doesNotMatch(p.text, /正确答案|马国强/)
  await hear({ type: 'paused', n: 2, leftMs: 8000 })
  assert.match(p.text, /主持人暂停了比赛/)
  await hear({ type: 'finished', n: 3, of: 12, top: [{ rank: 1, name: '马国强', score: 195, delta: 0 }], me: { rank: 2, score: 180 } })
  assert.match(p.text, /比赛结束第 2 名180 分 · 共 12 人.*马国强/)
  p.leave()
})

test('a removal is said and nobody tries to come back', async () => {
  const p = await open('live/room/index', { id: '61' })
  const before = joins
  phone.sockets.at(-1).on.open({})
  await hear({ type: 'removed' })
  phone.sockets.at(-1).on.close({ code: 4001 })
  await tick(700)
  await settled()
  assert.match(p.text, /主持人把您移出了这场比赛/)
  assert.equal(joins, before)
  p.leave()
})

test('who comes by code into a contest of teams is asked for the team', async () => {
  const asked = []
  serve({
    ...signedIn,
    'POST /contests/join': (r) => (asked.push(r.body), r.body.team ? { contestId: '62', ticket: 't', ws: '/ws/contest?ticket=t' } : Object.assign(new Refusal(422, 'invalid', '请填写队名，最多 20 个字。'), { body: { code: 'invalid', detail: '请填写队名，最多 20 个字。', fields: [{ name: 'team', message: '请填写队名，最多 20 个字。' }] } })),
  })
  const p = await open('live/room/index', { code: '777' })
  assert.match(p.text, /请填写队名.*队名/)
  const field = p.all('input')[0]
  let at = field
  while (!at.__wxElement) at = at.parentNode
  at.__wxElement.triggerEvent('input', { value: ' 红队 ' })
  await settled()
  await p.tap('进入比赛')
  assert.deepEqual(asked, [{ code: '777' }, { code: '777', team: '红队' }])
  assert.equal(phone.sockets.at(-1).url, 'ws://127.0.0.1:8080/ws/contest?ticket=t')
  p.leave()
})

test('nothing was complained about', () => {
  assert.deepEqual(problems, [])
  assert.deepEqual(said, [])
})
