// What the palette finds, and in which order. Pure.
export type Group = 'screen' | 'room' | 'tenant' | 'booking' | 'device'

export interface Entry {
  group: Group
  /** What is shown. */
  title: string
  under: string
  /** Where it leads. */
  to: string
  /** Everything it may be found by, besides the title. */
  words: string[]
}

export const GROUPS: Group[] = ['screen', 'room', 'tenant', 'booking', 'device']
const MOST_EACH = 7

/** 0: no match; higher is better: the whole, its beginning, a word's beginning, anywhere. */
export function score(entry: Entry, wanted: string): number {
  const text = wanted.trim().toLowerCase()
  if (!text) return entry.group === 'screen' ? 1 : 0
  let best = 0
  for (const word of [entry.title, ...entry.words]) {
    const at = word.toLowerCase()
    const found = at.indexOf(text)
    if (at === text) return 4
    if (found === 0) best = Math.max(best, 3)
    else if (found > 0) best = Math.max(best, /[\s\-_·]/.test(at[found - 1] ?? '') ? 2 : 1)
  }
  return best
}

/** The best few of each group, groups in their order. */
export function best(entries: readonly Entry[], wanted: string): Entry[] {
  const rated = entries.map((entry) => ({ entry, n: score(entry, wanted) })).filter(({ n }) => n)
  return GROUPS.flatMap((group) =>
    rated
      .filter(({ entry }) => entry.group === group)
      .sort(
        // Screens stay in the order of the navigation.
        (a, b) =>
          b.n - a.n || (group === 'screen' ? 0 : a.entry.title.localeCompare(b.entry.title)),
      )
      .slice(0, group === 'screen' ? 20 : MOST_EACH)
      .map(({ entry }) => entry),
  )
}
