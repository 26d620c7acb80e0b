// Reads and deeds of invoices and invoice runs.
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, type MaybeRefOrGetter, toValue } from 'vue'
import { body, client, newKey } from '@/api/client'
import type { ApiProblem } from '@/api/problem'
import type { components } from '@/api/schema'

type Schemas = components['schemas']
export type Invoice = Schemas['InvoiceOut']
export type Run = Schemas['RunOut']
export type RunDetail = Schemas['RunDetailOut']
export type Entry = Schemas['EntryOut']

export function useInvoices(filter: MaybeRefOrGetter<{ month?: string }>) {
  return useQuery({
    queryKey: computed(() => ['invoices', toValue(filter)]),
    queryFn: async () => {
      const query = { ...toValue(filter), limit: 200 }
      return (await body(client.GET('/api/v1/invoices', { params: { query } }))).items
    },
    placeholderData: keepPreviousData,
  })
}

export function useInvoice(number: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: computed(() => ['invoices', 'one', toValue(number)]),
    queryFn: () =>
      body(
        client.GET('/api/v1/invoices/{number}', { params: { path: { number: toValue(number) } } }),
      ),
    enabled: computed(() => toValue(number) !== ''),
    staleTime: Number.POSITIVE_INFINITY,
  })
}

export const pdfLink = (number: string, lang: 'zh' | 'en'): string =>
  `/api/v1/invoices/${encodeURIComponent(number)}/pdf?lang=${lang}`

export function useRuns() {
  return useQuery({
    queryKey: ['runs'],
    queryFn: async () => (await body(client.GET('/api/v1/invoice-runs'))).items,
  })
}

export function useRun(id: MaybeRefOrGetter<number | null>) {
  return useQuery({
    queryKey: computed(() => ['runs', toValue(id)]),
    queryFn: () =>
      body(
        client.GET('/api/v1/invoice-runs/{run_id}', {
          params: { path: { run_id: toValue(id) ?? 0 } },
        }),
      ),
    enabled: computed(() => toValue(id) !== null),
  })
}

/** A run beside the month before, frozen when it was previewed; the first 200 tenants. */
export function useDifference(id: MaybeRefOrGetter<number>) {
  return useQuery({
    queryKey: computed(() => ['runs', toValue(id), 'difference']),
    queryFn: () =>
      body(
        client.GET('/api/v1/invoice-runs/{run_id}/difference', {
          params: { path: { run_id: toValue(id) }, query: { limit: 200 } },
        }),
      ),
    staleTime: Number.POSITIVE_INFINITY,
  })
}

export const exportLink = (what: 'invoices' | 'lines' | 'charges', month: string): string =>
  `/api/v1/exports/${what}.xlsx?month=${month}`

export const archiveLink = (month: string): string => `/api/v1/exports/documents.zip?month=${month}`

const keyed = () => ({ header: { 'Idempotency-Key': newKey() } })

export function usePreview() {
  const queries = useQueryClient()
  return useMutation<Run, ApiProblem, string>({
    mutationFn: (month) =>
      body(client.POST('/api/v1/invoice-runs', { params: keyed(), body: { month } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['runs'] }),
  })
}

export function useRunDeed(id: MaybeRefOrGetter<number>) {
  const queries = useQueryClient()
  return useMutation<Run, ApiProblem, { deed: 'approve' | 'issue'; inputsHash: string }>({
    mutationFn: ({ deed, inputsHash }) => {
      const params = { path: { run_id: toValue(id) }, ...keyed() }
      return deed === 'approve'
        ? body(
            client.POST('/api/v1/invoice-runs/{run_id}/approve', {
              params,
              body: { inputs_hash: inputsHash },
            }),
          )
        : body(client.POST('/api/v1/invoice-runs/{run_id}/issue', { params }))
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ['runs'] }),
  })
}
