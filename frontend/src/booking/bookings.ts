// Ordering bookings for a list: by Shanghai day, soonest first when coming, latest first when past.
import { dayKey, dayNear } from '@/format'
import { i18n } from '@/i18n'
import type { Booking } from './types'

export type Tab = 'coming' | 'pending' | 'past'

const DAY_MS = 86_400_000
const iso = (ms: number): string => new Date(ms).toISOString()

/** What to ask for: from now on for three months, what of it waits for us, or the last three months. */
export function windowOf(tab: Tab, now: number) {
  const status = 'pending_approval'
  if (tab === 'pending') return { from: iso(now), limit: 200, ascending: true, status }
  return tab === 'coming'
    ? { from: iso(now), to: iso(now + 90 * DAY_MS), limit: 100, ascending: true }
    : { from: iso(now - 90 * DAY_MS), to: iso(now), limit: 100, ascending: false }
}

const OVER = new Set(['completed', 'cancelled', 'rejected', 'released', 'no_show', 'expired'])
export const isOver = (booking: Booking): boolean => OVER.has(booking.status)

export interface DayGroup {
  day: string
  label: string
  items: Booking[]
}

export function byDay(bookings: readonly Booking[], tab: Tab, now = Date.now()): DayGroup[] {
  const sign = tab === 'past' ? -1 : 1
  const rows = bookings
    .filter((booking) => (tab === 'past') === isOver(booking) || tab === 'past')
    .sort((a, b) => sign * (Date.parse(a.starts_at) - Date.parse(b.starts_at)))
  const groups: DayGroup[] = []
  for (const booking of rows) {
    const day = dayKey(booking.starts_at)
    const last = groups.at(-1)
    if (last?.day === day) last.items.push(booking)
    else {
      const label = dayNear(booking.starts_at, now, i18n.global.locale.value)
      groups.push({ day, label, items: [booking] })
    }
  }
  return groups
}
