import { BASE, client, match, once, search, take } from './http'
import type { components, operations } from './schema.gen'
import type { OrgForm, OrgOverrides } from './types'

type S = components['schemas']
const at = (id: string) => ({ params: { path: { id } } })
const edit = (id: string, version: number) => ({ params: { path: { id }, header: match(version) } })

export const dashboard = () => take(client.GET('/dashboard'))

export const listWords = () => take(client.GET('/words'))
export const addWord = (body: S['WordBody']) => take(client.POST('/words', { params: { header: once() }, body }))
export const saveWord = (id: string, body: S['WordBody']) => take(client.PUT('/words/{id}', { ...at(id), body }))
export const dropWord = (id: string) => take(client.DELETE('/words/{id}', at(id)))

export const listOrgs = (archived = false) => take(client.GET('/orgs', { params: { query: { archived } } }))
export const createOrg = (body: OrgForm) => take(client.POST('/orgs', { params: { header: once() }, body }))
export const saveOrg = (id: string, version: number, body: OrgForm) =>
  take(client.PUT('/orgs/{id}', { ...edit(id, version), body }))
export const archiveOrg = (id: string, version: number) => take(client.DELETE('/orgs/{id}', edit(id, version)))
export const restoreOrg = (id: string, version: number) => take(client.POST('/orgs/{id}/restore', edit(id, version)))
export const moveOrg = (id: string, version: number, parentId: string) =>
  take(client.POST('/orgs/{id}/move', { ...edit(id, version), body: { parentId } }))
export const orgSettings = (id: string) => take(client.GET('/orgs/{id}/settings', at(id)))
export const saveOrgSettings = (id: string, version: number, body: OrgOverrides) =>
  take(client.PUT('/orgs/{id}/settings', { ...edit(id, version), body }))

export type StaffQuery = NonNullable<operations['listStaff']['parameters']['query']>
export const listRoles = () => take(client.GET('/roles'))
export const listStaff = (query: StaffQuery) => take(client.GET('/staff', { params: { query } }))
export const createStaff = (body: S['CreateStaffInBody']) =>
  take(client.POST('/staff', { params: { header: once() }, body }))
export const saveStaff = (id: string, version: number, body: S['SaveStaffInBody']) =>
  take(client.PUT('/staff/{id}', { ...edit(id, version), body }))
export const inviteStaff = (id: string) => take(client.POST('/staff/{id}/invite', at(id)))
export const setRoles = (id: string, version: number, roles: S['StaffRoleAt'][]) =>
  take(client.PUT('/staff/{id}/roles', { ...edit(id, version), body: { roles } }))
export const disableStaff = (id: string) => take(client.POST('/staff/{id}/disable', at(id)))
export const enableStaff = (id: string) => take(client.POST('/staff/{id}/enable', at(id)))

export type AuditQuery = NonNullable<operations['listAudit']['parameters']['query']>
export const audit = (query: AuditQuery) => take(client.GET('/audit', { params: { query } }))
export const auditExportUrl = (query: Record<string, string | undefined>) => BASE + '/audit/export' + search(query)
export const verifyAudit = () => take(client.GET('/audit/verify'))
