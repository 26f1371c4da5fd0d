// The server's clock, as seen from here: only it decides what is due. It runs
// on a counter that people cannot set back, not on the time of the phone.

export interface ServerClock {
  /** now is what the server said; it was asked at these ticks and answered at those. */
  sync(now: string, asked: number, answered: number): void
  /** Milliseconds since 1970 of the server. */
  now(): number
}

export function createClock(ticks: () => number, wall: () => number): ServerClock {
  let offset = wall() - ticks()
  return {
    sync(now, asked, answered) {
      const t = Date.parse(now)
      if (!Number.isNaN(t)) offset = t + (answered - asked) / 2 - answered
    },
    now: () => ticks() + offset,
  }
}

/** Whole seconds left until a time, never below 0; it shows 1 until it is over. */
export function secondsLeft(clock: Pick<ServerClock, 'now'>, until: string): number {
  return Math.max(0, Math.ceil((Date.parse(until) - clock.now()) / 1000))
}

/** "1:02:03" or "02:03". */
export function asClock(seconds: number): string {
  const two = (n: number) => String(n).padStart(2, '0')
  const h = Math.floor(seconds / 3600)
  const rest = `${two(Math.floor((seconds % 3600) / 60))}:${two(seconds % 60)}`
  return h ? `${h}:${rest}` : rest
}

/** "1 小时 5 分", "3 分 20 秒". */
export function inWords(seconds: number): string {
  const h = Math.floor(seconds / 3600)
  const m = Math.floor((seconds % 3600) / 60)
  const s = Math.round(seconds % 60)
  if (h) return m ? `${h} 小时 ${m} 分` : `${h} 小时`
  if (m) return s ? `${m} 分 ${s} 秒` : `${m} 分钟`
  return `${s} 秒`
}
