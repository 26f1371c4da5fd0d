export interface Debounced {
  (): void
  /** Runs at once if a call is waiting. */
  flush(): void
  cancel(): void
}

/** Runs fn once, wait milliseconds after the last call. */
export function debounce(fn: () => void, wait: number): Debounced {
  let timer: ReturnType<typeof setTimeout> | undefined
  const run = (() => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      timer = undefined
      fn()
    }, wait)
  }) as Debounced
  run.flush = () => {
    if (timer === undefined) return
    clearTimeout(timer)
    timer = undefined
    fn()
  }
  run.cancel = () => {
    clearTimeout(timer)
    timer = undefined
  }
  return run
}
