import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asClock, createClock, inWords, secondsLeft } from '@/lib/clock'
import { date, todayLine, when } from '@/lib/time'

const SERVER = Date.parse('2026-03-02T01:00:00Z')

test('the time that is left follows the server, not the phone', (t) => {
  t.mock.timers.enable({ apis: ['Date', 'setTimeout'], now: SERVER + 7_200_000 }) // the phone is two hours fast
  let ticks = 5_000
  const c = createClock(() => ticks, () => Date.now())
  c.sync(new Date(SERVER).toISOString(), 4_800, 5_000) // 200 ms there and back
  assert.equal(c.now(), SERVER + 100)
  const due = new Date(SERVER + 60_100).toISOString()
  assert.equal(secondsLeft(c, due), 60)

  ticks += 59_000
  t.mock.timers.setTime(SERVER - 86_400_000) // somebody turns the phone back a day
  assert.equal(secondsLeft(c, due), 1)
  ticks += 999
  assert.equal(secondsLeft(c, due), 1, 'it shows 1 until it is over')
  ticks += 1
  assert.equal(secondsLeft(c, due), 0)
  ticks += 5_000
  assert.equal(secondsLeft(c, due), 0, 'never below 0')
})

test('a later word of the server corrects the clock, nonsense does not', () => {
  let ticks = 0
  const c = createClock(() => ticks, () => 0)
  c.sync('2026-03-02T01:00:00Z', 0, 0)
  ticks = 10_000 // the phone slept; really an hour passed
  c.sync('2026-03-02T02:00:00Z', 10_000, 10_000)
  assert.equal(c.now(), SERVER + 3_600_000)
  c.sync('soon', 10_000, 10_000)
  assert.equal(c.now(), SERVER + 3_600_000)
})

test('figures as people read them', () => {
  assert.equal(asClock(0), '00:00')
  assert.equal(asClock(65), '01:05')
  assert.equal(asClock(3_723), '1:02:03')
  assert.equal(inWords(45), '45 秒')
  assert.equal(inWords(1_800), '30 分钟')
  assert.equal(inWords(200), '3 分 20 秒')
  assert.equal(inWords(3_900), '1 小时 5 分')
})

test('dates are those of China, wherever the phone is set', () => {
  const now = Date.parse('2026-03-02T16:30:00Z') // 3 March, 00:30 in China
  assert.equal(when('2026-03-02T16:05:00Z', now), '今天 0:05')
  assert.equal(when('2026-03-02T15:59:00Z', now), '昨天 23:59')
  assert.equal(when('2026-03-04T01:00:00Z', now), '明天 9:00')
  assert.equal(when('2026-03-03T16:00:00Z', now), '明天 0:00')
  assert.equal(when('2026-03-05T01:00:00Z', now), '3月5日 9:00')
  assert.equal(when('2025-12-31T15:00:00Z', now), '2025年12月31日 23:00')
  assert.equal(when(undefined, now), '')
  assert.equal(date('2026-03-02T16:30:00Z'), '2026年3月3日')
  assert.equal(todayLine(now), '3月3日 星期二')
})
