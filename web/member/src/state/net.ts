import { reactive } from 'vue'

/** What the system says of the network; a call that fails says it too. */
export const net = reactive({ online: true })
const listeners = new Set<() => void>()

// Every word of a connection wakes what waits, not only a change: a phone that
// moves from one network to another may never have said that it lost the first.
function heard(online: boolean): void {
  net.online = online
  if (online) listeners.forEach((f) => f())
}

export function watchNet(): void {
  uni.getNetworkType({ success: (r) => (net.online = r.networkType !== 'none') })
  uni.onNetworkStatusChange((r) => heard(r.isConnected))
  // #ifdef H5
  // Where there is navigator.connection, uni-app hears only that, and it is
  // silent when a network goes and comes back with the same speed.
  window.addEventListener('offline', () => heard(false))
  window.addEventListener('online', () => heard(true))
  // #endif
}

/** Calls f whenever the network comes back; the answer ends that. */
export function whenBack(f: () => void): () => void {
  listeners.add(f)
  return () => listeners.delete(f)
}
