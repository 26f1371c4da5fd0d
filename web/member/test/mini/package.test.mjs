// What WeChat checks before it takes a package: sizes, and that its own
// compilers understand every template and sheet.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'node:test'
import { JSDOM } from 'jsdom'

const require = createRequire(import.meta.url)
const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'dist', 'mp-weixin')
const MB = 1024 * 1024
const app = JSON.parse(readFileSync(join(root, 'app.json'), 'utf8'))
const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((e) => e.isFile()).map((e) => join(e.parentPath ?? e.path, e.name).slice(root.length + 1))
const size = (list) => list.reduce((sum, f) => sum + statSync(join(root, f)).size, 0)

test('the main package is below 2 MB and no part above, with room to spare', (t) => {
  const parts = app.subPackages ?? app.subpackages
  assert.ok(parts.length >= 3, 'rarely used pages are in sub-packages')
  const inPart = (f) => parts.find((p) => f.startsWith(p.root + '/'))
  const main = size(files.filter((f) => !inPart(f)))
  t.diagnostic(`main package ${(main / 1024).toFixed(0)} KB`)
  assert.ok(main < 2 * MB * 0.5, `the main package has ${main} bytes`)
  let all = main
  for (const p of parts) {
    const n = size(files.filter((f) => inPart(f) === p))
    all += n
    t.diagnostic(`sub-package ${p.root} ${(n / 1024).toFixed(0)} KB`)
    assert.ok(n < 2 * MB, p.root)
  }
  assert.ok(all < 20 * MB)
})

test('every page and component that is named exists', () => {
  const pages = [...app.pages, ...app.subPackages.flatMap((p) => p.pages.map((x) => `${p.root}/${x}`))]
  for (const page of [...pages, ...app.tabBar.list.map((t) => t.pagePath), 'custom-tab-bar/index']) {
    for (const ext of ['.js', '.json', '.wxml']) assert.ok(existsSync(join(root, page + ext)), page + ext)
  }
  for (const f of files.filter((x) => x.endsWith('.json') && x.includes('/'))) {
    const { usingComponents = {} } = JSON.parse(readFileSync(join(root, f), 'utf8'))
    for (const at of Object.values(usingComponents)) {
      assert.ok(existsSync(join(root, at.startsWith('/') ? at : join(dirname(f), at)) + '.json'), `${f} uses ${at}`)
    }
  }
})

test("WeChat's compilers take every template and sheet", () => {
  // What they compile to runs in a page.
  const { window } = new JSDOM('<!doctype html><head></head>')
  Object.assign(globalThis, { window, document: window.document, navigator: window.navigator })
  const compiler = require('miniprogram-compiler')
  const gwx = new Function(compiler.wxmlToJs(root))()
  for (const f of files.filter((x) => x.endsWith('.wxml'))) assert.equal(typeof gwx(f), 'function', f)
  const sheets = new Function(compiler.wxssToJs(root))()
  for (const f of files.filter((x) => x.endsWith('.wxss') && statSync(join(root, x)).size > 0)) assert.ok(sheets(f), f)
})

test('nothing is loaded from elsewhere and nothing is left that only browsers have', () => {
  const without = (pattern, text, f) => assert.ok(!pattern.test(text), `${f} has ${pattern}`)
  for (const f of files.filter((x) => /\.(wxss|wxml|js)$/.test(x))) {
    const text = readFileSync(join(root, f), 'utf8')
    without(/alicdn|preloadAssets|cdn\d?\.dcloud|iconfont/, text, f)
    if (f.endsWith('.wxss')) {
      without(/url\(\s*["']?https?:/, text, f)
      without(/uni-view|\[role/, text, f)
    }
    if (f.endsWith('.js') && !f.startsWith('common/')) without(/\bdocument\.|navigator\.|localStorage/, text, f)
  }
})
