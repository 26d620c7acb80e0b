// The building itself: rarely changes, so it is asked for once an hour.
import { useQuery } from '@tanstack/vue-query'
import { computed } from 'vue'
import { body, client } from '@/api/client'
import type { Space } from '@/api/types'

const HOUR_MS = 3_600_000

export function useFloors() {
  const query = useQuery({
    queryKey: ['floors'],
    queryFn: () => body(client.GET('/api/v1/floors')),
    staleTime: HOUR_MS,
  })
  const floors = computed(() => [...(query.data.value ?? [])].sort((a, b) => a.level - b.level))
  const spaces = computed(() => {
    const byCode = new Map<string, Space>()
    for (const floor of floors.value)
      for (const space of floor.spaces) byCode.set(space.code, space)
    return byCode
  })
  return { query, floors, spaces }
}

export function useSpaceTypes() {
  return useQuery({
    queryKey: ['space-types'],
    queryFn: () => body(client.GET('/api/v1/space-types')),
    staleTime: HOUR_MS,
  })
}
