// Live occupancy of every space, as whoever is signed in may see it.
import { computed } from 'vue'
import type { Occupancy } from '@/api/types'
import { useTopic } from '@/live/useTopic'
import { occupancyTopics } from '@/session/access'
import { useSession } from '@/session/store'

export function useOccupancy() {
  const session = useSession()
  const names = computed(() => occupancyTopics(session.role, session.user?.tenant?.code))
  const common = useTopic<Occupancy>(() => names.value[0] ?? null)
  const own = useTopic<Occupancy>(() => names.value[1] ?? null)
  /** What a tenant knows of its own rooms lies over what everybody sees. */
  const values = computed(() => ({ ...common.values.value, ...own.values.value }))
  return { values, ready: common.ready }
}
