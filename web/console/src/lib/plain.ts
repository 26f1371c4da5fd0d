import type { Article } from '@/api/types'
import { parseInert } from './inert'
import { escapeHtml } from './text'

/** Most pictures that the platform takes in one picture post. */
export const MAX_PICTURES = 20

/** The words of a picture post. They are stored as they are typed. */
export function plainText(a: Article): string {
  return a.format === 'html' ? (parseInert(a.body).textContent ?? '') : a.body
}

/** Plain text in the form in which articles are shown, so that comments find their place in it too. */
export function textAsHtml(text: string): string {
  return text ? `<section style="white-space: pre-wrap">${escapeHtml(text)}</section>` : ''
}

/** What a phone shows below the title: the rendered article, or the words of a picture post. */
export function shownHtml(a: Article | undefined, rendered: string | undefined): string {
  if (a?.kind === 'pictures') return textAsHtml(plainText(a))
  return rendered ?? ''
}

/** A picture post as an article: paragraphs first, the pictures after them. */
export function asArticle(text: string, images: readonly string[]): string {
  const paragraphs = text.split(/\n+/).filter((line) => line.trim() !== '')
  return (
    paragraphs.map((line) => `<p>${escapeHtml(line)}</p>`).join('') +
    images.map((hash) => `<figure><img src="asset:${hash}" alt=""></figure>`).join('')
  )
}
