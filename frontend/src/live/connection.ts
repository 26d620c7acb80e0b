// One socket to /ws/v1/live that comes back by itself and resumes where it was.
import { type ClientMessage, decode, type ServerMessage } from './protocol'

/** `refused`: the server does not want this session; only signing in again helps. */
export type Link = 'connecting' | 'open' | 'lost' | 'refused'

const REFUSED = new Set([4401, 4403, 4426])
const SILENT_MS = 45_000
const CHECK_MS = 5_000

/** Waiting time before try number `failures`, in ms: 0.5 s doubling to 15 s, a third of it by chance. */
export function backoff(failures: number, chance = Math.random()): number {
  const most = Math.min(15_000, 500 * 2 ** failures)
  return Math.round(most * (2 / 3 + chance / 3))
}

export interface Handlers {
  onMessage: (message: ServerMessage) => void
  onLink: (link: Link) => void
  /** The socket is open: subscribe to what is wanted. */
  onOpen: () => void
}

export class Connection {
  private socket: WebSocket | null = null
  private retry: ReturnType<typeof setTimeout> | undefined
  private watch: ReturnType<typeof setInterval> | undefined
  private failures = 0
  private heardAt = 0

  constructor(
    private readonly url: string,
    private readonly on: Handlers,
    private readonly open: (url: string) => WebSocket = (url) => new WebSocket(url, 'live.v1'),
  ) {}

  start(): void {
    if (this.socket) return
    this.watch = setInterval(() => this.dropWhenSilent(), CHECK_MS)
    this.connect()
  }

  stop(): void {
    clearTimeout(this.retry)
    clearInterval(this.watch)
    if (this.socket) this.socket.onclose = null
    this.socket?.close()
    this.socket = null
    this.failures = 0
  }

  /** Try at once: the network is back, or somebody pressed the button. */
  hurry(): void {
    if (!this.socket || this.socket.readyState === WebSocket.OPEN) return
    this.socket.onclose = null
    this.socket.close()
    this.connect()
  }

  send(message: ClientMessage): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message))
  }

  private connect(): void {
    clearTimeout(this.retry)
    this.on.onLink(this.failures ? 'lost' : 'connecting')
    this.heardAt = Date.now()
    const socket = this.open(this.url)
    this.socket = socket
    socket.onopen = () => {
      this.on.onLink('open')
      this.on.onOpen()
    }
    socket.onmessage = (event: MessageEvent<string>) => this.receive(event.data)
    socket.onclose = (event) => this.closed(event.code)
  }

  private receive(frame: string): void {
    const message = decode(frame)
    if (!message) return
    this.heardAt = Date.now()
    this.failures = 0
    if (message.t === 'ping') this.send({ t: 'pong' })
    this.on.onMessage(message)
  }

  private closed(code: number): void {
    this.on.onLink(REFUSED.has(code) ? 'refused' : 'lost')
    if (REFUSED.has(code)) return
    this.retry = setTimeout(() => this.connect(), backoff(this.failures++))
  }

  /** A half-open socket says nothing and never closes. */
  private dropWhenSilent(): void {
    if (this.socket?.readyState !== WebSocket.OPEN) return
    if (Date.now() - this.heardAt < SILENT_MS) return
    this.socket.onclose = null
    this.socket.close()
    this.closed(4000)
  }
}
