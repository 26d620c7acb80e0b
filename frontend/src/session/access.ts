// Which role opens which screen, and where it lands. The server decides again on every request.
import type { Role } from '@/api/types'

export type Screen =
  | 'today'
  | 'floor'
  | 'find'
  | 'bookings'
  | 'timeline'
  | 'invoices'
  | 'runs'
  | 'payments'
  | 'policies'
  | 'report'
  | 'devices'
  | 'alarms'
  | 'handover'
  | 'walls'

const TENANT: Screen[] = ['today', 'find', 'bookings', 'floor', 'timeline', 'invoices']

const SCREENS: Record<Role, Screen[]> = {
  tenant_admin: TENANT,
  tenant_member: TENANT,
  manager: [
    'floor',
    'timeline',
    'alarms',
    'bookings',
    'find',
    'devices',
    'handover',
    'report',
    'walls',
  ],
  technician: ['floor', 'alarms', 'devices', 'timeline', 'handover'],
  finance: ['runs', 'invoices', 'payments', 'policies', 'bookings', 'timeline', 'floor', 'report'],
  liaison: ['floor', 'report', 'policies'],
  admin: [
    'floor',
    'timeline',
    'alarms',
    'bookings',
    'find',
    'runs',
    'invoices',
    'payments',
    'policies',
    'devices',
    'handover',
    'report',
    'walls',
  ],
}

/** In the order of the navigation; the first is where the role lands. */
export const screensOf = (role: Role | null): Screen[] => (role ? SCREENS[role] : [])

export const mayOpen = (role: Role | null, screen: Screen): boolean =>
  screensOf(role).includes(screen)

export const landing = (role: Role | null): string => `/${screensOf(role)[0] ?? 'login'}`

/** The live topics of occupancy that this person may follow; later ones lie over earlier ones. */
export function occupancyTopics(role: Role | null, tenant: string | undefined): string[] {
  if (!role) return []
  if (tenant) return ['occ.public', `occ.tenant.${tenant}`]
  return [role === 'liaison' ? 'occ.gov' : 'occ.ops']
}

const OPERATORS: Role[] = ['manager', 'technician', 'admin']
export const operates = (role: Role | null): boolean => role !== null && OPERATORS.includes(role)

export const booksForOthers = (role: Role | null): boolean => role === 'manager' || role === 'admin'
