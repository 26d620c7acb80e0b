// Applies a scene to a space and follows its commands until each device has answered.
import { onScopeDispose, ref, shallowRef } from 'vue'
import { body, client, newKey } from '@/api/client'
import { ApiProblem } from '@/api/problem'
import type { Scene, SceneRun } from '@/api/types'

const POLL_MS = 700
const FOLLOW_MS = 30_000

export function useScene(space: string) {
  const run = shallowRef<SceneRun | null>(null)
  const asked = ref<Scene | null>(null)
  const error = shallowRef<ApiProblem | null>(null)
  let timer: ReturnType<typeof setTimeout> | undefined
  let until = 0

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
      until = Date.now() + FOLLOW_MS
      timer = setTimeout(follow, POLL_MS)
    } catch (caught) {
      error.value = ApiProblem.from(caught)
    } finally {
      asked.value = null
    }
  }

  async function follow(): Promise<void> {
    if (!run.value || run.value.finished || Date.now() > until) return
    try {
      const { id } = run.value
      run.value = await body(client.GET('/api/v1/scene-runs/{id}', { params: { path: { id } } }))
    } catch (caught) {
      error.value = ApiProblem.from(caught)
    }
    timer = setTimeout(follow, POLL_MS)
  }

  onScopeDispose(() => clearTimeout(timer))
  return { run, asked, error, apply }
}
