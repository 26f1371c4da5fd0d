// Answers on their way to the server. An answer is written to the phone's
// storage first, then sent; it leaves the queue only when the server says that
// it is durable. Each question has a counter (seq), so that sending twice does
// no harm and an old answer never replaces a newer one.
import { Problem } from '@/api/problem'
import type { Answer, Saved } from '@/api/types'

export interface Pending {
  seq: number
  answer: Answer
  /** When it was given, in ms of the server's clock. */
  givenAt: number
  /** How often it went again because another device had used its number. */
  again?: number
}
export interface QueueDeps {
  send(list: { n: number; seq: number; answer: Answer }[]): Promise<Saved[]>
  load(): Record<number, Pending>
  store(all: Record<number, Pending>): void
  now(): number
  later(f: () => void, ms: number): unknown
  cancel(timer: unknown): void
  saved(s: Saved): void
  changed(): void
  /** The attempt takes no answers any more; what waits is given up. */
  refused(p: Problem): void
}
export type SaveState = 'none' | 'waiting' | 'saved'

/** Waits between tries, in ms. */
export const WAITS = [1000, 2000, 4000, 8000, 15_000]
/** How often an answer goes again with a new number, should clocks not agree. */
const AGAIN = 3
/** Most answers in one request. */
const BATCH = 50

export type AnswerQueue = ReturnType<typeof createQueue>

export function createQueue(d: QueueDeps) {
  const pending: Record<number, Pending> = d.load()
  const seqs: Record<number, number> = {}
  const done: Record<number, boolean> = {}
  let sending: Promise<void> | null = null
  let timer: unknown
  let tries = 0
  let closed = false
  let woken = false // kicked while a try was under way that may still fail

  for (const [n, p] of Object.entries(pending)) seqs[Number(n)] = p.seq

  const waiting = (): number[] => Object.keys(pending).map(Number)

  function settle(sent: Pending, s: Saved): void {
    const p = pending[s.n]
    seqs[s.n] = Math.max(seqs[s.n] ?? 0, s.seq)
    if (p && p.seq === sent.seq) {
      // The server keeps something else: another device used the same or a later
      // number. Who answered last wins; what was given after goes again with the
      // next number.
      const older = s.answer !== undefined && Date.parse(s.savedAt) < p.givenAt
      if (older && (p.again ?? 0) < AGAIN) {
        p.again = (p.again ?? 0) + 1
        p.seq = seqs[s.n] = seqs[s.n]! + 1
        return
      }
      delete pending[s.n]
    }
    if (pending[s.n]) return
    done[s.n] = true
    d.saved(s)
  }

  async function round(): Promise<void> {
    const list = waiting().slice(0, BATCH).map((n) => ({ n, ...pending[n]! }))
    const got = await d.send(list.map(({ n, seq, answer }) => ({ n, seq, answer })))
    for (const s of got) {
      const sent = list.find((x) => x.n === s.n)
      if (sent) settle(sent, s)
    }
    d.store(pending)
    d.changed()
  }

  async function run(): Promise<void> {
    try {
      while (!closed && waiting().length) {
        await round()
        tries = 0
        woken = false
      }
    } catch (e) {
      if (e instanceof Problem && !e.passing && e.status !== 401) {
        closed = true
        for (const n of waiting()) delete pending[n]
        d.store(pending)
        d.changed()
        d.refused(e)
        return
      }
      if (woken) {
        woken = false
        return run()
      }
      const wait = WAITS[Math.min(tries++, WAITS.length - 1)]!
      timer = d.later(start, e instanceof Problem && e.retryAfter > 0 ? e.retryAfter * 1000 : wait)
      d.changed()
    }
  }

  function start(): void {
    if (closed || sending || !waiting().length) return
    d.cancel(timer)
    woken = false
    sending = run().finally(() => {
      sending = null
    })
  }

  /** Sends what waits, now; a try under way that fails is repeated at once. */
  function kick(): void {
    woken = sending !== null
    start()
  }

  return {
    /** Takes the counter that the server has of a question. */
    know(n: number, seq: number, saved: boolean): void {
      seqs[n] = Math.max(seqs[n] ?? 0, seq)
      if (saved && !pending[n]) done[n] = true
      const p = pending[n]
      if (p && p.seq <= seq) p.seq = seqs[n] = seq + 1 // given here after what the server has, or this would not wait
    },
    put(n: number, answer: Answer): void {
      if (closed) return
      const seq = (seqs[n] ?? 0) + 1
      seqs[n] = seq
      pending[n] = { seq, answer, givenAt: d.now() }
      done[n] = false
      d.store(pending)
      d.changed()
      start()
    },
    kick,
    /** Sends what waits and tells whether everything is with the server. */
    async flush(): Promise<boolean> {
      if (sending) await sending
      start()
      if (sending) await sending
      return !waiting().length
    },
    answerOf: (n: number): Answer | undefined => pending[n]?.answer,
    state: (n: number): SaveState => (pending[n] ? 'waiting' : done[n] ? 'saved' : 'none'),
    count: (): number => waiting().length,
    stop(): void {
      closed = true
      d.cancel(timer)
    },
  }
}
