// The words the pages use for what the API speaks.
export type PostState = 'draft' | 'in_review' | 'returned' | 'approved' | 'queued' | 'finished'
export type DeliveryState =
  | 'waiting'
  | 'submitting'
  | 'submitted'
  | 'unknown'
  | 'by_hand'
  | 'published'
  | 'failed'
  | 'cancelled'
  | 'retracted'
export type Mode = 'publish' | 'mass' | 'draft'
export type Step = '' | 'upload' | 'draft' | 'ready' | 'submit' | 'result'
export type Quad = [number, number, number, number]

export interface Cover {
  asset?: string
  wide?: number[] | null
  square?: number[] | null
}
export interface Article {
  kind: 'news' | 'pictures'
  title: string
  author?: string
  digest?: string
  format: 'markdown' | 'html'
  body: string
  theme?: string
  cover: Cover
  images?: string[] | null
  sourceUrl?: string
  openComment?: boolean
  fansOnly?: boolean
}
export interface Content {
  articles: Article[]
}
export interface DeliverySketch {
  id: string
  accountId: string
  accountName: string
  mode: Mode
  state: DeliveryState
  step: Step
  dueAt: string
  note?: string
  url?: string
}
export interface PostSummary {
  id: string
  orgId: string
  orgName: string
  title: string
  state: PostState
  version: number
  level: number
  levels: number
  reviewDue?: string
  authorName: string
  articles: number
  cover?: string
  dueAt?: string
  updatedAt: string
  updatedBy: string
  deliveries: DeliverySketch[] | null
}
export interface Receipt {
  publishId?: string
  msgId?: string
  msgDataId?: string
}
export interface Delivery {
  id: string
  postId: string
  accountId: string
  accountName: string
  postTitle: string
  orgId: string
  platform: string
  mode: Mode
  state: DeliveryState
  step: Step
  hash: string
  dueAt: string
  nextAt?: string
  version: number
  attempt: number
  draftId?: string
  receipt?: Receipt
  submitAt?: string
  doneAt?: string
  articleId?: string
  urls?: string[] | null
  errKind?: string
  errCode?: number
  note?: string
  polls: number
}
export interface DeliveryEvent {
  id: string
  deliveryId: string
  at: string
  state: string
  step: string
  note: string
}
export interface Review {
  id: string
  postId: string
  version: number
  hash: string
  level: number
  decision: 'pass' | 'return'
  reason?: string
  reviewerId: string
  reviewerName: string
  at: string
}
export interface Post {
  id: string
  orgId: string
  orgName: string
  title: string
  state: PostState
  version: number
  hash: string
  content: Content
  authorId: string
  authorName: string
  editors: string[] | null
  level: number
  levels: number
  reviewDue?: string
  approvedHash?: string
  dueAt?: string
  createdAt: string
  updatedAt: string
  updatedBy: string
  deliveries?: Delivery[] | null
  reviews?: Review[] | null
  can?: string[] | null
}
export interface Revision {
  postId: string
  version: number
  hash: string
  title: string
  auto: boolean
  authorName: string
  at: string
}
export interface Span {
  op: 'equal' | 'insert' | 'delete'
  text: string
}
export interface ArticleDiff {
  index: number
  title: Span[] | null
  digest: Span[] | null
  body: Span[] | null
}
export interface Finding {
  rule: string
  severity: 'error' | 'warning' | 'hint'
  article: number
  field: string
  message: string
  quote?: string
  suggest?: string
}
export interface Rendered {
  html: string
  text: string
  chars: number
  pictures: string[] | null
  digest: string
  dropped: string[] | null
  findings: Finding[] | null
}
export interface PostComment {
  id: string
  postId: string
  parentId?: string
  version: number
  article: number
  quote?: string
  prefix?: string
  suffix?: string
  body: string
  authorId: string
  authorName: string
  at: string
  resolvedAt?: string
  resolvedBy?: string
}
export interface CalendarItem {
  postId: string
  deliveryId?: string
  title: string
  state?: PostState
  deliveryState?: DeliveryState
  accountId?: string
  accountName?: string
  mode?: Mode
  dueAt: string
  movable: boolean
  warnings: string[] | null
}
export interface Slot {
  id: string
  orgId: string
  accountId: string
  weekday: number
  minute: number
  label?: string
}
export interface DayQuota {
  accountId: string
  day: string
  mode: Mode
  planned: number
  limit: number
}
export interface CalendarView {
  items: CalendarItem[] | null
  slots: Slot[] | null
  quotas: DayQuota[] | null
  ready: PostSummary[] | null
}
export interface ImportRow {
  line: number
  title: string
  dueAt?: string
  action?: 'schedule' | 'reschedule' | 'skip'
  errors: { column: string; message: string }[] | null
}
export interface ImportReport {
  rows: ImportRow[] | null
  wrong: number
  written: number
}
export interface Check {
  name: string
  ok: boolean
  note: string
  used?: number
  left?: number
}
export interface AccountLimits {
  publishPerDay: number
  massPerDay: number
  pollsPerDay: number
  readsPerDay: number
}
export interface Account {
  id: string
  orgId: string
  orgName: string
  platform: 'wechat' | 'feed'
  name: string
  kind: 'subscription' | 'service' | 'feed'
  mode: Mode
  appId?: string
  hasKeys: boolean
  paused: boolean
  note?: string
  limits: AccountLimits
  health: { at?: string; ok: boolean; checks?: Check[] | null; lastSuccess?: string }
  version: number
  createdAt: string
  feed?: { page: string; rss: string; atom: string; json: string }
  hints: string[] | null
}
export interface Webhook {
  id: string
  accountId: string
  url: string
  enabled: boolean
  note?: string
  createdBy: string
  createdAt: string
}
export interface Asset {
  id: string
  orgId: string
  hash: string
  name: string
  alt: string
  mime: string
  width: number
  height: number
  size: number
  createdBy: string
  createdAt: string
  used?: number
}
export interface Word {
  id: string
  text: string
  kind: 'sensitive' | 'typo' | 'allow'
  suggest?: string
  note?: string
}
export interface Figures {
  day: string
  reads: number
  people: number
  shares: number
  likes: number
}
export interface Org {
  id: string
  name: string
  path: string
  parentId?: string
  kind: string
}
export type OrgKind = 'committee' | 'general_branch' | 'branch' | 'group'
export interface OrgOverrides {
  reviewLevels?: number
  reviewHours?: number
  watermark?: string
  altRequired?: boolean
  source?: string
}
export interface OrgDetail {
  id: string
  parentId: string
  path: string
  kind: OrgKind
  name: string
  shortName: string
  settings: OrgOverrides
  archivedAt?: string
  version: number
}
export interface StaffMember {
  id: string
  orgId: string
  orgName: string
  login: string
  name: string
  phone?: string
  state: 'invited' | 'active' | 'disabled'
  roles: Role[] | null
  totp: boolean
  lastSignIn?: string
  version: number
}
export interface Role {
  role: string
  orgId: string
  orgName?: string
}
export interface Me {
  account: { id: string; login: string; name: string; orgId: string; orgName: string }
  roles: (Role & { label: string })[] | null
  rights: string[] | null
  orgs: Org[] | null
  csrf: string
  totp: boolean
  mustEnrol: boolean
  passwordDue: boolean
  notice?: string
}
export interface AccountState {
  id: string
  name: string
  paused: boolean
  ok: boolean
  note?: string
}
export interface Dashboard {
  review: PostSummary[] | null
  returned: PostSummary[] | null
  drafts: PostSummary[] | null
  ready: PostSummary[] | null
  today: CalendarItem[] | null
  attend: Delivery[] | null
  accounts: AccountState[] | null
  queue: { waiting: number; running: number; unknown: number; byHand: number; nextAt?: string }
}
export interface AuditRow {
  chain: number
  seq: number
  at: string
  actorId: string
  actorKind: string
  actorName: string
  action: string
  object: string
  objectId: string
  result: 'ok' | 'denied' | 'failed'
  addr: string
  userAgent: string
  requestId: string
  detail?: Record<string, string>
  hash: string
}
