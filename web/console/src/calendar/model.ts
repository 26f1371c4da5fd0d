import type { CalendarItem, DayQuota, Slot } from '@/api/types'
import { clock, dateKey, fromWall, weekdayOf } from '@/lib/time'

/** Items of one day, earliest first. */
export function byDay(items: CalendarItem[]): Map<string, CalendarItem[]> {
  const days = new Map<string, CalendarItem[]>()
  for (const item of [...items].sort((a, b) => a.dueAt.localeCompare(b.dueAt))) {
    const key = dateKey(item.dueAt)
    const list = days.get(key)
    if (list) list.push(item)
    else days.set(key, [item])
  }
  return days
}

/** Weekly slots that fall on the date, earliest first. */
export function slotsOn(slots: Slot[], date: string): Slot[] {
  const weekday = weekdayOf(date) || 7
  return slots.filter((s) => s.weekday === weekday).sort((a, b) => a.minute - b.minute)
}

export function slotTime(s: Slot): string {
  return `${String(Math.floor(s.minute / 60)).padStart(2, '0')}:${String(s.minute % 60).padStart(2, '0')}`
}

/** Quotas of the date that are used at all or used up. */
export function quotasOn(quotas: DayQuota[], date: string): DayQuota[] {
  return quotas.filter((q) => q.day === date && q.planned > 0)
}

/** Where an item lands when it is moved to a date: its time of day stays. */
export function movedTo(item: Pick<CalendarItem, 'dueAt'>, date: string, time: string = clock(item.dueAt)): string {
  return fromWall(date, time)
}

export function itemKey(i: CalendarItem): string {
  return i.postId + ':' + (i.deliveryId ?? i.accountId ?? '')
}

/** Colour of an item: by what became of it, else by where the post stands. */
export function tone(i: CalendarItem): string {
  switch (i.deliveryState) {
    case 'published':
      return 'green'
    case 'failed':
      return 'red'
    case 'unknown':
    case 'by_hand':
      return 'amber'
    case 'waiting':
      return 'violet'
    case 'submitting':
    case 'submitted':
      return 'blue'
    case 'cancelled':
    case 'retracted':
      return 'plain'
  }
  return i.state === 'approved' ? 'green' : i.state === 'in_review' ? 'blue' : i.state === 'returned' ? 'red' : 'plain'
}
