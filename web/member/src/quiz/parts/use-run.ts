// One attempt in progress: loading or starting it, the clock, the queue of
// answers, and handing it in.
import { computed, reactive, ref } from 'vue'
import { platform } from '@platform'
import { newKey } from '@/api'
import { Problem, sentence } from '@/api/problem'
import { attempt as fetchAttempt, practise, save, start, submit } from '@/api/quiz'
import type { Answer, Attempt, AttemptQuestion, Result } from '@/api/types'
import { complete } from '@/lib/answer'
import { createClock, secondsLeft } from '@/lib/clock'
import { createQueue, type AnswerQueue, type Pending } from '@/state/queue'
import { whenBack } from '@/state/net'

/** Typing is sent this long (ms) after the last letter. */
const TYPED = 800

export interface Origin {
  id?: string
  paper?: string
  topic?: string
  source?: 'topic' | 'wrong' | 'gaps'
}

export function useRun() {
  const a = ref<Attempt | null>(null)
  const answers = reactive<Record<number, Answer>>({})
  const at = ref(0)
  const left = ref(-1) // seconds, -1 without a limit
  const waiting = ref(0)
  const error = ref('')
  const closed = ref('')
  const busy = ref(false)
  const saved = reactive<Record<number, string>>({})
  const clock = createClock(() => platform.ticks(), () => Date.now())
  const typed: Record<number, ReturnType<typeof setTimeout>> = {}
  const drafts: Record<number, Answer> = {}
  let queue: AnswerQueue | null = null
  let tick: ReturnType<typeof setInterval> | undefined
  let forget: (() => void) | undefined
  let ended: (() => void) | undefined
  let startKey = ''

  const questions = computed<AttemptQuestion[]>(() => a.value?.questions ?? [])
  const q = computed(() => questions.value[at.value])
  const done = (x: AttemptQuestion): boolean => complete(x.shown, answers[x.n])
  const open = computed(() => questions.value.filter((x) => !done(x)))

  function openQueue(id: string): AnswerQueue {
    const key = `answers:${id}`
    return createQueue({
      send: (list) => save(id, list),
      load: () => {
        try {
          return JSON.parse(String(uni.getStorageSync(key) || '{}')) as Record<number, Pending>
        } catch {
          return {}
        }
      },
      store: (all) => (Object.keys(all).length ? uni.setStorageSync(key, JSON.stringify(all)) : uni.removeStorageSync(key)),
      now: () => clock.now(),
      later: (f, ms) => setTimeout(f, ms),
      cancel: (t) => clearTimeout(t as number),
      saved: (s) => {
        const x = questions.value.find((y) => y.n === s.n)
        if (!x) return
        x.seq = s.seq
        x.savedAt = s.savedAt
        if (s.result) x.result = s.result
        if (s.answer) answers[s.n] = s.answer // another device was later
      },
      changed: () => {
        waiting.value = queue?.count() ?? 0
        for (const x of questions.value) saved[x.n] = queue?.state(x.n) ?? 'none'
      },
      refused: (p) => (closed.value = p.detail),
    })
  }

  function take(got: Attempt, asked: number): void {
    clock.sync(got.now, asked, platform.ticks())
    const first = !a.value
    a.value = got
    queue ??= openQueue(got.id)
    for (const x of got.questions) {
      queue.know(x.n, x.seq, !!x.savedAt || !!x.answer)
      const own = drafts[x.n] ?? queue.answerOf(x.n) ?? x.answer
      if (own) answers[x.n] = own
    }
    waiting.value = queue.count()
    for (const x of got.questions) saved[x.n] = queue.state(x.n)
    if (first) {
      const i = got.questions.findIndex((x) => !done(x))
      at.value = Math.max(0, i)
    }
    queue.kick()
    run()
  }

  function run(): void {
    clearInterval(tick)
    forget?.()
    forget = whenBack(() => queue?.kick())
    const due = a.value?.dueAt
    left.value = due ? secondsLeft(clock, due) : -1
    if (!due || a.value?.state !== 'open') return
    tick = setInterval(() => {
      left.value = secondsLeft(clock, due)
      if (left.value > 0) return
      clearInterval(tick)
      ended?.()
    }, 500)
  }

  async function load(o: Origin): Promise<void> {
    busy.value = true
    error.value = ''
    const asked = platform.ticks()
    try {
      if (a.value) take(await fetchAttempt(a.value.id), asked)
      else if (o.id) take(await fetchAttempt(o.id), asked)
      else {
        startKey ||= newKey()
        take(o.paper ? await start(o.paper, startKey) : await practise({ source: o.source ?? 'topic', topic: o.topic }, startKey), asked)
      }
    } catch (e) {
      // In the middle of an attempt the network may go; answering goes on.
      if (!(a.value && e instanceof Problem && e.passing)) error.value = sentence(e)
    } finally {
      busy.value = false
    }
  }

  function put(n: number, answer: Answer): void {
    answers[n] = answer
    queue?.put(n, answer)
  }
  function type(n: number, answer: Answer): void {
    answers[n] = answer
    drafts[n] = answer
    clearTimeout(typed[n])
    typed[n] = setTimeout(() => sendTyped(n), TYPED)
  }
  function sendTyped(n: number): void {
    clearTimeout(typed[n])
    const d = drafts[n]
    delete drafts[n]
    if (d) queue?.put(n, d)
  }
  function sendAllTyped(): void {
    for (const n of Object.keys(drafts)) sendTyped(Number(n))
  }

  /** Hands in; null when answers are still waiting or the server said no (see error). */
  async function handIn(): Promise<Result | null> {
    if (!a.value || !queue || busy.value) return null
    busy.value = true
    error.value = ''
    try {
      sendAllTyped()
      if (!closed.value && !(await queue.flush())) {
        error.value = `还有 ${queue.count()} 题没有传到服务器。请检查网络，传完后再交。`
        return null
      }
      const got = await submit(a.value.id)
      queue.stop()
      return got
    } catch (e) {
      error.value = sentence(e)
      return null
    } finally {
      busy.value = false
    }
  }
  function stop(): void {
    sendAllTyped()
    clearInterval(tick)
    forget?.()
  }

  return {
    a, answers, at, left, waiting, error, closed, busy, saved, questions, q, open, done, load, put, type, sendAllTyped, handIn, stop,
    whenOver: (f: () => void) => (ended = f),
  }
}
