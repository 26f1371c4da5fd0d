import { marked } from 'marked'
import type { Article } from '@/api/types'
import { applyStyles, parseInert } from '@/lib/inert'
import { escapeHtml } from '@/lib/text'

// Between the two ways of writing. Both roads are only taken when a person asks
// to change over; what is published is always rendered by the server.
function inline(node: Node): string {
  if (node.nodeType === Node.TEXT_NODE) return (node.nodeValue ?? '').replace(/\s+/g, ' ')
  if (!(node instanceof Element)) return ''
  const inner = [...node.childNodes].map(inline).join('')
  switch (node.localName) {
    case 'strong':
    case 'b':
      return inner.trim() ? `**${inner}**` : ''
    case 'em':
    case 'i':
      return inner.trim() ? `*${inner}*` : ''
    case 's':
    case 'del':
      return `~~${inner}~~`
    case 'code':
      return '`' + (node.textContent ?? '') + '`'
    case 'a':
      return `[${inner}](${node.getAttribute('href') ?? ''})`
    case 'br':
      return '  \n'
    case 'img':
      return `![${node.getAttribute('alt') ?? ''}](${node.getAttribute('src') ?? ''})`
    default:
      return inner
  }
}

function table(el: Element): string {
  const rows = [...el.querySelectorAll('tr')].map((tr) =>
    [...tr.children].map((c) => inline(c).trim().replace(/\|/g, '\\|').replace(/\n/g, ' ')),
  )
  const width = Math.max(...rows.map((r) => r.length), 1)
  const line = (r: string[]): string => `| ${Array.from({ length: width }, (_, i) => r[i] ?? '').join(' | ')} |`
  const [head = [], ...rest] = rows
  return [line(head), line(Array.from({ length: width }, () => '---')), ...rest.map(line)].join('\n')
}

function block(el: Element, depth = 0): string {
  const level = /^h([1-6])$/.exec(el.localName)?.[1]
  if (level) return '#'.repeat(Number(level)) + ' ' + inline(el).trim()
  switch (el.localName) {
    case 'ul':
    case 'ol':
      return [...el.children]
        .map((li, i) => {
          const sign = el.localName === 'ol' ? `${i + 1}. ` : '- '
          const parts = [...li.children].length ? blocks(li, depth + 1) : inline(li).trim()
          return '  '.repeat(depth) + sign + parts.replace(/\n\n(?=\s*(?:- |\d))/g, '\n')
        })
        .join('\n')
    case 'blockquote':
      return blocks(el)
        .split('\n')
        .map((l) => '> ' + l)
        .join('\n')
    case 'pre':
      return '```\n' + (el.textContent ?? '').replace(/\n$/, '') + '\n```'
    case 'hr':
      return '---'
    case 'table':
      return table(el)
    case 'figure': {
      const img = el.querySelector('img')
      const caption = el.querySelector('figcaption')?.textContent?.trim() || img?.title
      return img ? `![${img.alt}](${img.getAttribute('src') ?? ''}${caption ? ` "${caption.replace(/"/g, '”')}"` : ''})` : ''
    }
    case 'div':
    case 'section':
      return blocks(el, depth)
    default:
      return inline(el).trim()
  }
}

function blocks(el: Element, depth = 0): string {
  return [...el.childNodes]
    .map((n) => (n instanceof Element ? block(n, depth) : (n.nodeValue ?? '').trim()))
    .filter(Boolean)
    .join('\n\n')
}

/** Markdown as plain HTML. Formulas are kept from being read as emphasis. */
export function markdownToHtml(markdown: string): string {
  const formulas: string[] = []
  const kept = markdown.replace(/\$\$[^$]+\$\$|\$(?!\s)[^$\n]+?(?<!\s)\$/g, (f) => `\u0002${formulas.push(f) - 1}\u0003`)
  const html = marked.parse(kept, { async: false, gfm: true })
  return html.replace(/\u0002(\d+)\u0003/g, (_, n: string) => escapeHtml(formulas[Number(n)] ?? ''))
}

/** A body in the other format. */
export function convert(body: string, from: Article['format'], to: Article['format']): string {
  if (from === to) return body
  const parsed = parseInert(to === 'html' ? markdownToHtml(body) : body)
  if (to === 'markdown') return blocks(parsed)
  // The caption of a Markdown picture is its title.
  for (const img of parsed.querySelectorAll('img[title]')) {
    const caption = img.ownerDocument.createElement('figcaption')
    caption.textContent = img.getAttribute('title')
    const figure = img.ownerDocument.createElement('figure')
    const only = img.parentElement?.localName === 'p' && img.parentElement.children.length === 1 ? img.parentElement : img
    only.replaceWith(figure)
    img.removeAttribute('title')
    figure.append(img, caption)
  }
  applyStyles(parsed, () => '')
  return parsed.innerHTML
}
