import { computed, ref, shallowRef, watch, type ComputedRef, type Ref, type ShallowRef } from 'vue'
import { readPost, savePost } from '@/api/posts'
import { Problem, sentence } from '@/api/problem'
import type { Article, Content, Post } from '@/api/types'
import { debounce } from '@/lib/debounce'

export type SaveState = 'saved' | 'waiting' | 'saving' | 'offline' | 'conflict' | 'error'

/** What the server says when someone else saved in between. */
export interface Conflict {
  current: Post
  updatedBy: string
  updatedAt: string
}

const QUIET = 1500
const AGAIN = 5000

export function emptyArticle(format: Article['format'] = 'html'): Article {
  return { kind: 'news', title: '', author: '', digest: '', format, body: '', theme: '', cover: {}, images: [], sourceUrl: '' }
}

const clone = <T>(v: T): T => JSON.parse(JSON.stringify(v)) as T

export interface Draft {
  post: ShallowRef<Post | undefined>
  articles: Ref<Article[]>
  state: Ref<SaveState>
  error: Ref<string>
  conflict: ShallowRef<Conflict | null>
  dirty: ComputedRef<boolean>
  load(id: string): Promise<void>
  take(p: Post): void
  /** Saves now; true when everything is on the server. */
  flush(auto?: boolean): Promise<boolean>
  keepMine(merged?: Article[]): Promise<boolean>
  takeTheirs(): void
  stop(): void
}

/** A post being edited: autosaved 1.5 s after the last change, one save at a time. */
export function useDraft(): Draft {
  const post = shallowRef<Post>()
  const articles = ref<Article[]>([])
  const state = ref<SaveState>('saved')
  const error = ref('')
  const conflict = shallowRef<Conflict | null>(null)
  let stored = ''
  let running: Promise<boolean> | null = null
  let retry: ReturnType<typeof setTimeout> | undefined
  const text = computed(() => JSON.stringify(articles.value))
  const dirty = computed(() => post.value !== undefined && state.value !== 'saved')
  const later = debounce(() => void flush(true), QUIET)

  function take(p: Post): void {
    post.value = p
    articles.value = clone(p.content.articles ?? [])
    if (!articles.value.length) articles.value = [emptyArticle()]
    stored = text.value
    conflict.value = null
    error.value = ''
    state.value = 'saved'
  }

  async function load(id: string): Promise<void> {
    take(await readPost(id))
  }

  async function send(auto: boolean): Promise<boolean> {
    const p = post.value
    if (!p) return true
    const sent = text.value
    state.value = 'saving'
    try {
      const saved = await savePost(p.id, p.version, { articles: clone(articles.value) } as Content, auto)
      post.value = { ...p, ...saved }
      stored = sent
      error.value = ''
      state.value = text.value === sent ? 'saved' : 'waiting'
      if (state.value === 'waiting') later()
      return state.value === 'saved'
    } catch (e) {
      failed(e)
      return false
    }
  }

  function failed(e: unknown): void {
    error.value = sentence(e)
    if (e instanceof Problem && e.status === 412) {
      const d = e.details as Partial<Conflict> | undefined
      if (d?.current) {
        conflict.value = { current: d.current, updatedBy: d.updatedBy ?? '', updatedAt: d.updatedAt ?? '' }
        state.value = 'conflict'
        return
      }
    }
    if (e instanceof Problem && e.offline) {
      state.value = 'offline'
      clearTimeout(retry)
      retry = setTimeout(() => void flush(true), AGAIN)
      return
    }
    state.value = 'error'
  }

  async function flush(auto = true): Promise<boolean> {
    later.cancel()
    clearTimeout(retry)
    if (running) await running
    if (conflict.value) return false
    if (text.value === stored && (auto || state.value === 'saved')) {
      state.value = 'saved'
      return true
    }
    running = send(auto).finally(() => (running = null))
    return running
  }

  async function keepMine(merged?: Article[]): Promise<boolean> {
    const c = conflict.value
    const p = post.value
    if (!c || !p) return true
    if (merged) articles.value = clone(merged)
    post.value = { ...p, version: c.current.version }
    conflict.value = null
    stored = ''
    return flush(false)
  }

  function takeTheirs(): void {
    if (conflict.value) take({ ...post.value, ...conflict.value.current })
  }

  watch(text, (now) => {
    if (now === stored || conflict.value) return
    state.value = 'waiting'
    later()
  })
  const online = (): void => void (state.value === 'offline' && flush(true))
  window.addEventListener('online', online)
  function stop(): void {
    later.cancel()
    clearTimeout(retry)
    window.removeEventListener('online', online)
  }
  return { post, articles, state, error, conflict, dirty, load, take, flush, keepMine, takeTheirs, stop }
}
