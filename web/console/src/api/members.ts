import { BASE, client, match, once, search, take } from './http'
import type { components, operations } from './schema.gen'
import type { MemberForm, RosterReport } from './types'

type S = components['schemas']
const at = (id: string) => ({ params: { path: { id } } })
const edit = (id: string, version: number) => ({ params: { path: { id }, header: match(version) } })

export type MemberQuery = NonNullable<operations['listMembers']['parameters']['query']>
export const listMembers = (query: MemberQuery) => take(client.GET('/members', { params: { query } }))
/** By a whole phone or ID number: it travels in the body, never in an address. */
export const findMembers = (number: string) => take(client.POST('/members/find', { body: { number } }))
export const createMember = (body: MemberForm, key: string) =>
  take(client.POST('/members', { params: { header: once(key) }, body }))
export const saveMember = (id: string, version: number, body: MemberForm) =>
  take(client.PUT('/members/{id}', { ...edit(id, version), body }))
export const revealMember = (id: string, reason: string) =>
  take(client.POST('/members/{id}/reveal', { ...at(id), body: { reason } }))
export const personalData = (id: string, reason: string) =>
  take(client.POST('/members/{id}/data', { ...at(id), body: { reason } }))
export const leaveMember = (id: string, version: number, body: S['MemberLeaving']) =>
  take(client.POST('/members/{id}/leave', { ...edit(id, version), body }))
export const returnMember = (id: string, version: number) => take(client.POST('/members/{id}/return', edit(id, version)))
export const memberRules = () => take(client.GET('/members/rules'))
export const memberAlarms = (orgId: string) => take(client.GET('/members/alarms', { params: { query: { orgId } } }))

export type RequestQuery = NonNullable<operations['listMemberRequests']['parameters']['query']>
export const listRequests = (query: RequestQuery) => take(client.GET('/members/requests', { params: { query } }))
export const createRequest = (id: string, body: S['MemberRequestInput']) =>
  take(client.POST('/members/{id}/requests', { params: { path: { id }, header: once() }, body }))
export const decideRequest = (id: string, version: number, body: S['MemberVerdict']) =>
  take(client.POST('/members/requests/{id}/decide', { ...edit(id, version), body }))

export const templateUrl = BASE + '/members/template.xlsx'
export const rosterUrl = (orgId: string, state: string) => BASE + '/members/export.xlsx' + search({ orgId, state })

const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'
/** A dry run writes nothing; a real one writes nothing either while a row is wrong and is not to be skipped. */
export const importRoster = (file: File, orgId: string, dryRun: boolean, skipWrong: boolean) =>
  take(
    client.POST('/members/import', {
      params: { query: { orgId, dryRun: dryRun ? 'true' : undefined, skipWrong: skipWrong ? 'true' : undefined } },
      body: '' as never,
      bodySerializer: () => file,
      headers: { 'Content-Type': /\.csv$/i.test(file.name) ? 'text/csv' : XLSX },
    }) as unknown as Promise<{ data?: RosterReport; error?: unknown; response: Response }>,
  )

export const inviteMember = (id: string) => take(client.POST('/members/{id}/invite', at(id)))
export const listBindings = (id: string) => take(client.GET('/members/{id}/bindings', at(id)))
export const unbindMember = (id: string, binding: string) =>
  take(client.DELETE('/members/{id}/bindings/{binding}', { params: { path: { id, binding } } }))
