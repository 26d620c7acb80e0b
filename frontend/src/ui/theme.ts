// Light, dark, or as the system has it; remembered in this browser.
import { ref, watchEffect } from 'vue'

export type Theme = 'system' | 'light' | 'dark'

const KEY = 'theme'
const dark = matchMedia('(prefers-color-scheme: dark)')
const stored = localStorage.getItem(KEY)
export const theme = ref<Theme>(stored === 'light' || stored === 'dark' ? stored : 'system')
const systemDark = ref(dark.matches)
dark.addEventListener('change', (event) => {
  systemDark.value = event.matches
})

watchEffect(() => {
  const shown = theme.value === 'system' ? (systemDark.value ? 'dark' : 'light') : theme.value
  document.documentElement.dataset.theme = shown
})

export function setTheme(next: Theme): void {
  theme.value = next
  localStorage.setItem(KEY, next)
}
