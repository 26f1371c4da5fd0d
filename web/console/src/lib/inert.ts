// The page's policy (style-src 'self') also covers documents made by DOMParser:
// a style attribute that is parsed there is refused and lost. So style
// attributes are renamed before parsing, and what is wanted of them is set
// through the CSSOM afterwards, which the policy allows. Style sheets are left
// out altogether.
const RAW = 'data-tx-style'
const SHEET = /<style\b[\s\S]*?(?:<\/style\s*>|$)/gi
const TAG = /<[a-z][^\s/>]*(?:"[^"]*"|'[^']*'|[^'">])*>/gi
const QUOTED_OR_STYLE = /("[^"]*"|'[^']*')|([\s/])style(?=\s*=)/gi

export function renameStyles(html: string): string {
  return html.replace(SHEET, '').replace(TAG, (tag) =>
    tag.replace(QUOTED_OR_STYLE, (_all, quoted: string | undefined, before: string) => quoted ?? `${before}${RAW}`),
  )
}

/** Parses in a document without a window: nothing loads, nothing runs, no style applies. */
export function parseInert(html: string): HTMLElement {
  return new DOMParser().parseFromString(renameStyles(html), 'text/html').body
}

/** The style as it was written, also the parts a browser does not know. */
export function rawStyle(el: Element): string {
  return el.getAttribute(RAW) ?? ''
}

/** Turns renamed attributes into styles. pick may leave declarations out. */
export function applyStyles(root: ParentNode, pick: (style: string, el: HTMLElement) => string = (s) => s): void {
  for (const el of root.querySelectorAll<HTMLElement>(`[${RAW}]`)) {
    const style = pick(rawStyle(el), el)
    el.removeAttribute(RAW)
    if (style) el.style.cssText = style
  }
}
