import { computed, onBeforeUnmount, ref, shallowRef, watch, type ComputedRef, type Ref, type ShallowRef } from 'vue'
import { ElMessage } from 'element-plus'
import { lint, render } from '@/api/posts'
import { Problem, sentence } from '@/api/problem'
import type { Article, Finding, Rendered } from '@/api/types'
import { debounce } from '@/lib/debounce'

export interface Check {
  rendered: ShallowRef<Rendered | undefined>
  findings: ShallowRef<Finding[]>
  /** How many findings stand in the way of a submission. */
  errors: ComputedRef<number>
  /** The same for each article. */
  problems: ComputedRef<number[]>
  preview(): Promise<void>
  whole(): Promise<void>
  /** Findings follow their articles; to gives the new index, or -1 for one that went. */
  renumber(to: (index: number) => number): void
}

/**
 * Preview and check follow the text at their own pace; an answer that was
 * overtaken by a newer question is dropped.
 */
export function useCheck(
  postId: string,
  articles: Ref<Article[]>,
  active: () => number,
  shown: (article: Article, got: Rendered) => void,
): Check {
  const rendered = shallowRef<Rendered>()
  const findings = shallowRef<Finding[]>([])
  const errors = computed(() => findings.value.filter((f) => f.severity === 'error').length)
  const problems = computed(() => articles.value.map((_, i) => findings.value.filter((f) => f.article === i && f.severity === 'error').length))
  const broken = ref(false)
  let asked: AbortController | undefined

  async function preview(): Promise<void> {
    asked?.abort()
    const mine = (asked = new AbortController())
    const index = active()
    const article = articles.value[index]
    if (!article) return
    try {
      const got = await render(JSON.parse(JSON.stringify(article)) as Article, mine.signal)
      if (mine.signal.aborted) return
      broken.value = false
      rendered.value = got
      shown(article, got)
      findings.value = [...findings.value.filter((f) => f.article !== index), ...(got.findings ?? []).map((f) => ({ ...f, article: index }))]
    } catch (e) {
      if (e instanceof DOMException || broken.value) return
      // Said once: the next pause in the typing would only say it again.
      broken.value = true
      if (!(e instanceof Problem) || !e.offline) ElMessage.error(sentence(e))
    }
  }
  const soon = debounce(() => void preview(), 500)
  watch(() => articles.value[active()], soon, { deep: true })
  watch(active, () => {
    rendered.value = undefined
    soon.cancel()
    void preview()
  })
  async function whole(): Promise<void> {
    findings.value = (await lint(postId)).findings ?? []
  }
  function renumber(to: (index: number) => number): void {
    asked?.abort()
    const before = findings.value
    findings.value = before
      .map((f) => (f.article < 0 ? f : { ...f, article: to(f.article) }))
      .filter((f, i) => f.article >= 0 || (before[i]?.article ?? 0) < 0)
    rendered.value = undefined
    void preview()
  }
  onBeforeUnmount(() => {
    soon.cancel()
    asked?.abort()
  })
  return { rendered, findings, errors, problems, preview, whole, renumber }
}
