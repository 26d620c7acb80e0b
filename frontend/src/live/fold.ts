// Folds live messages into topics. Pure: the same messages give the same state, whatever the socket did.
import type { ServerMessage, Values } from './protocol'

export interface Topic {
  epoch: string
  seq: number
  values: Values
  /** Droppable telemetry by key; never part of the resumable state. */
  tele: Values
  /** Why the server refused this topic. */
  refused: string | null
}

export type Topics = Readonly<Record<string, Topic>>

export interface Folded {
  topics: Topics
  /** Topics that have a gap and must be asked for from the start. */
  resync: string[]
}

const kept = (topics: Topics): Folded => ({ topics, resync: [] })

function put(topics: Topics, name: string, change: Partial<Topic>): Folded {
  const before = topics[name] ?? { epoch: '', seq: 0, values: {}, tele: {}, refused: null }
  return kept({ ...topics, [name]: { ...before, ...change } })
}

function merged(values: Values, set: Values = {}, gone: string[] = []): Values {
  const next = { ...values, ...set }
  for (const key of gone) delete next[key]
  return next
}

function delta(topics: Topics, message: Extract<ServerMessage, { t: 'delta' }>): Folded {
  const topic = topics[message.topic]
  if (!topic) return kept(topics)
  if (topic.epoch === message.epoch && message.seq <= topic.seq) return kept(topics)
  if (topic.epoch !== message.epoch || message.prev > topic.seq)
    return { topics, resync: [message.topic] }
  const gone = [...(message.unset ?? []), ...(message.del ?? [])]
  const values = merged(topic.values, message.set, gone)
  return put(topics, message.topic, { seq: message.seq, values })
}

/** Topics of which the server is ahead of us: a delta was lost on the way. */
function behind(
  topics: Topics,
  heads: NonNullable<Extract<ServerMessage, { t: 'ping' }>['heads']> = {},
): string[] {
  return Object.entries(heads)
    .filter(([name, head]) => {
      const topic = topics[name]
      return topic && !topic.refused && (topic.epoch !== head.epoch || topic.seq < head.seq)
    })
    .map(([name]) => name)
}

export function fold(topics: Topics, message: ServerMessage): Folded {
  switch (message.t) {
    case 'snap': {
      const { epoch, seq, state } = message
      return put(topics, message.topic, { epoch, seq, values: state, refused: null })
    }
    case 'delta':
      return delta(topics, message)
    case 'tele': {
      const topic = topics[message.topic]
      return topic
        ? put(topics, message.topic, { tele: merged(topic.tele, message.set) })
        : kept(topics)
    }
    case 'ping':
      return { topics, resync: behind(topics, message.heads) }
    case 'revoked':
      return put(topics, message.topic, {
        epoch: '',
        seq: 0,
        values: {},
        tele: {},
        refused: 'revoked',
      })
    case 'err':
      return message.topic ? put(topics, message.topic, { refused: message.code }) : kept(topics)
    default:
      return kept(topics)
  }
}
