// How the web app is built: hashed assets, nothing inline, sizes checked.
import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'
import { sizeBudget } from './build/budget.ts'

const backend = process.env.BASE_OPS_BACKEND ?? 'http://127.0.0.1:8000'

export default defineConfig({
  plugins: [
    vue(),
    sizeBudget({
      firstKb: 120,
      lazyKb: 60,
      first: ['src/session/LoginView.vue', 'src/floor/FloorView.vue', 'src/booking/TodayView.vue'],
    }),
  ],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  define: { __VUE_I18N_LEGACY_API__: 'false', __VUE_PROD_DEVTOOLS__: 'false' },
  build: {
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: true,
    target: 'es2022',
  },
  server: { proxy: { '/api': backend, '/ws': { target: backend, ws: true } } },
})
