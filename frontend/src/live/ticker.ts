// One clock for the whole app: every age on a screen turns over at the same moment.
import { readonly, ref } from 'vue'

const at = ref(Date.now())
let timer: ReturnType<typeof setInterval> | undefined

/** Milliseconds since 1970, renewed each second. */
export function useTicker() {
  timer ??= setInterval(() => {
    at.value = Date.now()
  }, 1000)
  return readonly(at)
}
