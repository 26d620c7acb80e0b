import { describe, expect, it } from 'vitest'
import { backoff } from './connection'
import { fold, type Topics } from './fold'
import { decode, type ServerMessage } from './protocol'
import { freshness } from './store'

const snap: ServerMessage = {
  t: 'snap',
  topic: 'occ.ops',
  epoch: 'e1',
  seq: 4,
  state: { 'F2-S01': { status: 'free' }, 'F2-S02': { status: 'live' } },
}

const start = (): Topics => fold({}, snap).topics

const delta = (changes: Partial<Extract<ServerMessage, { t: 'delta' }>>): ServerMessage => ({
  t: 'delta',
  topic: 'occ.ops',
  epoch: 'e1',
  prev: 4,
  seq: 5,
  ...changes,
})

describe('fold', () => {
  it('replaces a topic by its snapshot', () => {
    expect(start()['occ.ops']).toMatchObject({ epoch: 'e1', seq: 4 })
  })

  it('sets and removes what a delta says', () => {
    const next = fold(start(), delta({ set: { 'F2-S01': { status: 'live' } }, unset: ['F2-S02'] }))

    expect(next.topics['occ.ops']?.values).toEqual({ 'F2-S01': { status: 'live' } })
    expect(next.topics['occ.ops']?.seq).toBe(5)
  })

  it('leaves the state before it untouched', () => {
    const before = start()

    fold(before, delta({ set: { 'F2-S01': null } }))

    expect(before['occ.ops']?.values['F2-S01']).toEqual({ status: 'free' })
  })

  it('ignores a delta that it already has', () => {
    const before = start()

    expect(fold(before, delta({ prev: 3, seq: 4, set: { x: 1 } })).topics).toBe(before)
  })

  it.each([
    ['a gap', { prev: 6, seq: 7 }],
    ['a new epoch', { epoch: 'e2', prev: 0, seq: 1 }],
  ])('asks for a snapshot after %s and keeps what it has', (_, changes) => {
    const before = start()

    const next = fold(before, delta(changes))

    expect(next.resync).toEqual(['occ.ops'])
    expect(next.topics).toBe(before)
  })

  it('asks for a snapshot when the heads of a ping are ahead', () => {
    const heads = { 'occ.ops': { epoch: 'e1', seq: 9 }, other: { epoch: 'x', seq: 1 } }

    expect(fold(start(), { t: 'ping', heads }).resync).toEqual(['occ.ops'])
  })

  it('forgets a revoked topic', () => {
    const next = fold(start(), { t: 'revoked', topic: 'occ.ops' })

    expect(next.topics['occ.ops']).toMatchObject({ values: {}, refused: 'revoked' })
  })

  it('keeps telemetry apart from the state', () => {
    const next = fold(start(), { t: 'tele', topic: 'occ.ops', set: { EN01: { kbps: 6000 } } })

    expect(next.topics['occ.ops']?.tele).toEqual({ EN01: { kbps: 6000 } })
    expect(next.topics['occ.ops']?.seq).toBe(4)
  })
})

describe('decode', () => {
  it.each(['', '{', '[]', 'null', '{"t":"??"}', '{"x":1}'])('drops %j', (frame) => {
    expect(decode(frame)).toBeNull()
  })
})

describe('timing', () => {
  it('waits longer after each failure, never more than 15 s', () => {
    expect(backoff(0, 1)).toBe(500)
    expect(backoff(3, 1)).toBe(4000)
    expect(backoff(30, 1)).toBe(15_000)
    expect(backoff(3, 0)).toBeLessThan(4000)
  })

  it('turns amber at 25 s of silence and stale at 45 s', () => {
    expect([0, 24_999, 25_000, 45_000].map(freshness)).toEqual(['fresh', 'fresh', 'amber', 'stale'])
  })
})
