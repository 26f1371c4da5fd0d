// The way of one post: written with two pictures, returned once, passed by
// three reviewers, dragged to another day, published at its time, seen on a
// follower's phone. The program runs already; see cmd/tongxin/e2e_test.go.
//
//   TONGXIN_URL             address of the program
//   TONGXIN_LINKS           JSON: one-time sign-in links by the name of the person
//   TONGXIN_TEST_ARTIFACTS  directory for the screenshots
import assert from 'node:assert/strict'
import { ask, dropFile, drawn, enter, expecting, gone, goto, loadedPictures, openHouse, pasteHtml, pastePicture, person, see, settled, shot, tabTo, until } from './kit.mjs'
import { lookAround } from './pages.mjs'
import { ALTS, CAPTION, COMMENT, FIXED, LONG_TITLE, PASSAGE, REASON, TITLE, WORD } from './story.mjs'

const links = JSON.parse(process.env.TONGXIN_LINKS)
const house = await openHouse({ base: process.env.TONGXIN_URL, pictures: process.env.TONGXIN_TEST_ARTIFACTS })
const PHONE = '/sandbox/#wx00000000000de301'
/** The post in the calendar; other entries name it in their warnings. */
const PLANNED = new RegExp(`^\\d\\d:\\d\\d ${TITLE}`)
const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const SHANGHAI = 8 * 60 * MINUTE
const started = Date.now()
const done = (what) => console.log(`${((Date.now() - started) / 1000).toFixed(1).padStart(6)} s  ${what}`)

const join = async (name, options) => {
  const p = await person(house, name)
  await enter(p, links[name], options)
  return p
}
const saved = (p) => see(p.page.getByRole('status').filter({ hasText: '已保存' }))
const said = (p, text) => see(p.page.locator('.el-message').filter({ hasText: text }))
/** The day in Shanghai of an instant, 2026-03-09. */
const day = (at) => new Date(at + SHANGHAI).toISOString().slice(0, 10)
const time = (at) => new Date(at + SHANGHAI).toISOString().slice(11, 16)
const spoken = (at) => day(at).replace(/^(\d+)-0?(\d+)-0?(\d+)$/, '$1年$2月$3日')

async function threeLevels(admin) {
  const { page } = admin
  await goto(admin, '/people')
  await page.getByRole('navigation', { name: '组织' }).getByRole('button', { name: '城关街道党工委' }).click()
  await page.getByRole('tab', { name: '设置' }).click()
  await page.getByText('三审三校', { exact: true }).click()
  await shot(admin, 'organisation-settings')
  await page.getByRole('button', { name: '保存设置' }).click()
  await said(admin, '设置已保存')
  await page.reload()
  const id = (await ask(admin, '/orgs')).items.find((o) => o.name === '城关街道党工委').id
  assert.equal((await ask(admin, `/orgs/${id}/settings`)).effective.reviewLevels, 3)
}

async function write(editor) {
  const { page } = editor
  await tabTo(editor, page.getByRole('button', { name: '写图文' }))
  await page.keyboard.press('Enter')
  const title = page.getByRole('textbox', { name: '标题', exact: true })
  const body = page.getByRole('textbox', { name: '正文' })
  await see(body)

  // What is wrong is shown, and goes away when it is put right.
  const findings = page.getByRole('tab', { name: /^检查/ })
  await findings.click()
  await title.fill(LONG_TITLE)
  await see(page.locator('.side').getByText(/标题.*32/))
  await see(page.getByRole('button', { name: /^送审（\d+ 处要修改）$/ }))
  await shot(editor, 'editor-findings')
  await title.fill(TITLE)
  await gone(page.locator('.side').getByText(/标题.*32/))

  await body.click()
  await pasteHtml(body, WORD, PASSAGE)
  await see(body.getByText(PASSAGE))
  assert.equal(await body.locator('ol li').count(), 2, 'a numbered list of Word stays one')
  assert.equal(await body.locator('table tr').count(), 2)
  assert.doesNotMatch(await body.innerHTML(), /mso|script|仿宋|yellow/i)
  await page.keyboard.press('Control+End')
  await page.keyboard.press('Enter')

  await dropFile(page, body, { name: '长寿面.png', type: 'image/png', data: await drawn(page, 0, '一碗长寿面') })
  const alts = page.getByRole('textbox', { name: '图片说明' })
  await until('the dropped picture is in the text', async () => (await alts.count()) === 1)
  await page.keyboard.press('Control+End')
  await pastePicture(page, await drawn(page, 1, '小院合影'))
  await until('the pasted picture is in the text', async () => (await alts.count()) === 2)
  await alts.nth(0).fill(ALTS[0])
  await alts.nth(1).fill(ALTS[1])
  await page.getByRole('textbox', { name: '图注' }).nth(0).fill(CAPTION)
  await until('both pictures show in the text', async () => (await loadedPictures(body.locator('img'))) === 2)

  await dress(editor)
  await page.getByRole('tab', { name: '预览' }).click()
  const preview = page.getByLabel('手机预览')
  await see(preview.getByRole('heading', { name: TITLE }))
  await see(preview.getByText(PASSAGE))
  await until('the preview shows both pictures', async () => (await loadedPictures(preview.locator('img'))) === 2)
  for (const alt of ALTS) await see(preview.getByAltText(alt))
  await saved(editor)
  await shot(editor, 'editor-preview')

  // What was typed is on the server: a fresh load shows it.
  await page.reload()
  await see(page.getByRole('textbox', { name: '正文' }).getByText(PASSAGE))
  assert.equal(await title.inputValue(), TITLE)
  const id = /posts\/(\d+)/.exec(page.url())[1]
  const { content } = await ask(editor, `/posts/${id}`)
  assert.equal(content.articles[0].theme, 'red')
  assert.ok(content.articles[0].cover.wide?.length === 4, 'the crop of the cover is stored')
  await page.getByRole('button', { name: '送审', exact: true }).click()
  await said(editor, '已送审')
  await see(page.getByText('等待审核'))
  await shot(editor, 'post-in-review')
  return id
}

