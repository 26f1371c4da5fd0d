/** Makes everything with a role work from the keyboard, in browsers. */
export function keyboard(): void {
  // #ifdef H5
  document.addEventListener('keydown', (e) => {
    const at = e.target as HTMLElement
    if ((e.key !== 'Enter' && e.key !== ' ') || !at.getAttribute?.('role') || /^(INPUT|TEXTAREA|BUTTON|A)$/.test(at.tagName)) return
    e.preventDefault()
    at.click()
  })
  // #endif
}
