import { call, get } from './index'
import type { FeedItem, FeedPost, InboxItem, Page } from './types'

export const inbox = (o: { unread?: boolean; q?: string; cursor?: string; limit?: number } = {}): Promise<Page<InboxItem>> => get('/inbox', o)
export const unread = (): Promise<{ unread: number }> => get('/inbox/count')
export const notice = (id: string): Promise<InboxItem> => get(`/inbox/${id}`)
export const markRead = (id: string): Promise<void> => call('POST', `/inbox/${id}/read`, { key: `read-${id}`, body: {} })
export const markAllRead = (upTo?: string): Promise<void> => call('POST', '/inbox/read-all', { body: upTo ? { upTo } : {} })
export const answerNotice = (id: string, choice: number, text: string): Promise<InboxItem> =>
  call('PUT', `/inbox/${id}/answer`, { body: text ? { choice, text } : { choice } })
export const feed = (o: { q?: string; cursor?: string; limit?: number } = {}): Promise<Page<FeedItem>> => get('/feed', o)
export const post = (id: string): Promise<FeedPost> => get(`/feed/${id}`)
