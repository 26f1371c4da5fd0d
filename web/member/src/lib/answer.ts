// Giving an answer by taps. All positions are those shown to this person.
import type { Answer, Shown } from '@/api/types'

export const LETTERS = 'ABCDEFGHIJ'

/** Whether the answer leaves nothing open. */
export function complete(q: Shown, a: Answer | undefined): boolean {
  if (!a) return false
  switch (q.kind) {
    case 'single':
    case 'multiple':
    case 'truefalse':
      return !!a.choice?.length
    case 'fill':
      return !!a.blanks && a.blanks.length === q.blanks && a.blanks.every((b) => b.trim() !== '')
    case 'order':
      return a.order?.length === q.items?.length
    case 'match':
      return !!a.match && a.match.length === q.lefts?.length && a.match.every((m) => m >= 0)
    case 'short':
      return !!a.text?.trim()
  }
}

/** Choosing an option: one only, or on and off. */
export function choose(q: Shown, a: Answer | undefined, at: number): Answer {
  if (q.kind !== 'multiple') return { choice: [at] }
  const had = a?.choice ?? []
  return { choice: (had.includes(at) ? had.filter((x) => x !== at) : [...had, at]).sort((x, y) => x - y) }
}

export function fillBlank(q: Shown, a: Answer | undefined, at: number, text: string): Answer {
  const blanks = Array.from({ length: q.blanks ?? 1 }, (_, i) => a?.blanks?.[i] ?? '')
  blanks[at] = text
  return { blanks }
}

/** The order as it stands: as answered, or as shown. */
export function orderOf(q: Shown, a: Answer | undefined): number[] {
  const size = q.items?.length ?? 0
  return a?.order?.length === size ? [...a.order] : Array.from({ length: size }, (_, i) => i)
}

/** Moves the item at a place one up (-1) or down (+1). */
export function moveItem(q: Shown, a: Answer | undefined, place: number, by: -1 | 1): Answer {
  const order = orderOf(q, a)
  const to = place + by
  const x = order[place]
  const y = order[to]
  if (x === undefined || y === undefined) return { order }
  order[place] = y
  order[to] = x
  return { order }
}

export function matchOf(q: Shown, a: Answer | undefined): number[] {
  const size = q.lefts?.length ?? 0
  return a?.match?.length === size ? [...a.match] : Array.from({ length: size }, () => -1)
}

/** Joins a left side with a right side. A right side belongs to one left side; the same pair again parts them. */
export function join(q: Shown, a: Answer | undefined, left: number, right: number): Answer {
  const match = matchOf(q, a)
  const parted = match[left] === right
  for (let i = 0; i < match.length; i++) if (match[i] === right) match[i] = -1
  if (!parted) match[left] = right
  return { match }
}

export const KINDS: Record<Shown['kind'], string> = {
  single: '单选题',
  multiple: '多选题',
  truefalse: '判断题',
  fill: '填空题',
  order: '排序题',
  match: '连线题',
  short: '简答题',
}

/** The answer in words, for results and reading aloud; options as letters. */
export function inWords(q: Shown, a: Answer | undefined): string {
  if (!complete(q, a) && !(q.kind === 'fill' && a?.blanks?.some((b) => b)) && !(q.kind === 'match' && a?.match?.some((m) => m >= 0))) return '未作答'
  switch (q.kind) {
    case 'single':
    case 'multiple':
      return a!.choice!.map((c) => LETTERS[c] ?? '').join('、')
    case 'truefalse':
      return a!.choice![0] === 1 ? '正确' : '错误'
    case 'fill':
      return a!.blanks!.map((b) => b || '（空）').join('；')
    case 'order':
      return a!.order!.map((i) => LETTERS[i] ?? '').join(' → ')
    case 'match':
      return a!.match!.map((m, i) => `${i + 1}—${m < 0 ? '（空）' : (LETTERS[m] ?? '')}`).join('，')
    case 'short':
      return a!.text ?? ''
  }
}
