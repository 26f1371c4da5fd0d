import { call } from './http'
import type { Me } from './types'

/** A step of signing in: done, or the second factor is still asked for. */
export interface Step {
  need?: 'totp'
  ticket?: string
  me?: Me
}
export interface Invitation {
  login: string
  name: string
  expiresAt: string
  minPassword: number
}
export interface Enrolment {
  secret: string
  url: string
  ticket: string
}
export interface SignIn {
  id: string
  current?: boolean
  createdAt: string
  seenAt: string
  expiresAt: string
  addr: string
  userAgent: string
  method: string
}

export const signIn = (login: string, password: string) =>
  call<Step>('POST', '/session', { body: { login, password }, quiet: true })
export const signInTotp = (ticket: string, code: string) =>
  call<Step>('POST', '/session/totp', { body: { ticket, code }, quiet: true })
export const signInLink = (token: string) => call<Step>('POST', '/session/link', { body: { token }, quiet: true })
export const readMe = () => call<Me>('GET', '/session', { quiet: true })
export const signOut = () => call<void>('DELETE', '/session')
export const sessions = () => call<{ items: SignIn[] | null }>('GET', '/sessions')
export const endSession = (id: string) => call<void>('DELETE', '/sessions/{id}', { path: { id } })
export const endAllSessions = () => call<void>('DELETE', '/sessions')
export const lookInvitation = (token: string) =>
  call<Invitation>('POST', '/invitations/look', { body: { token }, quiet: true })
export const acceptInvitation = (token: string, password: string) =>
  call<Step>('POST', '/invitations/accept', { body: { token, password }, quiet: true })
export const changePassword = (current: string | undefined, password: string) =>
  call<void>('PUT', '/me/password', { body: { current, password } })
export const startTotp = () => call<Enrolment>('POST', '/me/totp')
export const confirmTotp = (ticket: string, code: string) =>
  call<{ codes: string[] | null }>('PUT', '/me/totp', { body: { ticket, code } })
export const dropTotp = (password: string) => call<void>('DELETE', '/me/totp', { body: { password } })
