import type { Platform } from './platform'
import { openPlayer } from './player'

const VERSIONS: [RegExp, string][] = [
  [/MicroMessenger/i, '微信'],
  [/Edg\//, 'Edge 浏览器'],
  [/Firefox\//, 'Firefox 浏览器'],
  [/Chrome\//, 'Chrome 浏览器'],
  [/Safari\//, 'Safari 浏览器'],
]
const SYSTEMS: [RegExp, string][] = [
  [/iPhone|iPad/, '苹果手机'],
  [/HarmonyOS|OpenHarmony/, '鸿蒙手机'],
  [/Android/, '安卓手机'],
  [/Windows/, 'Windows 电脑'],
  [/Macintosh/, 'Mac 电脑'],
]
const named = (list: [RegExp, string][], other: string) => list.find(([p]) => p.test(navigator.userAgent))?.[1] ?? other

function save(blob: Blob, name: string): void {
  const a = document.createElement('a')
  a.href = URL.createObjectURL(blob)
  a.download = name
  a.click()
  setTimeout(() => URL.revokeObjectURL(a.href), 60_000)
}

export const platform: Platform = {
  client: 'h5',
  base: '',
  files: location.origin, // uni-app would put /m/ before an address without a host
  device: () => `${named(SYSTEMS, '电脑')} · ${named(VERSIONS, '浏览器')}`,
  vault: null,
  // Two tabs share one cookie; using it twice at once would look like a theft.
  alone: <T>(work: () => Promise<T>): Promise<T> =>
    navigator.locks ? (navigator.locks.request('tongxin-refresh', work) as Promise<T>) : work(),
  loginCode: () => Promise.resolve(''),
  goSignIn: () => location.assign('/api/member/v1/session/oauth?back=' + encodeURIComponent('/pages/index/index')),
  inWeChat: /MicroMessenger/i.test(navigator.userAgent),
  askMessages: () => Promise.resolve({}),
  canAskMessages: false,
  saveText: (name, text) => Promise.resolve(save(new Blob([text], { type: 'application/json' }), name)),
  async openFile(path, token) {
    const res = await fetch(path, { headers: { Authorization: `Bearer ${token}` } })
    if (!res.ok) throw new Error(String(res.status))
    save(await res.blob(), decodeURIComponent(/filename\*=UTF-8''([^;]+)/i.exec(res.headers.get('Content-Disposition') ?? '')?.[1] ?? path.split('/').pop() ?? 'file'))
  },
  socketUrl: (path) => location.origin.replace(/^http/, 'ws') + path,
  ticks: () => performance.now(),
  player: openPlayer,
}
