import type { Page } from '@/state/list'
import { call, newKey, url, type Query } from './http'
import type { AuditEntry, Dashboard, Org, Role, Word } from './types'

const at = (id: string) => ({ path: { id } })

export const dashboard = () => call<Dashboard>('GET', '/dashboard')

export const listWords = (query: Query = {}) => call<Page<Word>>('GET', '/words', { query })
export const addWord = (body: Omit<Word, 'id'>) => call<Word>('POST', '/words', { body, key: newKey() })
export const saveWord = (id: string, body: Omit<Word, 'id'>) => call<Word>('PUT', '/words/{id}', { ...at(id), body })
export const dropWord = (id: string) => call<void>('DELETE', '/words/{id}', at(id))

export interface OrgDetail extends Org {
  version?: number
}
export interface OrgSettings {
  reviewLevels: number
  reviewHours: number
  version?: number
}
export const listOrgs = () => call<Page<OrgDetail>>('GET', '/orgs')
export const createOrg = (body: { parentId: string; name: string; kind: string }) =>
  call<OrgDetail>('POST', '/orgs', { body, key: newKey() })
export const saveOrg = (id: string, body: { name: string; kind: string }, version?: number) =>
  call<OrgDetail>('PUT', '/orgs/{id}', { ...at(id), body, version })
export const deleteOrg = (id: string, version?: number) => call<void>('DELETE', '/orgs/{id}', { ...at(id), version })
export const moveOrg = (id: string, parentId: string) => call<OrgDetail>('POST', '/orgs/{id}/move', { ...at(id), body: { parentId } })
export const orgSettings = (id: string) => call<OrgSettings>('GET', '/orgs/{id}/settings', at(id))
export const saveOrgSettings = (id: string, body: OrgSettings) => call<OrgSettings>('PUT', '/orgs/{id}/settings', { ...at(id), body })

export interface StaffMember {
  id: string
  login: string
  name: string
  state?: string
  disabled?: boolean
  invited?: boolean
  totp?: boolean
  roles: Role[] | null
  lastSeenAt?: string
  version?: number
}
export const listStaff = (query: Query) => call<Page<StaffMember>>('GET', '/staff', { query })
export const createStaff = (body: { login: string; name: string; roles: { role: string; orgId: string }[] }) =>
  call<StaffMember & { link?: string }>('POST', '/staff', { body, key: newKey() })
export const inviteStaff = (id: string) => call<{ url: string; expiresAt?: string }>('POST', '/staff/{id}/invite', at(id))
export const setRoles = (id: string, roles: { role: string; orgId: string }[]) =>
  call<StaffMember>('PUT', '/staff/{id}/roles', { ...at(id), body: { roles } })
export const setEnabled = (id: string, enabled: boolean) =>
  call<StaffMember>('POST', enabled ? '/staff/{id}/enable' : '/staff/{id}/disable', at(id))

export const audit = (query: Query) => call<Page<AuditEntry>>('GET', '/audit', { query })
export const auditExportUrl = (query: Query) => url('/audit/export', {}, query)
export interface AuditCheck {
  ok: boolean
  checked?: number
  firstBad?: string
  note?: string
}
export const verifyAudit = () => call<AuditCheck>('GET', '/audit/verify')
