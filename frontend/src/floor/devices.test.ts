import { describe, expect, it } from 'vitest'
import type { DeviceState, SceneRun } from '@/api/types'
import * as devices from './devices'

const device = (kind: string, link: DeviceState['link'] = 'online'): DeviceState => ({
  kind,
  role: 'key',
  model: 'LT',
  name_zh: '灯',
  name_en: 'Light',
  link,
  reported: {},
  desired: null,
  pending: false,
  at: null,
  version: 1,
})

describe('devices', () => {
  it('groups by kind in the order of a check before going live', () => {
    const groups = devices.grouped({
      L2: device('light'),
      L1: device('light', 'stale'),
      E1: device('encoder'),
      X1: device('access'),
    })

    expect(groups.map((group) => group.kind)).toEqual(['encoder', 'light', 'access'])
    expect(groups[1]?.devices.map(([code]) => code)).toEqual(['L1', 'L2'])
    expect(groups[1]?.online).toBe(1)
    expect(groups[1] && devices.worst(groups[1])).toBe('stale')
  })

  it('says what a light and an encoder report', () => {
    expect(devices.facts('light', { power: true, brightness: 80, cct: 5600 })).toEqual([
      '80%',
      '5600 K',
    ])
    expect(devices.facts('light', { power: false, brightness: 80 })).toEqual(['power:off'])
    expect(devices.facts('encoder', { run: 'live', kbps: 6000 })).toEqual(['run:live', '6000 kbps'])
  })

  it('counts what a scene still waits for', () => {
    const progress = { queued: 1, sent: 1, accepted: 1, done: 4, expired: 1 }
    const run = { progress } as Pick<SceneRun, 'progress'>

    expect(devices.tally(run)).toEqual({ waiting: 3, done: 4, failed: 1 })
    expect(devices.tally({ progress: { total: 5, queued: 0, done: 5 } })).toEqual({
      waiting: 0,
      done: 5,
      failed: 0,
    })
  })
})
