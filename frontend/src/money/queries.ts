// Reads and deeds of payments and of what tenants owe.
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, type MaybeRefOrGetter, toValue } from 'vue'
import { body, client, newKey } from '@/api/client'
import type { ApiProblem } from '@/api/problem'
import type { components } from '@/api/schema'

type Schemas = components['schemas']
export type Payment = Schemas['PaymentOut']
export type PaymentDetail = Schemas['PaymentDetailOut']
export type PaymentWish = Schemas['PaymentIn']
export type AllocateWish = Schemas['AllocateIn']
export type Standing = Schemas['StandingOut']

export const BUCKETS = ['not_due', 'days_1_30', 'days_31_60', 'days_61_90', 'days_over_90'] as const

export function usePayments(unused: MaybeRefOrGetter<boolean>) {
  return useQuery({
    queryKey: computed(() => ['payments', toValue(unused)]),
    queryFn: async () => {
      const query = { unused: toValue(unused), limit: 200 }
      return (await body(client.GET('/api/v1/payments', { params: { query } }))).items
    },
    placeholderData: keepPreviousData,
  })
}

export function usePayment(id: MaybeRefOrGetter<number>) {
  return useQuery({
    queryKey: computed(() => ['payments', 'one', toValue(id)]),
    queryFn: () =>
      body(
        client.GET('/api/v1/payments/{payment_id}', {
          params: { path: { payment_id: toValue(id) } },
        }),
      ),
  })
}

export function useAgeing() {
  return useQuery({
    queryKey: ['payments', 'ageing'],
    queryFn: () => body(client.GET('/api/v1/ageing')),
  })
}

/** What a tenant's documents still ask for, the oldest debt first. */
export function useOpen(tenant: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: computed(() => ['payments', 'open', toValue(tenant)]),
    queryFn: async () => {
      const query = { tenant: toValue(tenant), limit: 100 }
      return (await body(client.GET('/api/v1/receivables', { params: { query } }))).items.filter(
        (row) => row.open_fen > 0,
      )
    },
    enabled: computed(() => toValue(tenant) !== ''),
  })
}

const keyed = () => ({ header: { 'Idempotency-Key': newKey() } })

export function useRecord() {
  const queries = useQueryClient()
  return useMutation<PaymentDetail, ApiProblem, PaymentWish>({
    mutationFn: (wish) => body(client.POST('/api/v1/payments', { params: keyed(), body: wish })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['payments'] }),
  })
}

export function useAllocate(id: MaybeRefOrGetter<number>) {
  const queries = useQueryClient()
  return useMutation<PaymentDetail, ApiProblem, AllocateWish>({
    mutationFn: (wish) =>
      body(
        client.POST('/api/v1/payments/{payment_id}/allocate', {
          params: { path: { payment_id: toValue(id) }, ...keyed() },
          body: wish,
        }),
      ),
    onSettled: () => queries.invalidateQueries({ queryKey: ['payments'] }),
  })
}

export function useTakeBack(id: MaybeRefOrGetter<number>) {
  const queries = useQueryClient()
  return useMutation<PaymentDetail, ApiProblem, number>({
    mutationFn: (allocation) =>
      body(
        client.POST('/api/v1/payments/{payment_id}/take-back', {
          params: { path: { payment_id: toValue(id) }, ...keyed() },
          body: { allocation },
        }),
      ),
    onSettled: () => queries.invalidateQueries({ queryKey: ['payments'] }),
  })
}

export function useToWallet(id: MaybeRefOrGetter<number>) {
  const queries = useQueryClient()
  return useMutation<PaymentDetail, ApiProblem, void>({
    mutationFn: () =>
      body(
        client.POST('/api/v1/payments/{payment_id}/to-wallet', {
          params: { path: { payment_id: toValue(id) }, ...keyed() },
          body: {},
        }),
      ),
    onSettled: () => queries.invalidateQueries({ queryKey: ['payments'] }),
  })
}
