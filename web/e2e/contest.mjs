// A live contest: a host runs it from one browser, two members play it on their
// phones, and one of them loses the page in the middle of a question. The
// program runs already; see cmd/tongxin/e2e_test.go, and publish.mjs for what
// the environment holds.
import assert from 'node:assert/strict'
import { ask, bindByCode, call, enter, enterMember, goto, noSideways, openAs, openHouse, person, PHONE_SIZE, see, shot, until } from './kit.mjs'
import { QUESTIONS, TOPIC } from './member-story.mjs'

const links = JSON.parse(process.env.TONGXIN_LINKS)
const house = await openHouse({ base: process.env.TONGXIN_URL, pictures: process.env.TONGXIN_TEST_ARTIFACTS })
const started = Date.now()
const done = (what) => console.log(`${((Date.now() - started) / 1000).toFixed(1).padStart(6)} s  ${what}`)
const TITLE = '支部学习抢答'
/** The first has a one-time link of the demonstration, the second a WeChat in its sandbox. */
const NAMES = ['马国强', '孙秀英']
const PLAYED = QUESTIONS.slice(0, 4) // the last is skipped

async function openContest(host) {
  const orgId = (await ask(host, '/session')).orgs[0].id
  const questions = []
  for (const q of PLAYED) {
    const made = await call(host, 'POST', '/questions', {
      orgId, state: 'active',
      content: { kind: 'single', stem: q.stem, options: q.options.map((text) => ({ text, right: text === q.right })), explanation: q.explanation, topics: [TOPIC], difficulty: 1 },
    })
    questions.push({ id: made.id, revision: made.revision })
  }
  const c = await call(host, 'POST', '/contests', { orgId, title: TITLE, mode: 'solo', questions, seconds: 120, early: true })
  return call(host, 'POST', `/contests/${c.id}/open`)
}

/** A member on a phone: by the one-time link if there is one, else by WeChat and an invite code. */
async function member(host, name) {
  const p = await person(house, name, PHONE_SIZE)
  if (links[name]) await enterMember(p, links[name])
  else {
    const { id } = (await ask(host, `/members?q=${encodeURIComponent(name)}`)).items[0]
    const { code } = await call(host, 'POST', `/members/${id}/invite`)
    await openAs(p, name)
    await bindByCode(p, code, name)
    await see(p.page.getByRole('heading', { name: `${name}，您好` }))
  }
  return p
}

async function comeIn(p, code) {
  const { page } = p
  await page.getByRole('link', { name: '竞赛', exact: true }).click()
  await page.getByRole('textbox', { name: '参赛码' }).fill(code.toLowerCase())
  await page.getByRole('button', { name: '进入比赛' }).click()
  await see(page.getByRole('heading', { name: TITLE, level: 2 }))
  await see(page.getByText('主持人马上开始'))
  await noSideways(p, 'the lobby')
}

const stemOf = (q) => (p) => see(p.page.getByText(q.stem))

async function choose(p, text) {
  await p.page.getByRole('radio').filter({ hasText: text }).click()
  await p.page.getByRole('button', { name: '提交答案' }).click()
}
const acked = (p) => see(p.page.getByRole('status').filter({ hasText: '答案已送达' }))
const wrongOf = (q) => q.options.find((o) => o !== q.right)

/** Presses a button of the host's page. */
const press = (host, name) => host.page.getByRole('button', { name, exact: true }).click()

/** One question: both see it, both answer, both see what was right and the board. */
async function question(host, id, n, button, first, second, answers, { reload = false, pause = false } = {}) {
  const q = PLAYED[n - 1]
  await press(host, button)
  for (const p of [first, second]) await stemOf(q)(p)
  for (const p of [first, second]) assert.equal(await p.page.getByText(q.explanation).count(), 0, 'no explanation before the question is over')
  if (n === 1) await shot(second, 'contest-question')
  if (pause) {
    await press(host, '暂停')
    await see(host.page.getByRole('heading', { name: '已暂停' }))
    for (const p of [first, second]) await see(p.page.getByText('暂停'))
    await press(host, '继续')
    for (const p of [first, second]) await stemOf(q)(p)
  }
  await choose(first, answers[0])
  await acked(first)
  if (n === 1) await shot(first, 'contest-acked')
  if (reload) {
    await second.page.reload()
    await stemOf(q)(second)
    await see(second.page.getByText(`${n} / ${PLAYED.length}`))
    await shot(second, 'contest-after-reload')
  }
  await choose(second, answers[1])
  // Everybody has answered: the question is over.
  for (const p of [first, second]) {
    await see(p.page.getByText(q.explanation))
    await see(p.page.getByText('全场 2 人作答'))
    await see(p.page.getByRole('heading', { name: '排名' }))
    await noSideways(p, 'the board')
  }
  await until('the host is told that it is over', async () => (await ask(host, `/contests/${id}`)).phase === 'closed')
}

