// Where blocks lie on a day's lane, in per cent, and what the keyboard cursor does.
import type { Block } from './types'

export interface Bar {
  block: Block
  /** The booked time, in per cent of the day. */
  left: number
  width: number
  /** Buffers before and after, in per cent of the day. */
  before: number
  after: number
}

const clamp = (n: number): number => Math.min(100, Math.max(0, n))

export function bar(block: Block, from: number, to: number): Bar {
  const at = (instant: string) => clamp(((Date.parse(instant) - from) / (to - from)) * 100)
  const [left, right] = [at(block.starts_at ?? block.from), at(block.ends_at ?? block.to)]
  return {
    block,
    left,
    width: right - left,
    before: left - at(block.from),
    after: at(block.to) - right,
  }
}

export interface Cell {
  row: number
  slot: number
}

/** The cell an arrow key leads to; slots are half hours. */
export function moved(cell: Cell, key: string, rows: number, slots = 48): Cell | null {
  const steps: Record<string, [number, number]> = {
    ArrowUp: [-1, 0],
    ArrowDown: [1, 0],
    ArrowLeft: [0, -1],
    ArrowRight: [0, 1],
    PageUp: [-5, 0],
    PageDown: [5, 0],
    Home: [0, -slots],
    End: [0, slots],
  }
  const step = steps[key]
  if (!step) return null
  const within = (n: number, most: number) => Math.min(most - 1, Math.max(0, n))
  return { row: within(cell.row + step[0], rows), slot: within(cell.slot + step[1], slots) }
}
