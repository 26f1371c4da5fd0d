// What was loaded last, for reading without a network. It belongs to one
// person and goes when that person signs out.
const PREFIX = 'read:'

export function remember(owner: string, name: string, value: unknown): void {
  try {
    uni.setStorageSync(`${PREFIX}${name}`, JSON.stringify({ owner, at: Date.now(), value }))
  } catch {
    // Full storage only costs reading offline.
  }
}

export function recall<T>(owner: string, name: string): { at: number; value: T } | null {
  try {
    const kept = JSON.parse(String(uni.getStorageSync(`${PREFIX}${name}`) || 'null')) as { owner: string; at: number; value: T } | null
    return kept && kept.owner === owner ? kept : null
  } catch {
    return null
  }
}

/** Removes everything that was read, and answers that wait. */
export function forgetAll(): void {
  for (const key of uni.getStorageInfoSync().keys) {
    if (key.startsWith(PREFIX) || key.startsWith('answers:') || key === 'me') uni.removeStorageSync(key)
  }
}
