// The icon of each screen in the navigation.
import {
  BadgePercent,
  Banknote,
  BellRing,
  Building2,
  CalendarCheck,
  CalendarRange,
  ChartColumn,
  ClipboardList,
  Cpu,
  FileText,
  type LucideIcon,
  Monitor,
  ReceiptText,
  Search,
  Sun,
} from '@lucide/vue'
import type { Screen } from '@/session/access'

export const ICONS: Record<Screen, LucideIcon> = {
  today: Sun,
  floor: Building2,
  find: Search,
  bookings: CalendarCheck,
  timeline: CalendarRange,
  invoices: FileText,
  runs: ReceiptText,
  payments: Banknote,
  policies: BadgePercent,
  report: ChartColumn,
  devices: Cpu,
  alarms: BellRing,
  handover: ClipboardList,
  walls: Monitor,
}
