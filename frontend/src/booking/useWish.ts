// What somebody looks for lives in the URL: ?date=2026-11-23&start=20:00&hours=4&type=…&space=…&tenant=…
import { computed, ref, watch } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { addHours, clock, dayKey, instant } from '@/format'
import { useLive } from '@/live/store'

const HALF_HOUR_MS = 1_800_000
const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** The next half hour that is at least ten minutes away. */
export function nextStart(now: number): number {
  return Math.ceil((now + 600_000) / HALF_HOUR_MS) * HALF_HOUR_MS
}

export function useWish() {
  const route = useRoute()
  const router = useRouter()
  const live = useLive()
  const opened = ref(nextStart(live.now))
  // A screen that was left open offers no start that has passed.
  watch(
    () => live.now > opened.value,
    (passed) => {
      if (passed) opened.value = nextStart(live.now)
    },
  )

  const date = computed(() => text(route.query.date) || dayKey(opened.value))
  const start = computed(() => text(route.query.start) || clock(opened.value))
  const hours = computed(() => Number(route.query.hours) || 2)
  const startsAt = computed(() => instant(date.value, start.value))
  const endsAt = computed(() => addHours(startsAt.value, hours.value))

  function set(change: Record<string, string | number | null>, push = false): void {
    const query: Record<string, string> = {}
    for (const [key, value] of Object.entries({ ...route.query, ...change }))
      if (value !== null && value !== '') query[key] = String(value)
    router[push ? 'push' : 'replace']({ query })
  }

  return {
    date,
    start,
    hours,
    startsAt,
    endsAt,
    type: computed(() => text(route.query.type)),
    space: computed(() => text(route.query.space)),
    tenant: computed(() => text(route.query.tenant)),
    set,
  }
}

export type Wish = ReturnType<typeof useWish>
