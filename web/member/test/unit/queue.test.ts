import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Problem } from '@/api/problem'
import type { Answer, Saved } from '@/api/types'
import { createQueue, WAITS, type Pending } from '@/state/queue'

const T0 = Date.parse('2026-03-02T01:00:00Z')
const choice = (n: number): Answer => ({ choice: [n] })

// A server in memory that keeps the rule of the real one: an older or equal
// counter is answered with what is stored.
function house(storage: Record<string, string> = {}) {
  const kept: Record<number, { seq: number; answer: Answer; savedAt: string }> = {}
  const h = {
    kept,
    storage,
    now: T0,
    fail: null as null | Problem,
    sent: [] as { n: number; seq: number; answer: Answer }[][],
    told: [] as Saved[],
    refused: [] as string[],
    gate: null as null | Promise<void>,
    open: () =>
      createQueue({
        load: () => JSON.parse(storage.q ?? '{}') as Record<number, Pending>,
        store: (all) => void (storage.q = JSON.stringify(all)),
        now: () => h.now,
        later: (f, ms) => setTimeout(f, ms),
        cancel: (t) => clearTimeout(t as number),
        saved: (s) => h.told.push(s),
        changed: () => undefined,
        refused: (p) => h.refused.push(p.detail),
        async send(list) {
          h.sent.push(structuredClone(list))
          if (h.gate) await h.gate
          if (h.fail) throw h.fail
          return list.map(({ n, seq, answer }) => {
            if (!kept[n] || kept[n]!.seq < seq) kept[n] = { seq, answer, savedAt: new Date(h.now + 40).toISOString() }
            const k = kept[n]!
            const same = JSON.stringify(k.answer) === JSON.stringify(answer)
            return { n, seq: k.seq, savedAt: k.savedAt, ...(same ? {} : { answer: k.answer }) }
          })
        },
      }),
  }
  return h
}
const settle = async () => {
  for (let i = 0; i < 20; i++) await Promise.resolve()
}
const offline = () => new Problem(0, 'offline', '')

test('an answer is in storage before it is sent and leaves only when saved', async () => {
  const h = house()
  let go: () => void = () => undefined
  h.gate = new Promise((r) => (go = r))
  const q = h.open()
  q.put(3, choice(1))
  assert.equal(q.state(3), 'waiting')
  assert.deepEqual(JSON.parse(h.storage.q!)[3].answer, choice(1))
  go()
  await settle()
  assert.equal(q.state(3), 'saved')
  assert.equal(h.storage.q, '{}')
  assert.deepEqual(h.kept[3]?.answer, choice(1))
})

test('changing an answer while it is on its way sends the last one with the next counter', async () => {
  const h = house()
  let go: () => void = () => undefined
  h.gate = new Promise((r) => (go = r))
  const q = h.open()
  q.put(1, choice(0))
  q.put(1, choice(1))
  q.put(1, choice(2))
  h.gate = null
  go()
  await settle()
  assert.deepEqual(h.sent.map((l) => l.map((x) => [x.seq, x.answer.choice?.[0]])), [[[1, 0]], [[3, 2]]])
  assert.deepEqual(h.kept[1]?.answer, choice(2))
  assert.equal(q.count(), 0)
})

test('without a network it waits longer and longer, then sends everything at once', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const h = house()
  h.fail = offline()
  const q = h.open()
  q.put(1, choice(0))
  q.put(2, choice(1))
  q.put(3, choice(2))
  for (const wait of WAITS) {
    await settle()
    const before = h.sent.length
    t.mock.timers.tick(wait - 1)
    await settle()
    assert.equal(h.sent.length, before, `nothing before ${wait} ms`)
    t.mock.timers.tick(1)
    await settle()
    assert.equal(h.sent.length, before + 1)
  }
  assert.equal(q.count(), 3)
  assert.equal(await q.flush(), false)
  h.fail = null
  q.kick() // the network is back
  await settle()
  assert.equal(q.count(), 0)
  assert.deepEqual(h.sent.at(-1)?.map((x) => x.n), [1, 2, 3])
  assert.equal(await q.flush(), true)
})

