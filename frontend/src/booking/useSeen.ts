// Which lanes of the timeline are in sight, with some to spare on either side.
import { onMounted, onUnmounted, type Ref, ref } from 'vue'

const SPARE = 6

export function useSeen(frame: Ref<HTMLElement | null>, rows: () => number) {
  const first = ref(0)
  const last = ref(40)
  let asked = 0

  function look(): void {
    asked = 0
    const box = frame.value
    const lane = box?.querySelector<HTMLElement>('.lane')
    if (!box || !lane) return
    const height = lane.offsetHeight || 36
    first.value = Math.max(0, Math.floor(box.scrollTop / height) - SPARE)
    last.value = Math.min(rows(), Math.ceil((box.scrollTop + box.clientHeight) / height) + SPARE)
  }

  const later = (): void => {
    asked ||= requestAnimationFrame(look)
  }
  const observer = new ResizeObserver(later)
  onMounted(() => {
    frame.value?.addEventListener('scroll', later, { passive: true })
    if (frame.value) observer.observe(frame.value)
    look()
  })
  onUnmounted(() => {
    cancelAnimationFrame(asked)
    observer.disconnect()
  })
  return { shows: (row: number): boolean => row >= first.value && row <= last.value }
}
