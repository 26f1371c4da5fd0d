// A list that grows page by page; the first page is kept for reading offline.
import { reactive } from 'vue'
import { Problem, sentence } from '@/api/problem'
import type { Page } from '@/api/types'
import { recall, remember } from './cache'
import { ownerId } from './me'

export interface Listed<T> {
  value: T[] | null
  next: string
  busy: boolean
  more: boolean
  error: string
  offlineSince: number
  missing: boolean
}

export function useList<T>(name: () => string, fetch: (cursor?: string) => Promise<Page<T>>) {
  const s = reactive({ value: null, next: '', busy: false, more: false, error: '', offlineSince: 0, missing: false }) as Listed<T>
  let turn = 0

  async function load(): Promise<void> {
    const mine = ++turn
    s.busy = true
    s.error = ''
    const key = name()
    const old = key ? recall<T[]>(ownerId(), key) : null
    if (old && s.value === null) s.value = old.value
    try {
      const got = await fetch()
      if (mine !== turn) return
      s.value = got.items
      s.next = got.next ?? ''
      s.offlineSince = 0
      if (key) remember(ownerId(), key, got.items)
    } catch (e) {
      if (mine !== turn) return
      if (e instanceof Problem && e.passing && s.value !== null) s.offlineSince = old?.at ?? Date.now()
      else s.error = sentence(e)
      if (!(e instanceof Problem)) console.error(e)
    } finally {
      if (mine === turn) s.busy = false
    }
  }

  async function more(): Promise<void> {
    if (!s.next || s.more) return
    const mine = turn
    s.more = true
    try {
      const got = await fetch(s.next)
      if (mine !== turn) return
      s.value = [...(s.value ?? []), ...got.items]
      s.next = got.next ?? ''
    } catch (e) {
      s.error = sentence(e)
    } finally {
      s.more = false
    }
  }
  return { s, load, more }
}
