// The server speaks RFC 3339 in UTC. People in this program live in one zone,
// Asia/Shanghai, which has had no daylight saving since 1991: a fixed +08:00.
const OFFSET = 8 * 3600_000
const DAY = 86_400_000
const WEEKDAYS = ['日', '一', '二', '三', '四', '五', '六'] as const

/** Wall-clock parts in Shanghai of an instant. month is 1–12, weekday 0 is Sunday. */
export interface Wall {
  year: number
  month: number
  day: number
  hour: number
  minute: number
  second: number
  weekday: number
}

export function wall(at: string | number | Date): Wall {
  const d = new Date(new Date(at).getTime() + OFFSET)
  return {
    year: d.getUTCFullYear(),
    month: d.getUTCMonth() + 1,
    day: d.getUTCDate(),
    hour: d.getUTCHours(),
    minute: d.getUTCMinutes(),
    second: d.getUTCSeconds(),
    weekday: d.getUTCDay(),
  }
}

const two = (n: number): string => String(n).padStart(2, '0')

/** 2026-03-09 in Shanghai. */
export function dateKey(at: string | number | Date): string {
  const w = wall(at)
  return `${w.year}-${two(w.month)}-${two(w.day)}`
}

/** 09:30 in Shanghai. */
export function clock(at: string | number | Date): string {
  const w = wall(at)
  return `${two(w.hour)}:${two(w.minute)}`
}

/** The instant of a Shanghai date and time, as RFC 3339 in UTC. */
export function fromWall(date: string, time = '00:00'): string {
  const [y = 1970, m = 1, d = 1] = date.split('-').map(Number)
  const [hh = 0, mm = 0] = time.split(':').map(Number)
  return new Date(Date.UTC(y, m - 1, d, hh, mm) - OFFSET).toISOString()
}

/** Adds whole days to a date key. */
export function addDays(date: string, days: number): string {
  return dateKey(new Date(fromWall(date)).getTime() + days * DAY)
}

/** Whole days from a to b (date keys). */
export function daysBetween(a: string, b: string): number {
  return Math.round((Date.parse(fromWall(b)) - Date.parse(fromWall(a))) / DAY)
}

/** 0 is Sunday. */
export function weekdayOf(date: string): number {
  return wall(fromWall(date)).weekday
}

export function weekdayName(date: string): string {
  return '周' + (WEEKDAYS[weekdayOf(date)] ?? '')
}

/** Monday of the week that holds the date. */
export function weekStart(date: string): string {
  return addDays(date, -((weekdayOf(date) + 6) % 7))
}

/** The six weeks, Monday first, that show the month of the date. */
export function monthGrid(date: string): string[] {
  const first = weekStart(date.slice(0, 8) + '01')
  return Array.from({ length: 42 }, (_, i) => addDays(first, i))
}

/** Adds months and keeps the day where the month has it. */
export function addMonths(date: string, months: number): string {
  const [y = 1970, m = 1, d = 1] = date.split('-').map(Number)
  const index = y * 12 + (m - 1) + months
  const year = Math.floor(index / 12)
  const month = (index % 12) + 1
  const last = new Date(Date.UTC(year, month, 0)).getUTCDate()
  return `${year}-${two(month)}-${two(Math.min(d, last))}`
}

/** The server's zero time, and nothing at all, mean that there is no time. */
export function absent(at: string | number | Date | null | undefined): at is null | undefined | '' {
  return at === null || at === undefined || at === '' || (typeof at === 'string' && at.startsWith('0001-'))
}

/** 3月9日 09:30, with the year where it is not this one. */
export function dateTime(at: string | number | Date | null | undefined, now: number = Date.now()): string {
  if (absent(at)) return '—'
  const w = wall(at)
  const year = w.year === wall(now).year ? '' : `${w.year}年`
  return `${year}${w.month}月${w.day}日 ${two(w.hour)}:${two(w.minute)}`
}

/** 2026-03-09 09:30:05, for logs. */
export function stamp(at: string | number | Date | null | undefined): string {
  if (absent(at)) return '—'
  const w = wall(at)
  return `${w.year}-${two(w.month)}-${two(w.day)} ${two(w.hour)}:${two(w.minute)}:${two(w.second)}`
}

/** 刚刚 · 5 分钟前 · 今天 09:30 · 昨天 09:30 · 3月9日 09:30; the future likewise. */
export function relative(at: string | number | Date | null | undefined, now: number = Date.now()): string {
  if (absent(at)) return '—'
  const t = new Date(at).getTime()
  const delta = t - now
  const minutes = Math.round(Math.abs(delta) / 60_000)
  if (minutes < 1) return delta > 0 ? '马上' : '刚刚'
  if (minutes < 60) return delta > 0 ? `${minutes} 分钟后` : `${minutes} 分钟前`
  const days = daysBetween(dateKey(now), dateKey(t))
  if (days === 0) return `今天 ${clock(t)}`
  if (days === -1) return `昨天 ${clock(t)}`
  if (days === 1) return `明天 ${clock(t)}`
  return dateTime(t, now)
}
