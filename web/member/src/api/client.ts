// One way to call the server: token, one renewal on 401, and another try for
// calls that may safely be repeated.
import { offline, Problem, toProblem } from './problem'
import type { Session } from './session'

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE' // wx.request has no PATCH

export interface Wire {
  method: Method
  path: string // under /api/member/v1, with query
  body?: unknown
  headers: Record<string, string>
}
/** Sends one request; rejects only when no answer came. */
export type Send = (w: Wire) => Promise<{ status: number; body: unknown }>

export interface CallOptions {
  query?: Record<string, string | number | boolean | undefined>
  body?: unknown
  /** Makes a POST repeatable: the server does it once for one key. */
  key?: string
  /** false: no token (sign-in itself). */
  auth?: boolean
  /** How often a failed repeatable call is tried again; 2 when not given. */
  retries?: number
}
export interface ClientDeps {
  send: Send
  session: Pick<Session, 'token' | 'replace'>
  sleep(ms: number): Promise<void>
  headers: Record<string, string>
}

export type Client = ReturnType<typeof createClient>

export function withQuery(path: string, query: CallOptions['query'] = {}): string {
  const parts = Object.entries(query)
    .filter(([, v]) => v !== undefined && v !== '')
    .map(([k, v]) => `${encodeURIComponent(k)}=${encodeURIComponent(String(v))}`)
  return parts.length ? `${path}?${parts.join('&')}` : path
}

export function createClient(d: ClientDeps) {
  async function once<T>(method: Method, path: string, o: CallOptions): Promise<T> {
    const headers: Record<string, string> = { ...d.headers }
    if (o.key) headers['Idempotency-Key'] = o.key
    const wire: Wire = { method, path: withQuery(path, o.query), body: o.body, headers }
    let token = ''
    if (o.auth !== false) {
      token = await d.session.token()
      headers.Authorization = `Bearer ${token}`
    }
    let res = await d.send(wire).catch(() => Promise.reject(offline()))
    if (res.status === 401 && token) {
      headers.Authorization = `Bearer ${await d.session.replace(token)}`
      res = await d.send(wire).catch(() => Promise.reject(offline()))
    }
    if (res.status >= 200 && res.status < 300) return res.body as T
    throw toProblem(res.status, res.body)
  }

  return async function call<T>(method: Method, path: string, o: CallOptions = {}): Promise<T> {
    const repeatable = method !== 'POST' || !!o.key
    const most = repeatable ? (o.retries ?? 2) : 0
    for (let tried = 0; ; tried++) {
      try {
        return await once<T>(method, path, o)
      } catch (e) {
        if (!(e instanceof Problem) || !e.passing || tried >= most) throw e
        await d.sleep(Math.min(e.retryAfter > 0 ? e.retryAfter * 1000 : 600 * 3 ** tried, 5000))
      }
    }
  }
}
