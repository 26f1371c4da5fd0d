import { computed, ref, watch, type Ref, type WritableComputedRef } from 'vue'
import { ElMessageBox } from 'element-plus'
import type { Article, Rendered } from '@/api/types'
import { MAX_PICTURES, asArticle, plainText } from '@/lib/plain'
import { emptyArticle } from '@/state/draft'

/** How an article is written: in the visual editor, in Markdown, or as a picture post. */
export type Way = 'html' | 'markdown' | 'pictures'

export const wayOf = (a: Article): Way => (a.kind === 'pictures' ? 'pictures' : a.format)

export interface ArticleSet {
  active: Ref<number>
  article: WritableComputedRef<Article>
  /** One per article, moving with it: each keeps its own editor, with its own undo. */
  keys: Ref<number[]>
  add(): void
  remove(i: number): Promise<void>
  move(from: number, to: number): void
  switchWay(to: Way, shown: Rendered | undefined): Promise<void>
}

async function sure(text: string, title: string, yes: string, no: string): Promise<boolean> {
  const answer = await ElMessageBox.confirm(text, title, { confirmButtonText: yes, cancelButtonText: no }).catch(() => null)
  return answer !== null
}

const WARNING: Record<Way, { title: string; text: string }> = {
  html: { title: '换成可视化编辑', text: '会把 Markdown 排版成可视化内容。之后可以继续编辑，但换回来时不再是原来的 Markdown。' },
  markdown: { title: '换成 Markdown', text: '会只保留文字和图片，颜色、对齐等格式会丢失。现在的内容仍留在历史里。' },
  pictures: { title: '换成图片消息', text: '图片消息只有图片和一段纯文字：正文里的图片会取出来，排版会去掉。现在的内容仍留在历史里。' },
}

/** The articles of a post as the editor handles them. moved tells that indexes have changed. */
export function useArticles(articles: Ref<Article[]>, moved: (to: (index: number) => number) => void): ArticleSet {
  const active = ref(0)
  const article = computed({
    get: () => articles.value[active.value] ?? emptyArticle(),
    set: (a: Article) => (articles.value[active.value] = a),
  })
  let serial = 0
  const keys = ref<number[]>([])
  watch(
    () => articles.value.length,
    (n) => {
      while (keys.value.length < n) keys.value.push(++serial)
      keys.value.length = n
      active.value = Math.max(0, Math.min(active.value, n - 1))
    },
    { immediate: true },
  )

  function add(): void {
    const like = article.value
    articles.value.push({ ...emptyArticle(like.kind === 'pictures' ? 'html' : like.format), theme: like.theme })
    active.value = articles.value.length - 1
  }
  async function remove(i: number): Promise<void> {
    const name = articles.value[i]?.title || '未命名'
    if (!(await sure(`“${name}”会从本期去掉，之后可以从历史里找回。`, '移除这一篇', '移除', '取消'))) return
    keys.value.splice(i, 1)
    articles.value.splice(i, 1)
    active.value = Math.min(active.value > i ? active.value - 1 : active.value, articles.value.length - 1)
    moved((k) => (k === i ? -1 : k > i ? k - 1 : k))
  }
  function move(from: number, to: number): void {
    const order = articles.value.map((_, i) => i)
    order.splice(to, 0, ...order.splice(from, 1))
    articles.value = order.map((i) => articles.value[i]).filter((a) => a !== undefined)
    keys.value = order.map((i) => keys.value[i] ?? ++serial)
    active.value = to
    moved((k) => order.indexOf(k))
  }

  async function toFormat(a: Article, to: Article['format']): Promise<void> {
    if (a.body.trim()) {
      const { convert } = await import('@/editor/convert')
      a.body = convert(a.body, a.format, to)
    }
    a.format = to
  }
  async function switchWay(to: Way, shown: Rendered | undefined): Promise<void> {
    const a = article.value
    const from = wayOf(a)
    if (to === from) return
    // What goes from pictures to an article loses nothing.
    if (from !== 'pictures' && a.body.trim() && !(await sure(WARNING[to].text, WARNING[to].title, '换过去', '不换'))) return
    if (to === 'pictures') {
      Object.assign(a, { kind: 'pictures', format: 'markdown', body: shown?.text.trim() ?? '', images: (shown?.pictures ?? []).slice(0, MAX_PICTURES) })
      return
    }
    if (from === 'pictures') Object.assign(a, { kind: 'news', format: 'html', body: asArticle(plainText(a), a.images ?? []), images: [] })
    if (to !== a.format) await toFormat(a, to)
  }
  return { active, article, keys, add, remove, move, switchWay }
}
