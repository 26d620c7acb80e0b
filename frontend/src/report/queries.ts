// The figures of the KPI report.
import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { computed, type MaybeRefOrGetter, toValue } from 'vue'
import { body, client } from '@/api/client'
import type { components } from '@/api/schema'

export type Figure = components['schemas']['FigureOut']
export type Value = components['schemas']['ValueOut']

export function useFigures(days: MaybeRefOrGetter<{ from: string; to: string }>) {
  return useQuery({
    queryKey: computed(() => ['figures', toValue(days)]),
    queryFn: () =>
      body(
        client.GET('/api/v1/figures/booking', {
          params: { query: { ...toValue(days), by: 'total' } },
        }),
      ),
    placeholderData: keepPreviousData,
  })
}
