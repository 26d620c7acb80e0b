// One device in depth: shadow, telemetry, commands, tests, and the spare that takes its place.
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, type MaybeRefOrGetter, toValue } from 'vue'
import { body, client, newKey } from '@/api/client'
import type { ApiProblem } from '@/api/problem'
import type { components } from '@/api/schema'

type Schemas = components['schemas']
export type Detail = Schemas['DeviceDetailOut']
export type Command = Schemas['CommandOut']
export type Test = Schemas['TestOut']
export type Telemetry = Schemas['TelemetryOut']
const header = () => ({ 'Idempotency-Key': newKey() })

export function useDetail(code: MaybeRefOrGetter<string>, enabled: MaybeRefOrGetter<boolean>) {
  return useQuery({
    queryKey: computed(() => ['device', toValue(code)]),
    queryFn: () =>
      body(client.GET('/api/v1/devices/{code}', { params: { path: { code: toValue(code) } } })),
    enabled: computed(() => toValue(enabled)),
    refetchInterval: 5_000,
  })
}

/** The span ends now, so it is asked for anew; the server picks a grain that fits. */
export function useTelemetry(
  code: MaybeRefOrGetter<string>,
  wish: MaybeRefOrGetter<{ metric: string; hours: number }>,
  now: () => number,
) {
  return useQuery({
    queryKey: computed(() => ['telemetry', toValue(code), toValue(wish)]),
    queryFn: () => {
      const { metric, hours } = toValue(wish)
      const from = new Date(now() - hours * 3_600_000).toISOString()
      return body(
        client.GET('/api/v1/devices/{code}/telemetry', {
          params: { path: { code: toValue(code) }, query: { metric, from, points: 240 } },
        }),
      )
    },
    enabled: computed(() => toValue(wish).metric !== ''),
    placeholderData: keepPreviousData,
    refetchInterval: 15_000,
  })
}

/** Of the place, across swaps. */
export function useCommands(place: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: computed(() => ['commands', toValue(place)]),
    queryFn: async () => {
      const params = { path: { code: toValue(place) }, query: { limit: 50 } }
      return (await body(client.GET('/api/v1/places/{code}/commands', { params }))).items
    },
    enabled: computed(() => toValue(place) !== ''),
    refetchInterval: 5_000,
  })
}

export function useTests(code: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: computed(() => ['tests', toValue(code)]),
    queryFn: () =>
      body(
        client.GET('/api/v1/devices/{code}/tests', { params: { path: { code: toValue(code) } } }),
      ),
    refetchInterval: (query) =>
      query.state.data?.some((test) => test.result === 'running') ? 1_000 : 15_000,
  })
}

export function useStartTest(code: string) {
  const queries = useQueryClient()
  return useMutation<Test, ApiProblem>({
    mutationFn: () =>
      body(
        client.POST('/api/v1/devices/{code}/tests', {
          params: { path: { code }, header: header() },
        }),
      ),
    onSettled: () => queries.invalidateQueries({ queryKey: ['tests', code] }),
  })
}

export function useAbortTest(code: string) {
  const queries = useQueryClient()
  return useMutation<Test, ApiProblem, number>({
    mutationFn: (run_id) =>
      body(
        client.POST('/api/v1/device-tests/{run_id}/abort', {
          params: { path: { run_id }, header: header() },
        }),
      ),
    onSettled: () => queries.invalidateQueries({ queryKey: ['tests', code] }),
  })
}

export function useSwap(place: string) {
  const queries = useQueryClient()
  return useMutation<Schemas['PlaceDetailOut'], ApiProblem, Schemas['SpareIn']>({
    mutationFn: (wish) =>
      body(
        client.POST('/api/v1/places/{code}/swap', {
          params: { path: { code: place }, header: header() },
          body: wish,
        }),
      ),
    onSettled: () => {
      for (const key of ['inventory', 'commands', 'device'])
        queries.invalidateQueries({ queryKey: [key] })
    },
  })
}
