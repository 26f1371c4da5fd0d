import { BASE, client, search, take, upload } from './http'
import type { operations } from './schema.gen'
import type { Asset } from './types'

export type MediaQuery = NonNullable<operations['listMedia']['parameters']['query']>
export const listMedia = (query: MediaQuery) => take(client.GET('/media', { params: { query } }))
/** One picture may lie in several libraries: orgId says which copy is meant. */
export const describeMedia = (a: Pick<Asset, 'hash' | 'orgId'>, alt: string, name: string) =>
  take(client.PUT('/media/{hash}', { params: { path: { hash: a.hash }, query: { orgId: a.orgId } }, body: { alt, name } }))
export const deleteMedia = (a: Pick<Asset, 'hash' | 'orgId'>) =>
  take(client.DELETE('/media/{hash}', { params: { path: { hash: a.hash }, query: { orgId: a.orgId } } }))
export const cleanPaste = (html: string, orgId: string) => take(client.POST('/paste', { body: { html, orgId } }))

/** Address of a stored picture; size 0 is the original. */
export const pictureUrl = (hash: string, size: 0 | 200 | 800 = 800): string => `${BASE}/media/${hash}` + search({ size })

export function uploadPicture(file: File, orgId: string, progress: (share: number) => void): Promise<Asset> {
  const form = new FormData()
  form.set('orgId', orgId)
  form.set('file', file, file.name || 'picture.png')
  return upload<Asset>('/media', form, progress)
}
