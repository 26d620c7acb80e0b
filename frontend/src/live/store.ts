// What the live socket knows: topics, the link, and how long it has been silent.
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { Connection, type Link } from './connection'
import { fold, type Topics } from './fold'
import type { ServerMessage } from './protocol'
import { useTicker } from './ticker'

export const AMBER_MS = 25_000
export const STALE_MS = 45_000

export type Freshness = 'fresh' | 'amber' | 'stale'

export function freshness(silentMs: number): Freshness {
  if (silentMs >= STALE_MS) return 'stale'
  return silentMs >= AMBER_MS ? 'amber' : 'fresh'
}

export const useLive = defineStore('live', () => {
  const topics = shallowRef<Topics>({})
  const link = ref<Link>('connecting')
  const heardAt = ref(0)
  /** The server has no database: what we show may be old although the socket is alive. */
  const away = ref(false)
  /** Server's clock minus ours, so that ages are right on a device whose clock is wrong. */
  const skewMs = ref(0)
  const wanted = new Map<string, number>()
  const ticker = useTicker()

  const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
  const connection = new Connection(`${scheme}://${location.host}/ws/v1/live`, {
    onMessage: receive,
    onLink: (next) => {
      link.value = next
    },
    onOpen: () => {
      for (const name of wanted.keys()) ask(name)
    },
  })

  function receive(message: ServerMessage): void {
    if (message.t === 'ping') away.value = message.db === false
    else if (message.t === 'snap' || message.t === 'delta') away.value = false
    if (!away.value) heardAt.value = Date.now()
    const at = message.t === 'hello' ? message.now : 'at' in message ? message.at : undefined
    if (at && (message.t === 'hello' || message.t === 'ping')) setClock(at)
    const folded = fold(topics.value, message)
    topics.value = folded.topics
    for (const name of folded.resync) connection.send({ t: 'sub', topic: name })
  }

  /** The base's own time, as it told us just now. */
  function setClock(at: string): void {
    skewMs.value = Date.parse(at) - Date.now()
  }

  function ask(name: string): void {
    const topic = topics.value[name]
    const since = topic?.epoch ? { epoch: topic.epoch, seq: topic.seq } : undefined
    connection.send({ t: 'sub', topic: name, ...(since && { since }) })
  }

  /** Keep a topic current until the returned function is called. */
  function subscribe(name: string): () => void {
    wanted.set(name, (wanted.get(name) ?? 0) + 1)
    connection.start()
    if (wanted.get(name) === 1) ask(name)
    return () => release(name)
  }

  function release(name: string): void {
    const left = (wanted.get(name) ?? 1) - 1
    if (left > 0) {
      wanted.set(name, left)
      return
    }
    wanted.delete(name)
    connection.send({ t: 'unsub', topic: name })
    const { [name]: _, ...rest } = topics.value
    topics.value = rest
  }

  function stop(): void {
    connection.stop()
    wanted.clear()
    topics.value = {}
    heardAt.value = 0
    away.value = false
    link.value = 'connecting'
  }

  const now = computed(() => ticker.value + skewMs.value)
  const silentMs = computed(() => (heardAt.value ? Math.max(0, ticker.value - heardAt.value) : 0))
  const state = computed<Freshness>(() => {
    if (away.value) return 'stale'
    return heardAt.value ? freshness(silentMs.value) : 'fresh'
  })

  return {
    topics,
    link,
    heardAt,
    now,
    silentMs,
    state,
    setClock,
    subscribe,
    stop,
    hurry: () => connection.hurry(),
  }
})
