import { call, newKey, type Query } from './http'
import type { Page } from '@/state/list'
import type { Account, AccountLimits, Mode, Webhook } from './types'

const at = (id: string) => ({ path: { id } })

export interface AccountForm {
  orgId?: string
  platform?: 'wechat' | 'feed'
  name: string
  kind?: 'subscription' | 'service' | 'feed'
  mode?: Mode
  appId?: string
  /** Absent keeps what is stored; secrets are never read back. */
  secrets?: { appSecret?: string; token?: string; aesKey?: string }
  limits?: AccountLimits
}
export const listAccounts = (query: Query = {}) => call<Page<Account>>('GET', '/accounts', { query })
export const readAccount = (id: string) => call<Account>('GET', '/accounts/{id}', at(id))
export const createAccount = (body: AccountForm) => call<Account>('POST', '/accounts', { body, key: newKey() })
export const saveAccount = (id: string, version: number, body: AccountForm) =>
  call<Account>('PUT', '/accounts/{id}', { ...at(id), version, body })
export const deleteAccount = (id: string) => call<void>('DELETE', '/accounts/{id}', at(id))
export const pauseAccount = (id: string, reason: string) =>
  call<Account>('POST', '/accounts/{id}/pause', { ...at(id), body: { reason } })
export const resumeAccount = (id: string) => call<Account>('POST', '/accounts/{id}/resume', at(id))
export const checkAccount = (id: string) => call<Account>('POST', '/accounts/{id}/check', at(id))
export const webhooks = (id: string) => call<{ items: Webhook[] | null }>('GET', '/accounts/{id}/webhooks', at(id))
export const addWebhook = (id: string, target: string) =>
  call<Webhook & { secret: string }>('POST', '/accounts/{id}/webhooks', { ...at(id), body: { url: target }, key: newKey() })
export const dropWebhook = (id: string) => call<void>('DELETE', '/webhooks/{id}', at(id))
