import { describe, expect, it } from 'vitest'
import { best, type Entry, score } from './match'

const entry = (group: Entry['group'], title: string, ...words: string[]): Entry => ({
  group,
  title,
  under: '',
  to: '/',
  words,
})

describe('palette', () => {
  it('rates the whole above its beginning above a word above anywhere', () => {
    const room = entry('room', '珠宝直播间', 'F2-S01')
    expect(['f2-s01', 'F2', 's01', '直播', 'x'].map((q) => score(room, q))).toEqual([4, 3, 2, 1, 0])
  })

  it('shows the screens before anything is typed, nothing else', () => {
    const all = [entry('room', 'A'), entry('screen', 'B')]
    expect(best(all, ' ').map((one) => one.title)).toEqual(['B'])
  })

  it('keeps groups together and shows few of each', () => {
    const rooms = Array.from({ length: 30 }, (_, n) => entry('room', `R${n}`))
    const found = best([...rooms, entry('screen', 'Rooms')], 'r')
    expect(found.map((one) => one.group)).toEqual(['screen', ...Array(7).fill('room')])
  })
})
