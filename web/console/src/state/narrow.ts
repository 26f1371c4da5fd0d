import { onBeforeUnmount, ref, type Ref } from 'vue'

/** True on a phone held upright, for tables that must leave columns out. */
export function useNarrow(): Ref<boolean> {
  const media = matchMedia('(max-width: 600px)')
  const narrow = ref(media.matches)
  const changed = (): boolean => (narrow.value = media.matches)
  media.addEventListener('change', changed)
  onBeforeUnmount(() => media.removeEventListener('change', changed))
  return narrow
}
