import assert from 'node:assert/strict'
import { test } from 'node:test'
import { absent, addDays, addMonths, clock, dateKey, dateTime, daysBetween, fromWall, monthGrid, relative, weekStart, weekdayName } from '../src/lib/time'

test('an instant is shown in Shanghai, also across midnight', () => {
  assert.equal(dateKey('2026-03-08T16:00:00Z'), '2026-03-09')
  assert.equal(clock('2026-03-08T16:00:00Z'), '00:00')
  assert.equal(dateKey('2026-03-08T15:59:59Z'), '2026-03-08')
})

test('a wall time and back', () => {
  assert.equal(fromWall('2026-03-09', '09:30'), '2026-03-09T01:30:00.000Z')
  assert.equal(clock(fromWall('2024-02-29', '23:59')), '23:59')
})

test('days and months are added on the calendar', () => {
  assert.equal(addDays('2026-12-31', 1), '2027-01-01')
  assert.equal(addDays('2024-03-01', -1), '2024-02-29')
  assert.equal(addMonths('2026-01-31', 1), '2026-02-28')
  assert.equal(addMonths('2026-01-15', -1), '2025-12-15')
  assert.equal(daysBetween('2026-02-27', '2026-03-02'), 3)
})

test('a month is six weeks that begin on Monday and hold every day of it', () => {
  const grid = monthGrid('2026-02-14')
  assert.equal(grid.length, 42)
  assert.equal(weekdayName(grid[0] ?? ''), '周一')
  assert.ok(grid.includes('2026-02-01') && grid.includes('2026-02-28'))
  assert.equal(weekStart('2026-03-08'), '2026-03-02')
})

test('relative times', () => {
  const now = Date.parse('2026-03-09T02:00:00Z')
  assert.equal(relative('2026-03-09T01:59:50Z', now), '刚刚')
  assert.equal(relative('2026-03-09T02:05:00Z', now), '5 分钟后')
  assert.equal(relative('2026-03-08T02:00:00Z', now), '昨天 10:00')
  assert.equal(relative('2025-03-08T02:00:00Z', now), '2025年3月8日 10:00')
})

test("the server's zero time is no time", () => {
  assert.ok(absent('0001-01-01T00:00:00Z'))
  assert.equal(dateTime('0001-01-01T00:00:00Z'), '—')
  assert.ok(!absent('2026-01-01T00:00:00Z'))
})
