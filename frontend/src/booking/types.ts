// The shapes of booking as the screens work with them.
import type { components } from '@/api/schema'
import type { TenantRef } from '@/api/types'

type Schemas = components['schemas']

export interface QuoteLine {
  kind: 'room' | 'discount' | 'service' | 'lease' | 'fee' | 'overtime' | 'energy' | 'credit'
  description_zh: string
  description_en: string
  from: string | null
  to: string | null
  band: string
  hours: string | null
  surge: string
  quantity: string
  unit: string
  unit_fen: number | null
  gross_fen: number
  net_fen: number
  vat_fen: number
  vat_rate: string
  policy: string
}

export interface Verdict {
  code: string
  name_zh: string
  name_en: string
  verdict: 'applied' | 'refused' | 'capped'
  amount_fen: number
  reason_zh: string
  reason_en: string
  unlock_zh: string | null
  unlock_en: string | null
  funding: string
}

export interface Quote {
  lines: QuoteLine[]
  policies: Verdict[]
  total_fen: number
  net_fen: number
  vat_fen: number
  list_fen: number
  discount_fen: number
}

export type Quoted = Omit<Schemas['QuoteOut'], 'quote'> & { quote: Quote }

type Stored = Schemas['BookingOut']
export type BookingStatus = Stored['status']
export type Booking = Omit<Stored, 'quote'> & { quote: Quote | null }

export type Available = Schemas['AvailableOut']

export interface Conflict {
  space: string
  from: string
  to: string
  kind: string
  booking: string | null
}

export interface Alternative {
  kind: string
  space: string
  name_zh: string
  name_en: string
  starts_at: string
  ends_at: string
}

export interface Block {
  from: string
  to: string
  starts_at: string | null
  ends_at: string | null
  kind: string
  booking: string | null
  status: BookingStatus | null
  title: string | null
  tenant: TenantRef | null
}

export interface Lane {
  space: string
  name_zh: string
  name_en: string
  type: string
  floor: string
  blocks: Block[]
}
