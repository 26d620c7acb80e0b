import { describe, expect, it } from 'vitest'
import type { Occupancy } from '@/api/types'
import type { Block, Lane } from '@/booking/types'
import { occupancyAt, overruns } from './replay'

const MIN = 60_000
const iso = (minutes: number) => new Date(minutes * MIN).toISOString()
const block = (status: Block['status'], kind = 'booking'): Block => ({
  from: iso(30),
  to: iso(210),
  starts_at: iso(60),
  ends_at: iso(180),
  kind,
  booking: 'BK1',
  status,
  title: null,
  tenant: null,
})
const lane = (...blocks: Block[]): Lane[] => [
  { space: 'F2-S01', name_zh: '', name_en: '', type: '', floor: 'F2', blocks },
]
const at = (minutes: number, ...blocks: Block[]) =>
  occupancyAt(lane(...blocks), minutes * MIN)['F2-S01']?.status

describe('replay', () => {
  it('goes through a show as it was held', () => {
    const seen = [0, 45, 60, 164, 165, 180, 210].map((n) => at(n, block('completed')))
    expect(seen).toEqual(['free', 'setup', 'live', 'live', 'ending', 'turnover', 'free'])
  })

  it('shows a coming one as planned and a closed room as closed', () => {
    expect(at(100, block('confirmed'))).toBe('booked')
    expect(at(100, block(null, 'blackout'))).toBe('blocked')
  })

  it('forecasts who overruns, those who hold up others first', () => {
    const room = (until: number, next: number | null, on_air = true): Occupancy => ({
      status: 'live',
      since: null,
      until: iso(until),
      on_air,
      at: iso(0),
      booking: 'BK',
      next: next === null ? null : { booking: 'BK9', starts_at: iso(next), tenant: null },
    })
    const values = {
      late: room(90, null),
      holds: room(104, 120),
      early: room(120, 130),
      quiet: room(90, 100, false),
      far: room(95, 400),
    }
    expect(overruns(values, 100 * MIN).map((one) => [one.space, one.next !== null])).toEqual([
      ['holds', true],
      ['late', false],
      ['far', false],
    ])
  })
})
