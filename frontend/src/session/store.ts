// Who is signed in, and what they may open.
import { useQueryClient } from '@tanstack/vue-query'
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { body, client, useCsrf } from '@/api/client'
import type { Role, Session, SessionUser } from '@/api/types'
import { useLive } from '@/live/store'

export const useSession = defineStore('session', () => {
  const user = ref<SessionUser | null>(null)
  const known = ref(false)
  const demo = ref(false)
  const queries = useQueryClient()

  function take(session: Session): void {
    user.value = session.user
    demo.value = session.demo
    known.value = true
    useCsrf(session.csrf)
    useLive().setClock(session.now)
  }

  /** Ask the server once who we are. */
  async function load(): Promise<void> {
    if (!known.value) take((await body(client.GET('/api/v1/session'))) as Session)
  }

  async function signIn(email: string, password: string): Promise<void> {
    await load()
    take((await body(client.POST('/api/v1/session', { body: { email, password } }))) as Session)
  }

  async function signOut(): Promise<void> {
    await body(client.DELETE('/api/v1/session'))
    forget()
  }

  /** The session is over: nothing of it stays in this browser tab. */
  function forget(): void {
    user.value = null
    known.value = false
    useLive().stop()
    queries.clear()
  }

  const role = computed<Role | null>(() => user.value?.role ?? null)
  const isTenant = computed(() => role.value?.startsWith('tenant_') ?? false)
  return { user, demo, known, role, isTenant, load, signIn, signOut, forget }
})
