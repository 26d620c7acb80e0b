// Every state has a URL; each screen is loaded when first opened.
import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'
import { landing, mayOpen, type Screen } from './session/access'
import { useSession } from './session/store'

declare module 'vue-router' {
  interface RouteMeta {
    /** Who may open it is decided by this screen's name. */
    screen?: Screen
    /** Opens without a session. */
    open?: boolean
  }
}

const routes: RouteRecordRaw[] = [
  { path: '/login', component: () => import('./session/LoginView.vue'), meta: { open: true } },
  { path: '/today', component: () => import('./booking/TodayView.vue'), meta: { screen: 'today' } },
  { path: '/floor', component: () => import('./floor/FloorView.vue'), meta: { screen: 'floor' } },
  { path: '/find', component: () => import('./booking/FindView.vue'), meta: { screen: 'find' } },
  {
    path: '/bookings/:code?',
    component: () => import('./booking/BookingsView.vue'),
    meta: { screen: 'bookings' },
  },
  {
    path: '/timeline',
    component: () => import('./booking/TimelineView.vue'),
    meta: { screen: 'timeline' },
  },
  {
    path: '/invoices/:number?',
    component: () => import('./billing/InvoicesView.vue'),
    meta: { screen: 'invoices' },
  },
  {
    path: '/devices/:code?',
    component: () => import('./devices/DevicesView.vue'),
    meta: { screen: 'devices' },
  },
  { path: '/walls', component: () => import('./wall/DisplaysView.vue'), meta: { screen: 'walls' } },
  { path: '/wall', component: () => import('./wall/WallView.vue'), meta: { open: true } },
  {
    path: '/alarms/:id(\\d+)?',
    component: () => import('./alarms/AlarmsView.vue'),
    meta: { screen: 'alarms' },
  },
  {
    path: '/alarm-rules/:code?',
    component: () => import('./alarms/RulesView.vue'),
    meta: { screen: 'alarms' },
  },
  {
    path: '/quiet',
    component: () => import('./alarms/QuietView.vue'),
    meta: { screen: 'alarms' },
  },
  {
    path: '/handover',
    component: () => import('./handover/HandoverView.vue'),
    meta: { screen: 'handover' },
  },
  {
    path: '/report',
    component: () => import('./report/ReportView.vue'),
    meta: { screen: 'report' },
  },
  {
    path: '/payments/:id(\\d+)?',
    component: () => import('./money/PaymentsView.vue'),
    meta: { screen: 'payments' },
  },
  {
    path: '/ageing',
    component: () => import('./money/AgeingView.vue'),
    meta: { screen: 'payments' },
  },
  {
    path: '/policies/:code?',
    component: () => import('./policies/PoliciesView.vue'),
    meta: { screen: 'policies' },
  },
  {
    path: '/runs/:id?',
    component: () => import('./billing/RunsView.vue'),
    meta: { screen: 'runs' },
  },
  {
    path: '/series/:code',
    component: () => import('./booking/SeriesView.vue'),
    meta: { screen: 'bookings' },
  },
  { path: '/c/:token', component: () => import('./booking/DoorView.vue') },
  { path: '/c/:code/:token', component: () => import('./booking/CheckInView.vue') },
  { path: '/dev/kit', component: () => import('./dev/KitView.vue'), meta: { open: true } },
  { path: '/:rest(.*)*', component: () => import('./shell/MissingView.vue') },
]

export function makeRouter() {
  const router = createRouter({ history: createWebHistory(), routes })
  router.beforeEach(async (to) => {
    const session = useSession()
    try {
      await session.load()
    } catch {
      return to.path === '/login' || to.meta.open ? true : '/login'
    }
    if (!session.user) return to.meta.open ? true : { path: '/login', query: { next: to.fullPath } }
    if (to.path === '/login' || to.path === '/') return landing(session.role)
    const { screen } = to.meta
    return !screen || mayOpen(session.role, screen) ? true : landing(session.role)
  })
  return router
}
