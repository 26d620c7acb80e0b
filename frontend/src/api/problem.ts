// A refusal by the API (RFC 9457), or the network's.
import type { Lang } from '@/format'

export interface FieldFault {
  name: string
  reason_zh: string
  reason_en: string
}

interface ProblemBody {
  status?: number
  code?: string
  title?: string
  title_zh?: string
  title_en?: string
  detail?: string
  request_id?: string
  fields?: FieldFault[]
  [context: string]: unknown
}

const OFFLINE: ProblemBody = {
  status: 0,
  code: 'network',
  title_zh: '连不上服务器',
  title_en: 'Cannot reach the server',
}

export class ApiProblem extends Error {
  readonly status: number
  readonly code: string
  readonly body: ProblemBody

  constructor(body: ProblemBody) {
    super(body.title_en ?? body.title ?? body.code ?? 'problem')
    this.name = 'ApiProblem'
    this.body = body
    this.status = body.status ?? 0
    this.code = body.code ?? 'unknown'
  }

  title(lang: Lang): string {
    return (lang === 'zh' ? this.body.title_zh : this.body.title_en) ?? this.message
  }

  get detail(): string {
    return this.body.detail ?? ''
  }

  get fields(): FieldFault[] {
    return this.body.fields ?? []
  }

  get requestId(): string {
    return this.body.request_id ?? ''
  }

  /** A list that the problem carries, such as `conflicts` or `alternatives`. */
  list<T>(name: string): T[] {
    const value = this.body[name]
    return Array.isArray(value) ? (value as T[]) : []
  }

  static offline(): ApiProblem {
    return new ApiProblem(OFFLINE)
  }

  static from(error: unknown): ApiProblem {
    if (error instanceof ApiProblem) return error
    return new ApiProblem({ status: 0, code: 'unexpected', title: String(error) })
  }
}
