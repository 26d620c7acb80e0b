// What travels on /ws/v1/live (protocol live.v1). Anything else is dropped, not trusted.

export type Values = Record<string, unknown>

export type ServerMessage =
  | { t: 'hello'; now?: string; ping_s?: number }
  | { t: 'ok'; topic: string; mode: 'resumed' | 'snapshot'; epoch?: string; seq?: number }
  | { t: 'snap'; topic: string; epoch: string; seq: number; at?: string; state: Values }
  | {
      t: 'delta'
      topic: string
      epoch: string
      prev: number
      seq: number
      at?: string
      set?: Values
      unset?: string[]
      del?: string[]
    }
  | { t: 'tele'; topic: string; set: Values; at?: string }
  | {
      t: 'ping'
      at?: string
      heads?: Record<string, { epoch: string; seq: number }>
      /** False while the server itself hears nothing from its database. */
      db?: boolean
      lag_s?: number
    }
  | { t: 'revoked'; topic: string; code?: string }
  | { t: 'err'; topic?: string; code: string }

export type ClientMessage =
  | { t: 'sub'; topic: string; since?: { epoch: string; seq: number } }
  | { t: 'unsub'; topic: string }
  | { t: 'pong' }

const KNOWN = new Set(['hello', 'ok', 'snap', 'delta', 'tele', 'ping', 'revoked', 'err'])

/** The message in one frame, or null when it is none of ours. */
export function decode(frame: string): ServerMessage | null {
  try {
    const body: unknown = JSON.parse(frame)
    if (typeof body !== 'object' || body === null || !('t' in body)) return null
    return KNOWN.has(String(body.t)) ? (body as ServerMessage) : null
  } catch {
    return null
  }
}
