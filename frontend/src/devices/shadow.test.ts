import { describe, expect, it } from 'vitest'
import { lines } from './shadow'

describe('shadow', () => {
  it('puts what is still wanted first and says nothing of what nobody wants', () => {
    const found = lines(
      { power: true, brightness: 60 },
      { brightness: 60, power: false, cct: 5600 },
    )
    expect(found.map((line) => [line.key, line.desired, line.reported, line.differs])).toEqual([
      ['power', 'true', 'false', true],
      ['brightness', '60', '60', false],
      ['cct', '', '5600', false],
    ])
  })

  it('knows a wish that was never reported', () => {
    expect(lines({ muted: null }, {})).toEqual([
      { key: 'muted', desired: '—', reported: '—', differs: true },
    ])
  })
})
