import { client, take } from './http'
import type { components } from './schema.gen'

export type Notice = components['schemas']['PublishNotice']

export const notices = (unread: boolean, cursor?: string) =>
  take(client.GET('/notices', { params: { query: { unread: unread || undefined, cursor, limit: 20 } } }))

export const unreadNotices = async (): Promise<number> => (await take(client.GET('/notices/count'))).unread

// Answers without a body: take() has nothing to give.
export const readNotice = (id: string): Promise<unknown> => take(client.POST('/notices/{id}/read', { params: { path: { id } } }))

/** Marks what the person has seen: upTo is the newest notice on the list. */
export const readNotices = (upTo?: string): Promise<unknown> => take(client.POST('/notices/read-all', { body: { upTo } }))