test('a network that comes back during a try that fails is not missed', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const h = house()
  h.fail = offline()
  let go: () => void = () => undefined
  h.gate = new Promise((r) => (go = r))
  const q = h.open()
  q.put(1, choice(0))
  await settle()
  q.kick()
  h.gate = null
  go()
  await Promise.resolve() // the try under way fails here
  h.fail = null
  await settle()
  assert.equal(h.sent.length, 2)
  assert.equal(q.count(), 0, 'sent without waiting for the clock')
})

test('what waited when the page was closed is sent by the next one', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const h = house()
  h.fail = offline()
  const first = h.open()
  first.put(5, choice(2))
  await settle()
  first.stop()
  h.fail = null
  const again = h.open()
  again.know(5, 0, false)
  assert.deepEqual(again.answerOf(5), choice(2))
  again.kick()
  await settle()
  assert.deepEqual(h.kept[5]?.answer, choice(2))
})

test('a repeated send after a lost answer does no harm', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const h = house()
  const q = h.open()
  h.fail = new Problem(502, 'upstream', '')
  h.kept[1] = { seq: 1, answer: choice(0), savedAt: new Date(T0 + 40).toISOString() } // it had arrived
  q.put(1, choice(0))
  await settle()
  h.fail = null
  t.mock.timers.tick(WAITS[0]!)
  await settle()
  assert.equal(q.state(1), 'saved')
  assert.equal(h.kept[1]!.seq, 1)
})

test('of two devices the later act wins, whatever their counters', async () => {
  const h = house()
  const q = h.open()
  q.know(1, 1, true)
  // Another device answered twice, a minute ago: it is at 3.
  h.kept[1] = { seq: 3, answer: choice(0), savedAt: new Date(T0 - 60_000).toISOString() }
  q.put(1, choice(2))
  await settle()
  assert.deepEqual(h.kept[1], { seq: 4, answer: choice(2), savedAt: h.kept[1]!.savedAt })
  assert.equal(q.state(1), 'saved')

  // The other way round: this answer is older than what the server has.
  const late = house({ q: JSON.stringify({ 1: { seq: 2, answer: choice(2), givenAt: T0 - 60_000 } }) })
  const r = late.open()
  late.kept[1] = { seq: 5, answer: choice(0), savedAt: new Date(T0).toISOString() }
  r.kick()
  await settle()
  assert.deepEqual(late.kept[1]?.answer, choice(0))
  assert.deepEqual(late.told.map((s) => s.answer), [choice(0)], 'so that the page can show it')
  assert.equal(r.count(), 0)
})

test('two devices that used the same counter do not lose the later answer', async () => {
  const h = house()
  h.kept[1] = { seq: 1, answer: choice(0), savedAt: new Date(T0 - 500).toISOString() }
  const q = h.open()
  q.put(1, choice(2))
  await settle()
  assert.deepEqual([h.kept[1]!.seq, h.kept[1]!.answer], [2, choice(2)])
})

test('a refusal ends the queue and says why', async () => {
  const h = house()
  h.fail = new Problem(409, 'conflict', '考试已经结束，没有收下这次作答。')
  const q = h.open()
  q.put(1, choice(1))
  await settle()
  assert.deepEqual(h.refused, ['考试已经结束，没有收下这次作答。'])
  assert.equal(q.count(), 0)
  q.put(2, choice(1))
  await settle()
  assert.equal(h.sent.length, 1)
})

test('a session that ended keeps the answers for the next sign-in', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const h = house()
  h.fail = new Problem(401, 'unauthorized', '')
  const q = h.open()
  q.put(1, choice(1))
  await settle()
  assert.equal(q.count(), 1)
  assert.equal(h.refused.length, 0)
})
