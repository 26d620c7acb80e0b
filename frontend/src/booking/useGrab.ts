// Holding something on the timeline by pointer: where it is, and when it is let go.
import { onUnmounted, type Ref, ref } from 'vue'
import { type Grab, pulled, stirred, take } from './grab'
import type { Bar } from './lanes'

interface Place {
  frame: Ref<HTMLElement | null>
  /** Milliseconds from one end of a lane to the other. */
  total: () => number
  drop: (grab: Grab) => void
}

const EDGE_PX = 9

export function useGrab({ frame, total, drop }: Place) {
  const grab = ref<Grab | null>(null)
  /** A click follows each drag; it opens nothing then. */
  let dragged = false
  let from = 0
  let width = 1

  function hold(event: PointerEvent, made: Grab): void {
    if (event.pointerType === 'touch' || event.button !== 0) return
    const track = (event.target as HTMLElement).closest('.track')
    if (!track) return
    from = event.clientX
    width = track.getBoundingClientRect().width
    dragged = false
    grab.value = made
    window.addEventListener('pointermove', pull)
    window.addEventListener('pointerup', release, { once: true })
    window.addEventListener('keydown', escape)
  }

  function holdBar(event: PointerEvent, bar: Bar, row: number): void {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect()
    const mode = box.right - event.clientX < EDGE_PX ? 'resize' : 'move'
    const { booking: code, starts_at, ends_at, from: first, to: last } = bar.block
    const start = Date.parse(starts_at ?? first)
    hold(event, take(mode, { code, row, start, end: Date.parse(ends_at ?? last) }))
  }

  function pull(event: PointerEvent): void {
    if (!grab.value) return
    const under = document.elementFromPoint(event.clientX, event.clientY)
    const row = Number(under?.closest<HTMLElement>('[data-row]')?.dataset.row ?? grab.value.row)
    const ms = ((event.clientX - from) / width) * total()
    grab.value = pulled(grab.value, ms, grab.value.mode === 'move' ? row : grab.value.from.row)
    if (stirred(grab.value)) dragged = true
  }

  function release(): void {
    const held = grab.value
    stop()
    if (held && dragged && stirred(held)) drop(held)
  }

  function escape(event: KeyboardEvent): void {
    if (event.key === 'Escape') stop()
  }

  function stop(): void {
    grab.value = null
    window.removeEventListener('pointermove', pull)
    window.removeEventListener('pointerup', release)
    window.removeEventListener('keydown', escape)
    frame.value?.focus({ preventScroll: true })
  }

  onUnmounted(() => {
    window.removeEventListener('pointermove', pull)
    window.removeEventListener('pointerup', release)
    window.removeEventListener('keydown', escape)
  })
  /** Whether the click that comes now only ends a drag. */
  const endsDrag = (): boolean => dragged
  return { grab, hold, holdBar, endsDrag, stop }
}
