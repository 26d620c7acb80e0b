import { describe, expect, it } from 'vitest'
import * as format from './format'

describe('money', () => {
  it('shows fen as yuan with groups and two decimals', () => {
    expect(format.yuan(133_000)).toBe('¥1,330.00')
    expect(format.yuan(-5)).toBe('−¥0.05')
    expect(format.yuan(123_456_789)).toBe('¥1,234,567.89')
  })

  it('drops only decimals that say nothing', () => {
    expect(format.yuanShort(22_000)).toBe('¥220')
    expect(format.yuanShort(22_050)).toBe('¥220.50')
  })
})

describe('instants', () => {
  it('are in Shanghai wherever the browser is', () => {
    expect(format.clock('2026-11-22T16:30:00Z')).toBe('00:30')
    expect(format.dayKey('2026-11-22T16:30:00Z')).toBe('2026-11-23')
    expect(format.day('2026-11-22T16:30:00Z', 'zh')).toBe('11月23日 周一')
    expect(format.day('2026-11-22T16:30:00Z', 'en')).toBe('Mon 23 Nov')
  })

  it('name near days', () => {
    const now = '2026-11-22T15:59:00Z'
    expect(format.dayNear('2026-11-22T16:00:00Z', now, 'zh')).toBe('明天')
    expect(format.dayNear('2026-11-21T16:00:00Z', now, 'en')).toBe('Today')
    expect(format.dayNear('2026-11-30T00:00:00Z', now, 'zh')).toBe('11月30日 周一')
  })

  it('write midnight as 24:00 of the day it ends', () => {
    const at = (time: string) => `2026-11-22T${time}:00+08:00`
    expect(format.span(at('20:00'), '2026-11-23T00:00:00+08:00', 'zh')).toBe('20:00–24:00')
    expect(format.span(at('22:00'), '2026-11-23T02:00:00+08:00', 'zh')).toBe('22:00–次日02:00')
  })

  it('count days across a month', () => {
    expect(format.addDays('2026-11-30', 1)).toBe('2026-12-01')
  })
})

describe('lengths and ages', () => {
  it('name hours and minutes', () => {
    expect(format.length(3.5 * 3_600_000, 'zh')).toBe('3 小时 30 分')
    expect(format.length(0, 'en')).toBe('0 min')
  })

  it('use one unit', () => {
    expect(format.age(8_000, 'zh')).toBe('8 秒')
    expect(format.age(2 * 86_400_000, 'en')).toBe('2 d')
  })
})
