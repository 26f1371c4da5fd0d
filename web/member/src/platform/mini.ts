import type { Platform } from './platform'

const KEY = 'session'
// The address is part of the package: WeChat checks it against the list of
// server domains. See docs/miniprogram.md.
const base: string = import.meta.env.VITE_TONGXIN_URL || 'http://127.0.0.1:8080'

export const platform: Platform = {
  client: 'mini',
  base,
  files: base,
  device() {
    const d = uni.getSystemInfoSync()
    return [d.brand, d.model].filter(Boolean).join(' ') || '微信小程序'
  },
  vault: {
    get: () => String(uni.getStorageSync(KEY) || ''),
    set: (token) => (token ? uni.setStorageSync(KEY, token) : uni.removeStorageSync(KEY)),
  },
  alone: (work) => work(), // one mini-program, one runtime
  loginCode: () =>
    new Promise((resolve, reject) => uni.login({ provider: 'weixin', success: (r) => resolve(r.code), fail: () => reject(new Error('login')) })),
  goSignIn: () => undefined,
  inWeChat: true,
  askMessages: (tmplIds) =>
    new Promise((resolve) =>
      uni.requestSubscribeMessage({
        tmplIds,
        success: (r: unknown) => {
          const said = r as Record<string, string>
          resolve(Object.fromEntries(tmplIds.filter((id) => said[id]).map((id) => [id, said[id] as string])))
        },
        fail: () => resolve({}),
      }),
    ),
  canAskMessages: true,
  // A mini-program cannot hand a file to the phone: the text goes to the clipboard.
  saveText: (_name, text) =>
    new Promise((resolve, reject) => uni.setClipboardData({ data: text, success: () => resolve(), fail: () => reject(new Error('clipboard')) })),
  openFile: (path, token) =>
    new Promise((resolve, reject) =>
      uni.downloadFile({
        url: base + path,
        header: { Authorization: `Bearer ${token}` },
        success: (r) =>
          r.statusCode === 200
            ? uni.openDocument({ filePath: r.tempFilePath, fileType: 'pdf', showMenu: true, success: () => resolve(), fail: () => reject(new Error('open')) })
            : reject(new Error(String(r.statusCode))),
        fail: () => reject(new Error('download')),
      }),
    ),
  socketUrl: (path) => base.replace(/^http/, 'ws') + path,
  ticks: () => Date.now(),
}
