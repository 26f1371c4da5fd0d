import { call, newKey, url, type Query } from './http'
import type { CalendarView, ImportReport, Slot } from './types'

export const calendar = (query: Query) => call<CalendarView>('GET', '/calendar', { query })
export const addSlot = (body: Omit<Slot, 'id' | 'orgId'>) => call<Slot>('POST', '/slots', { body, key: newKey() })
export const dropSlot = (id: string) => call<void>('DELETE', '/slots/{id}', { path: { id } })
export const nextSlot = (accountId: string) => call<{ dueAt?: string }>('GET', '/slots/next', { query: { accountId } })
export const importCsv = (csv: string, dryRun: boolean) =>
  call<ImportReport>('POST', '/calendar/import', {
    query: { dryRun: dryRun || undefined },
    body: csv,
    key: dryRun ? undefined : newKey(),
  })
export const exportUrl = (query: Query) => url('/calendar/export', {}, query)
/** A new secret address of the .ics feed; the older one is dead from then on. */
export const newLink = () => call<{ url: string }>('POST', '/calendar/link')
