import { computed, reactive, type InjectionKey, inject } from 'vue'
import { setCsrf } from '@/api/http'
import { readMe, signOut as endSession } from '@/api/session'
import { Problem } from '@/api/problem'
import type { Me, Org } from '@/api/types'

const ORG_KEY = 'tongxin.org'

/** Who is signed in, and which organisation they are working in. */
export class Session {
  private readonly s = reactive<{ me: Me | null; known: boolean; orgId: string }>({
    me: null,
    known: false,
    orgId: localStorage.getItem(ORG_KEY) ?? '',
  })

  readonly me = computed(() => this.s.me)
  readonly name = computed(() => this.s.me?.account.name ?? '')
  readonly orgs = computed<Org[]>(() => this.s.me?.orgs ?? [])
  readonly org = computed<Org | undefined>(() => this.orgs.value.find((o) => o.id === this.s.orgId) ?? this.orgs.value[0])
  readonly orgId = computed(() => this.org.value?.id ?? '')

  can(right: string): boolean {
    return (this.s.me?.rights ?? []).includes(right)
  }

  canAny(...rights: string[]): boolean {
    return rights.some((r) => this.can(r))
  }

  choose(orgId: string): void {
    this.s.orgId = orgId
    localStorage.setItem(ORG_KEY, orgId)
  }

  take(me: Me): void {
    this.s.me = me
    this.s.known = true
    setCsrf(me.csrf)
  }

  forget(): void {
    this.s.me = null
    this.s.known = true
    setCsrf('')
  }

  /** Asks the server once who is signed in. */
  async ensure(): Promise<Me | null> {
    if (!this.s.known) await this.refresh()
    return this.s.me
  }

  async refresh(): Promise<void> {
    try {
      this.take(await readMe())
    } catch (e) {
      if (!(e instanceof Problem) || e.status !== 401) throw e
      this.forget()
    }
  }

  async signOut(): Promise<void> {
    await endSession()
    this.forget()
  }
}

export const sessionKey: InjectionKey<Session> = Symbol('session')

export function useSession(): Session {
  const s = inject(sessionKey)
  if (!s) throw new Error('session is not provided')
  return s
}
