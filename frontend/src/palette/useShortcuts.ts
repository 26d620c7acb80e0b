// Keys that work on every screen, unless somebody is writing.
import { onMounted, onUnmounted, ref } from 'vue'
import { useRouter } from 'vue-router'
import { screensOf } from '@/session/access'
import { useSession } from '@/session/store'

const GO_MS = 1_500

const writes = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName))

export function useShortcuts() {
  const palette = ref(false)
  const help = ref(false)
  const session = useSession()
  const router = useRouter()
  let goAt = 0

  function onKey(event: KeyboardEvent): void {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
      event.preventDefault()
      palette.value = !palette.value
      return
    }
    if (event.ctrlKey || event.metaKey || event.altKey || writes(event.target)) return
    if (event.key === '?') help.value = true
    else if (event.key === '/') focusSearch(event)
    else if (event.key === 'g') goAt = Date.now()
    else if (/^[1-9]$/.test(event.key) && Date.now() - goAt < GO_MS) go(Number(event.key))
  }

  function focusSearch(event: KeyboardEvent): void {
    const field = document.querySelector<HTMLInputElement>('main input[type="search"]')
    if (!field) return
    event.preventDefault()
    field.focus()
  }

  function go(n: number): void {
    const screen = screensOf(session.role)[n - 1]
    if (screen) router.push(`/${screen}`)
    goAt = 0
  }

  onMounted(() => window.addEventListener('keydown', onKey))
  onUnmounted(() => window.removeEventListener('keydown', onKey))
  return { palette, help }
}
