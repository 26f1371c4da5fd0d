// The person, the settings and the way in and out.
import { reactive, computed } from 'vue'
import { platform } from '@platform'
import { getMe, saveSettings, signInMini, signOut } from '@/api/account'
import { session, takeMe, whenEnded } from '@/api'
import { Problem } from '@/api/problem'
import type { Me, Settings } from '@/api/types'
import { forgetAll } from './cache'

export type Standing = 'unknown' | 'in' | 'out'

const DEFAULTS: Settings = { textSize: 'normal', highContrast: false, recommendations: true, rankings: true }
const SCALES: Record<Settings['textSize'], number> = { normal: 1, large: 1.18, larger: 1.4 }

function kept<T>(key: string): T | null {
  try {
    return JSON.parse(String(uni.getStorageSync(key) || 'null')) as T | null
  } catch {
    return null
  }
}

/** me may be what was known last while the network is away. */
export const state = reactive({
  standing: 'unknown' as Standing,
  me: kept<Me>('me'),
  settings: { ...DEFAULTS, ...kept<Settings>('settings') },
  /** Why the person is out, when the server said so. */
  reason: '',
  /** Why it is not known yet who is there. */
  trouble: '',
  /** A ticket to bind with, after WeChat knew the person but the roster did not yet. */
  ticket: '',
})

export const scale = computed(() => SCALES[state.settings.textSize] ?? 1)
export const ownerId = (): string => state.me?.id ?? ''

export function isIn(me: Me): void {
  state.me = me
  state.standing = 'in'
  state.reason = ''
  state.ticket = ''
  uni.setStorageSync('me', JSON.stringify(me))
  if (me.settings) apply(me.settings)
}

function isOut(reason: string): void {
  // Who was never in needs no reason why they are not.
  if (!state.me) reason = ''
  state.standing = 'out'
  state.me = null
  state.reason = reason
  forgetAll()
}

whenEnded((p) => isOut(p.detail))

let entering: Promise<boolean> | null = null

/** Signs in if that can be done without asking; true when somebody is in, also from memory while offline. */
export function enter(): Promise<boolean> {
  if (state.standing === 'in') return Promise.resolve(true)
  if (state.standing === 'out') return Promise.resolve(false)
  entering ??= comeIn().finally(() => (entering = null))
  return entering
}

async function comeIn(): Promise<boolean> {
  try {
    await session.token()
    isIn(takeMe() ?? (await getMe()))
    return true
  } catch (e) {
    if (!(e instanceof Problem)) throw e
    if (e.passing && state.me) return true // the last known person may read what was loaded
    if (e.passing) throw e
    if (state.reason && e.status !== 401) return false
  }
  return silently()
}

/** The mini-program can ask WeChat who holds the phone. */
async function silently(): Promise<boolean> {
  const reason = state.reason
  const code = await platform.loginCode().catch(() => '')
  if (code) {
    const got = await signInMini(code)
    if (got.state === 'signed_in') {
      isIn(got.me)
      return true
    }
    state.ticket = got.ticket
  }
  isOut(reason)
  return false
}

/** Asks again, after a failure or when the ticket is old. */
export async function retry(): Promise<boolean> {
  state.standing = 'unknown'
  return enter()
}

export async function leave(): Promise<void> {
  await signOut().catch(() => undefined)
  session.forget()
  isOut('')
}

/** Somebody else ended all sessions, or this person did. */
export function ended(): void {
  session.forget()
  isOut('')
}

function apply(s: Settings): void {
  state.settings = { ...DEFAULTS, ...s }
  uni.setStorageSync('settings', JSON.stringify(state.settings))
}

/** Changes settings here at once and at the server; a failure is put back. */
export async function change(part: Partial<Settings>): Promise<void> {
  const before = { ...state.settings }
  apply({ ...before, ...part })
  if (state.standing !== 'in') return
  try {
    const saved = await saveSettings(state.settings)
    if (saved?.textSize) apply(saved)
    if (state.me) {
      state.me.settings = { ...state.settings }
      uni.setStorageSync('me', JSON.stringify(state.me))
    }
  } catch (e) {
    if (e instanceof Problem && e.passing) return // it counts on this device until the next time
    apply(before)
    throw e
  }
}
