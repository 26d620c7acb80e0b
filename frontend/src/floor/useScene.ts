// Applies a scene to a space and follows its commands until each device has answered.
import { onScopeDispose, ref, shallowRef } from 'vue'
import { body, client, newKey } from '@/api/client'
import { ApiProblem } from '@/api/problem'
import type { Scene, SceneRun } from '@/api/types'

const POLL_MS = 700
/** Commands of a scene end by themselves; a slow one is asked for less often, but never given up. */
const SLOW_AFTER_MS = 20_000
const SLOW_POLL_MS = 3_000

export function useScene(space: string) {
  const run = shallowRef<SceneRun | null>(null)
  const asked = ref<Scene | null>(null)
  const error = shallowRef<ApiProblem | null>(null)
  let timer: ReturnType<typeof setTimeout> | undefined
  let slowFrom = 0

  async function apply(scene: Scene): Promise<void> {
    clearTimeout(timer)
    asked.value = scene
    error.value = null
    run.value = null
    try {
      run.value = await body(
        client.POST('/api/v1/spaces/{code}/scene', {
          params: { path: { code: space }, header: { 'Idempotency-Key': newKey() } },
          body: { scene },
        }),
      )
      slowFrom = Date.now() + SLOW_AFTER_MS
      timer = setTimeout(follow, POLL_MS)
    } catch (caught) {
      error.value = ApiProblem.from(caught)
    } finally {
      asked.value = null
    }
  }

  async function follow(): Promise<void> {
    if (!run.value || run.value.finished) return
    try {
      const { id } = run.value
      run.value = await body(client.GET('/api/v1/scene-runs/{id}', { params: { path: { id } } }))
    } catch (caught) {
      error.value = ApiProblem.from(caught)
    }
    timer = setTimeout(follow, Date.now() > slowFrom ? SLOW_POLL_MS : POLL_MS)
  }

  onScopeDispose(() => clearTimeout(timer))
  return { run, asked, error, apply }
}
