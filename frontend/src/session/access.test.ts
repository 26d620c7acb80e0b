import { describe, expect, it } from 'vitest'
import * as access from './access'

describe('access', () => {
  it('lands each role where its work is', () => {
    expect(access.landing('tenant_member')).toBe('/today')
    expect(access.landing('manager')).toBe('/floor')
    expect(access.landing('finance')).toBe('/runs')
    expect(access.landing(null)).toBe('/login')
  })

  it('keeps invoices from those who run the floor', () => {
    expect(access.mayOpen('manager', 'invoices')).toBe(false)
    expect(access.mayOpen('technician', 'runs')).toBe(false)
    expect(access.mayOpen('liaison', 'bookings')).toBe(false)
  })

  it('listens to the projection made for the reader', () => {
    expect(access.occupancyTopics('tenant_admin', 'T007')).toEqual([
      'occ.public',
      'occ.tenant.T007',
    ])
    expect(access.occupancyTopics('liaison', undefined)).toEqual(['occ.gov'])
    expect(access.occupancyTopics('manager', undefined)).toEqual(['occ.ops'])
  })
})
