import type { ModerationItem } from '@/api/moderation'
import type { DeliveryState, Member, MemberRequest, Mode, PostState } from '@/api/types'

export type Tone = 'plain' | 'blue' | 'amber' | 'green' | 'red' | 'violet'
export interface Label {
  text: string
  tone: Tone
}

export const POST_STATE: Record<PostState, Label> = {
  draft: { text: '草稿', tone: 'plain' },
  in_review: { text: '审核中', tone: 'blue' },
  returned: { text: '已退回', tone: 'red' },
  approved: { text: '审核通过', tone: 'green' },
  queued: { text: '已排期', tone: 'violet' },
  finished: { text: '已结束', tone: 'plain' },
}

export const DELIVERY_STATE: Record<DeliveryState, Label> = {
  waiting: { text: '待发布', tone: 'violet' },
  submitting: { text: '提交中', tone: 'blue' },
  submitted: { text: '平台处理中', tone: 'blue' },
  unknown: { text: '结果待确认', tone: 'amber' },
  by_hand: { text: '待手动发布', tone: 'amber' },
  published: { text: '已发布', tone: 'green' },
  failed: { text: '失败', tone: 'red' },
  cancelled: { text: '已取消', tone: 'plain' },
  retracted: { text: '已撤回', tone: 'plain' },
}

export const STEP: Record<string, string> = {
  '': '等待开始',
  upload: '上传图片',
  draft: '保存草稿',
  ready: '草稿就绪，等待时间',
  submit: '提交',
  result: '等待平台结果',
}

export const MODE: Record<Mode, { text: string; hint: string }> = {
  publish: { text: '发布', hint: '发布到公众号主页，不会推送给关注者。' },
  mass: { text: '群发', hint: '推送给全部关注者，次数有限：订阅号每天 1 次，服务号每月 4 次。' },
  draft: { text: '仅存草稿', hint: '只存入公众号草稿箱，由人登录公众平台手动发布，再回来确认。' },
}

export const ACCOUNT_KIND: Record<string, string> = {
  subscription: '订阅号',
  service: '服务号',
  feed: '公开订阅源',
}

export const LEVELS = ['', '初审', '复审', '终审'] as const

/** A chain of one or two levels ends with 终审, as the three-level chain does. */
export function levelName(level: number): string {
  return LEVELS[level] ?? `第 ${level} 级审核`
}

export const ROLE_HINT: Record<string, string> = {
  admin: '管理组织、人员、党员名册、公众号和词库，可以排期和撤回',
  editor: '写稿、传图、送审、排期',
  reviewer1: '负责第一级审核',
  reviewer2: '负责第二级审核',
  reviewer3: '负责第三级审核',
  secretary: '管理本支部党员名册，写稿、传图、送审',
  auditor: '只查看和导出审计记录',
}

export const SEVERITY: Record<string, Label> = {
  error: { text: '必须修改', tone: 'red' },
  warning: { text: '请留意', tone: 'amber' },
  hint: { text: '建议', tone: 'blue' },
}

export const CHECKS: Record<string, string> = {
  credentials: '开发者凭据',
  ip: 'IP 白名单',
  ip_list: 'IP 白名单',
  token: '访问凭证',
  feed: '订阅地址',
  webhooks: '推送地址',
  draft: '草稿权限',
  publish: '发布权限',
  mass: '群发权限',
  quota: '今日额度',
  callback: '消息回调',
}

export const ORG_KIND: Record<string, string> = {
  committee: '党委',
  general_branch: '党总支',
  branch: '党支部',
  group: '党小组',
}

export const MEMBER_STATE: Record<Member['state'], Label> = {
  active: { text: '在册', tone: 'green' },
  left: { text: '已离开', tone: 'plain' },
  deceased: { text: '已去世', tone: 'plain' },
  transferred_out: { text: '已转出', tone: 'plain' },
}

export const MEMBER_KIND: Record<Member['kind'], Label> = {
  full: { text: '正式党员', tone: 'red' },
  probationary: { text: '预备党员', tone: 'amber' },
}

export const REQUEST_STATE: Record<MemberRequest['state'], Label> = {
  open: { text: '待处理', tone: 'amber' },
  done: { text: '已办理', tone: 'green' },
  refused: { text: '未采纳', tone: 'plain' },
}

export const MODERATION_STATE: Record<ModerationItem['state'], Label> = {
  waiting: { text: '等待检测', tone: 'blue' },
  review: { text: '待人工审核', tone: 'amber' },
  passed: { text: '已通过', tone: 'green' },
  refused: { text: '未通过', tone: 'red' },
  replaced: { text: '已被新内容替换', tone: 'plain' },
}

export const MODERATION_BY: Record<NonNullable<ModerationItem['by']>, string> = { words: '单位词库', wechat: '微信检测', person: '审核人' }

export const REQUEST_KIND: Record<MemberRequest['kind'], string> = { correction: '更正信息', deletion: '删除信息' }

export const WEBHOOK_EVENT: Record<string, string> = {
  'post.published': '新文章',
  'post.retracted': '撤下文章',
  ping: '测试',
}

export const WEBHOOK_JOB: Record<string, Label> = {
  waiting: { text: '等待', tone: 'blue' },
  done: { text: '送达', tone: 'green' },
  failed: { text: '失败', tone: 'red' },
}
