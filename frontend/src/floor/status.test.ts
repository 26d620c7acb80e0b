import { describe, expect, it } from 'vitest'
import type { Occupancy, Space } from '@/api/types'
import * as status from './status'

const room = (code: string, bookable = true): Space => ({
  code,
  floor: 'F2',
  type: 'studio_single',
  group: 'studio',
  name_zh: `单人直播间${code}`,
  name_en: `Single studio ${code}`,
  area_m2: 15,
  polygon: [],
  label_xy: [0, 0],
  capacity: 3,
  booking_mode: 'hourly',
  bookable,
  features: [],
  rentable_monthly: false,
  unit_count: null,
})

const value = (changes: Partial<Occupancy>): Occupancy => ({
  status: 'free',
  since: null,
  until: null,
  on_air: false,
  at: '2026-11-22T12:00:00Z',
  ...changes,
})

const none = { text: '', statuses: new Set<never>(), alarmsOnly: false }

describe('status', () => {
  it('counts only rooms that can be booked, unknown when nothing is known', () => {
    const found = status.counts([room('S1'), room('S2'), room('COR', false)], {
      S1: value({ status: 'live' }),
    })

    expect(found).toMatchObject({ live: 1, unknown: 1, free: 0 })
  })

  it('finds a room by code, by name in both languages, and by its tenant', () => {
    const tenant = { code: 'T1', name_zh: '粤潮传媒', name_en: 'Yuechao Media' }
    const held = value({ status: 'live', tenant })

    for (const text of ['s01', '单人', 'single', '粤潮', 'YUECHAO'])
      expect(status.matches(room('S01'), held, { ...none, text })).toBe(true)
    expect(status.matches(room('S01'), held, { ...none, text: '珠宝' })).toBe(false)
  })

  it('puts alarms first, then what is on air, then what ends sooner', () => {
    const values = {
      A: value({ status: 'free' }),
      B: value({ status: 'live', until: '2026-11-22T14:00:00Z' }),
      C: value({ status: 'live', until: '2026-11-22T13:00:00Z' }),
      D: value({ status: 'free', alarms: 1 }),
    }

    const order = ['A', 'B', 'C', 'D'].map((code) => room(code)).sort(status.byUrgency(values))

    expect(order.map((space) => space.code)).toEqual(['D', 'C', 'B', 'A'])
  })
})
