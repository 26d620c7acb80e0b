import { describe, expect, it } from 'vitest'
import type { Run } from './queries'
import { current, stage } from './runs'

const run = { status: 'issuing', entries_done: 3, entries_total: 10 } as Run

describe('runs', () => {
  it('know their next step', () => {
    expect(stage('preview')).toBe('approve')
    expect(stage('approved')).toBe('issue')
    expect(stage('issued')).toBe('done')
    expect(stage('failed')).toBe('preview')
  })

  it('take progress from the live topic and never go back', () => {
    const word = { status: 'issuing', done: 7, total: 10 }

    expect(current(run, word).entries_done).toBe(7)
    expect(current(run, { ...word, done: 1 }).entries_done).toBe(3)
    expect(current(run, { ...word, status: 'issued' }).status).toBe('issued')
    expect(current(run, undefined)).toBe(run)
  })
})
