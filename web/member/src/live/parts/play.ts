// What a player sees of a contest, made from the frames of the server one after
// the other. Protocol version 1, docs/contests.md. Nothing here is guessed: the
// clock, the points and the places are the server's.
import type { Answer, Key, Shown } from '@/api/types'

export interface Place {
  rank: number
  name: string
  team?: string
  org?: string
  score: number
  delta: number
}
export interface TeamPlace {
  rank: number
  name: string
  score: number
  players: number
}
export interface Frame {
  type: string
  [field: string]: unknown
}
export interface Play {
  stage: 'connecting' | 'lobby' | 'question' | 'closed' | 'reveal' | 'finished' | 'removed'
  title: string
  mode: string
  rule: string
  teamRule: string
  state: string
  n: number
  total: number
  paused: boolean
  /** Milliseconds left of a paused question. */
  leftMs: number
  lobby: { players: number; online: number; size: number; locked: boolean; startAt: string; names: string[]; teams: { name: string; players: number }[] }
  shown: Shown | null
  endsAt: string
  points: number
  acked: boolean
  refused: string
  skipped: boolean
  key: Key | null
  mine: { answer: Answer; right: boolean; points: number } | null
  share: number[]
  answered: number
  right: number
  top: Place[]
  teams: TeamPlace[]
  of: number
  me: { name: string; team: string; rank: number; score: number; delta: number }
  code: string
}

export function newPlay(): Play {
  return {
    stage: 'connecting', title: '', mode: '', rule: '', teamRule: '', state: '', n: 0, total: 0, paused: false, leftMs: 0,
    lobby: { players: 0, online: 0, size: 0, locked: false, startAt: '', names: [], teams: [] },
    shown: null, endsAt: '', points: 0, acked: false, refused: '', skipped: false, key: null, mine: null, share: [], answered: 0, right: 0,
    top: [], teams: [], of: 0, me: { name: '', team: '', rank: 0, score: 0, delta: 0 }, code: '',
  }
}

const text = (v: unknown): string => (typeof v === 'string' ? v : '')
const num = (v: unknown): number => (typeof v === 'number' ? v : 0)
const obj = (v: unknown): Record<string, unknown> => (v && typeof v === 'object' ? (v as Record<string, unknown>) : {})

/** Takes one frame into p. */
export function take(p: Play, f: Frame): void {
  switch (f.type) {
    case 'welcome': {
      const c = obj(f.contest)
      Object.assign(p, { title: text(c.title), mode: text(c.mode), rule: text(c.rule), teamRule: text(c.teamRule), state: text(c.state), n: num(c.n), total: num(c.total), code: text(f.code) })
      const me = obj(f.me)
      p.me = { ...p.me, name: text(me.name), team: text(me.team), rank: num(me.rank) || p.me.rank, score: num(me.score) }
      p.paused = p.state === 'paused'
      if (p.state === 'lobby') p.stage = 'lobby'
      else if (p.state === 'finished') p.stage = 'finished'
      else if (p.stage === 'connecting' || p.stage === 'lobby') p.stage = 'closed' // what is on comes next
      return
    }
    case 'lobby': {
      const teams = Object.entries(obj(f.teams)).map(([name, n]) => ({ name, players: num(n) }))
      p.lobby = {
        players: num(f.players), online: num(f.online), size: num(f.size), locked: f.locked === true, startAt: text(f.startAt), teams,
        names: Array.isArray(f.names) ? f.names.map(text) : [],
      }
      if (p.state === 'lobby' || p.stage === 'connecting') p.stage = 'lobby'
      return
    }
    case 'question': {
      const n = num(f.n)
      if (n !== p.n || p.stage !== 'question') Object.assign(p, { acked: false, refused: '', key: null, mine: null, share: [] })
      Object.assign(p, { stage: 'question', state: 'running', n, total: num(f.total), shown: f.shown as Shown, endsAt: text(f.endsAt), points: num(f.points), skipped: false, paused: false })
      return
    }
    case 'ack':
      if (num(f.n) === p.n) Object.assign(p, { acked: true, refused: '' })
      return
    case 'refused':
      if (!f.n || num(f.n) === p.n) p.refused = text(f.message)
      return
    case 'closed':
      if (num(f.n) === p.n) p.stage = 'closed'
      return
    case 'skipped':
      if (num(f.n) === p.n) Object.assign(p, { stage: 'closed', skipped: true })
      return
    case 'reveal':
      Object.assign(p, {
        stage: 'reveal', n: num(f.n), key: f.key as Key, mine: (f.mine as Play['mine']) ?? null,
        share: Array.isArray(f.share) ? f.share.map(num) : [], answered: num(f.answered), right: num(f.right),
      })
      return
    case 'board':
    case 'finished': {
      p.top = Array.isArray(f.top) ? (f.top as Place[]) : p.top
      p.teams = Array.isArray(f.teams) ? (f.teams as TeamPlace[]) : []
      p.of = num(f.of)
      const me = obj(f.me)
      if (f.me) p.me = { ...p.me, rank: num(me.rank), score: num(me.score), delta: num(me.delta) }
      if (f.type === 'finished') Object.assign(p, { stage: 'finished', state: 'finished', paused: false })
      return
    }
    case 'paused':
      Object.assign(p, { paused: true, leftMs: num(f.leftMs) })
      return
    case 'resumed':
      p.paused = false
      if (text(f.endsAt)) p.endsAt = text(f.endsAt)
      return
    case 'removed':
      p.stage = 'removed'
      return
  }
}
