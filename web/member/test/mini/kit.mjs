// Runs the built mini-program, page by page, in WeChat's own component system
// on jsdom. wx is what a phone offers; wx.request is answered by routes that a
// test gives, as the server would.
import { createRequire } from 'node:module'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { JSDOM } from 'jsdom'

export const built = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'dist', 'mp-weixin')
// A copy: under this package's "type": "module" its files would not be CommonJS.
export const root = mkdtempSync(join(tmpdir(), 'mini-'))
cpSync(built, root, { recursive: true })
process.on('exit', () => rmSync(root, { recursive: true, force: true }))
const require = createRequire(import.meta.url)

const dom = new JSDOM('<!doctype html><body></body>', { url: 'https://servicewechat.test/', pretendToBeVisual: true })
for (const name of ['window', 'document', 'Element', 'HTMLElement', 'Node', 'Event', 'CustomEvent', 'Touch', 'TouchEvent', 'getComputedStyle', 'requestAnimationFrame', 'cancelAnimationFrame', 'Text']) {
  if (dom.window[name] !== undefined) globalThis[name] = dom.window[name]
}
globalThis.window = dom.window
Object.assign(dom.window, { setTimeout, clearTimeout, setInterval, clearInterval })

/** What the phone holds and did. */
export const phone = {
  storage: new Map(),
  requests: [],
  went: [],
  modal: true,
  online: true,
  subscribed: [],
  netListeners: [],
  sockets: [],
  scrolls: 0,
}
let routes = {}

/** Answers of the server: "GET /inbox" → value, or a function of the request. A Refusal is a problem. */
export function serve(table) {
  routes = table
}
export class Refusal {
  constructor(status, code, detail) {
    Object.assign(this, { status, body: { status, code, detail } })
  }
}

function answer(o) {
  const url = new URL(o.url)
  const path = url.pathname.replace('/api/member/v1', '')
  const req = { method: o.method ?? 'GET', path, query: Object.fromEntries(url.searchParams), body: o.data ? JSON.parse(o.data) : undefined, headers: o.header ?? {} }
  phone.requests.push(req)
  if (!phone.online) return null
  const exact = routes[`${req.method} ${path}`]
  const pattern = exact === undefined && Object.keys(routes).find((k) => new RegExp(`^${k.replace(/\{[a-z]+\}/g, '[^/]+')}$`).test(`${req.method} ${path}`))
  const found = exact ?? (pattern ? routes[pattern] : undefined)
  if (found === undefined) throw new Error(`the test has no answer for ${req.method} ${path}`)
  const got = typeof found === 'function' ? found(req) : found
  return got instanceof Refusal ? { statusCode: got.status, data: structuredClone(got.body) } : { statusCode: got === undefined ? 204 : 200, data: structuredClone(got) }
}

const done = (o, r = {}) => {
  o?.success?.(r)
  o?.complete?.(r)
}
const wx = {
  canIUse: () => false,
  getSystemInfoSync: () => ({ brand: 'Test', model: 'Phone', platform: 'devtools', language: 'zh_CN', pixelRatio: 2, windowWidth: 375, windowHeight: 667, screenWidth: 375, screenHeight: 667, statusBarHeight: 20, safeAreaInsets: {}, SDKVersion: '3.0.0', system: 'iOS 16', safeArea: { top: 0, bottom: 667, left: 0, right: 375, width: 375, height: 667 } }),
  getAppBaseInfo: () => ({ SDKVersion: '3.0.0', language: 'zh_CN', version: '8', theme: 'light' }),
  getWindowInfo: () => ({ pixelRatio: 2, windowWidth: 375, windowHeight: 667, screenWidth: 375, screenHeight: 667, statusBarHeight: 20, safeArea: { top: 0, bottom: 667, left: 0, right: 375, width: 375, height: 667 } }),
  getDeviceInfo: () => ({ brand: 'Test', model: 'Phone', platform: 'devtools', system: 'iOS 16' }),
  getSystemSetting: () => ({}),
  getAppAuthorizeSetting: () => ({}),
  getLaunchOptionsSync: () => ({ scene: 1001, query: {}, path: '' }),
  getEnterOptionsSync: () => ({ scene: 1001, query: {}, path: '' }),
  getStorageSync: (k) => phone.storage.get(k) ?? '',
  setStorageSync: (k, v) => phone.storage.set(k, v),
  removeStorageSync: (k) => phone.storage.delete(k),
  getStorageInfoSync: () => ({ keys: [...phone.storage.keys()], currentSize: 0, limitSize: 10240 }),
  getNetworkType: (o) => done(o, { networkType: phone.online ? 'wifi' : 'none' }),
  onNetworkStatusChange: (f) => phone.netListeners.push(f),
  onAppShow() {}, onAppHide() {}, onError() {}, onUnhandledRejection() {}, onThemeChange() {}, onPageNotFound() {},
  login: (o) => done(o, { code: 'code-1' }),
  request(o) {
    queueMicrotask(() => {
      try {
        const r = answer(o)
        if (r) done(o, r)
        else o.fail?.({ errMsg: 'request:fail' })
      } catch (e) {
        problems.push(e)
        o.fail?.({ errMsg: String(e) })
      }
    })
    return { abort() {} }
  },
  connectSocket(o) {
    const on = {}
    const task = { url: o.url, sent: [], onOpen: (f) => (on.open = f), onMessage: (f) => (on.message = f), onClose: (f) => (on.close = f), onError: (f) => (on.error = f), send: ({ data }) => task.sent.push(JSON.parse(data)), close() {}, on }
    phone.sockets.push(task)
    return task
  },
  requestSubscribeMessage: (o) => {
    phone.subscribed.push(o.tmplIds)
    done(o, Object.fromEntries(o.tmplIds.map((id) => [id, 'accept'])))
  },
  showModal: (o) => done(o, { confirm: phone.modal, cancel: !phone.modal }),
  showToast: done, hideToast: done,
  pageScrollTo: (o) => (phone.scrolls++, done(o)),
  setClipboardData: (o) => ((phone.clipboard = o.data), done(o)),
  navigateTo: (o) => (phone.went.push(o.url), done(o)),
  redirectTo: (o) => (phone.went.push(o.url), done(o)),
  switchTab: (o) => (phone.went.push(o.url), done(o)),
  reLaunch: (o) => (phone.went.push(o.url), done(o)),
  navigateBack: (o) => (phone.went.push('back'), done(o)),
  createSelectorQuery: () => ({ in: () => wx.createSelectorQuery(), select: () => wx.createSelectorQuery(), selectAll: () => wx.createSelectorQuery(), boundingClientRect: () => wx.createSelectorQuery(), exec: (f) => f?.([]) }),
  createIntersectionObserver: () => ({ relativeToViewport: () => ({ observe() {} }), disconnect() {} }),
  nextTick: (f) => setTimeout(f, 0),
}
export const problems = []
let app
let pages = []
Object.assign(globalThis, { wx, App: (o) => (app = o), getApp: () => app, getCurrentPages: () => pages, Page: () => { throw new Error('pages are components here') }, __wxConfig: {} })

