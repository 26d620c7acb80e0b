// The inbox of whoever is signed in; the live topic says when there is something new.
import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, type MaybeRefOrGetter, toValue, watch } from 'vue'
import { body, client, newKey } from '@/api/client'
import type { components } from '@/api/schema'
import { useTopic } from '@/live/useTopic'
import { useSession } from '@/session/store'

export type Notice = components['schemas']['NoticeOut']

/** How many notices are unread, by the live topic. */
export function useUnread() {
  const session = useSession()
  const { values } = useTopic<number>(() => (session.user ? `notices.${session.user.id}` : null))
  return computed(() => Number(values.value.unread ?? 0))
}

export function useNotices(shown: MaybeRefOrGetter<boolean>) {
  const queries = useQueryClient()
  const unread = useUnread()
  watch(unread, () => queries.invalidateQueries({ queryKey: ['notices'] }))
  return useQuery({
    queryKey: ['notices'],
    queryFn: () => body(client.GET('/api/v1/me/notices', { params: { query: { limit: 30 } } })),
    enabled: computed(() => toValue(shown)),
  })
}

/** Mark some as read, or all (null). */
export function useRead() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (ids: number[] | null) =>
      body(
        client.POST('/api/v1/me/notices/read', {
          params: { header: { 'Idempotency-Key': newKey() } },
          body: { ids },
        }),
      ),
    onSettled: () => queries.invalidateQueries({ queryKey: ['notices'] }),
  })
}
