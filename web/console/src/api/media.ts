import type { Page } from '@/state/list'
import { call, upload, url, type Query } from './http'
import type { Asset } from './types'

export const listMedia = (query: Query) => call<Page<Asset>>('GET', '/media', { query })
export const describeMedia = (hash: string, alt: string, name: string) =>
  call<Asset>('PUT', '/media/{hash}', { path: { hash }, body: { alt, name } })
export const deleteMedia = (hash: string) => call<void>('DELETE', '/media/{hash}', { path: { hash } })
export interface Pasted {
  html: string
  assets: Asset[] | null
  /** Pictures elsewhere; they must be saved and uploaded. */
  external: string[] | null
  dropped: string[] | null
}
export const cleanPaste = (html: string, orgId: string) => call<Pasted>('POST', '/paste', { body: { html, orgId } })

/** Address of a stored picture; size 0 is the original. */
export const pictureUrl = (hash: string, size: 0 | 200 | 800 = 800): string => url('/media/{hash}', { hash }, { size })

export function uploadPicture(
  file: File,
  orgId: string,
  progress: (share: number) => void,
  signal?: AbortSignal,
): Promise<Asset> {
  const form = new FormData()
  form.set('orgId', orgId)
  form.set('file', file, file.name || 'picture.png')
  return upload<Asset>('/media', form, progress, signal)
}
