import type { Article } from '@/api/types'
import { applyStyles, parseInert } from '@/lib/inert'
import { escapeHtml } from '@/lib/text'

const ASSET = /\/media\/([0-9a-f]{64})/

// Between the two ways of writing. Markdown becomes rich text through what the
// server rendered; rich text becomes Markdown block by block.
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
      const caption = el.querySelector('figcaption')?.textContent?.trim()
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

/** A body in the other format. rendered is the server's HTML of the Markdown. */
export function convert(body: string, from: Article['format'], to: Article['format'], rendered: string): string {
  if (from === to) return body
  const source = to === 'html' ? rendered || `<p>${escapeHtml(body).replace(/\n{2,}/g, '</p><p>')}</p>` : body
  const parsed = parseInert(source)
  for (const img of parsed.querySelectorAll('img')) {
    const hash = ASSET.exec(img.getAttribute('src') ?? '')?.[1]
    if (hash) img.setAttribute('src', 'asset:' + hash)
  }
  if (to === 'markdown') return blocks(parsed)
  applyStyles(parsed, () => '')
  return parsed.innerHTML
}
