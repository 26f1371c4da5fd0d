// One WebSocket to a contest that comes back by itself: every connection needs
// a fresh ticket. An answer that was not acknowledged is sent again after a
// reconnect, as long as its question is open.
import type { Answer, Joined } from '@/api/types'
import type { Frame } from './play'

export interface Socket {
  send(text: string): void
  close(): void
}
export interface LinkDeps {
  join(): Promise<Joined>
  open(url: string, on: { open(): void; message(text: string): void; close(code: number): void }): Socket
  frame(f: Frame): void
  status(s: 'connecting' | 'open' | 'waiting'): void
  /** Joining failed for good. */
  failed(e: unknown): void
  /** Whether trying again may help. */
  passing(e: unknown): boolean
  later(f: () => void, ms: number): unknown
  cancel(timer: unknown): void
}

export const WAITS = [500, 1000, 2000, 4000, 8000]
/** Close codes after which nobody comes back: removed. */
const REMOVED = 4001
/** A ping this often (ms) keeps WeChat and proxies from cutting a quiet connection. */
const PING = 20_000

export function createLink(d: LinkDeps) {
  let socket: Socket | null = null
  let stopped = false
  let tries = 0
  let timer: unknown
  let pinger: unknown
  let unacked: { n: number; answer: Answer } | null = null
  let generation = 0
  let connecting = false
  let started = false

  function ping(): void {
    pinger = d.later(() => {
      say({ type: 'ping' })
      ping()
    }, PING)
  }
  const say = (f: object) => socket?.send(JSON.stringify(f))

  function heard(text: string): void {
    let f: Frame
    try {
      f = JSON.parse(text) as Frame
    } catch {
      return // a later version may send what this one does not know
    }
    if ((f.type === 'ack' || f.type === 'refused') && unacked && f.n === unacked.n) unacked = null
    if (f.type === 'removed') stopped = true
    d.frame(f)
    if (f.type === 'question' && unacked) {
      if (f.n === unacked.n) say({ type: 'answer', ...unacked })
      else unacked = null
    }
  }

  async function connect(): Promise<void> {
    if (connecting || socket) return
    const mine = ++generation
    started = connecting = true
    d.status('connecting')
    try {
      const j = await d.join()
      if (mine !== generation) return
      connecting = false
      if (stopped) return
      socket = d.open(j.ws, {
        open: () => {
          if (mine !== generation) return
          tries = 0
          d.status('open')
          ping()
        },
        message: (text) => mine === generation && heard(text),
        close: (code) => {
          if (mine !== generation) return
          socket = null
          d.cancel(pinger)
          if (code === REMOVED) stopped = true
          again()
        },
      })
    } catch (e) {
      if (mine !== generation) return
      connecting = false
      if (d.passing(e)) again()
      else d.failed(e)
    }
  }
  function again(): void {
    if (stopped) return
    d.status('waiting')
    timer = d.later(() => void connect(), WAITS[Math.min(tries++, WAITS.length - 1)]!)
  }

  return {
    start: connect,
    /** Connects at once, for instance because the network is back. */
    hurry(): void {
      if (stopped || !started || socket || connecting) return
      d.cancel(timer)
      tries = 0
      void connect()
    },
    answer(n: number, answer: Answer): void {
      unacked = { n, answer }
      say({ type: 'answer', n, answer })
    },
    get waiting(): boolean {
      return unacked !== null
    },
    stop(): void {
      stopped = true
      generation++
      d.cancel(timer)
      d.cancel(pinger)
      socket?.close()
      socket = null
    },
  }
}
