import type { Page } from '@/state/list'
import { call, newKey, url, type Query } from './http'
import type { AuditRow, Dashboard, OrgDetail, OrgKind, OrgOverrides, StaffMember, Word } from './types'

const at = (id: string) => ({ path: { id } })

export const dashboard = () => call<Dashboard>('GET', '/dashboard')

export const listWords = (query: Query = {}) => call<Page<Word>>('GET', '/words', { query })
export const addWord = (body: Omit<Word, 'id'>) => call<Word>('POST', '/words', { body, key: newKey() })
export const saveWord = (id: string, body: Omit<Word, 'id'>) => call<Word>('PUT', '/words/{id}', { ...at(id), body })
export const dropWord = (id: string) => call<void>('DELETE', '/words/{id}', at(id))

export const listOrgs = () => call<Page<OrgDetail>>('GET', '/orgs')
export interface OrgForm {
  parentId?: string
  kind: OrgKind
  name: string
  shortName?: string
  settings: OrgOverrides
}
export const createOrg = (body: OrgForm) => call<OrgDetail>('POST', '/orgs', { body, key: newKey() })
export const saveOrg = (id: string, version: number, body: OrgForm) =>
  call<OrgDetail>('PUT', '/orgs/{id}', { ...at(id), body, version })
export const archiveOrg = (id: string, version: number) => call<OrgDetail>('DELETE', '/orgs/{id}', { ...at(id), version })
export const moveOrg = (id: string, version: number, parentId: string) =>
  call<OrgDetail>('POST', '/orgs/{id}/move', { ...at(id), version, body: { parentId } })

export interface OrgSettings {
  own: OrgOverrides
  effective: Required<OrgOverrides>
  version: number
}
export const orgSettings = (id: string) => call<OrgSettings>('GET', '/orgs/{id}/settings', at(id))
export const saveOrgSettings = (id: string, version: number, body: OrgOverrides) =>
  call<OrgSettings>('PUT', '/orgs/{id}/settings', { ...at(id), version, body })

export interface StaffForm {
  orgId: string
  login: string
  name: string
  phone?: string
}
export type RoleInput = { role: string; orgId: string }
export const listRoles = () => call<{ items: { name: string; label: string; rights: string[] | null; secondFactor: boolean }[] | null }>('GET', '/roles')
export const listStaff = (query: Query) => call<Page<StaffMember>>('GET', '/staff', { query })
export const createStaff = (body: StaffForm & { roles: RoleInput[] }) =>
  call<{ account: StaffMember; link: string }>('POST', '/staff', { body, key: newKey() })
export const saveStaff = (id: string, version: number, body: { name: string; phone?: string; orgId?: string }) =>
  call<StaffMember>('PUT', '/staff/{id}', { ...at(id), version, body })
export const inviteStaff = (id: string) => call<{ account: StaffMember; link: string }>('POST', '/staff/{id}/invite', at(id))
export const setRoles = (id: string, version: number, roles: RoleInput[]) =>
  call<StaffMember>('PUT', '/staff/{id}/roles', { ...at(id), version, body: { roles } })
export const setEnabled = (id: string, enabled: boolean) =>
  call<StaffMember>('POST', enabled ? '/staff/{id}/enable' : '/staff/{id}/disable', at(id))

export const audit = (query: Query) => call<Page<AuditRow>>('GET', '/audit', { query })
export const auditExportUrl = (query: Query) => url('/audit/export', {}, query)
export interface AuditReport {
  chains: number
  rows: number
  intact: boolean
  problems: { chain: number; seq: number; kind: string }[] | null
  tookMs: number
}
export const verifyAudit = () => call<AuditReport>('GET', '/audit/verify')
