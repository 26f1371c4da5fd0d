import { client, match, take } from './http'
import type { components, operations } from './schema.gen'

type S = components['schemas']
export type ModerationItem = S['ModerateItem']
export type ModerationQuery = NonNullable<operations['listModeration']['parameters']['query']>
export type ModerationState = NonNullable<ModerationQuery['state']>

export const listModeration = (query: ModerationQuery) => take(client.GET('/moderation', { params: { query } }))
export const getModeration = (id: string) => take(client.GET('/moderation/{id}', { params: { path: { id } } }))
export const moderationKinds = async (): Promise<S['ModerateKind'][]> => (await take(client.GET('/moderation/kinds'))).items ?? []
export const moderationCount = async (): Promise<number> => (await take(client.GET('/moderation/count'))).open
export const decideModeration = (id: string, version: number, body: S['ModerateVerdict']) =>
  take(client.POST('/moderation/{id}/decide', { params: { path: { id }, header: match(version) }, body }))
