// The way of one member: entered on the roster by a file that has to be mended
// first, invited, bound to a WeChat, asked something by a notice, through the
// daily quiz with the network gone in the middle, to the book of wrong answers.
// The program runs already; see cmd/tongxin/e2e_test.go, and publish.mjs for
// what the environment holds.
import assert from 'node:assert/strict'
import { ask, bindByCode, call, enter, expecting, gone, goto, noSideways, openAs, openHouse, person, PHONE_SIZE, see, shot, until } from './kit.mjs'
import { ASK, MEMBER, NOTICE, PHRASE, QUESTIONS, ROSTER, TOPIC, WRONG_ROWS } from './member-story.mjs'

const links = JSON.parse(process.env.TONGXIN_LINKS)
const house = await openHouse({ base: process.env.TONGXIN_URL, pictures: process.env.TONGXIN_TEST_ARTIFACTS })
const started = Date.now()
const done = (what) => console.log(`${((Date.now() - started) / 1000).toFixed(1).padStart(6)} s  ${what}`)

async function importRoster(secretary) {
  const { page } = secretary
  await goto(secretary, '/members')
  const before = (await ask(secretary, '/members?limit=200')).items.length
  await page.getByRole('button', { name: '导入', exact: true }).click()
  const dialog = page.getByRole('dialog', { name: '导入党员名册' })
  const file = (rows) => dialog.getByLabel('名册文件').setInputFiles({ name: '名册.csv', mimeType: 'text/csv', buffer: Buffer.from(rows) })
  await file(ROSTER.wrong)
  await see(dialog.getByRole('status').filter({ hasText: '3 行有误，还没有写入任何内容' }))
  for (const { line, name, column } of WRONG_ROWS) {
    const row = dialog.getByRole('row').filter({ hasText: name })
    await see(row.getByRole('cell', { name: String(line), exact: true }))
    await see(row.getByText(column, { exact: true }))
  }
  assert.equal(await dialog.getByRole('row').filter({ hasText: '有误' }).count(), WRONG_ROWS.length, 'only the wrong rows are called wrong')
  assert.ok(await dialog.getByRole('button', { name: /^导入/ }).isDisabled(), 'nothing can be imported while rows are wrong')
  await shot(secretary, 'roster-wrong')
  assert.equal((await ask(secretary, '/members?limit=200')).items.length, before, 'a dry run writes nothing')

  await file(ROSTER.right)
  await see(dialog.getByRole('status').filter({ hasText: '检查通过：将新增 5 人' }))
  await shot(secretary, 'roster-right')
  await dialog.getByRole('button', { name: '导入 5 人' }).click()
  await see(dialog.getByRole('status').filter({ hasText: '导入完成：新增 5 人' }))
  await dialog.getByRole('button', { name: '关闭', exact: true }).click()
  await gone(dialog)
  await see(page.getByText(MEMBER.name, { exact: true }))
  const all = (await ask(secretary, '/members?limit=200')).items
  assert.equal(all.length, before + 5)
  const member = all.find((m) => m.name === MEMBER.name)
  assert.ok(!JSON.stringify(member).includes(MEMBER.phone), 'lists show no whole phone number')
  return member
}

/** Five questions of the branch as its daily quiz: whoever is under it gets these and no others. */
async function prepareQuiz(secretary, orgId) {
  for (const q of QUESTIONS) {
    await call(secretary, 'POST', '/questions', {
      orgId, state: 'active',
      content: { kind: 'single', stem: q.stem, options: q.options.map((text) => ({ text, right: text === q.right })), explanation: q.explanation, topics: [TOPIC], difficulty: 1 },
    })
  }
  const was = await ask(secretary, `/orgs/${orgId}/daily-quiz`)
  await call(secretary, 'PUT', `/orgs/${orgId}/daily-quiz`, { enabled: true, count: QUESTIONS.length, topics: [TOPIC] }, was.version)
}

async function sendNotice(secretary, member) {
  const c = await call(secretary, 'POST', '/notify/campaigns', { orgId: member.orgId, ...NOTICE, ask: { options: ASK }, audience: { members: [member.id] } })
  await call(secretary, 'POST', `/notify/campaigns/${c.id}/start`, undefined, c.version)
  await until('the notice is in the inbox', async () => (await ask(secretary, `/notify/campaigns/${c.id}`)).recipients === 1)
  return c.id
}

async function bind(code) {
  const p = await person(house, MEMBER.name, PHONE_SIZE)
  const { page } = p
  const res = await p.context.request.post('/sandbox/api/users', { data: { id: 'luojianshe', nickname: MEMBER.nickname, phone: MEMBER.phone } })
  assert.ok(res.ok(), `the sandbox answered ${res.status()}`)
  await openAs(p, MEMBER.nickname)
  await expecting(p, /status of 4\d\d/, async () => {
    await bindByCode(p, code, '罗建国')
    await see(page.getByRole('alert'))
  })
  await noSideways(p, 'binding')
  await shot(p, 'bind-refused')
  await bindByCode(p, code, MEMBER.name)
  await see(page.getByRole('heading', { name: `${MEMBER.name}，您好` }))
  await noSideways(p, 'the home of a member')
  await shot(p, 'member-home')
  return p
}

async function readNotice(p) {
  const { page } = p
  const row = page.getByRole('link').filter({ hasText: NOTICE.title })
  await see(row.getByText('请您回复'))
  await row.click()
  await see(page.getByRole('heading', { name: NOTICE.title }))
  await see(page.getByText('请带好学习笔记'))
  await page.getByRole('radio', { name: ASK[0] }).click()
  await noSideways(p, 'a notice')
  await shot(p, 'notice')
  await page.getByRole('button', { name: '发送回复' }).click()
  await see(page.getByText(`您的回复：${ASK[0]}`))
  await shot(p, 'notice-answered')
}

