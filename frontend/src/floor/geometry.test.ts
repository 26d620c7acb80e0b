import { describe, expect, it } from 'vitest'
import * as geometry from './geometry'

describe('geometry', () => {
  it('turns north up', () => {
    expect(geometry.place([3, 5], 10, 25)).toEqual([30, 200])
    expect(
      geometry.path(
        [
          [0, 0],
          [1, 0],
          [1, 25],
        ],
        2,
        25,
      ),
    ).toBe('M0.0 50.0L2.0 50.0L2.0 0.0Z')
  })

  it('fits two stacked floors into what is there', () => {
    const outline = { x: 0, y: 0, w: 52, h: 25 }

    expect(geometry.fitScale(outline, 2, 2000, 800, 30)).toBeCloseTo(14.8)
    expect(geometry.fitScale(outline, 1, 520, 800, 30)).toBeCloseTo(10)
  })

  it('cuts a name where it no longer fits', () => {
    expect(geometry.fitted('单人直播间01', 200, 12)).toBe('单人直播间01')
    expect(geometry.fitted('单人直播间01', 48, 12)).toBe('单人直…')
    expect(geometry.fitted('单人直播间', 30, 12)).toBe('')
    expect(geometry.whole('13:42', 30, 11)).toBe('13:42')
    expect(geometry.whole('13:42', 20, 11)).toBe('')
  })
})
