// Shapes of the member API, /api/member/v1. Times are RFC 3339 in UTC, ids are strings.

export interface Settings {
  textSize: 'normal' | 'large' | 'larger'
  highContrast: boolean
  recommendations: boolean
  rankings: boolean
}
export interface Me {
  id: string
  name: string
  kind: 'full' | 'probationary'
  orgId: string
  orgName: string
  orgPathNames: string[]
  groupName?: string
  posts: { code: string; label: string }[]
  staff: boolean
  settings: Settings
}
export interface SignedIn {
  state: 'signed_in'
  access: string
  accessExpiresAt: string
  refresh?: string
  me: Me
}
export interface ToBind {
  state: 'bind'
  ticket: string
  expiresAt: string
}
export interface Refreshed {
  access: string
  accessExpiresAt: string
  refresh?: string
}
export interface Device {
  id: string
  device: string
  client: 'mini' | 'h5'
  createdAt: string
  seenAt: string
  addr: string
  current: boolean
}
/** What is kept about the person; GET /me/data. */
export interface OwnData {
  madeAt: string
  member: Record<string, unknown>
  numbers: { phone?: string; idNumber?: string }
  requests: DataRequest[]
  parts?: { title: string; items: { at: string; label: string; text: string }[]; more?: boolean }[]
  retention: { text: string; source: string }[]
}
export interface Section {
  title: string
  rows: { label: string; value: string }[]
}
export interface DataRequest {
  id: string
  kind: 'correction' | 'deletion'
  text: string
  state: string
  createdAt: string
  answer?: string
  decidedAt?: string
}
export interface Page<T> {
  items: T[]
  next?: string
}

export interface InboxItem {
  id: string
  kind: 'notice' | 'post' | 'quiz' | 'contest' | 'meeting' | 'system'
  title: string
  summary: string
  at: string
  readAt?: string
  from: string
  eventAt?: string
  place?: string
  link?: { kind: string; id: string }
  ask?: { options: string[] }
  /** choice: number of the option, from 0. */
  answer?: { choice: number; text?: string; at: string }
  body?: string
}
export interface FeedItem {
  id: string
  title: string
  digest: string
  cover?: string
  publishedAt: string
  from: string
  articles: number
}
export interface FeedPost {
  id: string
  articles: { title: string; author?: string; digest?: string; html: string; cover?: string; url?: string }[]
  publishedAt: string
  from: string
}
export interface Template {
  id: string
  title: string
  about: string
}

export type Kind = 'single' | 'multiple' | 'truefalse' | 'fill' | 'order' | 'match' | 'short'
/** Positions are those shown, counted from 0. */
export interface Answer {
  choice?: number[]
  blanks?: string[]
  order?: number[]
  match?: number[]
  text?: string
}
export interface Shown {
  kind: Kind
  stem: string
  options?: string[]
  blanks?: number
  items?: string[]
  lefts?: string[]
  rights?: string[]
}
export interface Key {
  answer: Answer
  accept?: string[]
  rubric?: string[]
  explanation?: string
  source?: string
}
export interface Mark {
  share: number
  points: number
  right: boolean
  pending: boolean
  key?: Key
  comment?: string
}
export interface PaperCard {
  id: string
  title: string
  kind: 'exam' | 'daily' | 'practice'
  about?: string
  opensAt?: string
  closesAt?: string
  durationSec?: number
  questions: number
  points: number
  passPoints?: number
  attemptsAllowed?: number
  attemptsUsed: number
  openAttemptId?: string
  best?: { score: number; passed?: boolean }
}
export interface AttemptBrief {
  id: string
  number: number
  state: AttemptState
  startedAt: string
  submittedAt?: string
  score?: number
}
export interface PaperDetail extends PaperCard {
  rules: string[]
  attempts: AttemptBrief[]
}
export interface Daily {
  paper: PaperCard | null
  state: 'none' | 'open' | 'started' | 'done'
  attemptId?: string
  streak: number
  today?: { right: number; total: number }
}
export type AttemptState = 'open' | 'submitted' | 'expired' | 'graded'
export interface AttemptQuestion {
  n: number
  points: number
  shown: Shown
  answer?: Answer
  seq: number
  savedAt?: string
  result?: Mark
}
export interface Attempt {
  id: string
  paperId: string
  title: string
  kind: 'exam' | 'daily' | 'practice'
  number: number
  state: AttemptState
  startedAt: string
  dueAt?: string
  now: string
  questions: AttemptQuestion[]
  feedback: 'at_once' | 'after'
}
export interface Saved {
  n: number
  seq: number
  savedAt: string
  /** What is stored, when it is not what was sent. */
  answer?: Answer
  result?: Mark
}
export interface Result {
  attemptId: string
  paperId?: string
  title: string
  state: AttemptState
  submittedAt?: string
  score?: number
  points: number
  passed?: boolean
  usedSec: number
  hidden?: string
  questions?: { n: number; points: number; mark: Mark; shown: Shown; answer?: Answer; key?: Key }[]
}
export interface Topic {
  name: string
  questions: number
  answered: number
  rightShare: number
}
export interface Wrong {
  questionId: string
  shown: Shown
  key: Key
  lastAnswer?: Answer
  wrongTimes: number
  lastAt: string
  dueAt: string
  topics: string[]
}
export type Rating = 'again' | 'hard' | 'good' | 'easy'

export interface ContestCard {
  id: string
  title: string
  state: 'lobby' | 'running' | 'paused' | 'finished'
  mode: 'solo' | 'teams' | 'branches' | 'match'
  startsAt?: string
  players: number
  questions: number
  joined: boolean
  teams?: string[]
}
export interface Joined {
  contestId: string
  ticket: string
  ws: string
}

export interface OwnResult {
  attemptId: string
  paperId?: string
  title: string
  kind?: string
  score?: number
  points: number
  passed?: boolean
  submittedAt: string
  /** Why there is no score yet. */
  hidden?: string
}
export interface TopicResult {
  topic: string
  answered: number
  /** Percent of the points. */
  share: number
  verdict: 'strong' | 'ok' | 'gap' | 'few'
  /** Behind the verdict, the worst first; share in percent. */
  questions?: { questionId: string; stem: string; answered: number; share: number }[]
}
export interface Rank {
  rank: number
  name: string
  org: string
  score: number
  usedSec: number
  me: boolean
}
export interface Ranking {
  items: Rank[]
  mine?: Rank
  hidden?: string
}
export interface Certificate {
  id: string
  number: string
  title: string
  paperTitle: string
  earnedAt: string
  revokedAt?: string
}
