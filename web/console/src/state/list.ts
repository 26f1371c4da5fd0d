import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import { sentence } from '@/api/problem'

export interface Page<T> {
  items: T[] | null
  next?: string
}

export interface List<T> {
  items: ShallowRef<T[]>
  loading: Ref<boolean>
  /** The first page has arrived at least once. */
  ready: Ref<boolean>
  error: Ref<string>
  more: Ref<boolean>
  load(): Promise<void>
  loadMore(): Promise<void>
}

/** A list read page by page with a cursor. A newer load() wins over an older one. */
export function useList<T>(fetchPage: (cursor: string | undefined) => Promise<Page<T>>): List<T> {
  const items = shallowRef<T[]>([]) as ShallowRef<T[]>
  const loading = ref(false)
  const ready = ref(false)
  const error = ref('')
  const more = ref(false)
  let next: string | undefined
  let turn = 0

  async function read(append: boolean): Promise<void> {
    const mine = ++turn
    loading.value = true
    error.value = ''
    try {
      const page = await fetchPage(append ? next : undefined)
      if (mine !== turn) return
      items.value = append ? [...items.value, ...(page.items ?? [])] : (page.items ?? [])
      next = page.next || undefined
      more.value = next !== undefined
      ready.value = true
    } catch (e) {
      if (mine === turn) error.value = sentence(e)
    } finally {
      if (mine === turn) loading.value = false
    }
  }
  return { items, loading, ready, error, more, load: () => read(false), loadMore: () => read(true) }
}

export interface Load<T> {
  data: ShallowRef<T | undefined>
  loading: Ref<boolean>
  error: Ref<string>
  load(): Promise<void>
}

/** One thing that is read, with its waiting and failing states. */
export function useLoad<T>(read: () => Promise<T>): Load<T> {
  const data = shallowRef<T | undefined>() as ShallowRef<T | undefined>
  const loading = ref(false)
  const error = ref('')
  let turn = 0
  async function load(): Promise<void> {
    const mine = ++turn
    loading.value = true
    error.value = ''
    try {
      const got = await read()
      if (mine === turn) data.value = got
    } catch (e) {
      if (mine === turn) error.value = sentence(e)
    } finally {
      if (mine === turn) loading.value = false
    }
  }
  return { data, loading, error, load }
}
