// What a device is to be and what it says it is, key by key. Pure.
import { stamp } from '@/format'

export interface Line {
  key: string
  desired: string
  reported: string
  /** Wanted, and not yet so. */
  differs: boolean
}

const shown = (value: unknown, key: string): string => {
  if (key === 'until' && typeof value === 'number') return stamp(value)
  if (value === undefined || value === null) return '—'
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

export function lines(
  desired: Record<string, unknown> | null,
  reported: Record<string, unknown>,
): Line[] {
  const wanted = desired ?? {}
  const keys = [...new Set([...Object.keys(wanted), ...Object.keys(reported)])].sort()
  return keys
    .map((key) => ({
      key,
      desired: key in wanted ? shown(wanted[key], key) : '',
      reported: shown(reported[key], key),
      differs: key in wanted && JSON.stringify(wanted[key]) !== JSON.stringify(reported[key]),
    }))
    .sort((a, b) => Number(b.differs) - Number(a.differs))
}

/** What each kind measures, until a first measurement names the rest. */
export const METRICS: Record<string, string[]> = {
  light: ['head_temp_c', 'dim_pct'],
  camera: ['temp_c'],
  encoder: ['kbps', 'fps', 'dropped_pct', 'rtt_ms', 'temp_c'],
  audio: ['level_dbfs'],
  power_meter: ['power_w', 'energy_wh', 'voltage_v', 'current_a', 'power_factor'],
  sensor: ['temperature_c', 'humidity_pct', 'co2_ppm', 'noise_dba', 'lux', 'presence'],
  hvac: ['temperature_c', 'setpoint_c'],
  ups: ['load_pct', 'battery_pct', 'runtime_min'],
  network: ['uplink_mbps', 'loss_pct', 'rtt_ms'],
}