/** Cover with crop, author, digest and theme. */
async function dress(editor) {
  const { page } = editor
  await page.getByRole('tab', { name: '设置' }).click()
  await page.getByRole('button', { name: '选择封面图片' }).click()
  const dialog = page.getByRole('dialog', { name: '选择封面' })
  await dialog.locator('input[type=file]').setInputFiles({ name: '封面.png', mimeType: 'image/png', buffer: await drawn(page, 2, '重阳', 1410, 800) })
  await see(dialog.getByRole('option', { selected: true }))
  await dialog.getByRole('button', { name: '使用' }).click()
  await gone(dialog)
  const crop = page.getByRole('group', { name: /^头条封面/ })
  await crop.focus()
  const before = await crop.boundingBox()
  for (const key of ['-', '-', 'ArrowRight', 'ArrowDown']) await page.keyboard.press(key)
  const after = await crop.boundingBox()
  assert.ok(after.width < before.width && after.x > before.x, 'the keys move the crop')
  await page.getByLabel('作者').fill('城关先锋')
  await page.getByLabel('摘要').fill('重阳节前一天，志愿者走进楼院，为老人煮面、理发、检修水电。')
  await page.locator('label').filter({ hasText: '红' }).first().click()
  await shot(editor, 'editor-settings')
}

/** Marks a passage with the mouse. */
async function markPassage(page, text) {
  const box = await page.locator('.article').evaluate((el, text) => {
    const walk = document.createTreeWalker(el, NodeFilter.SHOW_TEXT)
    while (walk.nextNode()) {
      const at = walk.currentNode.nodeValue.indexOf(text)
      if (at < 0) continue
      walk.currentNode.parentElement.scrollIntoView({ block: 'center' })
      const range = document.createRange()
      range.setStart(walk.currentNode, at)
      range.setEnd(walk.currentNode, at + text.length)
      const all = [...range.getClientRects()]
      const first = all[0]
      const last = all[all.length - 1]
      return { x1: first.left + 1, y1: first.top + first.height / 2, x2: last.right - 1, y2: last.top + last.height / 2 }
    }
    return null
  }, text)
  assert.ok(box, `“${text}” is in the article`)
  await page.mouse.move(box.x1, box.y1)
  await page.mouse.down()
  await page.mouse.move((box.x1 + box.x2) / 2, box.y2, { steps: 4 })
  await page.mouse.move(box.x2, box.y2, { steps: 4 })
  await page.mouse.up()
}

async function openReview(p) {
  await goto(p, '/review')
  await p.page.getByRole('link', { name: TITLE }).click()
  await see(p.page.locator('.article').getByText(PASSAGE))
}

async function giveBack(reviewer) {
  const { page } = reviewer
  await openReview(reviewer)
  await until('the reviewer sees both pictures', async () => (await loadedPictures(page.locator('.article img'))) === 2)
  await markPassage(page, PASSAGE)
  await page.getByRole('button', { name: '批注', exact: true }).click()
  await page.getByRole('textbox', { name: '批注' }).fill(COMMENT)
  await page.getByRole('button', { name: '发出批注' }).click()
  await see(page.locator('.thread').filter({ hasText: COMMENT }))
  await page.getByRole('button', { name: '退回…' }).click()
  await page.getByRole('textbox', { name: '退回的原因' }).fill(REASON)
  await shot(reviewer, 'review-return')
  await page.getByRole('button', { name: '确定退回' }).click()
  await said(reviewer, '已退回')
}

