// Times in which a room is not to be had: made and cancelled on the timeline.
import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, type MaybeRefOrGetter, toValue } from 'vue'
import { body, client, newKey } from '@/api/client'
import type { ApiProblem } from '@/api/problem'
import type { components } from '@/api/schema'

type Schemas = components['schemas']
export type Blackout = Schemas['BlackoutOut']
export type BlackoutWish = Schemas['BlackoutIn']

export function useBlackouts(
  window: MaybeRefOrGetter<{ from: string; to: string }>,
  enabled: MaybeRefOrGetter<boolean>,
) {
  return useQuery({
    queryKey: computed(() => ['blackouts', toValue(window)]),
    queryFn: async () =>
      (await body(client.GET('/api/v1/blackouts', { params: { query: toValue(window) } }))).items,
    enabled: computed(() => toValue(enabled)),
  })
}

function useRenewed() {
  const queries = useQueryClient()
  return () => {
    for (const key of ['blackouts', 'timeline', 'availability'])
      queries.invalidateQueries({ queryKey: [key] })
  }
}

const header = () => ({ 'Idempotency-Key': newKey() })

export function useMakeBlackout() {
  return useMutation<Blackout, ApiProblem, BlackoutWish>({
    mutationFn: (wish) =>
      body(client.POST('/api/v1/blackouts', { params: { header: header() }, body: wish })),
    onSettled: useRenewed(),
  })
}

export function useCancelBlackout() {
  return useMutation<Blackout, ApiProblem, { code: string; reason: string }>({
    mutationFn: ({ code, reason }) =>
      body(
        client.POST('/api/v1/blackouts/{code}/cancel', {
          params: { path: { code }, header: header() },
          body: { reason },
        }),
      ),
    onSettled: useRenewed(),
  })
}