try {
  const host = await person(house, '刘芳')
  await enter(host, links['刘芳'])
  const c = await openContest(host)
  assert.match(c.code, /^[2-9A-HJKMNP-Z]{6}$/)
  const [first, second] = [await member(host, NAMES[0]), await member(host, NAMES[1])]
  for (const p of [first, second]) await comeIn(p, c.code)
  await see(second.page.getByText('2', { exact: true }))
  await shot(second, 'contest-lobby')
  await goto(host, `/contests/${c.id}`)
  await see(host.page.getByText(c.code))
  const wall = { ...host, name: 'wall', page: await host.context.newPage() }
  await goto(wall, `/contests/${c.id}/screen`)
  await see(wall.page.getByText(c.code))
  await press(host, '停止入场')
  await see(host.page.getByRole('button', { name: '允许入场' }))
  await press(host, '允许入场')
  await see(host.page.getByRole('button', { name: '停止入场' }))
  done('two members in the lobby, the host at the desk, the wall on')
  await question(host, c.id, 1, '开始第一题', first, second, [PLAYED[0].right, wrongOf(PLAYED[0])])
  await see(first.page.getByText(/答对了，得 \d+ 分/))
  await see(second.page.getByText('没有答对，下一题加油'))
  await see(wall.page.getByText(NAMES[0]))
  await shot(first, 'contest-board')
  await shot(host, 'contest-desk')
  await shot(wall, 'contest-wall')
  done('first question')
  await question(host, c.id, 2, '下一题', first, second, [PLAYED[1].right, PLAYED[1].right], { reload: true, pause: true })
  await see(second.page.getByText(/答对了，得 \d+ 分/))
  done('second question, with a pause, and one player away in the middle')
  await question(host, c.id, 3, '下一题', first, second, [PLAYED[2].right, wrongOf(PLAYED[2])])
  await press(host, '下一题')
  for (const p of [first, second, wall]) await stemOf(PLAYED[3])(p)
  await press(host, '跳过本题')
  await host.page.getByRole('dialog', { name: '跳过这一题？' }).getByRole('button', { name: '跳过', exact: true }).click()
  await see(host.page.getByText('这一题已跳过，不计分。'))
  await press(host, '公布最终成绩')
  for (const p of [first, second]) await see(p.page.getByRole('heading', { name: '比赛结束' }))
  await see(host.page.getByRole('link', { name: '导出成绩' }))
  await see(first.page.getByText('第 1 名'))
  await see(second.page.getByText('第 2 名'))
  await shot(first, 'contest-finished')
  await shot(second, 'contest-finished-second')
  await shot(host, 'contest-results')
  done('finished')
  const { contest, places } = await ask(host, `/contests/${c.id}/results`)
  assert.equal(contest.state, 'finished')
  assert.deepEqual(places.map((p) => [p.rank, p.name, p.right]), [[1, NAMES[0], 3], [2, NAMES[1], 1]], 'each answer counts once')
  for (const [i, p] of [first, second].entries()) await see(p.page.getByText(`${places[i].score} 分`).first())
  assert.deepEqual(house.complaints, [], 'no page complains')
} catch (e) {
  for (const p of house.people) await p.page.screenshot({ path: `${house.pictures}/failed-${p.name}.png` }).catch((why) => console.error(`no picture of ${p.name}: ${why.message}`))
  console.error(e)
  for (const c of house.complaints) console.error(c)
  process.exitCode = 1
} finally {
  await house.browser.close()
}
