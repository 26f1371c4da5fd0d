import assert from 'node:assert/strict'
import { test } from 'node:test'
import { open, phone, problems, Refusal, said, serve, settled, signedIn, tick } from './kit.mjs'

const shown = [
  { kind: 'single', stem: '<p>第一题</p>', options: ['丙', '甲', '乙'] },
  { kind: 'multiple', stem: '<p>第二题</p>', options: ['丁', '乙', '甲', '丙'] },
  { kind: 'truefalse', stem: '<p>第三题</p>' },
  { kind: 'fill', stem: '<p>第四题 ＿＿（1）＿＿</p>', blanks: 1 },
  { kind: 'order', stem: '<p>第五题</p>', items: ['三', '一', '二'] },
  { kind: 'match', stem: '<p>第六题</p>', lefts: ['左一', '左二'], rights: ['右一', '右二', '右三'] },
  { kind: 'short', stem: '<p>第七题</p>' },
]
const kept = {} // what the server has, by question
const attempt = (more = {}) => ({
  id: '51', paperId: '31', title: '党章知识测试', kind: 'exam', number: 1, state: 'open', startedAt: '2026-03-02T01:00:00Z', dueAt: '2026-03-02T01:30:00Z', now: '2026-03-02T01:00:00Z', feedback: 'after',
  questions: shown.map((s, i) => ({ n: i + 1, points: 2, shown: s, seq: kept[i + 1]?.seq ?? 0, ...(kept[i + 1] ? { answer: kept[i + 1].answer, savedAt: '2026-03-02T01:00:00Z' } : {}) })),
  ...more,
})
const save = (n, seq, answer) => {
  if (!kept[n] || kept[n].seq < seq) kept[n] = { seq, answer }
  return { n, seq: kept[n].seq, savedAt: new Date().toISOString() }
}
const server = {
  ...signedIn,
  'POST /papers/31/attempts': () => attempt(),
  'GET /attempts/51': () => attempt(),
  'PUT /attempts/51/answers/{n}': (r) => save(Number(r.path.split('/').at(-1)), r.body.seq, r.body.answer),
  'POST /attempts/51/answers': (r) => ({ items: r.body.answers.map((a) => save(a.n, a.seq, a.answer)) }),
  'POST /attempts/51/submit': () => ({ attemptId: '51', title: '', state: 'submitted', points: 14, usedSec: 60 }),
}
/** Fires an event at the native element under a DOM node. */
function fire(el, name, detail) {
  let at = el
  while (at && !at.__wxElement) at = at.parentNode
  assert.ok(at, 'the element belongs to a component')
  at.__wxElement.triggerEvent(name, detail, { bubbles: false })
}

test('all seven kinds are answered by taps, in the positions that were shown, each saved as given', async () => {
  phone.storage.set('session', 'r1')
  serve(server)
  const p = await open('quiz/run/index', { paper: '31' })
  const begun = phone.requests.find((r) => r.path === '/papers/31/attempts')
  assert.match(begun.headers['Idempotency-Key'], /^[0-9a-f]{32}$/)
  assert.match(p.text, /1 \/ 7/)
  assert.match(p.text, /30:00|29:5\d/)
  assert.match(p.text, /第一题|单选题/)
  assert.match(p.text, /未作答/)

  await p.tap(p.all('choice')[1])
  assert.deepEqual(kept[1], { seq: 1, answer: { choice: [1] } })
  assert.match(p.text, /已保存/)
  await p.tap(p.all('choice')[2])
  assert.deepEqual(kept[1], { seq: 2, answer: { choice: [2] } })

  await p.tap('下一题')
  assert.match(p.text, /2 \/ 7.*多选题.*可以选几项/)
  await p.tap(p.all('choice')[3])
  await p.tap(p.all('choice')[0])
  assert.deepEqual(kept[2].answer, { choice: [0, 3] })

  await p.tap('下一题')
  await p.tap('错误')
  assert.deepEqual(kept[3].answer, { choice: [0] })

  await p.tap('下一题')
  fire(p.all('input')[0], 'input', { value: '全面' })
  fire(p.all('input')[0], 'input', { value: '全面从严' })
  assert.equal(kept[4], undefined, 'typing is sent when it rests')
  await p.tap('下一题')
  assert.deepEqual(kept[4], { seq: 1, answer: { blanks: ['全面从严'] } })

  assert.match(p.text, /5 \/ 7.*排序题/)
  await p.tap(p.all('order-move')[2]) // the second item up
  assert.deepEqual(kept[5].answer, { order: [1, 0, 2] })
  await p.tap(p.all('order-move')[3]) // and the one that is second now, down
  assert.deepEqual(kept[5].answer, { order: [1, 2, 0] })

  await p.tap('下一题')
  await p.tap(p.all('match')[0]) // 左一
  await p.tap(p.all('match')[4]) // 右三
  await p.tap(p.all('match')[1])
  await p.tap(p.all('match')[2])
  assert.deepEqual(kept[6].answer, { match: [2, 0] })
  assert.match(p.text, /→ C/)

  await p.tap('下一题')
  fire(p.all('area')[0], 'input', { value: '我的体会' })
  await settled(450)
  assert.deepEqual(kept[7], { seq: 1, answer: { text: '我的体会' } })
  p.leave()
})

