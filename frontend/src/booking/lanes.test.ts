import { describe, expect, it } from 'vitest'
import { bar, moved } from './lanes'
import type { Block } from './types'

const FROM = Date.parse('2026-11-22T00:00:00+08:00')
const TO = FROM + 86_400_000

const block = (changes: Partial<Block>): Block => ({
  from: '2026-11-22T05:30:00+08:00',
  to: '2026-11-22T12:30:00+08:00',
  starts_at: '2026-11-22T06:00:00+08:00',
  ends_at: '2026-11-22T12:00:00+08:00',
  kind: 'booking',
  booking: null,
  status: null,
  title: null,
  tenant: null,
  ...changes,
})

describe('bar', () => {
  it('lies where its hours are, its buffers beside it', () => {
    const found = bar(block({}), FROM, TO)

    expect(found.left).toBeCloseTo(25)
    expect(found.width).toBeCloseTo(25)
    expect(found.before).toBeCloseTo(100 / 48)
    expect(found.after).toBeCloseTo(100 / 48)
  })

  it('is cut at midnight', () => {
    const late = { starts_at: '2026-11-22T22:00:00+08:00', ends_at: '2026-11-23T02:00:00+08:00' }

    const found = bar(block({ ...late, to: '2026-11-23T02:30:00+08:00' }), FROM, TO)

    expect(found.left + found.width).toBe(100)
    expect(found.after).toBe(0)
  })
})

describe('moved', () => {
  it('steps by arrow and stays inside', () => {
    expect(moved({ row: 0, slot: 0 }, 'ArrowRight', 5)).toEqual({ row: 0, slot: 1 })
    expect(moved({ row: 0, slot: 0 }, 'ArrowUp', 5)).toEqual({ row: 0, slot: 0 })
    expect(moved({ row: 2, slot: 9 }, 'End', 5)).toEqual({ row: 2, slot: 47 })
    expect(moved({ row: 2, slot: 9 }, 'x', 5)).toBeNull()
  })
})
