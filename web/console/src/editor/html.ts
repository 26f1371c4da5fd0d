import { DOMParser as PMParser, DOMSerializer, type Node, type Schema, type Slice } from '@tiptap/pm/model'

// Reading and writing happens in documents without a window: there asset:
// addresses are not fetched, and styles are applied through the CSSOM, since
// the page's policy refuses style attributes that come from markup.
function inert(html: string): HTMLElement {
  const body = new DOMParser().parseFromString(html, 'text/html').body
  for (const el of body.querySelectorAll<HTMLElement>('[style]')) {
    el.style.cssText = el.getAttribute('style') ?? ''
  }
  return body
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
