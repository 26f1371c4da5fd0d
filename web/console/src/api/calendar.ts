import { call, newKey, url, type Query } from './http'
import type { CalendarView, ImportRow, Slot } from './types'

export const calendar = (query: Query) => call<CalendarView>('GET', '/calendar', { query })
export const addSlot = (body: Omit<Slot, 'id'>) => call<Slot>('POST', '/slots', { body, key: newKey() })
export const dropSlot = (id: string) => call<void>('DELETE', '/slots/{id}', { path: { id } })
export const nextSlot = (accountId: string) => call<{ dueAt?: string }>('GET', '/slots/next', { query: { accountId } })
export const importCsv = (csv: string, dryRun: boolean) =>
  call<{ rows: ImportRow[] | null; written: number }>('POST', '/calendar/import', {
    query: { dryRun: dryRun ? 1 : undefined },
    body: csv,
    key: dryRun ? undefined : newKey(),
  })
export const exportUrl = (query: Query) => url('/calendar/export', {}, query)
export const calendarLink = () => call<{ url: string }>('GET', '/calendar/link')
export const rotateLink = () => call<{ url: string }>('POST', '/calendar/link')
