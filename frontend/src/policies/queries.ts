// Discount policies, their budgets, and drafts that are only checked.
import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { body, client, newKey } from '@/api/client'
import type { ApiProblem } from '@/api/problem'
import type { components } from '@/api/schema'

type Schemas = components['schemas']
export type Policy = Schemas['PolicyOut']
export type Budget = Schemas['BudgetOut']
export type Checked = Schemas['PolicyCheckOut']
export type Version = Schemas['PolicyVersionOut']

export function usePolicies() {
  return useQuery({
    queryKey: ['policies'],
    queryFn: () => body(client.GET('/api/v1/policies')),
  })
}

type Document = Record<string, unknown>

export function useCheck() {
  return useMutation<Checked, ApiProblem, Document>({
    mutationFn: (document) => body(client.POST('/api/v1/policies/check', { body: { document } })),
  })
}

export function useSaveVersion() {
  const queries = useQueryClient()
  return useMutation<Version, ApiProblem, Document>({
    mutationFn: (document) =>
      body(
        client.POST('/api/v1/policies', {
          params: { header: { 'Idempotency-Key': newKey() } },
          body: { document },
        }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['policies'] }),
  })
}
