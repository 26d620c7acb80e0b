// The icon of each screen in the navigation.
import {
  Building2,
  CalendarCheck,
  CalendarRange,
  ChartColumn,
  Cpu,
  FileText,
  type LucideIcon,
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
  report: ChartColumn,
  devices: Cpu,
}
