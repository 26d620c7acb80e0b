// From metres on a floor to pixels on a screen. North is up, so y is turned over.
import type { Point } from '@/api/types'

export interface Box {
  x: number
  y: number
  w: number
  h: number
}

export function bounds(points: readonly Point[]): Box {
  const xs = points.map(([x = 0]) => x)
  const ys = points.map(([, y = 0]) => y)
  const [x, y] = [Math.min(...xs), Math.min(...ys)]
  return { x, y, w: Math.max(...xs) - x, h: Math.max(...ys) - y }
}

/** A point in pixels; `top` is the northern edge of the floor in metres. */
export const place = ([x = 0, y = 0]: Point, scale: number, top: number): [number, number] => [
  x * scale,
  (top - y) * scale,
]

export function path(points: readonly Point[], scale: number, top: number): string {
  const at = points.map((point) =>
    place(point, scale, top)
      .map((n) => n.toFixed(1))
      .join(' '),
  )
  return `M${at.join('L')}Z`
}

/** The largest scale in pixels per metre at which `floors` boxes stacked fit into `width` × `height`. */
export function fitScale(
  outline: Box,
  floors: number,
  width: number,
  height: number,
  chrome: number,
): number {
  const room = height / floors - chrome
  return Math.max(4, Math.min(width / outline.w, room / outline.h))
}

const WIDE = 0x2e7f

/** About how wide `text` is at `size` px: CJK counts one em, digits 0.56, others 0.58. */
export function widthOf(text: string, size: number): number {
  let sum = 0
  for (const char of text) {
    if (char.charCodeAt(0) > WIDE) sum += 1
    else sum += char === ':' ? 0.28 : /\d/.test(char) ? 0.56 : 0.58
  }
  return sum * size
}

/** The text when all of it fits: times and words of a status are never cut. */
export const whole = (text: string, width: number, size: number): string =>
  widthOf(text, size) <= width ? text : ''

/**
 * Longest beginning of `text` that fits. Nothing when fewer than three characters would be left:
 * a stump says less than the tooltip.
 */
export function fitted(text: string, width: number, size: number): string {
  if (widthOf(text, size) <= width) return text
  const chars = [...text]
  let kept = chars.length
  while (kept && widthOf(chars.slice(0, kept).join(''), size) + 0.6 * size > width) kept -= 1
  return kept < 3 ? '' : `${chars.slice(0, kept).join('').trimEnd()}…`
}
