// A crop is a rectangle in fractions of the picture, so it does not depend on
// the size at which the picture is shown.
export interface Crop {
  x: number
  y: number
  w: number
  h: number
}

/** The largest centred crop of an aspect (width / height) in a picture. */
export function centred(width: number, height: number, aspect: number): Crop {
  const pic = width / height
  if (pic > aspect) {
    const w = aspect / pic
    return { x: (1 - w) / 2, y: 0, w, h: 1 }
  }
  const h = pic / aspect
  return { x: 0, y: (1 - h) / 2, w: 1, h }
}

const clamp = (v: number, lo: number, hi: number): number => Math.min(Math.max(v, lo), hi)

export function move(c: Crop, dx: number, dy: number): Crop {
  return { ...c, x: clamp(c.x + dx, 0, 1 - c.w), y: clamp(c.y + dy, 0, 1 - c.h) }
}

/** Scales about the middle, keeps the aspect, stays inside the picture and above a tenth of it. */
export function zoom(c: Crop, factor: number): Crop {
  const most = Math.min(1 / c.w, 1 / c.h)
  const least = Math.max(0.1 / c.w, 0.1 / c.h)
  const f = clamp(factor, Math.min(least, 1), most)
  const w = c.w * f
  const h = c.h * f
  return move({ x: c.x + (c.w - w) / 2, y: c.y + (c.h - h) / 2, w, h }, 0, 0)
}
