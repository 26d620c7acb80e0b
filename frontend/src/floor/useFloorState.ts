// What the floor shows lives in the URL: ?space=F2-S01&floor=F2&q=…&status=live,ending&alarms=1
import { computed } from 'vue'
import { type LocationQueryRaw, useRoute, useRouter } from 'vue-router'
import { STATUSES, type Status } from '@/api/types'
import type { Filter } from './status'

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

export function useFloorState() {
  const route = useRoute()
  const router = useRouter()

  const statuses = computed(() => {
    const named = text(route.query.status).split(',')
    return new Set(STATUSES.filter((status) => named.includes(status)))
  })
  const filter = computed<Filter>(() => ({
    text: text(route.query.q),
    statuses: statuses.value,
    alarmsOnly: route.query.alarms === '1',
  }))

  /** Change some of the query; empty values leave it. */
  function patch(change: LocationQueryRaw, keep = false): void {
    const query = { ...route.query, ...change }
    for (const key of Object.keys(query)) if (!query[key]) delete query[key]
    router[keep ? 'push' : 'replace']({ query })
  }

  function toggleStatus(status: Status): void {
    const next = new Set(statuses.value)
    if (!next.delete(status)) next.add(status)
    patch({ status: [...next].join(',') })
  }

  return {
    filter,
    space: computed(() => text(route.query.space) || null),
    floor: computed(() => text(route.query.floor) || 'all'),
    /** Another time than now, as 2026-11-24T20:00 in Shanghai; empty: live. */
    at: computed(() =>
      /^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(text(route.query.at)) ? text(route.query.at) : '',
    ),
    setAt: (at: string) => patch({ at }),
    setSpace: (code: string | null) => patch({ space: code ?? '' }, true),
    setFloor: (code: string) => patch({ floor: code === 'all' ? '' : code }),
    setText: (q: string) => patch({ q }),
    toggleStatus,
    toggleAlarms: () => patch({ alarms: filter.value.alarmsOnly ? '' : '1' }),
  }
}
