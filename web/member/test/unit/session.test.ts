import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClient, type Wire } from '@/api/client'
import { Problem, sentence, toProblem } from '@/api/problem'
import { createSession, type SessionDeps } from '@/api/session'

function vault(start = '') {
  let token = start
  return { get: () => token, set: (t: string) => void (token = t) }
}
const base = (d: Partial<SessionDeps>): SessionDeps => ({
  refresh: () => Promise.reject(new Error('not expected')),
  vault: vault('r1'),
  alone: (w) => w(),
  now: () => 0,
  ended: () => assert.fail('nobody was signed out'),
  ...d,
})

test('callers at the same time share one refresh, and the new refresh token is kept', async () => {
  const spent: (string | undefined)[] = []
  let give: (v: { access: string; accessExpiresAt: string; refresh: string }) => void = () => undefined
  const v = vault('r1')
  const s = createSession(base({ vault: v, refresh: (t) => (spent.push(t), new Promise((r) => (give = r))) }))
  const all = [s.token(), s.token(), s.renew(), s.replace('old')]
  await Promise.resolve()
  give({ access: 'a1', accessExpiresAt: '', refresh: 'r2' })
  assert.deepEqual(await Promise.all(all), ['a1', 'a1', 'a1', 'a1'])
  assert.deepEqual(spent, ['r1'])
  assert.equal(v.get(), 'r2')
  assert.equal(await s.token(), 'a1')
  assert.equal(await s.replace('a0'), 'a1', 'somebody had renewed it already')
  assert.equal(spent.length, 1)
})

test('a token is renewed before it ends, and again after a failure', async () => {
  let now = 0
  let n = 0
  let fail = false
  const s = createSession(base({ vault: null, now: () => now, refresh: async (t) => {
    assert.equal(t, undefined, 'the cookie is not ours to read')
    if (fail) throw new Problem(0, 'offline', '')
    return { access: `a${++n}`, accessExpiresAt: '' }
  } }))
  assert.equal(await s.token(), 'a1')
  now = 14 * 60_000
  assert.equal(await s.token(), 'a1')
  now = 15 * 60_000 - 10_000
  fail = true
  await assert.rejects(s.token())
  fail = false
  assert.equal(await s.token(), 'a2')
})

test('without a refresh token nothing is asked; a refused one is forgotten and told once', async () => {
  let asked = 0
  const none = createSession(base({ vault: vault(), refresh: () => (asked++, Promise.reject(new Error())) }))
  await assert.rejects(none.token(), { status: 401 })
  assert.equal(asked, 0)

  const v = vault('stolen')
  const told: string[] = []
  const s = createSession(base({ vault: v, ended: (p) => told.push(p.detail), refresh: () => Promise.reject(new Problem(401, 'unauthorized', '您的账号在别处登录。')) }))
  await Promise.allSettled([s.token(), s.token()])
  assert.equal(v.get(), '')
  assert.deepEqual(told, ['您的账号在别处登录。'])
})

const ok = (body: unknown) => ({ status: 200, body })
function client(answers: (w: Wire) => { status: number; body: unknown } | Error, slept: number[] = []) {
  const sent: Wire[] = []
  const call = createClient({
    headers: { 'X-Client': 'h5' },
    sleep: async (ms) => void slept.push(ms),
    session: { token: async () => 'a1', replace: async (old) => (assert.equal(old, 'a1'), 'a2') },
    send: async (w) => {
      sent.push({ ...w, headers: { ...w.headers } })
      const a = answers(w)
      if (a instanceof Error) throw a
      return a
    },
  })
  return { call, sent, slept }
}

test('a 401 is answered with one renewal; a second one is an error', async () => {
  const c = client((w) => (w.headers.Authorization === 'Bearer a2' ? ok(7) : { status: 401, body: {} }))
  assert.equal(await c.call('GET', '/inbox', { query: { q: '党 课', cursor: undefined, limit: 3 } }), 7)
  assert.deepEqual(c.sent.map((w) => [w.path, w.headers.Authorization]), [['/inbox?q=%E5%85%9A%20%E8%AF%BE&limit=3', 'Bearer a1'], ['/inbox?q=%E5%85%9A%20%E8%AF%BE&limit=3', 'Bearer a2']])
  const d = client(() => ({ status: 401, body: {} }))
  await assert.rejects(d.call('GET', '/inbox'), { status: 401 })
  assert.equal(d.sent.length, 2)
})

test('only what may be repeated is tried again, and Retry-After is kept to', async () => {
  let left = 2
  const c = client(() => (left-- > 0 ? new Error('net') : ok(1)))
  assert.equal(await c.call('PUT', '/x', { body: {} }), 1)
  assert.deepEqual(c.slept, [600, 1800])

  const d = client(() => new Error('net'))
  await assert.rejects(d.call('POST', '/x', { body: {} }), { status: 0 })
  assert.equal(d.sent.length, 1, 'a plain POST is never sent twice')
  await assert.rejects(d.call('POST', '/x', { key: 'k' }), { status: 0 })
  assert.equal(d.sent.length, 4)
  assert.ok(d.sent.slice(1).every((w) => w.headers['Idempotency-Key'] === 'k'))

  const e = client(() => ({ status: 429, body: { code: 'too_many', detail: '请稍后再试。', retryAfter: 3 } }))
  await assert.rejects(e.call('GET', '/x'), { detail: '请稍后再试。', retryAfter: 3 })
  assert.deepEqual(e.slept, [3000, 3000])
  const f = client(() => ({ status: 409, body: {} }))
  await assert.rejects(f.call('PUT', '/x'), { status: 409 })
  assert.equal(f.sent.length, 1)
})

test('sign-in calls carry no token', async () => {
  const c = client(() => ok({}))
  await c.call('POST', '/session/link', { auth: false, body: { token: 't' } })
  assert.equal(c.sent[0]?.headers.Authorization, undefined)
})

test('problems keep the sentence of the server and invent a plain one otherwise', () => {
  const p = toProblem(409, { code: 'conflict', detail: '考试已经结束。', fields: [{ name: 'body.seq', message: '太旧' }] })
  assert.equal(sentence(p), '考试已经结束。')
  assert.equal(p.field('seq'), '太旧')
  assert.equal(p.passing, false)
  assert.match(toProblem(502, '<html>bad gateway</html>').detail, /稍后再试/)
  assert.equal(toProblem(502, null).passing, true)
  assert.doesNotMatch(sentence(new TypeError('x is not a function')), /function/)
})
