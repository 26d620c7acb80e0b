// Live occupancy of every space, in the projection made for who is signed in.
import type { Occupancy } from '@/api/types'
import { useTopic } from '@/live/useTopic'
import { occupancyTopic } from '@/session/access'
import { useSession } from '@/session/store'

export function useOccupancy() {
  const session = useSession()
  return useTopic<Occupancy>(() => occupancyTopic(session.role, session.user?.tenant?.code))
}
