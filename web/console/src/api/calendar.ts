import { BASE, client, once, search, take } from './http'
import type { components, operations } from './schema.gen'
import type { ImportReport } from './types'

export type CalendarQuery = operations['getCalendar']['parameters']['query']
export const calendar = (query: CalendarQuery) => take(client.GET('/calendar', { params: { query } }))
export const listSlots = () => take(client.GET('/slots'))
export const addSlot = (body: components['schemas']['AddSlotInBody']) =>
  take(client.POST('/slots', { params: { header: once() }, body }))
export const dropSlot = (id: string) => take(client.DELETE('/slots/{id}', { params: { path: { id } } }))
export const nextSlot = (accountId: string) => take(client.GET('/slots/next', { params: { query: { accountId } } }))
/** A dry run writes nothing; a real one writes nothing either while a line is wrong. */
export const importCsv = (csv: string, dryRun: boolean) =>
  take(
    client.POST('/calendar/import', {
      params: { query: { dryRun: dryRun ? '1' : undefined } },
      body: csv,
      bodySerializer: (text) => text,
      headers: { 'Content-Type': 'text/csv; charset=utf-8' },
    }) as Promise<{ data?: ImportReport; error?: unknown; response: Response }>,
  )
export const exportUrl = (from: string, to: string) => BASE + '/calendar/export' + search({ from, to })
/** A new secret address of the .ics feed; the older one is dead from then on. */
export const newLink = () => take(client.POST('/calendar/link'))
