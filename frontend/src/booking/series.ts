// Bookings that repeat: the dry run, booking, reading, changing.
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, type MaybeRefOrGetter, toValue } from 'vue'
import { body, client, newKey } from '@/api/client'
import type { ApiProblem } from '@/api/problem'
import type { components } from '@/api/schema'
import type { BookingWish } from './queries'

type Schemas = components['schemas']
export type DryRun = Schemas['DryRunOut']
export type Seen = Schemas['SeenOut']
export type Series = Schemas['SeriesOut']

export interface SeriesWish extends BookingWish {
  rrule: string
}

/** What this screen does not ask about. */
const FIXED = {
  services: [],
  units: 1,
  extras: [],
  exdates: [],
  rdates: [],
  choices: [],
  override: [],
}

function asked(wish: SeriesWish | null): SeriesWish & typeof FIXED {
  if (!wish) throw new Error('nothing to repeat')
  return { ...wish, ...FIXED }
}

/** Every date, with what is in its way or its price; books nothing. */
export function useDryRun(wish: MaybeRefOrGetter<SeriesWish | null>) {
  return useQuery({
    queryKey: computed(() => ['dry-run', toValue(wish)]),
    queryFn: () => body(client.POST('/api/v1/series/dry-run', { body: asked(toValue(wish)) })),
    enabled: computed(() => toValue(wish) !== null),
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  })
}

interface SeriesDeed {
  wish: SeriesWish
  total: number | null
  key: string
}

/** Book all dates that can be had, at the total that was shown; the others are remembered. */
export function useBookSeries() {
  const queries = useQueryClient()
  return useMutation<Series, ApiProblem, SeriesDeed>({
    mutationFn: ({ wish, total, key }) =>
      body(
        client.POST('/api/v1/series', {
          params: { header: { 'Idempotency-Key': key } },
          body: { ...asked(wish), mode: 'skip', expected_fen: total },
        }),
      ),
    onSettled: () => {
      for (const key of ['availability', 'bookings', 'timeline', 'series', 'dry-run'])
        queries.invalidateQueries({ queryKey: [key] })
    },
  })
}

export function useSeries(code: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: computed(() => ['series', toValue(code)]),
    queryFn: () =>
      body(client.GET('/api/v1/series/{code}', { params: { path: { code: toValue(code) } } })),
  })
}

/** Give back what lies ahead, or book a date after all. */
export function useSeriesDeed(code: MaybeRefOrGetter<string>) {
  const queries = useQueryClient()
  return useMutation<Series, ApiProblem, { again?: string; version: number }>({
    mutationFn: ({ again, version }) => {
      const header = { 'Idempotency-Key': newKey() }
      const headers = { 'If-Match': `"${version}"` }
      const path = { code: toValue(code) }
      if (again)
        return body(
          client.POST('/api/v1/series/{code}/instances/{instance}/add-again', {
            params: { path: { ...path, instance: again }, header },
            headers,
            body: {},
          }),
        )
      return body(
        client.POST('/api/v1/series/{code}/cancel', {
          params: { path, header },
          headers,
          body: { reason: '' },
        }),
      )
    },
    onSuccess: (series) => queries.setQueryData(['series', series.code], series),
    onSettled: () => queries.invalidateQueries({ queryKey: ['bookings'] }),
  })
}
