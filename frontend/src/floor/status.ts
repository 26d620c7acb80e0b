// What the eight statuses are called, and how a list of rooms is narrowed and ordered.
import { type Occupancy, type Space, STATUSES, type Status } from '@/api/types'

export type Occupancies = Record<string, Occupancy>

export const statusOf = (value: Occupancy | undefined): Status => value?.status ?? 'unknown'

/** How many of the bookable spaces have each status. */
export function counts(spaces: Iterable<Space>, values: Occupancies): Record<Status, number> {
  const found = Object.fromEntries(STATUSES.map((status) => [status, 0])) as Record<Status, number>
  for (const space of spaces) if (shown(space)) found[statusOf(values[space.code])] += 1
  return found
}

/** Spaces with a status of their own; corridors and cores only frame them. */
export const shown = (space: Space): boolean => space.bookable

export interface Filter {
  text: string
  statuses: ReadonlySet<Status>
  alarmsOnly: boolean
}

/** Whether a room stays in the foreground under a filter. */
export function matches(space: Space, value: Occupancy | undefined, filter: Filter): boolean {
  if (filter.statuses.size && !filter.statuses.has(statusOf(value))) return false
  if (filter.alarmsOnly && !value?.alarms) return false
  const wanted = filter.text.trim().toLowerCase()
  if (!wanted) return true
  const tenant = value?.tenant
  return [
    space.code,
    space.name_zh,
    space.name_en,
    tenant?.name_zh,
    tenant?.name_en,
    tenant?.short_zh,
  ]
    .filter((word) => word !== undefined)
    .some((word) => word.toLowerCase().includes(wanted))
}

/** Orders rooms by what needs a person first: alarms, on air longest, ending soonest. */
export function byUrgency(values: Occupancies) {
  const rank = (space: Space) => STATUSES.indexOf(statusOf(values[space.code]))
  const until = (space: Space) => values[space.code]?.until ?? '9'
  return (a: Space, b: Space): number =>
    Number(Boolean(values[b.code]?.alarms)) - Number(Boolean(values[a.code]?.alarms)) ||
    rank(a) - rank(b) ||
    until(a).localeCompare(until(b)) ||
    a.code.localeCompare(b.code)
}
