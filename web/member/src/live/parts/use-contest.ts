import { reactive, ref } from 'vue'
import { platform } from '@platform'
import { Problem, sentence } from '@/api/problem'
import type { Answer, Joined } from '@/api/types'
import { createClock, secondsLeft } from '@/lib/clock'
import { whenBack } from '@/state/net'
import { createLink } from './link'
import { newPlay, take } from './play'

export function useContest(join: () => Promise<Joined>) {
  const p = reactive(newPlay())
  const status = ref<'connecting' | 'open' | 'waiting'>('connecting')
  const error = ref('')
  /** Who comes by code into a contest of teams has yet to name one. */
  const needsTeam = ref(false)
  const left = ref(0)
  const pending = ref(false)
  const clock = createClock(() => platform.ticks(), () => Date.now())
  let tick: ReturnType<typeof setInterval> | undefined

  const link = createLink({
    join,
    open(url, on) {
      const task = uni.connectSocket({ url: platform.socketUrl(url), complete: () => undefined })
      task.onOpen(() => on.open())
      task.onMessage((m) => on.message(String(m.data)))
      task.onClose((r: { code?: number }) => on.close(r?.code ?? 1006))
      task.onError(() => on.close(1006))
      return { send: (data) => task.send({ data }), close: () => task.close({}) }
    },
    frame(f) {
      if (typeof f.now === 'string') {
        const t = platform.ticks()
        clock.sync(f.now, t, t)
      }
      take(p, f)
      pending.value = link.waiting
      count()
    },
    status: (s) => (status.value = s),
    failed: (e) => {
      error.value = sentence(e)
      needsTeam.value = e instanceof Problem && e.field('team') !== ''
    },
    passing: (e) => e instanceof Problem && e.passing,
    later: (f, ms) => setTimeout(f, ms),
    cancel: (t) => clearTimeout(t as number),
  })
  const forget = whenBack(() => link.hurry())

  function count(): void {
    left.value = p.paused ? Math.ceil(p.leftMs / 1000) : p.endsAt ? secondsLeft(clock, p.endsAt) : 0
  }
  function start(): void {
    error.value = ''
    needsTeam.value = false
    clearInterval(tick)
    tick = setInterval(count, 250)
    void link.start()
  }
  function answer(a: Answer): void {
    p.refused = ''
    link.answer(p.n, a)
    pending.value = true
  }
  function stop(): void {
    clearInterval(tick)
    forget()
    link.stop()
  }
  return { p, status, error, needsTeam, left, pending, clock, start, answer, stop, hurry: () => link.hurry() }
}
