// Reading a space's devices: groups by kind, one line of what each reports, what a scene still waits for.
import type { DeviceState, LinkState, SceneRun } from '@/api/types'

export interface Group {
  kind: string
  devices: [code: string, state: DeviceState][]
  online: number
}

/** Kinds in the order somebody checks a studio; others follow by name. */
const ORDER = ['encoder', 'camera', 'light', 'audio', 'switcher', 'monitor', 'prompter', 'display']

const place = (kind: string): number => {
  const at = ORDER.indexOf(kind)
  return at < 0 ? ORDER.length : at
}

export function grouped(values: Record<string, DeviceState>): Group[] {
  const groups = new Map<string, Group>()
  for (const [code, state] of Object.entries(values)) {
    const group = groups.get(state.kind) ?? { kind: state.kind, devices: [], online: 0 }
    group.devices.push([code, state])
    if (state.link === 'online') group.online += 1
    groups.set(state.kind, group)
  }
  for (const group of groups.values()) group.devices.sort(([a], [b]) => a.localeCompare(b))
  return [...groups.values()].sort(
    (a, b) => place(a.kind) - place(b.kind) || a.kind.localeCompare(b.kind),
  )
}

/** Worst first, for a group's one dot. */
const WORST: LinkState[] = ['offline', 'stale', 'unknown', 'online']
export const worst = (group: Group): LinkState =>
  WORST.find((link) => group.devices.some(([, state]) => state.link === link)) ?? 'unknown'

const number = (value: unknown): number | null => (typeof value === 'number' ? value : null)

/** The few facts of a reported state that a person looks for, such as `80%`, `5600 K`. */
export function facts(kind: string, state: Record<string, unknown> | null): string[] {
  if (!state) return []
  const found: string[] = []
  const power = state.power
  if (kind === 'encoder') {
    if (typeof state.run === 'string') found.push(`run:${state.run}`)
    if (number(state.kbps)) found.push(`${state.kbps} kbps`)
    return found
  }
  if (power === false || power === 'off') return ['power:off']
  if (number(state.brightness) !== null) found.push(`${state.brightness}%`)
  if (number(state.cct)) found.push(`${state.cct} K`)
  if (state.privacy === true) found.push('privacy')
  if (typeof state.tally === 'string' && state.tally !== 'off') found.push(`tally:${state.tally}`)
  if (typeof state.preset === 'string') found.push(state.preset)
  if (number(state.power_w) !== null) found.push(`${state.power_w} W`)
  if (number(state.temp_c) !== null) found.push(`${state.temp_c} °C`)
  if (!found.length && (power === true || power === 'on')) found.push('power:on')
  return found
}

export type Step = 'waiting' | 'done' | 'failed'

const DONE = new Set(['done'])
const FAILED = new Set(['rejected', 'failed', 'expired'])

export const step = (status: string): Step =>
  DONE.has(status) ? 'done' : FAILED.has(status) ? 'failed' : 'waiting'

export function tally(run: Pick<SceneRun, 'progress'>): Record<Step, number> {
  const sum = { waiting: 0, done: 0, failed: 0 }
  for (const [status, count] of Object.entries(run.progress))
    if (status !== 'total') sum[step(status)] += count
  return sum
}
