// What the browser tests stand on: people in browser contexts of their own, a
// watch over everything a page complains about, and waiting on conditions.
import assert from 'node:assert/strict'
import { accessSync, constants, mkdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chromium } from 'playwright-core'

/** Milliseconds that a page may take for anything; machines of CI are slow. */
export const PATIENCE = 30_000

function browserPath() {
  for (const dir of (process.env.PATH ?? '').split(delimiter)) {
    for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
      try {
        accessSync(join(dir, name), constants.X_OK)
        return join(dir, name)
      } catch {
        // not in this directory
      }
    }
  }
  throw new Error('there is no chromium in PATH')
}

/** Starts the browser. pictures is the directory that screenshots are kept in, args are further ones for the browser. */
export async function openHouse({ base, pictures, args = [] }) {
  mkdirSync(pictures, { recursive: true })
  const browser = await chromium.launch({
    executablePath: browserPath(),
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', ...args],
  })
  return { browser, base, pictures, people: [], complaints: [] }
}

/**
 * A person with a browser context and a page. Console errors, uncaught errors,
 * refusals by the content security policy and failed requests are collected
 * in house.complaints.
 */
export async function person(house, name, size = { width: 1440, height: 900 }) {
  const context = await house.browser.newContext({
    viewport: size,
    locale: 'zh-CN',
    timezoneId: 'Asia/Shanghai',
    baseURL: house.base,
    permissions: ['clipboard-read', 'clipboard-write'],
  })
  context.setDefaultTimeout(PATIENCE)
  await context.addInitScript(() =>
    document.addEventListener('securitypolicyviolation', (e) =>
      console.error(`content security policy: ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}:${e.columnNumber} ${e.sample}`),
    ),
  )
  const page = await context.newPage()
  const p = { name, context, page, house, expected: null }
  const complain = (text) => {
    if (!p.expected?.test(text)) house.complaints.push(`${name} at ${page.url().replace(/token=.*/, 'token=…')}: ${text}`)
  }
  page.on('console', (m) => m.type() === 'error' && complain(`console: ${m.text()} ${m.location().url}`))
  page.on('pageerror', (e) => complain(`uncaught: ${e.stack ?? e}`))
  page.on('response', (r) => r.status() >= 500 && complain(`${r.request().method()} ${r.url()} answered ${r.status()}`))
  house.people.push(p)
  return p
}

/** Runs work during which complaints that match are what the step wants to see. */
export async function expecting(p, pattern, work) {
  p.expected = pattern
  try {
    return await work()
  } finally {
    p.expected = null
  }
}

/** Waits until probe gives something true and returns it. */
export async function until(what, probe, limit = PATIENCE) {
  const end = Date.now() + limit
  let last
  for (;;) {
    try {
      const got = await probe()
      if (got) return got
      last = got
    } catch (e) {
      last = e
    }
    if (Date.now() > end) throw new Error(`not after ${limit / 1000} s: ${what} (last: ${last?.message ?? JSON.stringify(last)})`)
    await new Promise((r) => setTimeout(r, 100))
  }
}

/** Waits until something is to be seen. */
export const see = (locator) => locator.first().waitFor({ state: 'visible' })
/** Waits until something is not to be seen any more. */
export const gone = (locator) => locator.first().waitFor({ state: 'hidden' })

/** What the server says to this person: JSON of a GET of the staff API. */
export async function ask(p, path) {
  const res = await p.context.request.get('/api/staff/v1' + path)
  assert.ok(res.ok(), `GET ${path} answered ${res.status()}`)
  return res.json()
}

/** What the server does for this person: a write of the staff API, with what came back. match is the version an edit is based on. */
export async function call(p, method, path, data, match) {
  const headers = { 'X-CSRF-Token': (await ask(p, '/session')).csrf }
  if (match !== undefined) headers['If-Match'] = `"${match}"`
  const res = await p.context.request.fetch('/api/staff/v1' + path, { method, headers, data })
  const text = await res.text()
  assert.ok(res.ok(), `${method} ${path} answered ${res.status()}: ${text}`)
  return text ? JSON.parse(text) : null
}

/** Spends a one-time link and closes the first-run tour if there is one to see. */
export async function enter(p, link, { tour = true } = {}) {
  await p.page.goto(link)
  await p.page.getByRole('button', { name: '进入同心' }).click()
  await see(p.page.getByRole('navigation', { name: '主导航' }))
  if (!tour) return
  const dialog = p.page.getByRole('dialog', { name: '欢迎使用同心' })
  await see(dialog)
  await dialog.getByRole('button', { name: '跳过' }).click()
  await gone(dialog)
}

/** Spends the one-time link of a member on a page of the members. */
export async function enterMember(p, link) {
  await p.page.goto(link)
  await p.page.getByRole('button', { name: '进入同心' }).click()
  await see(p.page.getByRole('heading', { name: /，您好$/ }))
}

/** Opens the members' pages as a person of the sandbox whom WeChat knows and the roster does not yet. */
export async function openAs(p, nickname) {
  const { page } = p
  await page.goto('/sandbox/')
  const link = page.getByRole('link', { name: nickname })
  await link.evaluate((a) => a.removeAttribute('target')) // here, not in another window
  await link.click()
  await see(page.getByText('用邀请码登录'))
  await settled(page)
}

/** Fills in the invite code and the name, and sends them. */
export async function bindByCode(p, code, name) {
  await p.page.getByRole('textbox', { name: '邀请码' }).fill(code)
  await p.page.getByRole('textbox', { name: '姓名' }).fill(name)
  await p.page.getByRole('button', { name: '登录', exact: true }).click()
}