test('without a network answers wait on the phone and are all sent when it is back', async () => {
  serve(server)
  const p = await open('quiz/run/index', { id: '51' })
  assert.equal(p.all('choice-on').length, 1, 'resumed with what was answered')
  phone.online = false
  await p.tap(p.all('choice')[0])
  assert.match(p.text, /待上传 1/)
  assert.deepEqual(kept[1].answer, { choice: [2] })
  await p.tap('下一题')
  await p.tap(p.all('choice')[1])
  assert.match(p.text, /待上传 2/)
  assert.deepEqual(Object.keys(JSON.parse(phone.storage.get('answers:51'))), ['1', '2'])

  await p.tap(p.all('run-grid')[0])
  assert.match(p.text, /2 题还没有传到服务器/)
  await p.tap('交卷')
  await p.tap('确认交卷')
  assert.match(p.text, /还有 2 题没有传到服务器/)
  assert.equal(phone.requests.some((r) => r.path === '/attempts/51/submit'), false)

  phone.online = true
  phone.netListeners.forEach((f) => f({ isConnected: true, networkType: 'wifi' }))
  await settled()
  assert.deepEqual(kept[1].answer, { choice: [0] })
  assert.deepEqual(kept[2].answer, { choice: [0, 1, 3] })
  assert.equal(phone.storage.has('answers:51'), false)
  assert.doesNotMatch(p.text, /待上传 \d/)
  p.leave()
})

test('handing in says what is open first; then the result is shown', async () => {
  delete kept[3]
  const p = await open('quiz/run/index', { id: '51' })
  assert.match(p.text, /3 \/ 7/, 'it begins with the first open question')
  await p.tap(p.all('run-grid')[0])
  assert.equal(p.all('pal-done').filter((e) => e.textContent).length, 6)
  await p.tap('交卷')
  assert.match(p.text, /还有 1 题没有答/)
  await p.tap('确认交卷')
  assert.equal(phone.requests.filter((r) => r.path === '/attempts/51/submit').length, 1)
  assert.equal(phone.went.at(-1), '/quiz/result/index?id=51')
  p.leave()
})

test('a late answer is refused with the reason and can not be changed any more', async () => {
  delete kept[3]
  serve({ ...server, 'PUT /attempts/51/answers/{n}': new Refusal(409, 'conflict', '考试已经结束，这次作答没有计入。') })
  const p = await open('quiz/run/index', { id: '51' })
  await p.tap('正确')
  assert.match(p.text, /考试已经结束，这次作答没有计入。/)
  const sent = phone.requests.length
  await p.tap('错误')
  assert.equal(phone.requests.length, sent)
  p.leave()
})

test('when the time is over it hands in by itself, by the clock of the server', async () => {
  serve({ ...server, 'GET /attempts/51': () => attempt({ now: '2026-03-02T01:29:59Z' }) })
  const before = phone.requests.filter((r) => r.path === '/attempts/51/submit').length
  const p = await open('quiz/run/index', { id: '51' })
  assert.match(p.text, /00:01/)
  await tick(1700)
  await settled()
  assert.equal(phone.requests.filter((r) => r.path === '/attempts/51/submit').length, before + 1)
  assert.equal(phone.went.at(-1), '/quiz/result/index?id=51')
  p.leave()
})

test('a result shows what was right only when the server says it', async () => {
  const q = { n: 1, points: 2, mark: { share: 0, points: 0, right: false, pending: false }, shown: shown[0], answer: { choice: [0] } }
  serve({ ...signedIn, 'GET /attempts/51/result': { attemptId: '51', title: '党章知识测试', state: 'graded', points: 14, score: 9.5, passed: true, usedSec: 200, questions: [{ ...q, key: { answer: { choice: [1] }, explanation: '<p>见第三条</p>' } }] } })
  let p = await open('quiz/result/index', { id: '51' })
  assert.match(p.text, /9\.5 分 \/ 14 分.*已及格.*用时 3 分 20 秒.*选错.*应选.*正确答案：B/)
  p.leave()
  serve({ ...signedIn, 'GET /attempts/51/result': { attemptId: '51', title: '党章知识测试', state: 'submitted', points: 14, usedSec: 200, hidden: '3月5日考试结束后公布答案。', questions: [] } })
  p = await open('quiz/result/index', { id: '51' })
  assert.match(p.text, /3月5日考试结束后公布答案。/)
  assert.doesNotMatch(p.text, /正确答案|应选|已及格/)
  p.leave()
})

test('nothing was complained about', () => {
  assert.deepEqual(problems, [])
  assert.deepEqual(said, [])
})
