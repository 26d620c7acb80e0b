// The shapes the screens work with: the schema's own where it is precise, and what travels live.
import type { components } from './schema'

type Schemas = components['schemas']

export type Role =
  | 'tenant_admin'
  | 'tenant_member'
  | 'manager'
  | 'technician'
  | 'finance'
  | 'liaison'
  | 'admin'

export interface TenantRef {
  code: string
  short_zh?: string
  name_zh: string
  name_en: string
}

export type SessionUser = Omit<Schemas['UserOut'], 'role'> & { role: Role }
export type Session = Omit<Schemas['SessionOut'], 'user'> & { user: SessionUser | null }

export type Point = readonly number[]
export type Space = Schemas['SpaceOut']
export type Floor = Schemas['FloorOut']
export type SpaceType = Schemas['SpaceTypeOut']

export const STATUSES = [
  'live',
  'ending',
  'setup',
  'booked',
  'turnover',
  'free',
  'blocked',
  'unknown',
] as const
export type Status = (typeof STATUSES)[number]

/** What is going on in one space, as far as this user may know. */
export interface Occupancy {
  status: Status
  since: string | null
  until: string | null
  on_air: boolean
  at: string
  booking?: string | null
  tenant?: TenantRef | null
  title?: string | null
  ready?: 'green' | 'red' | null
  reasons?: Reason[]
  alarms?: number
  devices?: { total: number; online: number; stale: number; offline: number }
  next?: { booking: string; starts_at: string; tenant: TenantRef | null } | null
}

/** Why a room is not ready. */
export interface Reason {
  code: string
  device: string | null
  zh: string
  en: string
}

export type LinkState = 'online' | 'stale' | 'offline' | 'unknown'

export interface DeviceState {
  kind: string
  role: string
  model: string
  name_zh: string
  name_en: string
  link: LinkState
  reported: Record<string, unknown>
  desired: Record<string, unknown> | null
  pending: boolean
  at: string | null
  version: number
}

export type Scene = 'standby' | 'prepare' | 'on_air' | 'wrap' | 'off'

export type SceneRun = Schemas['SceneRunOut']

/** Measurements of one device and when they were taken; may be dropped on the way. */
export interface Tele {
  at: string
  m: Record<string, number>
}
