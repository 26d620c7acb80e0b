// One live topic, current until the calling component goes away.
import { computed, type MaybeRefOrGetter, onScopeDispose, toValue, watch } from 'vue'
import type { Tele } from '@/api/types'
import { useLive } from './store'

export function useTopic<T>(name: MaybeRefOrGetter<string | null>) {
  const live = useLive()
  let leave: (() => void) | null = null

  watch(
    () => toValue(name),
    (topic) => {
      leave?.()
      leave = topic ? live.subscribe(topic) : null
    },
    { immediate: true },
  )
  onScopeDispose(() => leave?.())

  const topic = computed(() => live.topics[toValue(name) ?? ''])
  return {
    values: computed(() => (topic.value?.values ?? {}) as Record<string, T>),
    tele: computed(() => (topic.value?.tele ?? {}) as Record<string, Tele>),
    /** A first snapshot has arrived. */
    ready: computed(() => topic.value !== undefined && topic.value.refused === null),
    refused: computed(() => topic.value?.refused ?? null),
  }
}