async function mend(editor, id) {
  const { page } = editor
  await goto(editor, '/')
  await shot(editor, 'dashboard-returned')
  await page.getByRole('link', { name: TITLE }).first().click()
  await page.waitForURL(/\/edit$/)
  await see(page.getByText(REASON))
  await page.getByRole('tab', { name: /^批注/ }).click()
  const thread = page.locator('.thread').filter({ hasText: COMMENT })
  await thread.getByRole('button', { name: PASSAGE }).click()
  await until('the passage is selected in the text', async () => (await page.evaluate(() => getSelection().toString())) === PASSAGE)
  await shot(editor, 'editor-comment')
  await page.keyboard.press('ArrowLeft')
  await page.keyboard.insertText(FIXED)
  await see(page.getByRole('textbox', { name: '正文' }).getByText(FIXED + PASSAGE))
  await thread.getByRole('button', { name: '标为已解决' }).click()
  await gone(thread)
  await saved(editor)
  await page.getByRole('button', { name: '送审', exact: true }).click()
  await said(editor, '已送审')
  await see(page.getByText('等待审核'))
  assert.equal((await ask(editor, `/posts/${id}`)).level, 1, 'the review starts again at the first level')
}

async function pass(p, level) {
  await openReview(p)
  await see(p.page.locator('.article').getByText(FIXED + PASSAGE))
  const button = p.page.getByRole('button', { name: level + '通过' })
  await tabTo(p, button)
  await shot(p, 'review')
  await p.page.keyboard.press('Enter')
  await said(p, level + '已通过')
}

async function schedule(editor, id) {
  const { page } = editor
  await goto(editor, `/posts/${id}`)
  await see(page.locator('header').getByText('审核通过'))
  await page.getByRole('button', { name: '排期发布' }).click()
  const dialog = page.getByRole('dialog', { name: /^排期/ })
  await dialog.getByText('城关先锋', { exact: true }).click()
  await see(dialog.getByText('不会推送给关注者'))
  await settled(page)
  await shot(editor, 'schedule')
  await dialog.getByRole('button', { name: '确定排期' }).click()
  await said(editor, '已排期')
  const due = Date.parse((await ask(editor, `/posts/${id}`)).dueAt)
  assert.ok(due > Date.now() && due <= Date.now() + 61 * MINUTE, 'the next full hour')
  return due
}

/** Two days on with the mouse; the time of day stays. */
async function drag(editor, id, due) {
  const { page } = editor
  await goto(editor, '/calendar')
  const chip = page.getByRole('button', { name: PLANNED })
  await see(chip)
  await shot(editor, 'calendar')
  const target = page.getByRole('gridcell', { name: day(due + 2 * DAY) })
  await chip.dragTo(target)
  await said(editor, '已改到')
  await see(target.getByRole('button', { name: PLANNED }))
  assert.equal(await chip.count(), 1, 'the post is on one day only')
  const moved = Date.parse((await ask(editor, `/posts/${id}`)).dueAt)
  assert.equal(moved - due, 2 * DAY)
  await shot(editor, 'calendar-dragged')
}

/** To a near minute, with the keyboard. */
async function soon(editor, id) {
  const { page } = editor
  await page.getByRole('button', { name: PLANNED }).focus()
  await page.keyboard.press('m')
  const dialog = page.getByRole('dialog', { name: /^移到/ })
  await see(dialog)
  // The dialog knows minutes; what is left of this one must do for typing.
  const due = Math.ceil((Date.now() + 15_000) / MINUTE) * MINUTE
  await settled(page)
  for (const [label, text] of [
    ['日期', spoken(due)],
    ['时间', time(due)],
  ]) {
    await dialog.getByLabel(label).focus()
    await settled(page) // the panel opens with the focus
    await page.keyboard.press('Control+A')
    await page.keyboard.type(text)
    await page.keyboard.press('Enter')
    await settled(page)
  }
  await shot(editor, 'calendar-move')
  await dialog.getByRole('button', { name: '改期' }).click()
  await until('the new time is stored', async () => Date.parse((await ask(editor, `/posts/${id}`)).dueAt) === due)
  return due
}

const onPhone = (follower) => follower.page.locator('#list').getByRole('button', { name: TITLE })

async function takeThePhone(due) {
  const follower = await person(house, '关注者')
  const { page } = follower
  await page.goto(PHONE)
  await page.getByRole('tab', { name: '文章' }).click()
  await see(page.locator('#list').getByRole('button'))
  const early = await onPhone(follower).count()
  if (Date.now() < due) assert.equal(early, 0, 'nothing is published before its time')
  return follower
}

