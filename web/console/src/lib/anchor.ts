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

/** The place of the quote whose surroundings fit best, or null when the quote is gone. */
export function findAnchor(text: string, anchor: Anchor): { from: number; to: number } | null {
  if (!anchor.quote) return null
  let best: { from: number; to: number } | null = null
  let bestScore = -1
  for (let at = text.indexOf(anchor.quote); at >= 0; at = text.indexOf(anchor.quote, at + 1)) {
    const to = at + anchor.quote.length
    const score =
      sharedTail(text.slice(Math.max(0, at - CONTEXT), at), anchor.prefix) +
      sharedHead(text.slice(to, to + CONTEXT), anchor.suffix)
    if (score > bestScore) {
      bestScore = score
      best = { from: at, to }
    }
  }
  return best
}