const complaints = []
for (const level of ['warn', 'error']) {
  const say = console[level].bind(console)
  console[level] = (...a) => {
    complaints.push(a.map(String).join(' '))
    if (process.env.MINI_DEBUG) say(...a)
  }
}
export const said = complaints

// The compiler lists all files, also of folders that no page uses.
const simulate = require('miniprogram-simulate')
require(join(root, 'app.js'))
app.onLaunch?.({ path: '', query: {}, scene: 1001 })

export const tick = (ms = 0) => new Promise((r) => setTimeout(r, ms))

/** Waits for requests, promises and redraws to settle. */
export async function settled(rounds = 12) {
  for (let i = 0; i < rounds; i++) await tick(2)
}

/** Opens a page as WeChat does and returns it. */
export async function open(path, query = {}) {
  const id = simulate.load(join(root, path), path.replaceAll('/', '-'), { compiler: 'official', rootPath: root })
  const comp = simulate.render(id)
  const parent = document.createElement('wx-page')
  document.body.replaceChildren(parent)
  comp.attach(parent)
  const page = comp.instance
  Object.assign(page, { route: path, options: query, __route__: path })
  pages = [page]
  page.onLoad?.(query)
  page.onShow?.()
  page.onReady?.()
  await settled()
  return new Shown(comp, page)
}

class Shown {
  constructor(comp, page) {
    Object.assign(this, { comp, page })
  }
  /** All text on the page, in order. */
  get text() {
    return document.body.textContent.replace(/\s+/g, ' ').trim()
  }
  /** Elements whose own class list holds the class, in order. */
  all(cls) {
    return [...document.body.querySelectorAll('*')].filter((e) => (e.getAttribute('class') ?? '').split(/\s+/).some((c) => c === cls || c.endsWith('--' + cls)))
  }
  /** The innermost tappable element that shows exactly this text or has this label. */
  find(name) {
    const all = [...document.body.querySelectorAll('*')].filter((e) => e.getAttribute('aria-label') === name || e.textContent.replace(/\s+/g, ' ').trim() === name)
    const at = all.at(-1)
    if (!at) throw new Error(`nothing says “${name}”; the page says: ${this.text}`)
    return at
  }
  has(name) {
    return this.text.includes(name)
  }
  async tap(target) {
    const el = typeof target === 'string' ? this.find(target) : target
    const at = { identifier: 1, target: el, clientX: 5, clientY: 5, pageX: 5, pageY: 5, screenX: 5, screenY: 5 }
    const touch = (type, changed) => {
      const e = new dom.window.Event(type, { bubbles: true, cancelable: true })
      Object.assign(e, { touches: changed ? [] : [at], targetTouches: changed ? [] : [at], changedTouches: [at] })
      el.dispatchEvent(e)
    }
    touch('touchstart', false)
    touch('touchend', true)
    await settled()
  }
  leave() {
    this.page.onUnload?.()
    this.comp.detach()
    pages = []
  }
}

export const me = {
  id: '1', name: '刘芳', kind: 'full', orgId: '7', orgName: '第一党支部', orgPathNames: ['城关街道党工委', '第一党支部'], groupName: '第一党小组',
  posts: [{ code: 'secretary', label: '支部书记' }], staff: true,
  settings: { textSize: 'normal', highContrast: false, recommendations: true, rankings: true },
}
export const signedIn = {
  'POST /session/refresh': () => ({ access: 'a1', accessExpiresAt: '2026-03-02T01:15:00Z', refresh: 'r2' }),
  'GET /session': me,
  'GET /inbox/count': { unread: 1 },
  'GET /subscriptions': { templates: [{ id: 'tmpl-1', title: '会议通知', about: '' }] },
}
/** Settings that a page file has. */
export const json = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'))
