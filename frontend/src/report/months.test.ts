import { expect, test } from 'vitest'
import { daysOf, monthsBefore, nextMonth } from './months'

test('a month ends where the next begins, at the turn of the year too', () => {
  expect(nextMonth('2026-11')).toBe('2026-12-01')
  expect(nextMonth('2026-12')).toBe('2027-01-01')
})

test('months are counted back across the turn of the year', () => {
  expect(monthsBefore('2026-02', 3)).toBe('2025-11')
  expect(monthsBefore('2026-11', 0)).toBe('2026-11')
})

test('a period has its days in order whichever month was picked first', () => {
  const days = { from: '2026-09-01', to: '2026-12-01' }
  expect(daysOf('2026-09', '2026-11')).toEqual(days)
  expect(daysOf('2026-11', '2026-09')).toEqual(days)
})
