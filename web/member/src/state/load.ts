// Loading for a page: what was read last is shown at once and while the network
// is away, errors become a sentence, and nothing old overwrites something new.
import { reactive } from 'vue'
import { Problem, sentence } from '@/api/problem'
import { recall, remember } from './cache'
import { ownerId } from './me'

export interface Loaded<T> {
  value: T | null
  busy: boolean
  error: string
  /** The value is from storage because the network is away; when it was loaded. */
  offlineSince: number
  missing: boolean
}

export function useLoad<T>(name: string | (() => string), fetch: () => Promise<T>, keep = true) {
  const s = reactive({ value: null, busy: false, error: '', offlineSince: 0, missing: false }) as Loaded<T>
  let turn = 0
  const key = () => (typeof name === 'string' ? name : name())

  async function load(): Promise<void> {
    const mine = ++turn
    s.busy = true
    s.error = ''
    s.missing = false
    const old = keep ? recall<T>(ownerId(), key()) : null
    if (old && s.value === null) s.value = old.value
    try {
      const got = await fetch()
      if (mine !== turn) return
      s.value = got
      s.offlineSince = 0
      if (keep) remember(ownerId(), key(), got)
    } catch (e) {
      if (mine !== turn) return
      s.missing = e instanceof Problem && e.status === 404
      if (e instanceof Problem && e.passing && s.value !== null && keep) s.offlineSince = old?.at ?? Date.now()
      else s.error = sentence(e)
      if (!(e instanceof Problem)) console.error(e)
    } finally {
      if (mine === turn) s.busy = false
    }
  }
  return { s, load }
}
