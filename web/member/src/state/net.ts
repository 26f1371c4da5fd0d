import { reactive } from 'vue'

/** What the system says of the network; a call that fails says it too. */
export const net = reactive({ online: true })
const listeners = new Set<() => void>()

export function watchNet(): void {
  uni.getNetworkType({ success: (r) => (net.online = r.networkType !== 'none') })
  uni.onNetworkStatusChange((r) => {
    net.online = r.isConnected
    if (r.isConnected) listeners.forEach((f) => f())
  })
}

/** Calls f whenever the network comes back; the answer ends that. */
export function whenBack(f: () => void): () => void {
  listeners.add(f)
  return () => listeners.delete(f)
}
