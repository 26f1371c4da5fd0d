import type { Page } from '@/state/list'
import { call, newKey, type Query } from './http'
import type {
  Article,
  ArticleDiff,
  Content,
  Finding,
  Mode,
  Post,
  PostComment,
  PostSummary,
  Rendered,
  Review,
  Revision,
} from './types'

const at = (id: string) => ({ path: { id } })

export const listPosts = (query: Query) => call<Page<PostSummary>>('GET', '/posts', { query })
export const createPost = (orgId: string, content: Content | undefined, key = newKey()) =>
  call<Post>('POST', '/posts', { body: { orgId, content }, key })
export const readPost = (id: string) => call<Post>('GET', '/posts/{id}', at(id))
export const savePost = (id: string, version: number, content: Content, auto: boolean) =>
  call<Post>('PUT', '/posts/{id}', { ...at(id), version, body: { content, auto } })
export const deletePost = (id: string, version: number) => call<void>('DELETE', '/posts/{id}', { ...at(id), version })
export const copyPost = (id: string) => call<Post>('POST', '/posts/{id}/copy', { ...at(id), key: newKey() })

export const revisions = (id: string, cursor?: string) =>
  call<Page<Revision>>('GET', '/posts/{id}/revisions', { ...at(id), query: { cursor } })
export const diff = (id: string, from: number, to: number) =>
  call<{ articles: ArticleDiff[] | null }>('GET', '/posts/{id}/diff', { ...at(id), query: { from, to } })
export const restore = (id: string, version: number, to: number) =>
  call<Post>('POST', '/posts/{id}/restore', { ...at(id), version, body: { version: to } })

export const render = (article: Article, signal?: AbortSignal) =>
  call<Rendered>('POST', '/render', { body: { article }, signal })
export const themes = () => call<{ items: { id: string; name: string }[] | null }>('GET', '/themes')
export const lint = (id: string) => call<{ findings: Finding[] | null }>('GET', '/posts/{id}/lint', at(id))

export const submit = (id: string, version: number) => call<Post>('POST', '/posts/{id}/submit', { ...at(id), version })
export const withdraw = (id: string) => call<Post>('POST', '/posts/{id}/withdraw', at(id))
export const decide = (id: string, level: number, decision: 'pass' | 'return', reason: string, hash: string) =>
  call<Post>('POST', '/posts/{id}/review', { ...at(id), body: { level, decision, reason, hash } })
export const waitingForMe = (cursor?: string) =>
  call<Page<PostSummary>>('GET', '/reviews', { query: { cursor } })

export interface SheetLine {
  level: number
  name: string
  review?: Review
}
export const sheet = (id: string) =>
  call<{ post: Post; levels: SheetLine[] | null; history: Review[] | null }>('GET', '/posts/{id}/sheet', at(id))

export const comments = (id: string) => call<{ items: PostComment[] | null }>('GET', '/posts/{id}/comments', at(id))
export interface NewComment {
  article: number
  quote: string
  prefix: string
  suffix: string
  body: string
  parentId?: string
}
export const addComment = (id: string, body: NewComment) =>
  call<PostComment>('POST', '/posts/{id}/comments', { ...at(id), body, key: newKey() })
export const resolveComment = (id: string) =>
  call<PostComment>('PUT', '/comments/{id}/resolved', at(id))

export interface Target {
  accountId: string
  mode?: Mode
}
export const schedule = (id: string, version: number, dueAt: string | undefined, targets: Target[]) =>
  call<Post>('POST', '/posts/{id}/schedule', { ...at(id), version, body: { dueAt, targets } })
export const reschedule = (id: string, dueAt: string) =>
  call<Post>('POST', '/posts/{id}/reschedule', { ...at(id), body: { dueAt } })
export const cancelSchedule = (id: string) => call<Post>('POST', '/posts/{id}/cancel', at(id))
