import { call } from './http'
import type { Me } from './types'

export interface NeedTotp {
  need: 'totp'
  ticket: string
}
export interface SignIn {
  id: string
  current?: boolean
  device?: string
  userAgent?: string
  ip?: string
  createdAt: string
  lastSeenAt?: string
}

export const signIn = (login: string, password: string) =>
  call<Me | NeedTotp>('POST', '/session', { body: { login, password }, quiet: true })
export const signInTotp = (ticket: string, code: string) =>
  call<Me>('POST', '/session/totp', { body: { ticket, code }, quiet: true })
export const signInLink = (token: string) => call<Me | NeedTotp>('POST', '/session/link', { body: { token }, quiet: true })
export const readMe = () => call<Me>('GET', '/session', { quiet: true })
export const signOut = () => call<void>('DELETE', '/session')
export const sessions = () => call<{ items: SignIn[] | null }>('GET', '/sessions')
export const endSession = (id: string) => call<void>('DELETE', '/sessions/{id}', { path: { id } })
export const endAllSessions = () => call<void>('DELETE', '/sessions')
export const acceptInvitation = (token: string, password: string) =>
  call<Me | undefined>('POST', '/invitations/accept', { body: { token, password }, quiet: true })
export const changePassword = (current: string, password: string) =>
  call<void>('PUT', '/me/password', { body: { current, password } })
export const startTotp = () => call<{ secret: string; url: string }>('POST', '/me/totp')
export const confirmTotp = (code: string) => call<{ codes?: string[] | null } | undefined>('PUT', '/me/totp', { body: { code } })
export const dropTotp = (code: string) => call<void>('DELETE', '/me/totp', { body: { code } })
