// Which device needs a person first. Pure.
import type { Alarm } from '@/alarms/queries'

export interface Urgent {
  device: string
  worst: Alarm
  /** Further alarms of the same device. */
  more: number
  onAir: boolean
}

const RANK: Record<string, number> = { critical: 0, warning: 1, info: 2 }

export function urgent(alarms: readonly Alarm[], onAir: (space: string) => boolean): Urgent[] {
  const byDevice = new Map<string, Alarm[]>()
  for (const alarm of alarms)
    if (alarm.device) byDevice.set(alarm.device, [...(byDevice.get(alarm.device) ?? []), alarm])
  const worse = (a: Alarm, b: Alarm) =>
    (RANK[a.severity] ?? 3) - (RANK[b.severity] ?? 3) || a.raised_at.localeCompare(b.raised_at)
  const rows = [...byDevice].flatMap(([device, own]) => {
    const [worst] = [...own].sort(worse)
    return worst
      ? [{ device, worst, more: own.length - 1, onAir: worst.space ? onAir(worst.space) : false }]
      : []
  })
  return rows.sort(
    (a, b) =>
      (RANK[a.worst.severity] ?? 3) - (RANK[b.worst.severity] ?? 3) ||
      Number(b.onAir) - Number(a.onAir) ||
      a.worst.raised_at.localeCompare(b.worst.raised_at),
  )
}
