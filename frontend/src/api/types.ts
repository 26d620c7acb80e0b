// The shapes the screens work with.
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

export interface SessionUser {
  email: string
  name: string
  role: Role
  language: string
  tenant: TenantRef | null
}

export interface Session {
  user: SessionUser | null
  csrf: string
  demo: boolean
}

export type Point = [number, number]

export interface Space {
  code: string
  floor: string
  type: string
  group: string
  name_zh: string
  name_en: string
  area_m2: number
  polygon: Point[]
  label_xy: Point
  capacity: number
  booking_mode: string
  bookable: boolean
  features: string[]
}

export interface Floor {
  code: string
  level: number
  name_zh: string
  name_en: string
  area_m2: number
  outline: Point[]
  spaces: Space[]
}

export interface SpaceType {
  code: string
  name_zh: string
  name_en: string
  group: string
  setup_min: number
  teardown_min: number
  min_min: number
  slot_min: number
}

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

/** Why a room is not ready: a text, or a code with texts. */
export type Reason = string | { code: string; text_zh?: string; text_en?: string }

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

export interface SceneCommand {
  id: string
  device: string
  status: string
  error?: string | null
}

export interface SceneRun {
  id: string
  space: string
  scene: Scene
  status: string
  commands: SceneCommand[]
}
