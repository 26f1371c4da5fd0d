import { DOMParser as PMParser, DOMSerializer, type Node, type Schema, type Slice } from '@tiptap/pm/model'
import { applyStyles, parseInert } from '@/lib/inert'

// Reading and writing happens in documents without a window: there asset:
// addresses are not fetched.
function inert(html: string): HTMLElement {
  const body = parseInert(html)
  applyStyles(body)
  // The server keeps a picture in a paragraph of its own; here it is a block.
  for (const img of body.querySelectorAll('p > img:only-child')) {
    const p = img.parentElement
    if (p && p.textContent?.trim() === '') p.replaceWith(img)
  }
  return body
}

/**
 * What ProseMirror parses copied parts of its own documents with. The editor
 * renames styles before (transformPastedHTML), this puts them in force.
 */
export function clipboardParser(schema: () => Schema): PMParser {
  const parser: Pick<PMParser, 'parseSlice'> = {
    parseSlice(dom, options) {
      applyStyles(dom as Element)
      return PMParser.fromSchema(schema()).parseSlice(dom, options)
    },
  }
  return parser as PMParser
}

export function readDocument(schema: Schema, html: string): Node {
  return PMParser.fromSchema(schema).parse(inert(html))
}

export function readSlice(schema: Schema, html: string): Slice {
  return PMParser.fromSchema(schema).parseSlice(inert(html))
}

export function writeHtml(doc: Node): string {
  const blank = document.implementation.createHTMLDocument('')
  const holder = blank.createElement('div')
  DOMSerializer.fromSchema(doc.type.schema).serializeFragment(doc.content, { document: blank }, holder)
  return doc.textContent === '' && doc.childCount === 1 && doc.firstChild?.type.name === 'paragraph' ? '' : holder.innerHTML
}
