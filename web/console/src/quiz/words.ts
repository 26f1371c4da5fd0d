import type { Answer, Key, Paper, PaperRules, QuestionContent, QuestionKind, QuestionState, Seat, Shown } from '@/api/quiz'
import type { Label } from '@/lib/words'

export const KIND: Record<QuestionKind, string> = {
  single: '单选',
  multiple: '多选',
  truefalse: '判断',
  fill: '填空',
  order: '排序',
  match: '连线',
  short: '简答',
}

export const QUESTION_STATE: Record<QuestionState, Label> = {
  draft: { text: '草稿', tone: 'plain' },
  active: { text: '启用', tone: 'green' },
  retired: { text: '停用', tone: 'amber' },
}

export const DIFFICULTY = ['', '很易', '易', '中', '难', '很难'] as const

/** A, B, C … for the place of a part. */
export const letter = (i: number): string => String.fromCharCode(65 + i)

/** What somebody answered, by the letters and numbers that stand before the parts as they were written. */
export function answerText(kind: QuestionKind, a: Answer): string {
  switch (kind) {
    case 'single':
    case 'multiple':
      return (a.choice ?? []).map(letter).join('、')
    case 'truefalse':
      return a.choice?.[0] === 1 ? '正确' : '错误'
    case 'fill':
      return (a.blanks ?? []).map((t, i) => `（${i + 1}）${t || '空'}`).join('；')
    case 'order':
      return (a.order ?? []).map(letter).join(' → ')
    case 'match':
      return (a.match ?? []).map((r, i) => `${i + 1}－${r < 0 ? '无' : letter(r)}`).join('，')
    case 'short':
      return a.text ?? ''
  }
}

/** What is right in a content of the bank, in a sentence. */
export function contentKey(c: QuestionContent): string {
  switch (c.kind) {
    case 'single':
    case 'multiple':
      return (c.options ?? []).flatMap((o, i) => (o.right ? [letter(i)] : [])).join('、') || '没有正确选项'
    case 'truefalse':
      return c.true ? '正确' : '错误'
    case 'fill':
      return (c.blanks ?? []).map((b, i) => `（${i + 1}）${b.number ? `${b.number.value} ± ${b.number.tolerance}` : (b.accept ?? []).join(' 或 ')}`).join('；')
    case 'order':
      return (c.items ?? []).join(' → ')
    case 'match':
      return (c.pairs ?? []).map((p) => `${p.left}－${p.right}`).join('，')
    case 'short':
      return '由人评分'
  }
}

/** What is right, in a sentence, by the letters and numbers that stand before the parts. */
export function keyText(shown: Shown, key: Key): string {
  const a = key.answer
  switch (shown.kind) {
    case 'single':
    case 'multiple':
      return (a.choice ?? []).map(letter).join('、')
    case 'truefalse':
      return a.choice?.[0] === 1 ? '正确' : '错误'
    case 'fill':
      return (key.accept ?? []).map((t, i) => `（${i + 1}）${t}`).join('；')
    case 'order':
      return (a.order ?? []).map(letter).join(' → ')
    case 'match':
      return (a.match ?? []).map((r, i) => `${i + 1}－${r < 0 ? '无' : letter(r)}`).join('，')
    case 'short':
      return (key.rubric ?? []).join('；')
  }
}

/** A content of a kind with empty parts to fill in. */
export function emptyContent(kind: QuestionKind = 'single'): QuestionContent {
  return {
    kind,
    stem: '',
    options: [0, 1, 2, 3].map(() => ({ text: '' })),
    true: true,
    blanks: [{ accept: [] }],
    items: ['', '', ''],
    pairs: [0, 1, 2].map(() => ({ left: '', right: '' })),
    extra: [],
    rubric: [],
    explanation: '',
    source: '',
    topics: [],
    difficulty: 2,
  }
}

/** The content with the parts of its kind only: the server refuses those of others. */
export function ofKind(c: QuestionContent): QuestionContent {
  const out: QuestionContent = { kind: c.kind, stem: c.stem, explanation: c.explanation || undefined, source: c.source || undefined, topics: c.topics ?? [], difficulty: c.difficulty }
  if (c.kind === 'single' || c.kind === 'multiple') out.options = c.options
  if (c.kind === 'truefalse') out.true = c.true
  if (c.kind === 'fill') out.blanks = c.blanks
  if (c.kind === 'order') out.items = c.items
  if (c.kind === 'match') {
    out.pairs = c.pairs
    out.extra = c.extra?.length ? c.extra : undefined
  }
  if (c.kind === 'short') out.rubric = c.rubric?.length ? c.rubric : undefined
  return out
}

/** Markdown on one line, for lists. */
export function oneLine(markdown: string): string {
  return markdown
    .replace(/!\[[^\]]*\]\([^)]*\)/g, '〔图〕')
    .replace(/[*`>#]+/g, '')
    .replace(/_{3,}/g, '＿＿')
    .replace(/\s+/g, ' ')
    .trim()
}

export const PAPER_KIND: Record<Paper['kind'], string> = { exam: '考试', daily: '每日答题', practice: '练习' }

export const PAPER_STATE: Record<Paper['state'], Label> = {
  draft: { text: '草稿', tone: 'plain' },
  published: { text: '已发布', tone: 'green' },
  closed: { text: '已结束', tone: 'amber' },
}

export const SEAT_STATE: Record<Seat['state'], Label> = {
  open: { text: '作答中', tone: 'blue' },
  submitted: { text: '已交卷', tone: 'green' },
  expired: { text: '到时收卷', tone: 'amber' },
  graded: { text: '已评分', tone: 'green' },
}

export const WHEN: Record<PaperRules['showScore'], string> = {
  at_once: '答一题公布一题',
  after_submit: '交卷后',
  after_close: '考试结束后',
  never: '不公布',
}

export const FLAG: Record<'too_fast' | 'same_answers' | 'same_address', Label> = {
  too_fast: { text: '作答过快', tone: 'amber' },
  same_answers: { text: '错得一样', tone: 'red' },
  same_address: { text: '同一网络', tone: 'plain' },
}

/** 1 小时 30 分 20 秒, without the parts that are nought. */
export function span(seconds: number): string {
  const h = Math.floor(seconds / 3600)
  const m = Math.floor((seconds % 3600) / 60)
  const s = Math.round(seconds % 60)
  return [h && `${h} 小时`, m && `${m} 分`, (s || !seconds) && `${s} 秒`].filter(Boolean).join(' ')
}
