import { describe, expect, it } from 'vitest'
import { fenOf } from './amounts'

describe('fenOf', () => {
  it('reads yuan with and without fen, signs and thousands', () => {
    expect(fenOf('1280.5')).toBe(128050)
    expect(fenOf(' ¥1,280.05 ')).toBe(128005)
    expect(fenOf('0.01')).toBe(1)
  })

  it('takes nothing that is no amount', () => {
    for (const text of ['', '0', '-5', '1.234', '1,28', '1e3', 'NaN', '=1+1']) {
      expect(fenOf(text)).toBe(null)
    }
  })
})