const saved = (p) => see(p.page.getByRole('status').filter({ hasText: '已保存' }))

/** Answers the question that is shown; told gives what was chosen, by stem. */
async function answer(p, told, wrongly = false) {
  const { page } = p
  const stem = await page.locator('.stem').innerText()
  const q = QUESTIONS.find((x) => stem.includes(x.stem))
  assert.ok(q, `“${stem}” is a question of this branch`)
  const text = wrongly ? q.options.find((o) => o !== q.right) : q.right
  const option = page.getByRole('radio').filter({ hasText: text })
  await option.click()
  await until('the choice shows', async () => (await option.getAttribute('aria-checked')) === 'true')
  told.push({ q, text })
}

async function next(p, n) {
  await p.page.getByRole('button', { name: '下一题' }).click()
  await see(p.page.getByText(`第 ${n} 题`, { exact: true }))
}

async function takeDaily(p) {
  const { page } = p
  const told = []
  const bodies = []
  const listen = (r) => r.url().includes('/api/member/v1/') && bodies.push(r.text().catch(() => ''))
  page.on('response', listen)
  await page.getByRole('button', { name: '返回' }).click()
  await page.getByRole('button', { name: '开始答题' }).click()
  await see(page.getByText('第 1 题', { exact: true }))
  await noSideways(p, 'a question')
  await answer(p, told)
  await saved(p)
  await shot(p, 'question')
  await next(p, 2)
  await answer(p, told, true)
  await saved(p)
  await next(p, 3)

  // Without a network the answer waits on the phone, and the page says so.
  await expecting(p, /ERR_INTERNET_DISCONNECTED/, async () => {
    await p.context.setOffline(true)
    await see(page.getByText('现在没有网络'))
    await answer(p, told)
    await see(page.getByRole('status').filter({ hasText: '待上传 1' }))
    await noSideways(p, 'a question without a network')
    await p.page.screenshot({ path: `${house.pictures}/offline.png` })
    await p.context.setOffline(false)
    await saved(p)
  })
  await gone(page.getByText('现在没有网络'))

  // Everything given is there again after a reload, at the first open question.
  await page.reload()
  await see(page.getByText('第 4 题', { exact: true }))
  await page.getByRole('button', { name: '题号' }).click()
  for (const n of [1, 2, 3]) await see(page.getByRole('button', { name: `第 ${n} 题，已答` }))
  for (const n of [4, 5]) await see(page.getByRole('button', { name: `第 ${n} 题，未答` }))
  await shot(p, 'palette')
  await page.getByRole('button', { name: '第 3 题，已答' }).click()
  await see(page.getByText('第 3 题', { exact: true }))
  assert.equal(await page.getByRole('radio').filter({ hasText: told[2].text }).getAttribute('aria-checked'), 'true', 'the answer given without a network is kept')
  await next(p, 4)
  await answer(p, told)
  await saved(p)
  await next(p, 5)
  await answer(p, told)
  await saved(p)
  assert.equal(new Set(told.map((t) => t.q.stem)).size, QUESTIONS.length, 'each question comes once')
  assert.equal(await page.getByText('正确答案').count(), 0)
  page.off('response', listen)
  assert.ok(!(await Promise.all(bodies)).some((b) => b.includes(PHRASE)), 'no explanation leaves the server before the quiz is handed in')

  await page.getByRole('button', { name: '交卷' }).click()
  await see(page.getByText('所有题目都答了'))
  await page.getByRole('button', { name: '确认交卷' }).click()
  await see(page.getByLabel('4 分，满分 5 分'))
  await see(page.getByText('答对 4 题，共 5 题'))
  await noSideways(p, 'a result')
  await shot(p, 'result')
  return told[1]
}

async function wrongBook(p, missed) {
  const { page } = p
  await page.getByRole('button', { name: '去错题本' }).click()
  await see(page.getByText(missed.q.stem))
  for (const q of QUESTIONS) if (q !== missed.q) assert.equal(await page.getByText(q.stem).count(), 0, 'what was right is not in the book')
  await page.getByRole('button', { name: '想好了，看答案' }).click()
  await see(page.getByRole('radio').filter({ hasText: missed.q.right }).getByText('应选'))
  await see(page.getByRole('radio').filter({ hasText: missed.text }).getByText('选错'))
  await see(page.getByText(missed.q.explanation))
  await noSideways(p, 'the wrong-answer book')
  await shot(p, 'wrong-book')
}

try {
  const secretary = await person(house, '刘芳')
  await enter(secretary, links['刘芳'])
  const member = await importRoster(secretary)
  done('roster mended and imported')
  await prepareQuiz(secretary, member.orgId)
  const notice = await sendNotice(secretary, member)
  done('quiz and notice ready')
  const { code } = await call(secretary, 'POST', `/members/${member.id}/invite`)
  const p = await bind(code)
  done('bound by the code')
  await readNotice(p)
  const { items } = await ask(secretary, `/notify/campaigns/${notice}/recipients`)
  assert.equal(items.length, 1)
  assert.ok(items[0].readAt, 'the secretary sees that it was read')
  done('notice read and answered')
  const missed = await takeDaily(p)
  done('daily quiz with the network gone in the middle')
  await wrongBook(p, missed)
  done('wrong-answer book')
  assert.deepEqual(house.complaints, [], 'no page complains')
} catch (e) {
  for (const p of house.people) await p.page.screenshot({ path: `${house.pictures}/failed-${p.name}.png` }).catch((why) => console.error(`no picture of ${p.name}: ${why.message}`))
  console.error(e)
  for (const c of house.complaints) console.error(c)
  process.exitCode = 1
} finally {
  await house.browser.close()
}
