import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Problem } from '@/api/problem'
import { createLink, WAITS } from '@/live/parts/link'
import { newPlay, take, type Frame } from '@/live/parts/play'

const shown = { kind: 'single', stem: '一', options: ['甲', '乙'] }
const welcome: Frame = { type: 'welcome', v: 1, contest: { id: '1', title: '知识竞赛', mode: 'solo', state: 'lobby', total: 3, n: 0, rule: '答得快得分多。' }, me: { id: '9', name: '刘芳', score: 0 } }
const question = (n: number): Frame => ({ type: 'question', n, total: 3, shown, endsAt: '2026-03-02T01:00:15Z', now: '2026-03-02T01:00:00Z', points: 100 })

test('a contest from the lobby to the end', () => {
  const p = newPlay()
  take(p, welcome)
  take(p, { type: 'lobby', players: 4, online: 3, names: ['刘芳'] })
  assert.deepEqual([p.stage, p.lobby.online, p.title], ['lobby', 3, '知识竞赛'])
  take(p, question(1))
  assert.deepEqual([p.stage, p.n, p.acked, p.key], ['question', 1, false, null])
  take(p, { type: 'ack', n: 7, receivedAt: '' })
  assert.equal(p.acked, false, 'of another question')
  take(p, { type: 'ack', n: 1, receivedAt: '' })
  assert.equal(p.acked, true)
  take(p, { type: 'paused', n: 1, leftMs: 4200 })
  assert.deepEqual([p.paused, p.leftMs], [true, 4200])
  take(p, { type: 'resumed', n: 1, endsAt: '2026-03-02T01:01:00Z' })
  assert.deepEqual([p.paused, p.endsAt], [false, '2026-03-02T01:01:00Z'])
  take(p, { type: 'closed', n: 1 })
  assert.deepEqual([p.stage, p.key], ['closed', null], 'no key before the reveal')
  take(p, { type: 'reveal', n: 1, key: { answer: { choice: [0] } }, share: [2, 1], answered: 3, right: 2, mine: { answer: { choice: [0] }, right: true, points: 87 } })
  take(p, { type: 'board', n: 1, of: 3, top: [{ rank: 1, name: '刘芳', score: 87, delta: 0 }], me: { rank: 1, score: 87, delta: 0, right: 1 } })
  assert.deepEqual([p.stage, p.mine?.points, p.me.rank, p.me.name], ['reveal', 87, 1, '刘芳'])
  take(p, question(2))
  assert.deepEqual([p.stage, p.acked, p.mine, p.key], ['question', false, null, null], 'nothing of the last question stays')
  take(p, { type: 'skipped', n: 2 })
  assert.deepEqual([p.stage, p.skipped], ['closed', true])
  take(p, { type: 'finished', n: 3, of: 3, top: [], me: { rank: 2, score: 90 } })
  assert.deepEqual([p.stage, p.me.rank], ['finished', 2])
  take(p, { type: 'something-new' })
  assert.equal(p.stage, 'finished')
})

function wired() {
  const sockets: { url: string; sent: Frame[]; on: { open(): void; message(t: string): void; close(c: number): void }; closed: boolean }[] = []
  const seen: string[] = []
  const h = { sockets, seen, fail: null as unknown, failed: [] as unknown[], joins: 0 }
  const link = createLink({
    async join() {
      h.joins++
      if (h.fail) throw h.fail
      return { contestId: '1', ticket: `t${h.joins}`, ws: `/ws/contest?ticket=t${h.joins}` }
    },
    open(url, on) {
      const s = { url, sent: [] as Frame[], on, closed: false }
      sockets.push(s)
      return { send: (t) => s.sent.push(JSON.parse(t) as Frame), close: () => (s.closed = true) }
    },
    frame: () => undefined,
    status: (s) => seen.push(s),
    failed: (e) => h.failed.push(e),
    passing: (e) => e instanceof Problem && e.passing,
    later: (f, ms) => setTimeout(f, ms),
    cancel: (t) => clearTimeout(t as number),
  })
  const hear = (f: Frame) => sockets.at(-1)!.on.message(JSON.stringify(f))
  return { h, link, hear, last: () => sockets.at(-1)! }
}
const settle = async () => {
  for (let i = 0; i < 10; i++) await Promise.resolve()
}

test('a lost connection comes back with a fresh ticket and repeats what was not acknowledged', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { h, link, hear, last } = wired()
  await link.start()
  last().on.open()
  hear(question(1))
  link.answer(1, { choice: [1] })
  assert.equal(link.waiting, true)
  last().on.close(1006) // before the ack
  t.mock.timers.tick(WAITS[0]!)
  await settle()
  assert.equal(last().url, '/ws/contest?ticket=t2')
  last().on.open()
  hear(welcome)
  hear(question(1))
  assert.deepEqual(last().sent, [{ type: 'answer', n: 1, answer: { choice: [1] } }])
  hear({ type: 'ack', n: 1, receivedAt: '' })
  assert.equal(link.waiting, false)
  last().on.close(1012)
  t.mock.timers.tick(WAITS[0]!)
  await settle()
  last().on.open()
  hear(question(1))
  assert.deepEqual(last().sent, [], 'what was acknowledged is not sent again')
  assert.equal(h.joins, 3)
  link.stop()
})

test('hurrying while a connection is made or open makes no second one', async () => {
  const { h, link, last } = wired()
  link.hurry() // nothing is started yet
  assert.equal(h.joins, 0)
  const started = link.start()
  void link.start()
  link.hurry()
  await started
  link.hurry()
  last().on.open()
  link.hurry()
  assert.deepEqual([h.joins, h.sockets.length], [1, 1])
  link.stop()
})

test('an answer to a question that is over is not sent to the next one', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { link, hear, last } = wired()
  await link.start()
  last().on.open()
  hear(question(1))
  link.answer(1, { choice: [1] })
  last().on.close(1006)
  t.mock.timers.tick(WAITS[0]!)
  await settle()
  last().on.open()
  hear(question(2))
  assert.deepEqual(last().sent, [])
  assert.equal(link.waiting, false)
  link.stop()
})

test('who was removed does not come back; who may not join is told', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { h, link, hear, last } = wired()
  await link.start()
  last().on.open()
  hear({ type: 'removed' })
  last().on.close(4001)
  t.mock.timers.tick(60_000)
  await settle()
  assert.equal(h.joins, 1)

  const b = wired()
  b.h.fail = new Problem(0, 'offline', '')
  await b.link.start()
  t.mock.timers.tick(WAITS[0]!)
  await settle()
  assert.deepEqual([b.h.joins, b.h.failed.length], [2, 0])
  b.h.fail = new Problem(404, 'not_found', '')
  t.mock.timers.tick(WAITS[1]!)
  await settle()
  assert.deepEqual([b.h.joins, b.h.failed.length], [3, 1])
  t.mock.timers.tick(60_000)
  await settle()
  assert.equal(b.h.joins, 3)
})
