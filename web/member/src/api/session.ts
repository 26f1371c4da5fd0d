// Who is signed in, as far as tokens go. The access token lives in memory only.
// The refresh token is a cookie that scripts cannot read (H5) or lies in the
// mini-program's storage. The server ends a session whose old refresh token is
// used twice, so there is never more than one refresh on its way.
import { Problem } from './problem'
import type { Refreshed } from './types'

export interface SessionDeps {
  /** Spends the refresh token; undefined: it is in the cookie. */
  refresh(token: string | undefined): Promise<Refreshed>
  /** Where the refresh token is kept; null: in a cookie. */
  vault: { get(): string; set(token: string): void } | null
  /** Holds others of the same browser off while work runs. */
  alone<T>(work: () => Promise<T>): Promise<T>
  /** Milliseconds, of this device. */
  now(): number
  /** Called once when the server says that nobody is signed in. */
  ended(p: Problem): void
}

/** A token this close to its end (ms) is renewed first. */
const MARGIN = 20_000

export type Session = ReturnType<typeof createSession>

export function createSession(d: SessionDeps) {
  let access = ''
  let until = 0
  let running: Promise<string> | null = null

  /** expiresAt is the server's time; what counts here is how long it is valid. */
  function keep(t: Refreshed, life = 15 * 60_000): void {
    access = t.access
    until = d.now() + life
    if (t.refresh && d.vault) d.vault.set(t.refresh)
  }
  function forget(): void {
    access = ''
    until = 0
    d.vault?.set('')
  }
  async function spend(): Promise<string> {
    const token = d.vault?.get()
    if (d.vault && !token) throw new Problem(401, 'unauthorized', '请先登录。')
    try {
      keep(await d.refresh(token))
      return access
    } catch (e) {
      if (e instanceof Problem && (e.status === 401 || e.status === 403)) {
        forget()
        d.ended(e)
      }
      throw e
    }
  }
  /** A new access token; callers at the same time share one refresh. */
  function renew(): Promise<string> {
    running ??= d.alone(spend).finally(() => (running = null))
    return running
  }
  return {
    keep,
    forget,
    renew,
    /** A token that should still be taken. */
    token: (): Promise<string> => (access && d.now() < until - MARGIN ? Promise.resolve(access) : renew()),
    /** Renews unless somebody did since this token was taken. */
    replace: (old: string): Promise<string> => (access && access !== old ? Promise.resolve(access) : renew()),
    get signedIn(): boolean {
      return access !== ''
    },
  }
}
