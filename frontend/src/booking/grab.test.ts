import { describe, expect, it } from 'vitest'
import { blockAt, inTheWay, movable, pulled, SLOT_MS, stirred, take } from './grab'
import type { Block, Lane } from './types'

const HOUR = 2 * SLOT_MS
const iso = (ms: number) => new Date(ms).toISOString()
const block = (code: string, from: number, to: number): Block => ({
  from: iso(from - SLOT_MS),
  to: iso(to + SLOT_MS),
  starts_at: iso(from),
  ends_at: iso(to),
  kind: 'booking',
  booking: code,
  status: 'confirmed',
  title: null,
  tenant: null,
})
const lane: Lane = {
  space: 'F2-S01',
  name_zh: '',
  name_en: '',
  type: '',
  floor: 'F2',
  blocks: [block('BK1', 2 * HOUR, 4 * HOUR)],
}
const held = take('move', { code: 'BK1', row: 0, start: 2 * HOUR, end: 4 * HOUR })

describe('grab', () => {
  it('moves by whole half hours and to another room', () => {
    const next = pulled(held, HOUR * 0.7, 3)
    expect([next.row, next.start, next.end]).toEqual([3, 2.5 * HOUR, 4.5 * HOUR])
    expect(stirred(next)).toBe(true)
    expect(stirred(pulled(held, SLOT_MS * 0.3, 0))).toBe(false)
  })

  it('never shrinks below half an hour and stays in its room', () => {
    const grown = pulled({ ...held, mode: 'resize' }, -99 * HOUR, 5)
    expect([grown.row, grown.start, grown.end]).toEqual([0, 2 * HOUR, 2 * HOUR + SLOT_MS])
  })

  it('draws a new time in either direction', () => {
    const fresh = take('new', { code: null, row: 0, start: HOUR, end: HOUR + SLOT_MS })
    expect(pulled(fresh, HOUR, 0)).toMatchObject({ start: HOUR, end: 2 * HOUR + SLOT_MS })
    expect(pulled(fresh, -HOUR, 0)).toMatchObject({ start: 0, end: HOUR + SLOT_MS })
  })

  it('is in nobody’s way but others’, buffers included', () => {
    expect(inTheWay(lane, held)).toEqual([])
    const fresh = take('new', { code: null, row: 0, start: 4 * HOUR, end: 5 * HOUR })
    expect(inTheWay(lane, fresh)).toHaveLength(1)
    expect(inTheWay(lane, { ...fresh, start: 4 * HOUR + SLOT_MS })).toEqual([])
  })

  it('finds what is under the cursor and whether it can be held', () => {
    expect(blockAt(lane, 3 * HOUR)?.booking).toBe('BK1')
    expect(blockAt(lane, 4 * HOUR)).toBeUndefined()
    expect(movable({ ...block('BK2', 0, HOUR), status: 'completed' })).toBe(false)
  })
})
