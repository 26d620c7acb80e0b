// The typed HTTP client: CSRF and idempotency headers on writes, problems as exceptions.
import createClient, { type Middleware } from 'openapi-fetch'
import { ApiProblem } from './problem'
import type { paths } from './schema'

let csrf = ''
let language = 'zh'

export function useCsrf(token: string): void {
  csrf = token
}

export function useLanguage(lang: string): void {
  language = lang
}

const headers: Middleware = {
  onRequest({ request }) {
    request.headers.set('Accept-Language', language)
    if (request.method !== 'GET') request.headers.set('X-CSRFToken', csrf)
    return request
  },
}

/** A fresh key; the same key sent twice has one effect. */
export const newKey = (): string => crypto.randomUUID()

export const client = createClient<paths>({
  baseUrl: location.origin,
  credentials: 'same-origin',
  fetch: async (request) => {
    try {
      return await fetch(request)
    } catch {
      throw ApiProblem.offline()
    }
  },
})
client.use(headers)

interface Answer<T> {
  data?: T
  error?: unknown
  response: Response
}

/** Runs one request and gives its body; throws the problem otherwise. */
export async function body<T>(answer: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await answer
  if (response.ok) return data as T
  const known = typeof error === 'object' && error !== null ? error : {}
  throw new ApiProblem({ status: response.status, ...known })
}

/** `body` for answers whose schema leaves a part open, such as the JSON of a quote. */
export async function bodyAs<T>(answer: Promise<Answer<unknown>>): Promise<T> {
  return (await body(answer)) as T
}
