import { parseInert, rawStyle } from './inert'

// The server renders articles with inline styles. The markup is parsed into a
// detached document, only known elements are copied, and each style is set
// through the CSSOM (see inert.ts).
const ELEMENTS = new Set(
  ('section p span strong b em i u s del sub sup br hr h1 h2 h3 h4 h5 h6 ul ol li blockquote pre code ' +
    'table thead tbody tfoot tr th td caption colgroup col img a figure figcaption div').split(' '),
)
const SVG = new Set(
  ('svg g path rect circle ellipse line polyline polygon text tspan defs use title desc clippath lineargradient ' +
    'radialgradient stop mask pattern symbol').split(' '),
)
const ATTRIBUTES = new Set(['href', 'src', 'alt', 'title', 'colspan', 'rowspan', 'start', 'width', 'height', 'span'])
const SVG_NS = 'http://www.w3.org/2000/svg'

function safeUrl(value: string, picture: boolean): boolean {
  if (picture) return /^(\/api\/|\/pictures\/|blob:|data:image\/)/.test(value)
  return /^(https?:|\/|#)/i.test(value)
}

function copyAttributes(from: Element, to: HTMLElement | SVGElement, svg: boolean): void {
  const style = rawStyle(from)
  if (style) to.style.cssText = style
  for (const { name, value } of [...from.attributes]) {
    if (name.startsWith('data-')) continue
    else if (name.startsWith('on')) continue
    else if (svg) {
      if (/^(xlink:)?href$/.test(name) && !value.startsWith('#')) continue
      to.setAttribute(name, value)
    } else if (ATTRIBUTES.has(name)) {
      if (name === 'href' && !safeUrl(value, false)) continue
      if (name === 'src' && !safeUrl(value, true)) continue
      to.setAttribute(name, value)
    }
  }
  if (to.localName === 'a' && to.hasAttribute('href')) {
    to.setAttribute('target', '_blank')
    to.setAttribute('rel', 'noopener noreferrer')
  }
}

function copyNode(node: Node, into: Node, doc: Document): void {
  if (node.nodeType === Node.TEXT_NODE) {
    into.appendChild(doc.createTextNode(node.nodeValue ?? ''))
    return
  }
  if (node.nodeType !== Node.ELEMENT_NODE) return
  const el = node as Element
  const svg = el.namespaceURI === SVG_NS
  const known = svg ? SVG.has(el.localName.toLowerCase()) : ELEMENTS.has(el.localName)
  let target: Node = into
  if (known) {
    const copy = svg ? doc.createElementNS(SVG_NS, el.localName) : doc.createElement(el.localName)
    copyAttributes(el, copy as HTMLElement | SVGElement, svg)
    into.appendChild(copy)
    target = copy
  } else if (svg || ['script', 'style', 'iframe', 'object', 'template'].includes(el.localName)) {
    return
  }
  for (const child of el.childNodes) copyNode(child, target, doc)
}

/** Replaces what host shows by the rendered article. */
export function showArticle(host: HTMLElement, html: string): void {
  const parsed = parseInert(html)
  const fragment = document.createDocumentFragment()
  for (const child of parsed.childNodes) copyNode(child, fragment, document)
  host.replaceChildren(fragment)
}

/** The range of characters from–to of the host's text, for highlights and jumps. */
export function rangeOf(host: HTMLElement, from: number, to: number): Range | null {
  const walker = document.createTreeWalker(host, NodeFilter.SHOW_TEXT)
  const range = document.createRange()
  let at = 0
  let started = false
  while (walker.nextNode()) {
    const text = walker.currentNode as Text
    const end = at + text.length
    if (!started && from < end) {
      range.setStart(text, from - at)
      started = true
    }
    if (started && to <= end) {
      range.setEnd(text, to - at)
      return range
    }
    at = end
  }
  return null
}

/** Offsets in the host's text of a range inside it, or null when it is outside or empty. */
export function offsetsOf(host: HTMLElement, range: Range): { from: number; to: number } | null {
  if (range.collapsed || !host.contains(range.commonAncestorContainer)) return null
  const before = document.createRange()
  before.selectNodeContents(host)
  before.setEnd(range.startContainer, range.startOffset)
  const from = before.toString().length
  const to = from + range.toString().length
  return to > from ? { from, to } : null
}
