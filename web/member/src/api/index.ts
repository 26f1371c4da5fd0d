// The client of this program: uni.request underneath, one session.
import { platform } from '@platform'
import { createClient, type CallOptions, type Method, type Send } from './client'
import { offline, toProblem, type Problem } from './problem'
import { createSession } from './session'
import type { Me, Refreshed } from './types'

const PREFIX = '/api/member/v1'
const own: Record<string, string> = platform.client === 'h5' ? { 'X-Client': 'h5' } : {}

const send: Send = (w) =>
  new Promise((resolve, reject) =>
    uni.request({
      url: platform.base + PREFIX + w.path,
      method: w.method,
      data: w.body === undefined ? undefined : JSON.stringify(w.body),
      header: { ...w.headers, ...(w.body === undefined ? {} : { 'Content-Type': 'application/json' }) },
      timeout: 15_000,
      success: (r) => (r.statusCode > 0 ? resolve({ status: r.statusCode, body: r.data }) : reject(new Error('no answer'))),
      fail: (e) => reject(new Error(e.errMsg)),
    }),
  )

let onEnded: (p: Problem) => void = () => undefined
/** Says what to do when the server tells that nobody is signed in. */
export function whenEnded(f: (p: Problem) => void): void {
  onEnded = f
}

let came: Me | null = null
/** Who the last refresh was for, once: it saves asking again at the start. */
export function takeMe(): Me | null {
  const me = came
  came = null
  return me
}

export const session = createSession({
  async refresh(token) {
    const res = await send({ method: 'POST', path: '/session/refresh', body: token ? { refresh: token } : {}, headers: own }).catch(() => Promise.reject(offline()))
    if (res.status !== 200) throw toProblem(res.status, res.body)
    const got = res.body as Refreshed & { me?: Me }
    came = got.me ?? null
    return got
  },
  vault: platform.vault,
  alone: (work) => platform.alone(work),
  now: () => Date.now(),
  ended: (p) => onEnded(p),
})

const client = createClient({ send, session, sleep: (ms) => new Promise((r) => setTimeout(r, ms)), headers: own })

export const get = <T>(path: string, query?: CallOptions['query']): Promise<T> => client<T>('GET', path, { query })
export const call = <T>(method: Method, path: string, o?: CallOptions): Promise<T> => client<T>(method, path, o)

/** A key for a call that must be done once. */
export function newKey(): string {
  const part = () => Math.floor(Math.random() * 0x100000000).toString(16).padStart(8, '0')
  return part() + part() + part() + part()
}
