import type { Attendee, Lecture } from '@/api/lectures'
import type { Label } from '@/lib/words'

export const LECTURE_STATE: Record<Lecture['state'], Label> = {
  planned: { text: '未开播', tone: 'blue' },
  open: { text: '直播中', tone: 'red' },
  ended: { text: '已结束', tone: 'green' },
}

export const LECTURE_ROLE: Record<Attendee['role'], string> = {
  host: '主持人',
  cohost: '联席主持人',
  speaker: '主讲人',
  member: '党员',
  guest: '来宾',
}

/** "1 小时 5 分", "12 分", "不足 1 分". */
export function learned(seconds: number): string {
  const m = Math.floor(seconds / 60)
  if (m === 0) return seconds > 0 ? '不足 1 分' : '—'
  return m < 60 ? `${m} 分` : `${Math.floor(m / 60)} 小时${m % 60 ? ` ${m % 60} 分` : ''}`
}
