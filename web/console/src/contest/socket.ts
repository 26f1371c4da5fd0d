// The live view of a contest over its WebSocket (docs/contests.md). Hosts and
// projectors only look; acts go over REST. What a welcome does not repeat is gone.
import { computed, onBeforeUnmount, reactive, ref } from 'vue'
import { contestTicket, type Contest, type Key, type Place, type Shown, type TeamPlace } from '@/api/contests'
import { Problem, sentence } from '@/api/problem'

export interface WelcomeFrame {
  type: 'welcome'
  code?: string
  contest: { id: string; title: string; mode: Contest['mode']; state: Contest['state']; total: number; seconds: number; n: number; rule: string; teamRule?: string }
}
export interface LobbyFrame {
  type: 'lobby'
  players: number
  online: number
  locked: boolean
  teams?: Record<string, number>
  names?: string[]
  startAt?: string
}
export interface QuestionFrame {
  type: 'question'
  n: number
  total: number
  shown: Shown
  endsAt: string
  now: string
  limitSec: number
}
export interface RevealFrame {
  type: 'reveal'
  n: number
  key: Key
  share?: number[]
  answered: number
  right: number
}
export interface BoardFrame {
  type: 'board' | 'finished'
  n: number
  of: number
  top: Place[] | null
  teams?: TeamPlace[]
}
type Frame =
  | WelcomeFrame
  | LobbyFrame
  | QuestionFrame
  | RevealFrame
  | BoardFrame
  | { type: 'closed' | 'skipped'; n: number }
  | { type: 'paused'; n: number; leftMs?: number }
  | { type: 'resumed'; n: number; endsAt?: string; now: string }
  | { type: 'count'; n: number; answered: number; online: number }
  | { type: 'pong' | 'removed' | 'refused' | 'ack' }

export interface Live {
  welcome?: WelcomeFrame
  state: Contest['state'] | ''
  lobby?: LobbyFrame
  question?: QuestionFrame
  closed: boolean
  skipped: boolean
  reveal?: RevealFrame
  board?: BoardFrame
  answered: number
  online: number
}
const nothing = (): Live => ({ welcome: undefined, state: '', lobby: undefined, question: undefined, closed: false, skipped: false, reveal: undefined, board: undefined, answered: 0, online: 0 })

export function useContestSocket(id: string, role: 'host' | 'projector') {
  const live = reactive<Live>(nothing())
  const connected = ref(false)
  const trouble = ref('')
  const left = ref(0)
  let endsAt = 0 // on this machine's own clock, which runs steadily
  let socket: WebSocket | undefined
  let again: ReturnType<typeof setTimeout> | undefined
  let tries = 0
  let over = false

  const tick = setInterval(() => {
    left.value = endsAt ? Math.max(0, Math.ceil((endsAt - performance.now()) / 1000)) : 0
  }, 100)
  const until = (end: string, now: string): void => {
    endsAt = performance.now() + (Date.parse(end) - Date.parse(now))
  }

  function read(f: Frame): void {
    switch (f.type) {
      case 'welcome':
        Object.assign(live, nothing(), { welcome: f, state: f.contest.state })
        endsAt = 0
        break
      case 'lobby':
        live.lobby = f
        live.online = f.online
        break
      case 'question':
        Object.assign(live, { question: f, state: 'running', closed: false, skipped: false, reveal: undefined, board: undefined })
        if (live.welcome?.contest.n !== f.n) live.answered = 0
        if (live.welcome) live.welcome.contest.n = f.n
        until(f.endsAt, f.now)
        break
      case 'count':
        live.answered = f.answered
        live.online = f.online
        break
      case 'closed':
        live.closed = true
        endsAt = 0
        break
      case 'skipped':
        live.skipped = live.closed = true
        endsAt = 0
        break
      case 'reveal':
        live.reveal = f
        live.answered = f.answered
        live.closed = true
        endsAt = 0
        break
      case 'board':
        live.board = f
        break
      case 'paused':
        live.state = 'paused'
        endsAt = 0
        break
      case 'resumed':
        live.state = 'running'
        if (f.endsAt) until(f.endsAt, f.now)
        break
      case 'finished':
        live.state = 'finished'
        live.board = f
        endsAt = 0
        break
    }
  }
  function later(): void {
    if (over) return
    clearTimeout(again)
    again = setTimeout(() => void connect(), Math.min(10_000, 500 * 2 ** tries++))
  }
  async function connect(): Promise<void> {
    clearTimeout(again)
    try {
      const t = await contestTicket(id, role)
      if (over) return
      const ws = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${t.ws}`)
      socket = ws
      ws.onopen = () => {
        connected.value = true
        trouble.value = ''
        tries = 0
      }
      ws.onmessage = (e: MessageEvent<string>) => read(JSON.parse(e.data) as Frame)
      ws.onclose = () => {
        connected.value = false
        if (socket !== ws || over || live.state === 'finished') return
        trouble.value = '连接断了，正在重新连接……'
        later()
      }
    } catch (e) {
      connected.value = false
      trouble.value = sentence(e)
      if (!(e instanceof Problem) || e.offline || e.status === 429) later()
    }
  }
  onBeforeUnmount(() => {
    over = true
    clearTimeout(again)
    clearInterval(tick)
    socket?.close()
  })
  const n = computed(() => live.question?.n ?? live.welcome?.contest.n ?? 0)
  return { live, connected, trouble, left, n, connect }
}
