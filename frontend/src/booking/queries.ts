// Reads and deeds of booking.
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, type MaybeRefOrGetter, toValue } from 'vue'
import { body, bodyAs, client, newKey } from '@/api/client'
import type { ApiProblem } from '@/api/problem'
import type { paths } from '@/api/schema'
import type { Booking, Lane, Quoted } from './types'

interface Window {
  from: string
  to: string
}

export function useAvailability(
  wish: MaybeRefOrGetter<Window & { type?: string; tenant?: string }>,
  enabled: MaybeRefOrGetter<boolean> = true,
) {
  return useQuery({
    queryKey: computed(() => ['availability', toValue(wish)]),
    queryFn: () => body(client.GET('/api/v1/availability', { params: { query: toValue(wish) } })),
    enabled: computed(() => toValue(enabled)),
    placeholderData: keepPreviousData,
    refetchInterval: 30_000,
  })
}

export interface BookingWish {
  space: string
  starts_at: string
  ends_at: string
  tenant: string | null
  purpose: string
  headcount: number
  title: string
}

/** A query runs only when there is a wish. */
function asked(wish: BookingWish | null): BookingWish & Fixed {
  if (!wish) throw new Error('nothing to price')
  return { ...wish, ...FIXED }
}

/** What this screen does not ask about. */
const FIXED = { services: [], units: 1, extras: [] }
type Fixed = typeof FIXED

export function useQuote(wish: MaybeRefOrGetter<BookingWish | null>) {
  return useQuery({
    queryKey: computed(() => ['quote', toValue(wish)]),
    queryFn: () => bodyAs<Quoted>(client.POST('/api/v1/quotes', { body: asked(toValue(wish)) })),
    enabled: computed(() => toValue(wish) !== null),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  })
}

/** Book and confirm at the price that was shown. */
export function useBook() {
  const queries = useQueryClient()
  return useMutation<Booking, ApiProblem, { wish: BookingWish; token: string; key: string }>({
    mutationFn: ({ wish, token, key }) =>
      bodyAs<Booking>(
        client.POST('/api/v1/bookings', {
          params: { header: { 'Idempotency-Key': key } },
          body: { ...asked(wish), confirm: true, draft: false, quote_token: token, override: [] },
        }),
      ),
    onSettled: () => {
      queries.invalidateQueries({ queryKey: ['availability'] })
      queries.invalidateQueries({ queryKey: ['bookings'] })
      queries.invalidateQueries({ queryKey: ['timeline'] })
    },
  })
}

type BookingFilter = NonNullable<paths['/api/v1/bookings']['get']['parameters']['query']>

export function useBookings(
  filter: MaybeRefOrGetter<BookingFilter>,
  enabled: MaybeRefOrGetter<boolean> = true,
) {
  return useQuery({
    queryKey: computed(() => ['bookings', toValue(filter)]),
    queryFn: async () => {
      const page = await bodyAs<{ items: Booking[] }>(
        client.GET('/api/v1/bookings', { params: { query: toValue(filter) } }),
      )
      return page.items
    },
    enabled: computed(() => toValue(enabled)),
    placeholderData: keepPreviousData,
    refetchInterval: 30_000,
  })
}

export function useBooking(code: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: computed(() => ['bookings', 'one', toValue(code)]),
    queryFn: () =>
      bodyAs<Booking>(
        client.GET('/api/v1/bookings/{code}', { params: { path: { code: toValue(code) } } }),
      ),
    enabled: computed(() => toValue(code) !== ''),
    refetchInterval: 20_000,
  })
}

export type Deed = 'confirm' | 'cancel' | 'check-in' | 'check-out'

export interface Shown {
  token?: string | null
  pin?: string | null
  reason?: string
}

/** One deed on a booking; each try of somebody has its own key. */
function act(deed: Deed, code: string, shown: Shown) {
  const params = { path: { code }, header: { 'Idempotency-Key': newKey() } }
  switch (deed) {
    case 'confirm':
      return bodyAs<Booking>(client.POST('/api/v1/bookings/{code}/confirm', { params }))
    case 'cancel':
      return bodyAs<Booking>(
        client.POST('/api/v1/bookings/{code}/cancel', {
          params,
          body: { reason: shown.reason ?? '' },
        }),
      )
    case 'check-in':
      return bodyAs<Booking>(
        client.POST('/api/v1/bookings/{code}/check-in', { params, body: shown }),
      )
    case 'check-out':
      return bodyAs<Booking>(client.POST('/api/v1/bookings/{code}/check-out', { params }))
  }
}

export function useDeed(code: MaybeRefOrGetter<string>) {
  const queries = useQueryClient()
  return useMutation<Booking, ApiProblem, { deed: Deed; shown?: Shown }>({
    mutationFn: ({ deed, shown = {} }) => act(deed, toValue(code), shown),
    onSuccess: (booking) => {
      queries.setQueryData(['bookings', 'one', booking.code], booking)
      queries.invalidateQueries({ queryKey: ['bookings'] })
    },
  })
}

export function useTimeline(window: MaybeRefOrGetter<Window>) {
  return useQuery({
    queryKey: computed(() => ['timeline', toValue(window)]),
    queryFn: async () => {
      const found = await body(
        client.GET('/api/v1/timeline', { params: { query: toValue(window) } }),
      )
      return found.lanes as Lane[]
    },
    placeholderData: keepPreviousData,
    refetchInterval: 20_000,
  })
}

export function useTenants(enabled: MaybeRefOrGetter<boolean>) {
  return useQuery({
    queryKey: ['tenants'],
    queryFn: () => body(client.GET('/api/v1/tenants')),
    enabled: computed(() => toValue(enabled)),
    staleTime: 300_000,
  })
}
