import { ElMessage } from 'element-plus'
import { computed, ref, shallowRef, toRaw, watch, type ComputedRef } from 'vue'
import { comments as read, render } from '@/api/posts'
import { Problem, sentence } from '@/api/problem'
import type { Article, PostComment } from '@/api/types'
import { articleOf, type Anchor } from '@/lib/anchor'
import { parseInert } from '@/lib/inert'
import { shownHtml } from '@/lib/plain'

export type Mark = Anchor & { id: string }

export interface CommentList {
  /** Every comment, each at the article where its quotation stands now. */
  items: ComputedRef<PostComment[]>
  /** Threads that nobody marked as dealt with. */
  open: ComputedRef<PostComment[]>
  /** Comments whose quotation is in no article any more. */
  lost: ComputedRef<string[]>
  marks(article: number): Mark[]
  refresh(): Promise<void>
  /** Tells what an article looks like, so that it need not be asked for. */
  remember(article: Article, rendered: string): void
}

const anchorOf = (c: PostComment): Anchor => ({ quote: c.quote ?? '', prefix: c.prefix ?? '', suffix: c.suffix ?? '' })

/**
 * Comments of a post. They are stored with the number of their article, which
 * is wrong as soon as articles are moved: the quotation decides instead.
 */
export function useComments(postId: string, articles: () => Article[]): CommentList {
  const stored = shallowRef<PostComment[]>([])
  const texts = new WeakMap<Article, string>()
  const learned = ref(0)

  function remember(article: Article, rendered: string): void {
    texts.set(toRaw(article), parseInert(shownHtml(article, rendered)).textContent ?? '')
    learned.value++
  }
  async function learn(): Promise<void> {
    if (!stored.value.some((c) => c.quote)) return
    try {
      for (const a of articles()) {
        if (texts.has(toRaw(a))) continue
        remember(a, a.kind === 'pictures' ? '' : (await render(toRaw(a))).html)
      }
    } catch (e) {
      if (!(e instanceof Problem) || !e.offline) ElMessage.error(sentence(e))
    }
  }
  async function refresh(): Promise<void> {
    try {
      stored.value = (await read(postId)).items ?? []
    } catch (e) {
      ElMessage.error(sentence(e))
    }
    await learn()
  }
  watch(() => [...articles()], learn)

  const known = computed(() => (learned.value, articles().map((a) => texts.get(toRaw(a)))))
  const places = computed(() => new Map(stored.value.map((c) => [c.id, articleOf(anchorOf(c), c.article, known.value)])))
  const lost = computed(() => stored.value.filter((c) => c.quote && places.value.get(c.id) === -1).map((c) => c.id))
  const items = computed(() =>
    stored.value.map((c) => {
      const at = places.value.get(c.id) ?? -1
      return at < 0 || at === c.article ? c : { ...c, article: at }
    }),
  )
  const open = computed(() => items.value.filter((c) => !c.parentId && !c.resolvedAt))
  const marks = (article: number): Mark[] =>
    open.value.filter((c) => c.article === article && c.quote && !lost.value.includes(c.id)).map((c) => ({ id: c.id, ...anchorOf(c) }))
  return { items, open, lost, marks, refresh, remember }
}
