import { client, match, once, take } from './http'
import type { AccountForm } from './types'

const at = (id: string) => ({ params: { path: { id } } })

export const listAccounts = () => take(client.GET('/accounts'))
export const createAccount = (body: AccountForm) =>
  take(client.POST('/accounts', { params: { header: once() }, body }))
export const saveAccount = (id: string, version: number, body: AccountForm) =>
  take(client.PUT('/accounts/{id}', { params: { path: { id }, header: match(version) }, body }))
export const deleteAccount = (id: string) => take(client.DELETE('/accounts/{id}', at(id)))
export const pauseAccount = (id: string, reason: string) =>
  take(client.POST('/accounts/{id}/pause', { ...at(id), body: { reason } }))
export const resumeAccount = (id: string) => take(client.POST('/accounts/{id}/resume', at(id)))
export const checkAccount = (id: string) => take(client.POST('/accounts/{id}/check', at(id)))
export const webhooks = (id: string) => take(client.GET('/accounts/{id}/webhooks', at(id)))
export const addWebhook = (id: string, url: string) =>
  take(client.POST('/accounts/{id}/webhooks', { params: { path: { id }, header: once() }, body: { url } }))
export const dropWebhook = (id: string) => take(client.DELETE('/webhooks/{id}', at(id)))
export const enableWebhook = (id: string) => take(client.POST('/webhooks/{id}/enable', at(id)))
export const pingWebhook = (id: string) => take(client.POST('/webhooks/{id}/ping', at(id)))
export const webhookJobs = (id: string, cursor?: string) =>
  take(client.GET('/accounts/{id}/webhooks/jobs', { params: { path: { id }, query: { cursor, limit: 20 } } }))
export const webhookAttempts = (id: string, job: string) =>
  take(client.GET('/accounts/{id}/webhooks/jobs/{job}', { params: { path: { id, job } } }))
