// The base's time when a screen was opened; corrected once, when the first heartbeat tells it.
import { ref, watch } from 'vue'
import { useLive } from './store'

export function useOpenedAt() {
  const live = useLive()
  const at = ref(live.now)
  if (!live.heardAt)
    watch(
      () => live.heardAt,
      () => {
        at.value = live.now
      },
      { once: true },
    )
  return at
}
