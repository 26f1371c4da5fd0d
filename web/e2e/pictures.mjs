// Takes the pictures of docs/images from a running demonstration: `make build`,
// then `npm run pictures` in web.
import assert from 'node:assert/strict'
import { mkdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withDemo } from './demo.mjs'
import { ask, dropFile, drawn, enter, goto, loadedPictures, openHouse, pasteHtml, person, see, settled, until } from './kit.mjs'
import { ALTS, PASSAGE, TITLE, WORD } from './story.mjs'

const repo = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const images = join(repo, 'docs', 'images')
const MOST = 250 * 1024

async function keep(page, name) {
  await settled(page)
  await page.mouse.move(720, 4)
  const path = join(images, name + '.png')
  await page.screenshot({ path })
  assert.ok(statSync(path).size < MOST, `${name}.png has ${statSync(path).size} bytes, more than ${MOST}`)
}

/** A write of the staff API by this person. */
async function call(p, method, path, data, version) {
  const { csrf } = await ask(p, '/session')
  const headers = { 'X-CSRF-Token': csrf, 'Idempotency-Key': crypto.randomUUID(), Origin: p.house.base }
  if (version !== undefined) headers['If-Match'] = `"${version}"`
  const res = await p.context.request.fetch('/api/staff/v1' + path, { method, headers, data })
  assert.ok(res.ok(), `${method} ${path} answered ${res.status()}: ${await res.text()}`)
  return res.json()
}

const PLANS = [
  [-1, 8, '党员先锋岗：雪后清晨的一条路'],
  [1, 18.5, '一图读懂：发展党员的五个阶段'],
  [2, 8, '周读：把群众的小事当大事办'],
  [3, 12, '社区食堂开张第一周，我们听到了这些话'],
  [4, 18.5, '本周要闻：六个支部的主题党日'],
  [5, 9, '青年党员说：我在窗口的第一百天'],
  [7, 8, '学习提示：民主评议党员怎么开'],
]

/** Posts for the days around today, passed and planned through the API. */
async function plan(editor, reviewer) {
  const model = (await ask(editor, '/posts?state=draft')).items[0]
  const { content, orgId } = await ask(editor, `/posts/${model.id}`)
  const today = Math.floor((Date.now() + 8 * 3600_000) / 86_400_000) * 86_400_000 - 8 * 3600_000
  for (const [days, hour, title] of PLANS) {
    const due = today + days * 86_400_000 + hour * 3600_000
    if (due < Date.now()) continue
    const made = await call(editor, 'POST', '/posts', { orgId })
    const article = { ...content.articles[0], title, body: `## ${title}\n\n${`${title}，请看详细内容。`.repeat(3)}\n` }
    await call(editor, 'PUT', `/posts/${made.id}`, { content: { articles: [article] } }, made.version)
    await release(editor, reviewer, made.id, new Date(due).toISOString())
  }
}

/** Has a written post reviewed and published, at once where no time is given. */
async function release(editor, reviewer, id, dueAt) {
  const account = (await ask(editor, '/accounts')).items.find((a) => a.name === '城关先锋')
  let post = await ask(editor, `/posts/${id}`)
  post = await call(editor, 'POST', `/posts/${id}/submit`, {}, post.version)
  post = await call(reviewer, 'POST', `/posts/${id}/review`, { level: 1, decision: 'pass', hash: post.hash })
  await call(editor, 'POST', `/posts/${id}/schedule`, { dueAt, targets: [{ accountId: account.id, mode: 'publish' }] }, post.version)
}

/** A post with two pictures in the editor, beside its preview. */
async function write(editor) {
  const { page } = editor
  await goto(editor, '/')
  await page.getByRole('button', { name: '写图文' }).click()
  const body = page.getByRole('textbox', { name: '正文' })
  await see(body)
  await page.getByRole('textbox', { name: '标题', exact: true }).fill(TITLE)
  await body.click()
  await pasteHtml(body, WORD, PASSAGE)
  await see(body.getByText(PASSAGE))
  for (const [n, alt] of ALTS.entries()) {
    await page.keyboard.press('Control+End')
    const field = page.getByRole('textbox', { name: '图片说明' }).nth(n)
    await dropFile(page, body, { name: `${n}.png`, type: 'image/png', data: await drawn(page, n, '') })
    await field.fill(alt)
  }
  await page.getByRole('tab', { name: '设置' }).click()
  await page.getByRole('button', { name: '用这张作封面' }).first().click()
  await page.locator('label').filter({ hasText: '党建红' }).click()
  await page.getByLabel('作者').fill('城关先锋')
  await page.getByRole('tab', { name: '预览' }).click()
  await until('the preview is there', async () => (await page.getByLabel('手机预览').locator('img').count()) === 2)
  await see(page.getByRole('status').filter({ hasText: '已保存' }))
  await page.getByRole('textbox', { name: '标题', exact: true }).focus()
  await page.keyboard.press('Control+Home')
}

await withDemo(process.env.TONGXIN_BIN ?? join(repo, 'bin', 'tongxin'), async ({ base, links }) => {
  mkdirSync(images, { recursive: true })
  const house = await openHouse({ base, pictures: images })
  try {
    const editor = await person(house, '王丽')
    await enter(editor, links['王丽'])
    const reviewer = await person(house, '张卫东')
    await enter(reviewer, links['张卫东'])
    await plan(editor, reviewer)
    await goto(editor, '/calendar')
    await keep(editor.page, 'calendar')
    await write(editor)
    await keep(editor.page, 'console')
    const follower = await person(house, '关注者')
    await follower.page.goto('/sandbox/')
    await follower.page.getByRole('tab', { name: '文章' }).click()
    await release(editor, reviewer, /posts\/(\d+)/.exec(editor.page.url())[1])
    await follower.page.locator('#list').getByRole('button', { name: TITLE }).click()
    const article = follower.page.frameLocator('#frame')
    for (const alt of ALTS) await until(`“${alt}” has arrived`, async () => (await loadedPictures(article.getByAltText(alt))) === 1)
    await keep(follower.page, 'sandbox')
    assert.deepEqual(house.complaints, [], 'no page complains')
  } finally {
    await house.browser.close()
  }
})
