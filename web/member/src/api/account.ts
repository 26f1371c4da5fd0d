import { platform } from '@platform'
import { call, get, newKey, session } from './index'
import type { DataRequest, Device, Me, OwnData, Page, Settings, SignedIn, Template, ToBind } from './types'

export async function signInMini(code: string): Promise<SignedIn | ToBind> {
  return keep(await call<SignedIn | ToBind>('POST', '/session/mini', { body: { code, device: platform.device() }, auth: false }))
}
export const bindByPhone = async (ticket: string, phoneCode: string): Promise<SignedIn> =>
  keep(await call<SignedIn>('POST', '/session/bind', { body: { ticket, phoneCode, device: platform.device() }, auth: false }))
export const bindByInvite = async (ticket: string, inviteCode: string, name: string): Promise<SignedIn> =>
  keep(await call<SignedIn>('POST', '/session/bind', { body: { ticket, inviteCode, name, device: platform.device() }, auth: false }))
export const signInByLink = async (token: string): Promise<SignedIn> =>
  keep(await call<SignedIn>('POST', '/session/link', { body: { token, device: platform.device() }, auth: false }))

function keep<T extends SignedIn | ToBind>(got: T): T {
  if (got.state === 'signed_in') session.keep(got)
  return got
}

export const getMe = (): Promise<Me> => get<Me>('/session')
export const signOut = (): Promise<void> => call('DELETE', '/session', { retries: 0 })
export const devices = (): Promise<Page<Device>> => get('/sessions')
export const dropDevice = (id: string): Promise<void> => call('DELETE', `/sessions/${id}`)
export const dropDevices = (): Promise<void> => call('DELETE', '/sessions')
export const saveSettings = (s: Settings): Promise<Settings> => call('PUT', '/me/settings', { body: s })
export const myData = (): Promise<OwnData> => get('/me/data')
export const requests = (): Promise<Page<DataRequest>> => get('/me/requests')
export const addRequest = (kind: DataRequest['kind'], text: string): Promise<DataRequest> =>
  call('POST', '/me/requests', { body: { kind, text }, key: newKey() })
export const templates = (): Promise<{ templates: Template[] }> => get('/subscriptions')
export const tellSubscriptions = (results: Record<string, string>): Promise<void> =>
  call('POST', '/subscriptions', { body: { results }, key: newKey() })
