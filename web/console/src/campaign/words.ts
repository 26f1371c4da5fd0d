import type { Campaign, CampaignState, NotifyTemplate, Recipient } from '@/api/campaigns'
import type { Label } from '@/lib/words'

export const CAMPAIGN_STATE: Record<CampaignState, Label> = {
  draft: { text: '草稿', tone: 'plain' },
  fanning: { text: '写入收件箱', tone: 'blue' },
  sending: { text: '发送中', tone: 'blue' },
  paused: { text: '已暂停', tone: 'amber' },
  done: { text: '已完成', tone: 'green' },
  cancelled: { text: '已取消', tone: 'plain' },
}

export const CAMPAIGN_KIND: Record<Campaign['kind'], string> = {
  notice: '通知',
  meeting: '会议',
  post: '图文',
  quiz: '答题',
  contest: '竞赛',
  system: '系统消息',
}

export const OUTCOME: Record<Recipient['outcome'], Label> = {
  inbox: { text: '仅收件箱', tone: 'plain' },
  waiting: { text: '等待发送', tone: 'blue' },
  sending: { text: '正在发送', tone: 'blue' },
  sent: { text: '已发送', tone: 'green' },
  failed: { text: '未发送', tone: 'red' },
  unknown: { text: '结果不明', tone: 'amber' },
  skipped: { text: '无法送达', tone: 'plain' },
  stopped: { text: '已停止', tone: 'plain' },
}

export const CHANNEL: Record<NotifyTemplate['channel'], string> = {
  mini: '小程序订阅消息',
  template: '公众号模板消息',
  subscribe: '公众号订阅通知',
}
export const channelName = (c: string | undefined): string => CHANNEL[c as NotifyTemplate['channel']] ?? ''

export const SOURCE: Record<string, string> = {
  title: '标题',
  summary: '摘要',
  time: '时间',
  place: '地点',
  remark: '备注',
  from: '发送组织',
  kind: '通知类型',
  text: '固定文字',
}

/** 40 秒 · 3 分钟 · 2 小时 5 分钟 */
export function spell(seconds: number): string {
  if (seconds < 60) return `${Math.max(1, Math.ceil(seconds))} 秒`
  const minutes = Math.ceil(seconds / 60)
  if (minutes < 60) return `${minutes} 分钟`
  return `${Math.floor(minutes / 60)} 小时${minutes % 60 ? ` ${minutes % 60} 分钟` : ''}`
}
