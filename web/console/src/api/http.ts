import { offline, toProblem } from './problem'

const BASE = '/api/staff/v1'

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

export type Query = Record<string, string | number | boolean | undefined>

export interface CallOptions {
  path?: Record<string, string | number>
  query?: Query
  body?: unknown
  /** Version that the edit is based on; sent as If-Match. */
  version?: number
  /** Idempotency key of a creating call: the same key never creates twice. */
  key?: string
  signal?: AbortSignal
  /** Keeps the page when the answer is 401 (the sign-in calls themselves). */
  quiet?: boolean
}

export function url(template: string, path: CallOptions['path'] = {}, query: Query = {}): string {
  const filled = template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(path[name] ?? '')))
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') search.set(name, String(value))
  }
  const text = search.toString()
  return BASE + filled + (text ? '?' + text : '')
}

export function newKey(): string {
  return crypto.randomUUID()
}

async function bodyOf(answer: Response): Promise<unknown> {
  const text = await answer.text()
  if (!text) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** One call. Throws Problem for every answer that is not a success. */
export async function call<T>(method: string, template: string, o: CallOptions = {}): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' }
  if (method !== 'GET') headers['X-CSRF-Token'] = csrf
  if (o.version !== undefined) headers['If-Match'] = `"${o.version}"`
  if (o.key) headers['Idempotency-Key'] = o.key
  let body: BodyInit | undefined
  if (typeof o.body === 'string') {
    headers['Content-Type'] = 'text/csv; charset=utf-8'
    body = o.body
  } else if (o.body !== undefined) {
    headers['Content-Type'] = 'application/json'
    body = JSON.stringify(o.body)
  }
  let answer: Response
  try {
    answer = await fetch(url(template, o.path, o.query), { method, headers, body, signal: o.signal, credentials: 'same-origin' })
  } catch (e) {
    if (e instanceof DOMException && e.name === 'AbortError') throw e
    throw offline()
  }
  const got = await bodyOf(answer)
  if (answer.ok) return got as T
  if (answer.status === 401 && !o.quiet) onSignedOut()
  throw toProblem(answer.status, got)
}

/** Sends one file with progress (0–1); fetch cannot report how much was sent. */
export function upload<T>(
  template: string,
  form: FormData,
  progress: (share: number) => void,
  signal?: AbortSignal,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const x = new XMLHttpRequest()
    x.open('POST', url(template))
    x.setRequestHeader('X-CSRF-Token', csrf)
    x.setRequestHeader('Accept', 'application/json')
    x.upload.onprogress = (e) => {
      if (e.lengthComputable) progress(e.loaded / e.total)
    }
    x.onerror = () => reject(offline())
    x.onabort = () => reject(new DOMException('aborted', 'AbortError'))
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
    signal?.addEventListener('abort', () => x.abort(), { once: true })
    x.send(form)
  })
}
