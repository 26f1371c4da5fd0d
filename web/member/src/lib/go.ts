// Ways through the pages.
const TABS = ['/pages/index/index', '/pages/learn/index', '/pages/contest/index', '/pages/me/index']

export function go(url: string): void {
  if (TABS.includes(url.split('?')[0] ?? '')) uni.switchTab({ url })
  else uni.navigateTo({ url })
}
export const replace = (url: string): void => void uni.redirectTo({ url })

/** Back, or home where this page was opened from outside. */
export function back(): void {
  if (getCurrentPages().length > 1) uni.navigateBack()
  else uni.switchTab({ url: TABS[0]! })
}

/** Where a link of a notice leads; "" for kinds that have no page here. */
export function pageOf(link: { kind: string; id: string } | undefined): string {
  switch (link?.kind) {
    case 'post':
      return `/news/post/index?id=${link.id}`
    case 'paper':
    case 'quiz':
      return `/quiz/paper/index?id=${link.id}`
    case 'contest':
      return `/live/room/index?id=${link.id}`
    case 'attempt':
      return `/quiz/result/index?id=${link.id}`
    case 'certificate':
      return '/account/results/index'
    default:
      return ''
  }
}

/** Asks yes or no; the answer is true for yes. */
export function confirm(title: string, content: string, yes: string, no = '取消'): Promise<boolean> {
  return new Promise((resolve) =>
    uni.showModal({ title, content, confirmText: yes, cancelText: no, confirmColor: '#a51017', success: (r) => resolve(r.confirm), fail: () => resolve(false) }),
  )
}
