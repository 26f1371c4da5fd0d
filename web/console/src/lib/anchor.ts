// A comment is anchored by what it quotes and by the text around it, so that it
// survives edits elsewhere. Offsets are UTF-16 units in the plain text.
export interface Anchor {
  quote: string
  prefix: string
  suffix: string
}

const CONTEXT = 32

export function makeAnchor(text: string, from: number, to: number): Anchor {
  return {
    quote: text.slice(from, to),
    prefix: text.slice(Math.max(0, from - CONTEXT), from),
    suffix: text.slice(to, to + CONTEXT),
  }
}

/** How many characters at the end of a equal those at the end of b. */
function sharedTail(a: string, b: string): number {
  let n = 0
  while (n < a.length && n < b.length && a[a.length - 1 - n] === b[b.length - 1 - n]) n++
  return n
}

function sharedHead(a: string, b: string): number {
  let n = 0
  while (n < a.length && n < b.length && a[n] === b[n]) n++
  return n
}

interface Place {
  from: number
  to: number
  /** How many characters around the quote are the same as when it was made. */
  fit: number
}

function bestPlace(text: string, anchor: Anchor): Place | null {
  if (!anchor.quote) return null
  let best: Place | null = null
  for (let from = text.indexOf(anchor.quote); from >= 0; from = text.indexOf(anchor.quote, from + 1)) {
    const to = from + anchor.quote.length
    const fit =
      sharedTail(text.slice(Math.max(0, from - CONTEXT), from), anchor.prefix) +
      sharedHead(text.slice(to, to + CONTEXT), anchor.suffix)
    if (!best || fit > best.fit) best = { from, to, fit }
  }
  return best
}

/** The place of the quote whose surroundings fit best, or null when the quote is gone. */
export function findAnchor(text: string, anchor: Anchor): { from: number; to: number } | null {
  const best = bestPlace(text, anchor)
  return best && { from: best.from, to: best.to }
}

/**
 * The article that holds the quote now, or -1 when none does. Articles are
 * reordered and removed after a comment was written, so the stored index is
 * only the first guess: it wins where two articles fit equally well. A text
 * that is not known yet (undefined) leaves a quote found nowhere where it was.
 */
export function articleOf(anchor: Anchor, stored: number, texts: readonly (string | undefined)[]): number {
  if (!anchor.quote) return stored
  let found = -1
  let best = -1
  texts.forEach((text, i) => {
    const fit = text === undefined ? -1 : (bestPlace(text, anchor)?.fit ?? -1)
    if (fit > best || (fit >= 0 && fit === best && i === stored)) {
      best = fit
      found = i
    }
  })
  return found < 0 && texts.includes(undefined) ? stored : found
}
