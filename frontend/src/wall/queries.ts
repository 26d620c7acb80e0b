// What a wall shows, and the displays there are.
import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { body, bodyAs, client, newKey } from '@/api/client'
import type { ApiProblem } from '@/api/problem'
import type { components } from '@/api/schema'
import type { Occupancies } from '@/floor/status'

type Schemas = components['schemas']
export type Display = Schemas['DisplayOut']
const KEY = 'wall-token'
const BEAT_MS = 2_000
const HOUR_MS = 3_600_000

/** The token comes once, behind the # that no server sees; then it lives in this browser. */
export function takeToken(): string {
  const given = location.hash.slice(1)
  if (given.startsWith('wall_')) {
    localStorage.setItem(KEY, given)
    history.replaceState(history.state, '', location.pathname + location.search)
  }
  return localStorage.getItem(KEY) ?? ''
}

const headers = (token: string) => (token ? { Authorization: `Bearer ${token}` } : {})

export function useWall(token: string) {
  const floors = useQuery({
    queryKey: ['wall', 'floors', token],
    queryFn: () => body(client.GET('/api/v1/wall', { headers: headers(token) })),
    staleTime: HOUR_MS,
    refetchInterval: (query) => (query.state.data ? HOUR_MS : 5_000),
    networkMode: 'always',
    retry: false,
  })
  const now = useQuery({
    queryKey: ['wall', 'now', token],
    queryFn: () =>
      bodyAs<{ at: string; spaces: Occupancies }>(
        client.GET('/api/v1/wall/now', { headers: headers(token) }),
      ),
    refetchInterval: BEAT_MS,
    refetchIntervalInBackground: true,
    networkMode: 'always',
    retry: false,
  })
  return { floors, now }
}

export function useDisplays() {
  return useQuery({
    queryKey: ['wall-displays'],
    queryFn: async () => (await body(client.GET('/api/v1/wall-displays'))).items,
    refetchInterval: 20_000,
  })
}

const header = () => ({ 'Idempotency-Key': newKey() })

export function useAddDisplay() {
  const queries = useQueryClient()
  return useMutation<Schemas['NewDisplayOut'], ApiProblem, string>({
    mutationFn: (name) =>
      body(client.POST('/api/v1/wall-displays', { params: { header: header() }, body: { name } })),
    onSettled: () => queries.invalidateQueries({ queryKey: ['wall-displays'] }),
  })
}

export function useRevokeDisplay() {
  const queries = useQueryClient()
  return useMutation<Display, ApiProblem, number>({
    mutationFn: (display_id) =>
      body(
        client.POST('/api/v1/wall-displays/{display_id}/revoke', {
          params: { path: { display_id }, header: header() },
        }),
      ),
    onSettled: () => queries.invalidateQueries({ queryKey: ['wall-displays'] }),
  })
}
