// Everything that can be gone to: screens, rooms, and what the server finds by a word.
import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { computed, type Ref } from 'vue'
import { body, client } from '@/api/client'
import { useBookings, useTenants } from '@/booking/queries'
import { useFloors } from '@/floor/queries'
import { useWords } from '@/i18n'
import { useOpenedAt } from '@/live/useOpenedAt'
import { booksForOthers, mayOpen, operates, screensOf } from '@/session/access'
import { useSession } from '@/session/store'
import type { Entry } from './match'

const DAY_MS = 86_400_000

export function useEntries(wanted: Ref<string>, open: Ref<boolean>) {
  const { t, te, lang, named, called } = useWords()
  const session = useSession()
  const opened = useOpenedAt()
  const { spaces } = useFloors()
  const searching = computed(() => open.value && wanted.value.trim().length > 1)
  const tenants = useTenants(() => open.value && booksForOthers(session.role))
  const day = 7 * DAY_MS
  const booked = useBookings(
    () => ({
      from: new Date(opened.value - day).toISOString(),
      to: new Date(opened.value + day).toISOString(),
      limit: 200,
    }),
    () => open.value && mayOpen(session.role, 'bookings'),
  )
  const devices = useQuery({
    queryKey: computed(() => ['inventory', { q: wanted.value.trim(), limit: 10 }]),
    queryFn: () =>
      body(
        client.GET('/api/v1/device-inventory', {
          params: { query: { q: wanted.value.trim(), limit: 10 } },
        }),
      ),
    enabled: () => searching.value && operates(session.role),
    placeholderData: keepPreviousData,
  })
  const byDay = computed(
    () =>
      new Intl.DateTimeFormat(lang.value, {
        timeZone: 'Asia/Shanghai',
        month: 'short',
        day: 'numeric',
        hour: '2-digit',
        minute: '2-digit',
      }),
  )

  const screens = computed<Entry[]>(() =>
    screensOf(session.role).map((name) => ({
      group: 'screen',
      title: t(`nav.${name}`),
      under: `/${name}`,
      to: `/${name}`,
      words: [name],
    })),
  )
  const rooms = computed<Entry[]>(() =>
    [...spaces.value.values()].map((space) => ({
      group: 'room',
      title: named(space),
      under: space.code,
      to: `/floor?space=${space.code}`,
      words: [space.code, space.name_zh, space.name_en],
    })),
  )
  const people = computed<Entry[]>(() =>
    (tenants.data.value ?? []).map((one) => ({
      group: 'tenant',
      title: called(one),
      under: one.code,
      to: `/floor?q=${encodeURIComponent(called(one))}`,
      words: [one.code, one.name_zh, one.name_en, one.short_zh],
    })),
  )
  const bookings = computed<Entry[]>(() =>
    (booked.data.value ?? []).map((one) => ({
      group: 'booking',
      title: one.code,
      under: [named(one.space), called(one.tenant), byDay.value.format(new Date(one.starts_at))]
        .filter(Boolean)
        .join(' · '),
      to: `/bookings/${one.code}`,
      words: [one.title, one.space.code, named(one.space), called(one.tenant)],
    })),
  )
  const gear = computed<Entry[]>(() =>
    (searching.value ? (devices.data.value?.items ?? []) : []).map((one) => ({
      group: 'device',
      title: one.code,
      under: [te(`kind.${one.kind}`) ? t(`kind.${one.kind}`) : one.kind, one.space, one.model]
        .filter(Boolean)
        .join(' · '),
      to: `/devices/${one.code}`,
      // The server decided that it fits: by serial number or model, too.
      words: [wanted.value.trim()],
    })),
  )
  return computed(() => [
    ...screens.value,
    ...rooms.value,
    ...people.value,
    ...bookings.value,
    ...gear.value,
  ])
}
