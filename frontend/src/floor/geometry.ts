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

/**
 * Longest beginning of `text` that fits `width` px at `size` px; CJK counts one em, others 0.58.
 * Nothing when fewer than three characters would be left: a stump says less than the tooltip.
 */
export function fitted(text: string, width: number, size: number): string {
  const chars = [...text]
  const widths = chars.map((char) => size * (char.charCodeAt(0) > 0x2e7f ? 1 : 0.58))
  const total = widths.reduce((sum, w) => sum + w, 0)
  if (total <= width) return text
  let used = size * 0.6
  let kept = 0
  while (kept < chars.length && used + (widths[kept] ?? 0) <= width) used += widths[kept++] ?? 0
  return kept < 3 ? '' : `${chars.slice(0, kept).join('').trimEnd()}…`
}
