// The registry of devices: what there is, what waits, and every deed on one.
import {
  keepPreviousData,
  type QueryClient,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/vue-query'
import { computed, type MaybeRefOrGetter, toValue } from 'vue'
import { body, client, newKey } from '@/api/client'
import type { ApiProblem } from '@/api/problem'
import type { components, paths } from '@/api/schema'

type Schemas = components['schemas']
export type Entry = Schemas['InventoryOut']
export type Adoption = Schemas['AdoptionOut']
export type LifeDeed = Schemas['LifeIn']['deed']
export type Filter = NonNullable<paths['/api/v1/device-inventory']['get']['parameters']['query']>

/** All in batches of a hundred would be slow to read: the first hundred, and a search. */
export function useInventory(filter: MaybeRefOrGetter<Filter>) {
  return useQuery({
    queryKey: computed(() => ['inventory', toValue(filter)]),
    queryFn: () =>
      body(client.GET('/api/v1/device-inventory', { params: { query: toValue(filter) } })),
    placeholderData: keepPreviousData,
    refetchInterval: 15_000,
  })
}

export function useEntry(code: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: computed(() => ['inventory', 'one', toValue(code)]),
    queryFn: () =>
      body(
        client.GET('/api/v1/device-inventory/{code}', {
          params: { path: { code: toValue(code) } },
        }),
      ),
    refetchInterval: 15_000,
  })
}

export function useLife(code: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: computed(() => ['inventory', 'life', toValue(code)]),
    queryFn: () =>
      body(
        client.GET('/api/v1/devices/{code}/life', { params: { path: { code: toValue(code) } } }),
      ),
  })
}

export function useModels() {
  return useQuery({
    queryKey: ['device-models'],
    queryFn: () => body(client.GET('/api/v1/device-models')),
    staleTime: 300_000,
  })
}

/** Proposals that nobody has decided on. */
export function useProposals() {
  return useQuery({
    queryKey: ['inventory', 'proposals'],
    queryFn: () =>
      body(client.GET('/api/v1/device-adoptions', { params: { query: { status: 'proposed' } } })),
    refetchInterval: 15_000,
  })
}

const header = () => ({ 'Idempotency-Key': newKey() })
const renew = (queries: QueryClient) => () => queries.invalidateQueries({ queryKey: ['inventory'] })

export function useLifeDeed(code: string) {
  const queries = useQueryClient()
  return useMutation<Entry, ApiProblem, { deed: LifeDeed; why: string; version: number }>({
    mutationFn: ({ deed, why, version }) =>
      body(
        client.POST('/api/v1/devices/{code}/life', {
          params: { path: { code }, header: header() },
          headers: { 'If-Match': `"${version}"` },
          body: { deed, why },
        }),
      ),
    onSettled: renew(queries),
  })
}

export interface AdoptionWish {
  model: string
  space: string
  role: string
  why: string
}

export function usePropose(code: string) {
  const queries = useQueryClient()
  return useMutation<Adoption, ApiProblem, AdoptionWish>({
    mutationFn: (wish) =>
      body(
        client.POST('/api/v1/devices/{code}/adoptions', {
          params: { path: { code }, header: header() },
          body: wish,
        }),
      ),
    onSettled: renew(queries),
  })
}

export function useDecide() {
  const queries = useQueryClient()
  return useMutation<Adoption, ApiProblem, { id: number; yes: boolean; why: string }>({
    mutationFn: ({ id, yes, why }) => {
      const call = { params: { path: { adoption_id: id }, header: header() }, body: { why } }
      return body(
        yes
          ? client.POST('/api/v1/device-adoptions/{adoption_id}/approve', call)
          : client.POST('/api/v1/device-adoptions/{adoption_id}/refuse', call),
      )
    },
    onSettled: renew(queries),
  })
}

/** A new password for the broker; it is in this answer and nowhere else. */
export function useNewPassword(code: string) {
  return useMutation<Schemas['NewAccountOut'], ApiProblem>({
    mutationFn: () =>
      body(client.POST('/api/v1/devices/{code}/credentials', { params: { path: { code } } })),
  })
}
