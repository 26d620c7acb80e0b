// What is held on the timeline: a new time, or a booking that moves or grows. Pure.
import type { Block, Lane } from './types'

export const SLOT_MS = 1_800_000

export interface Grab {
  mode: 'new' | 'move' | 'resize'
  /** The booking that is held; null for a new one. */
  code: string | null
  row: number
  start: number
  end: number
  /** Where it began. */
  from: { row: number; start: number; end: number }
  byKey: boolean
}

export function take(
  mode: Grab['mode'],
  at: { code: string | null; row: number; start: number; end: number },
  byKey = false,
): Grab {
  const { row, start, end } = at
  return { mode, code: at.code, row, start, end, from: { row, start, end }, byKey }
}

const snap = (ms: number): number => Math.round(ms / SLOT_MS) * SLOT_MS

/** The grab after the pointer went `ms` along and to `row`; lengths never fall below half an hour. */
export function pulled(grab: Grab, ms: number, row: number): Grab {
  const { from, mode } = grab
  const by = snap(ms)
  if (mode === 'move') return { ...grab, row, start: from.start + by, end: from.end + by }
  if (mode === 'resize') return { ...grab, end: Math.max(from.start + SLOT_MS, from.end + by) }
  const other = from.start + by
  return by < 0
    ? { ...grab, start: other, end: from.end }
    : { ...grab, start: from.start, end: Math.max(from.end, other + SLOT_MS) }
}

export const stirred = ({ row, start, end, from }: Grab): boolean =>
  row !== from.row || start !== from.start || end !== from.end

/** Blocks of a lane that stand in the way, buffers included; the held booking itself never does. */
export function inTheWay(lane: Lane | undefined, grab: Grab): Block[] {
  return (lane?.blocks ?? []).filter(
    (block) =>
      (grab.code === null || block.booking !== grab.code) &&
      Date.parse(block.from) < grab.end &&
      Date.parse(block.to) > grab.start,
  )
}

const MOVABLE = new Set(['held', 'pending_approval', 'confirmed', 'checked_in'])
export const movable = (block: Block): boolean =>
  block.booking !== null && block.status !== null && MOVABLE.has(block.status)

/** The block of a lane that covers an instant. */
export const blockAt = (lane: Lane | undefined, at: number): Block | undefined =>
  lane?.blocks.find(
    (block) =>
      Date.parse(block.starts_at ?? block.from) <= at && Date.parse(block.ends_at ?? block.to) > at,
  )
