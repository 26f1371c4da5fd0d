// Dates as people in China read them, whatever the phone is set to.
const ZONE = 8 * 3600_000
const two = (n: number) => String(n).padStart(2, '0')

function parts(iso: string) {
  const d = new Date(Date.parse(iso) + ZONE)
  return { y: d.getUTCFullYear(), m: d.getUTCMonth() + 1, d: d.getUTCDate(), h: d.getUTCHours(), min: d.getUTCMinutes(), day: Math.floor((Date.parse(iso) + ZONE) / 86_400_000) }
}

/** "9:05" today, "昨天 9:05", "3月2日 9:05", with the year when it is another. */
export function when(iso: string | undefined, now = Date.now()): string {
  if (!iso || Number.isNaN(Date.parse(iso))) return ''
  const t = parts(iso)
  const today = parts(new Date(now).toISOString())
  const clock = `${t.h}:${two(t.min)}`
  if (t.day === today.day) return `今天 ${clock}`
  if (t.day === today.day - 1) return `昨天 ${clock}`
  if (t.day === today.day + 1) return `明天 ${clock}`
  return `${t.y === today.y ? '' : t.y + '年'}${t.m}月${t.d}日 ${clock}`
}

/** "2026年3月2日". */
export function date(iso: string | undefined): string {
  if (!iso || Number.isNaN(Date.parse(iso))) return ''
  const t = parts(iso)
  return `${t.y}年${t.m}月${t.d}日`
}

/** The date of today for the top of a page: "3月2日 星期一". */
export function todayLine(now = Date.now()): string {
  const d = new Date(now + ZONE)
  return `${d.getUTCMonth() + 1}月${d.getUTCDate()}日 星期${'日一二三四五六'[d.getUTCDay()]}`
}
