import { client, take } from './http'

export const signIn = (login: string, password: string) => take(client.POST('/session', { body: { login, password } }))
export const signInTotp = (ticket: string, code: string) =>
  take(client.POST('/session/totp', { body: { ticket, code } }))
export const signInLink = (token: string) => take(client.POST('/session/link', { body: { token } }))
export const readMe = () => take(client.GET('/session'))
export const signOut = () => take(client.DELETE('/session'))
export const sessions = () => take(client.GET('/sessions'))
export const endSession = (id: string) => take(client.DELETE('/sessions/{id}', { params: { path: { id } } }))
export const endAllSessions = () => take(client.DELETE('/sessions'))
export const lookInvitation = (token: string) => take(client.POST('/invitations/look', { body: { token } }))
export const acceptInvitation = (token: string, password: string) =>
  take(client.POST('/invitations/accept', { body: { token, password } }))
export const changePassword = (current: string | undefined, password: string) =>
  take(client.PUT('/me/password', { body: { current, password } }))
export const startTotp = () => take(client.POST('/me/totp'))
export const confirmTotp = (ticket: string, code: string) => take(client.PUT('/me/totp', { body: { ticket, code } }))
export const dropTotp = (password: string) => take(client.DELETE('/me/totp', { body: { password } }))
