import createClient, { type Middleware } from 'openapi-fetch'
import { offline, toProblem } from './problem'
import type { paths } from './schema.gen'

export const BASE = '/api/staff/v1'

let csrf = ''
let onSignedOut: () => void = () => undefined

/** The session's token that every write carries; it comes with GET /session. */
export function setCsrf(token: string): void {
  csrf = token
}

/** What to do when the server says that nobody is signed in. */
export function whenSignedOut(fn: () => void): void {
  onSignedOut = fn
}

const withToken: Middleware = {
  onRequest({ request }) {
    if (request.method !== 'GET') request.headers.set('X-CSRF-Token', csrf)
    return request
  },
}

/** The client generated from the OpenAPI document of the staff surface. */
export const client = createClient<paths>({
  baseUrl: BASE,
  // Empty filters are no filters.
  querySerializer: (query) =>
    Object.entries(query)
      .filter(([, v]) => v !== undefined && v !== null && v !== '')
      .map(([k, v]) => `${k}=${encodeURIComponent(String(v))}`)
      .join('&'),
})
client.use(withToken)

interface Answer<T> {
  data?: T
  error?: unknown
  response: Response
}

/** The body of a success; throws Problem for every other answer. */
export async function take<T>(call: Promise<Answer<T>>): Promise<NonNullable<T>> {
  let got: Answer<T>
  try {
    got = await call
  } catch (e) {
    if (e instanceof DOMException && e.name === 'AbortError') throw e
    throw offline()
  }
  if (got.response.ok) return got.data as NonNullable<T>
  if (got.response.status === 401 && !got.response.url.includes('/session')) onSignedOut()
  throw toProblem(got.response.status, got.error)
}

export function newKey(): string {
  return crypto.randomUUID()
}

/** Header parameters of an edit that is based on a version. */
export const match = (version: number) => ({ 'If-Match': `"${version}"` })

/** Header parameters of a creating call: the same key never creates twice. */
export const once = (key: string = newKey()) => ({ 'Idempotency-Key': key })

/** The query part of an address; empty values are left out. */
export function search(query: Record<string, string | number | undefined>): string {
  const s = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== '') s.set(name, String(value))
  return s.toString() ? '?' + s.toString() : ''
}

/** Sends one file with progress (0–1); fetch cannot report how much was sent. */
export function upload<T>(path: string, form: FormData, progress: (share: number) => void): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const x = new XMLHttpRequest()
    x.open('POST', BASE + path)
    x.setRequestHeader('X-CSRF-Token', csrf)
    x.setRequestHeader('Accept', 'application/json')
    x.upload.onprogress = (e) => {
      if (e.lengthComputable) progress(e.loaded / e.total)
    }
    x.onerror = () => reject(offline())
    x.onload = () => {
      let got: unknown
      try {
        got = JSON.parse(x.responseText)
      } catch {
        got = undefined
      }
      if (x.status >= 200 && x.status < 300) resolve(got as T)
      else {
        if (x.status === 401) onSignedOut()
        reject(toProblem(x.status, got))
      }
    }
    x.send(form)
  })
}
