import { client, match, newKey, once, take } from './http'
import type { components, operations } from './schema.gen'
import type { Article, Content } from './types'

type S = components['schemas']
export type PostQuery = NonNullable<operations['listPosts']['parameters']['query']>

const at = (id: string) => ({ params: { path: { id } } })
const edit = (id: string, version: number) => ({ params: { path: { id }, header: match(version) } })

export const listPosts = (query: PostQuery) => take(client.GET('/posts', { params: { query } }))
export const createPost = (orgId: string, key: string) =>
  take(client.POST('/posts', { params: { header: once(key) }, body: { orgId } }))
export const readPost = (id: string) => take(client.GET('/posts/{id}', at(id)))
export const savePost = (id: string, version: number, content: Content, auto: boolean) =>
  take(client.PUT('/posts/{id}', { ...edit(id, version), body: { content, auto } }))
export const deletePost = (id: string, version: number) => take(client.DELETE('/posts/{id}', edit(id, version)))
export const copyPost = (id: string) =>
  take(client.POST('/posts/{id}/copy', { params: { path: { id }, header: once(newKey()) } }))

export const revisions = (id: string, cursor?: string) =>
  take(client.GET('/posts/{id}/revisions', { params: { path: { id }, query: { cursor } } }))
export const diff = (id: string, from: number, to: number) =>
  take(client.GET('/posts/{id}/diff', { params: { path: { id }, query: { from, to } } }))
export const restore = (id: string, version: number, to: number) =>
  take(client.POST('/posts/{id}/restore', { ...edit(id, version), body: { version: to } }))

export const render = (article: Article, signal?: AbortSignal) =>
  take(client.POST('/render', { body: { article }, signal }))
export const themes = () => take(client.GET('/themes'))
export const lint = (id: string) => take(client.GET('/posts/{id}/lint', at(id)))

export const submit = (id: string, version: number) => take(client.POST('/posts/{id}/submit', edit(id, version)))
export const withdraw = (id: string) => take(client.POST('/posts/{id}/withdraw', at(id)))
export const decide = (id: string, body: S['PublishVerdict']) =>
  take(client.POST('/posts/{id}/review', { ...at(id), body }))
export const waitingForMe = (cursor?: string) => take(client.GET('/reviews', { params: { query: { cursor } } }))
export const sheet = (id: string) => take(client.GET('/posts/{id}/sheet', at(id)))

export const comments = (id: string) => take(client.GET('/posts/{id}/comments', at(id)))
export const addComment = (id: string, body: S['AddCommentInBody']) =>
  take(client.POST('/posts/{id}/comments', { params: { path: { id }, header: once() }, body }))
export const resolveComment = (id: string) => take(client.PUT('/comments/{id}/resolved', at(id)))

export type Target = S['PublishTarget']
export const schedule = (id: string, version: number, dueAt: string | undefined, targets: Target[]) =>
  take(client.POST('/posts/{id}/schedule', { ...edit(id, version), body: { dueAt, targets } }))
export const reschedule = (id: string, dueAt: string) =>
  take(client.POST('/posts/{id}/reschedule', { ...at(id), body: { dueAt } }))
export const cancelSchedule = (id: string) => take(client.POST('/posts/{id}/cancel', at(id)))