async function onThePhone(follower, due) {
  const { page } = follower
  const card = onPhone(follower)
  await until('the phone lists the article', () => card.isVisible(), due - Date.now() + 60_000)
  assert.ok(Date.now() >= due, 'published at its time, not before')
  await see(card.getByText(`发布 · ${time(due)}`))
  await until('the cover shows in the list', async () => (await loadedPictures(card.locator('img'))) === 1)
  await shot(follower, 'phone-list')
  await card.click()
  const article = page.frameLocator('#frame')
  await see(article.getByRole('heading', { name: TITLE }))
  await see(article.getByText(FIXED + PASSAGE))
  await see(article.getByText(CAPTION))
  assert.equal(await article.getByText(ALTS[0]).count(), 0, 'a caption stands in the place of what the picture shows')
  for (const alt of ALTS) {
    const picture = article.getByAltText(alt)
    await picture.scrollIntoViewIfNeeded()
    await until(`“${alt}” has arrived`, async () => (await loadedPictures(picture)) === 1)
  }
  await shot(follower, 'phone-article')
  assert.equal(await page.locator('#list').getByRole('button', { name: TITLE }).count(), 0, 'the reader covers the list')
  await page.getByRole('button', { name: '返回' }).click()
  assert.equal(await card.count(), 1, 'published once')
}

async function afterwards(editor, id, due) {
  const { page } = editor
  const late = Date.parse((await ask(editor, `/posts/${id}`)).deliveries[0].doneAt) - due
  assert.ok(late >= 0 && late < 30_000, `published ${late} ms after its time`)
  await goto(editor, `/posts/${id}`)
  const card = page.locator('.delivery')
  await see(card.getByText('已发布', { exact: true }))
  // The sandbox gives addresses as the real platform does; they lead out of this machine.
  assert.match(await card.getByRole('link', { name: /打开文章/ }).getAttribute('href'), /^https?:\/\/mp\.weixin\.qq\.com\/s\?/)
  await card.getByRole('button', { name: '查看经过' }).click()
  await see(card.locator('.events li').filter({ hasText: '已发布' }))
  await shot(editor, 'post-published')
  done(`the post page tells of it: published ${(late / 1000).toFixed(1)} s after its time`)
}

async function inspect(auditor) {
  const { page } = auditor
  await page.waitForURL(/#\/audit/)
  for (const action of ['送审', '审核退回', '审核通过', '排期', '改期', '已发布', '修改组织设置']) await see(page.getByRole('cell', { name: action, exact: true }))
  await page.getByRole('button', { name: '校验完整性' }).click()
  await see(page.getByRole('status').filter({ hasText: '全部核对无误' }))
  await shot(auditor, 'audit')
  assert.equal(await page.getByRole('navigation', { name: '主导航' }).getByRole('link', { name: '图文' }).count(), 0)
  await expecting(auditor, /status of 40[34]/, async () => {
    await goto(auditor, '/posts')
    await see(page.getByRole('alert'))
    assert.equal(await page.getByText(TITLE).count(), 0, 'an auditor reads no posts')
    await shot(auditor, 'auditor-refused')
  })
  await goto(auditor, '/audit')
}

try {
  const admin = await join('李建国')
  await threeLevels(admin)
  done('three levels of review')
  const editor = await join('王丽')
  const id = await write(editor)
  done('written and submitted')
  const first = await join('张卫东')
  const second = await join('赵敏')
  const third = await join('陈志强')
  assert.equal((await ask(second, '/reviews')).items?.filter((p) => p.id === id).length ?? 0, 0, 'the second level waits for the first')
  await giveBack(first)
  done('returned with a reason and a comment')
  await mend(editor, id)
  done('mended and submitted again')
  await pass(first, '初审')
  await pass(second, '复审')
  await pass(third, '终审')
  done('passed by three reviewers')
  const due = await schedule(editor, id)
  await drag(editor, id, due)
  done('dragged to another day')
  const near = await soon(editor, id)
  done(`moved to ${((near - Date.now()) / 1000).toFixed(0)} s from now`)
  const follower = await takeThePhone(near)
  await lookAround({ admin, editor, reviewer: first }, id)
  done('looked at all pages')
  await onThePhone(follower, near)
  done('seen on the phone')
  await afterwards(editor, id, near)
  const auditor = await join('周正', { tour: false })
  await inspect(auditor)
  await lookAround({ auditor, follower }, id)
  done('the auditor has seen it')
  assert.deepEqual(house.complaints, [], 'no page complains')
} catch (e) {
  for (const p of house.people) await p.page.screenshot({ path: `${house.pictures}/failed-${p.name}.png` }).catch((why) => console.error(`no picture of ${p.name}: ${why.message}`))
  console.error(e)
  for (const c of house.complaints) console.error(c)
  process.exitCode = 1
} finally {
  await house.browser.close()
}