/** The size of a small phone. */
export const PHONE_SIZE = { width: 375, height: 740 }

/** Opens a page of the console afresh: a change of the part after # alone would load nothing to wait for. */
export async function goto(p, path) {
  await p.page.goto('about:blank')
  await p.page.goto('/console/#' + path)
  await settled(p.page)
}

/** Waits until the page has drawn: no running requests, no skeletons, no movement, all shown pictures there. */
export async function settled(page) {
  await page.waitForLoadState('networkidle')
  await until('the page has settled', async () => {
    const left = await page.evaluate(() => {
      if ([...document.querySelectorAll('.el-skeleton, .el-loading-mask')].some((e) => e.checkVisibility())) return 'a skeleton'
      const moving = document.getAnimations().find((a) => a.playState === 'running' && a.effect?.getComputedTiming().endTime !== Infinity)
      if (moving) return `${moving.animationName ?? moving.transitionProperty} of ${moving.effect.target?.className}`
      const missing = [...document.images].find((i) => !i.complete && i.loading !== 'lazy')
      return missing ? missing.src : ''
    })
    if (left) throw new Error(left)
    return true
  })
}

/** Keeps a screenshot, numbered in the order of the run. */
export async function shot(p, name) {
  await settled(p.page)
  const h = p.house
  h.shots = (h.shots ?? 0) + 1
  await p.page.screenshot({ path: join(h.pictures, `${String(h.shots).padStart(2, '0')}-${name}.png`) })
}

/** Presses Tab until the element has the focus, as a person without a mouse does. */
export async function tabTo(p, locator, most = 80) {
  for (let i = 0; i < most; i++) {
    await p.page.keyboard.press('Tab')
    if (await locator.evaluate((el) => el === document.activeElement || el.contains(document.activeElement))) return
  }
  throw new Error(`${most} presses of Tab do not reach ${locator}`)
}

/** Fails when the page itself can be scrolled sideways. */
export async function noSideways(p, what) {
  const over = await p.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  assert.ok(over <= 0, `${what} is ${over} px wider than the window of ${p.page.viewportSize().width} px`)
}

/** Pictures inside the element that have really arrived. */
export async function loadedPictures(locator) {
  return locator.evaluateAll((all) => all.filter((i) => i.complete && i.naturalWidth > 0).length)
}

/** A drawn scene as PNG bytes; every number gives another picture. */
export async function drawn(page, n, text, width = 1200, height = 675) {
  const base64 = await page.evaluate(
    ({ n, text, width, height }) => {
      const c = document.createElement('canvas')
      c.width = width
      c.height = height
      const g = c.getContext('2d')
      const sky = g.createLinearGradient(0, 0, 0, height)
      const hues = [['#f7d9b5', '#f4b183', '#b3402c'], ['#cfe3f2', '#f3ead8', '#2a5b94'], ['#e3eedb', '#f6f0dc', '#2c7248']][n % 3]
      sky.addColorStop(0, hues[0])
      sky.addColorStop(1, hues[1])
      g.fillStyle = sky
      g.fillRect(0, 0, width, height)
      g.fillStyle = '#ffffffcc'
      g.beginPath()
      g.arc(width * 0.78, height * 0.26, height * 0.1, 0, 7)
      g.fill()
      for (let i = 0; i < 9; i++) {
        const w = width / 9
        const h = height * (0.25 + ((i * 37 + n * 53) % 40) / 100)
        g.fillStyle = hues[2] + (i % 2 ? 'cc' : 'ee')
        g.fillRect(i * w, height - h, w - 6, h)
        g.fillStyle = '#fff3cd'
        for (let y = 0; y < 4; y++) for (let x = 0; x < 3; x++) if ((x * 5 + y * 3 + i + n) % 4) g.fillRect(i * w + 16 + x * 34, height - h + 22 + y * 40, 16, 20)
      }
      g.fillStyle = '#2b2925'
      g.font = `500 ${Math.round(height / 11)}px sans-serif`
      g.fillText(text, width * 0.05, height * 0.17)
      return c.toDataURL('image/png').split(',')[1]
    },
    { n, text, width, height },
  )
  return Buffer.from(base64, 'base64')
}

/** Drops files on an element, as if dragged in from outside of the browser. */
export async function dropFile(page, locator, { name, type, data }) {
  const transfer = await page.evaluateHandle(
    ({ name, type, base64 }) => {
      const t = new DataTransfer()
      t.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name, { type }))
      return t
    },
    { name, type, base64: data.toString('base64') },
  )
  const box = await locator.boundingBox()
  const at = { dataTransfer: transfer, clientX: box.x + box.width / 2, clientY: box.y + box.height - 8 }
  for (const event of ['dragenter', 'dragover', 'drop']) await locator.dispatchEvent(event, at)
}

/** Puts a picture on the clipboard of the browser and pastes it with the keyboard. */
export async function pastePicture(page, data) {
  await page.evaluate(async (base64) => {
    const blob = new Blob([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], { type: 'image/png' })
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': blob })])
  }, data.toString('base64'))
  await page.keyboard.press('Control+V')
}

/**
 * Pastes HTML as an office program offers it. The clipboard of the browser
 * would clean it first, so the event is made here.
 */
export async function pasteHtml(locator, html, text) {
  await locator.evaluate(
    (el, { html, text }) => {
      const t = new DataTransfer()
      t.setData('text/html', html)
      t.setData('text/plain', text)
      el.dispatchEvent(new ClipboardEvent('paste', { clipboardData: t, bubbles: true, cancelable: true }))
    },
    { html, text },
  )
}
