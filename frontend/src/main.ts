// Starts the web app.
import './styles/tokens.css'
import './styles/base.css'
import './styles/controls.css'
import './ui/theme'
import { QueryClient, VueQueryPlugin } from '@tanstack/vue-query'
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { ApiProblem } from './api/problem'
import { i18n, setLang, storedLang } from './i18n'
import { makeRouter } from './router'

// A newer build replaced the chunk that this tab asks for: load the page anew.
window.addEventListener('vite:preloadError', (event) => {
  event.preventDefault()
  location.reload()
})

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      retry: (failures, error) => failures < 2 && ApiProblem.from(error).status === 0,
    },
  },
})

const app = createApp(App)
app.use(VueQueryPlugin, { queryClient: queries }).use(createPinia()).use(i18n)
app.use(makeRouter())
setLang(storedLang() ?? (navigator.language.startsWith('zh') ? 'zh' : 'en')).finally(() =>
  app.mount('#app'),
)
