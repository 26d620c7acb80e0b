import { expect, test } from 'vitest'
import { choiceOf, REPEATS, ruleOf } from './repeats'

test('a choice and its count survive the way through the rule', () => {
  for (const repeat of REPEATS.filter((name) => name !== 'none'))
    expect(choiceOf(ruleOf(repeat, 12) ?? '')).toEqual({ repeat, times: 12 })
})

test('what does not repeat has no rule, and a rule of others is no choice of ours', () => {
  expect(ruleOf('none', 4)).toBeNull()
  expect(choiceOf('FREQ=MONTHLY;BYDAY=2TU;COUNT=4')).toBeNull()
  expect(choiceOf('FREQ=DAILY;UNTIL=20270101T000000Z')).toBeNull()
})
