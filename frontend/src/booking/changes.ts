// Moving and resizing a booking: what it would mean first, then the deed.
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, type MaybeRefOrGetter, toValue } from 'vue'
import { body, bodyAs, client } from '@/api/client'
import type { ApiProblem } from '@/api/problem'
import type { components } from '@/api/schema'
import type { Booking } from './types'

export type Preview = components['schemas']['PreviewOut']

export interface Change {
  space: string
  starts_at: string
  ends_at: string
}

const NOTHING_WAIVED = { override: [] }

/** What the change would cost and what stands against it; nothing is changed. */
export function usePreview(code: string, change: MaybeRefOrGetter<Change | null>) {
  return useQuery({
    queryKey: computed(() => ['bookings', 'preview', code, toValue(change)]),
    queryFn: () =>
      body(
        client.POST('/api/v1/bookings/{code}/change-preview', {
          params: { path: { code } },
          body: { ...NOTHING_WAIVED, ...toValue(change) },
        }),
      ),
    enabled: computed(() => toValue(change) !== null),
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  })
}

/** Move at the price that was shown, unless somebody changed the booking meanwhile. */
export function useMove(booking: MaybeRefOrGetter<Booking>) {
  const queries = useQueryClient()
  return useMutation<Booking, ApiProblem, { change: Change; price: number | null; key: string }>({
    mutationFn: ({ change, price, key }) => {
      const { code, version } = toValue(booking)
      return bodyAs<Booking>(
        client.POST('/api/v1/bookings/{code}/move', {
          params: { path: { code }, header: { 'Idempotency-Key': key } },
          headers: { 'If-Match': `"${version}"` },
          body: { ...NOTHING_WAIVED, ...change, price_fen: price },
        }),
      )
    },
    onSuccess: (moved) => queries.setQueryData(['bookings', 'one', moved.code], moved),
    onSettled: () => {
      for (const key of ['bookings', 'availability', 'timeline'])
        queries.invalidateQueries({ queryKey: [key] })
    },
  })
}
