// The base's time when a screen was opened: told with the session, before any screen asks for it.
import { ref } from 'vue'
import { useLive } from './store'

export function useOpenedAt() {
  return ref(useLive().now)
}
