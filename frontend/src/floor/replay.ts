// The floor at another time, from what was booked: past shows as held, coming ones as planned. Pure.
import type { Occupancy, Status } from '@/api/types'
import type { Block, Lane } from '@/booking/types'
import type { Occupancies } from './status'

const ENDING_MS = 15 * 60_000

function statusAt(block: Block, at: number): Status {
  if (block.kind === 'blackout') return 'blocked'
  const [start, end] = [
    Date.parse(block.starts_at ?? block.from),
    Date.parse(block.ends_at ?? block.to),
  ]
  if (at < start) return 'setup'
  if (at >= end) return 'turnover'
  const shown = block.status === 'completed' || block.status === 'checked_in'
  if (!shown) return 'booked'
  return end - at <= ENDING_MS ? 'ending' : 'live'
}

function valueAt(lane: Lane, at: number): Occupancy {
  const iso = new Date(at).toISOString()
  const now = lane.blocks.find((one) => Date.parse(one.from) <= at && Date.parse(one.to) > at)
  const coming = lane.blocks
    .filter((one) => Date.parse(one.from) > at)
    .sort((a, b) => a.from.localeCompare(b.from))[0]
  const next = coming?.starts_at ?? coming?.from ?? null
  if (!now) return { status: 'free', since: null, until: next, on_air: false, at: iso }
  return {
    status: statusAt(now, at),
    since: now.starts_at ?? now.from,
    until: now.ends_at ?? now.to,
    on_air: false,
    at: iso,
    booking: now.booking,
    tenant: now.tenant,
    title: now.title,
  }
}

export const occupancyAt = (lanes: readonly Lane[], at: number): Occupancies =>
  Object.fromEntries(lanes.map((lane) => [lane.space, valueAt(lane, at)]))

export interface Overrun {
  space: string
  booking: string
  until: number
  /** Milliseconds past the end; negative while there is time left. */
  late: number
  next: { booking: string; starts_at: string } | null
}

const SOON_MS = 5 * 60_000
const NEAR_MS = 3_600_000

/** Rooms on air that end in five minutes or should have ended, those that hold up others first. */
export function overruns(values: Occupancies, now: number): Overrun[] {
  return Object.entries(values)
    .flatMap(([space, value]) => {
      const until = Date.parse(value.until ?? '')
      if (!value.on_air || !value.booking || !(until - now <= SOON_MS)) return []
      const near = value.next && Date.parse(value.next.starts_at) - until <= NEAR_MS
      return [
        {
          space,
          booking: value.booking,
          until,
          late: now - until,
          next: near ? (value.next ?? null) : null,
        },
      ]
    })
    .sort((a, b) => Number(b.next !== null) - Number(a.next !== null) || b.late - a.late)
}
