import { applyStyles, parseInert, rawStyle } from './inert'

// Word and web pages bring a crowd of markup. The server cleans what is saved;
// this first pass only keeps the editor's view close to what will be kept.
const KEEP_STYLE = new Set(['text-align', 'font-weight', 'font-style', 'text-decoration'])
const DROP = 'script,style,link,meta,title,iframe,object,embed,form,input,button,select,textarea,noscript'

function wordListLevel(el: Element): boolean {
  return /mso-list:/i.test(rawStyle(el)) || /MsoListParagraph/i.test(el.className)
}

/** Word writes lists as paragraphs that begin with a bullet or a number. */
function rebuildWordLists(body: HTMLElement): void {
  const items = [...body.querySelectorAll('p')].filter(wordListLevel)
  let list: HTMLElement | null = null
  let last: Element | null = null
  for (const p of items) {
    const marker = p.querySelector('[data-tx-style*="mso-list:Ignore" i]')
    const sign = (marker?.textContent ?? p.textContent ?? '').trim()
    marker?.remove()
    const kind = /^[(（]?[\da-z]{1,3}[.)、）]/i.test(sign) ? 'ol' : 'ul'
    if (!list || list.localName !== kind || last !== p.previousElementSibling) {
      list = body.ownerDocument.createElement(kind)
      p.before(list)
    }
    const li = body.ownerDocument.createElement('li')
    if (!marker) p.textContent = (p.textContent ?? '').replace(/^\s*(?:[·•●\-*]|[(（]?[\da-z]{1,3}[.)、）])\s*/i, '')
    li.append(...p.childNodes)
    list.append(li)
    p.remove()
    last = list
  }
}

function keptStyle(raw: string): string {
  return raw
    .split(';')
    .map((d) => d.trim())
    .filter((d) => KEEP_STYLE.has(d.split(':')[0]?.trim().toLowerCase() ?? ''))
    .join(';')
}

/** Returns HTML without office namespaces, comments, classes, handlers and foreign styles. */
export function cleanPasted(html: string): string {
  // Word puts the marks of its lists between two conditional comments: only the
  // comments themselves may go, or a numbered list could not be told any more.
  const body = parseInert(html)
  body.querySelectorAll(DROP).forEach((el) => el.remove())
  rebuildWordLists(body)
  applyStyles(body, keptStyle)
  const comments = body.ownerDocument.createTreeWalker(body, NodeFilter.SHOW_COMMENT)
  const gone: Node[] = []
  while (comments.nextNode()) gone.push(comments.currentNode)
  gone.forEach((n) => (n as ChildNode).remove())
  for (const el of [...body.querySelectorAll<HTMLElement>('*')]) {
    if (el.localName.includes(':')) {
      el.replaceWith(...el.childNodes)
      continue
    }
    for (const attr of [...el.attributes]) {
      const keep = ['style', 'href', 'src', 'alt', 'colspan', 'rowspan', 'title'].includes(attr.name)
      if (!keep || /^\s*javascript:/i.test(attr.value)) el.removeAttribute(attr.name)
    }
  }
  return body.innerHTML
}

/** Files of a paste or drop that are pictures. */
export function picturesOf(data: DataTransfer | null): File[] {
  return [...(data?.files ?? [])].filter((f) => f.type.startsWith('image/'))
}
