// The names the pages use for the schemas of the generated client.
import type { components } from './schema.gen'

type S = components['schemas']

export type Post = S['PublishPost'] & Partial<Pick<S['PublishDetail'], 'deliveries' | 'reviews' | 'can'>>
export type PostState = S['PublishPost']['state']
export type PostSummary = S['PublishSummary']
export type Content = S['PublishContent']
export type Article = S['PublishArticle']
export type Delivery = S['PublishDelivery']
export type DeliveryState = Delivery['state']
export type DeliveryDetail = S['PublishDeliveryDetail']
export type Mode = Delivery['mode']
export type Review = S['PublishReview']
export type Revision = S['PublishRevision']
export type Span = S['RenderSpan']
export type Finding = S['LintFinding']
export type Rendered = S['PublishPreview']
export type PostComment = S['PublishComment']
export type CalendarItem = S['PublishCalendarItem']
export type Slot = S['PublishSlot']
export type DayQuota = S['PublishQuotaDay']
export type Dashboard = S['PublishDashboard']
export type Account = S['AccountView']
export type AccountForm = S['AccountBody']
export type Webhook = S['FeedWebhook']
export type WebhookJob = S['FeedJob']
export type WebhookAttempt = S['FeedAttempt']
export type Asset = S['PublishAsset'] & { used?: number }
export type Pasted = S['PublishPasted']
export type Word = S['PublishWord']
export type Me = S['MeView']
export type Org = S['MeOrg']
export type OrgDetail = S['StaffOrg']
export type OrgKind = OrgDetail['kind']
export type OrgOverrides = S['StaffOverrides']
export type OrgForm = S['StaffOrgInput']
export type StaffMember = S['StaffAccount']
export type RoleAt = S['StaffRoleAt']
export type AuditRow = S['AuditRow']
export type Enrolment = S['StaffEnrolment']
export type Invitation = S['StaffInvitation']
export type Member = S['MemberMember']
export type MemberForm = S['MemberInput']
export type MemberAlarm = S['MemberAlarm']
export type MemberRules = S['MemberRules']
export type MemberRequest = S['MemberRequest']

// Routes that stream or take raw bytes have no schema in the document.
export interface ImportReport {
  rows: ImportRow[] | null
  wrong: number
  written: number
}
export interface ImportRow {
  line: number
  title: string
  dueAt?: string
  action?: 'schedule' | 'reschedule' | 'skip'
  errors: { column: string; message: string }[] | null
}

export interface RosterReport {
  rows: RosterRow[]
  created: number
  updated: number
  same: number
  wrong: number
  written: boolean
}
export interface RosterRow {
  line: number
  name: string
  orgName: string
  action: 'create' | 'update' | 'same' | 'wrong'
  changes?: string[]
  errors?: { column: string; message: string }[]
}
