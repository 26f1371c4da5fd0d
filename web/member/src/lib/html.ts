// Makes HTML of the server fit for rich-text, which knows no style sheet, no
// svg and no root-relative address, and for the chosen text size.

const SVG = /<svg\b[\s\S]*?<\/svg>/g
const STYLE = /\sstyle="([^"]*)"/g
const PX = /\b(font-size|line-height)\s*:\s*(\d+(?:\.\d+)?)px/g
const IMG = /<img\b([^>]*?)\/?>/g

function base64(text: string): string {
  const bytes = unescape(encodeURIComponent(text))
  const table = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  let out = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const a = bytes.charCodeAt(i)
    const b = bytes.charCodeAt(i + 1)
    const c = bytes.charCodeAt(i + 2)
    out += table[a >> 2]! + table[((a & 3) << 4) | (b >> 4 || 0)]!
    out += Number.isNaN(b) ? '=' : table[((b & 15) << 2) | (c >> 6 || 0)]!
    out += Number.isNaN(c) ? '=' : table[c & 63]!
  }
  return out
}

/** scale is the text size, 1 for normal; base is put before addresses of the server. */
export function forReading(html: string, scale: number, base: string): string {
  return html
    .replace(SVG, (svg) => {
      const style = /\sstyle="([^"]*)"/.exec(svg)?.[1] ?? ''
      const label = /<title>([^<]*)<\/title>/.exec(svg)?.[1] ?? /aria-label="([^"]*)"/.exec(svg)?.[1] ?? '公式'
      return `<img alt="${label}" src="data:image/svg+xml;base64,${base64(svg)}" style="${style}">`
    })
    .replace(STYLE, (_all, style: string) => ` style="${style.replace(PX, (_m, what: string, n: string) => `${what}:${+(Number(n) * scale).toFixed(2)}px`)}"`)
    .replace(IMG, (_all, attrs: string) => {
      const at = attrs.trimEnd().replace(/\ssrc="\/(?!\/)/, ` src="${base}/`)
      const fit = 'max-width:100%;'
      return /\sstyle="/.test(at) ? `<img${at.replace(/\sstyle="/, ` style="${fit}`)}>` : `<img${at} style="${fit}height:auto;">`
    })
}

/** Text of HTML, for reading aloud and lists. */
export function plain(html: string): string {
  return html
    .replace(/<[^>]*>/g, '')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&nbsp;/g, ' ')
    .replace(/&amp;/g, '&')
    .trim()
}
