// A lecture: a host sends a fake camera and microphone from the console, a member
// watches on the phone, is counted, and is disconnected at the end. What counts
// is decoded frames and the energy of the sound. The program runs already; see
// cmd/tongxin/lecture_e2e_test.go, and publish.mjs for what the environment holds.
import assert from 'node:assert/strict'
import { ask, call, enter, enterMember, noSideways, openHouse, person, PHONE_SIZE, see, shot, until } from './kit.mjs'

const links = JSON.parse(process.env.TONGXIN_LINKS)
const house = await openHouse({
  base: process.env.TONGXIN_URL,
  pictures: process.env.TONGXIN_TEST_ARTIFACTS,
  args: ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
})
const started = Date.now()
const done = (what) => console.log(`${((Date.now() - started) / 1000).toFixed(1).padStart(6)} s  ${what}`)
const TITLE = '微党课：红色故事'
const MEMBER = '马国强'

/** Lets the test look into the connection that the page keeps for itself. */
function spy() {
  const Real = window.RTCPeerConnection
  window.RTCPeerConnection = class extends Real {
    constructor(...a) {
      super(...a)
      window.pc = this
    }
  }
}
const received = (p) =>
  p.page.evaluate(async () => {
    const out = { state: window.pc?.connectionState, video: 0, energy: 0 }
    for (const s of (await window.pc?.getStats())?.values() ?? []) {
      if (s.type !== 'inbound-rtp') continue
      if (s.kind === 'video') out.video = s.framesDecoded ?? 0
      else out.energy = s.totalAudioEnergy ?? 0
    }
    return out
  })

const host = await person(house, 'host')
await enter(host, links['刘芳'])
done('the host is in')
await host.page.getByRole('link', { name: '直播讲座' }).click()
await host.page.getByRole('button', { name: '计划讲座' }).click()
await see(host.page.getByRole('heading', { name: '计划讲座' }))
await shot(host, 'lecture-edit')
const orgId = (await ask(host, '/session')).orgs[0].id
const room = await call(host, 'POST', '/lectures', { orgId, title: TITLE, speaker: '李老师', startsAt: new Date().toISOString(), agenda: ['导学', '讨论'] })
await host.page.goto(`/console/#/lectures/${room.id}`)
await host.page.getByRole('button', { name: '开播' }).click()
await host.page.getByRole('button', { name: '打开摄像头' }).click()
await host.page.getByRole('button', { name: '开始推流' }).click()
await see(host.page.getByText('正在直播', { exact: true }))
await shot(host, 'lecture-on-air')
done('the camera is on air')

const viewer = await person(house, 'member', PHONE_SIZE)
await viewer.context.addInitScript(spy)
await enterMember(viewer, links[MEMBER])
await viewer.page.getByRole('link', { name: '学习', exact: true }).click()
await viewer.page.getByRole('link', { name: /直播讲座/ }).click()
await viewer.page.getByText(TITLE).click()
await see(viewer.page.getByRole('heading', { name: TITLE }))
await viewer.page.getByRole('button', { name: '观看直播' }).click()
await until('pictures and sound arrive', async () => {
  const r = await received(viewer)
  return r.video > 30 && r.energy > 0
})
await viewer.page.waitForFunction(() => document.querySelector('video')?.videoWidth > 0 && !document.querySelector('video').muted)
const fit = await viewer.page.evaluate(() => {
  const [v, box] = ['.lecture-video', '.stage'].map((q) => document.querySelector(q).getBoundingClientRect())
  return { inside: v.right <= box.right + 1 && v.bottom <= box.bottom + 1, ratio: v.width / v.height }
})
assert.ok(fit.inside && Math.abs(fit.ratio - 16 / 9) < 0.05, `the whole picture is seen: ${JSON.stringify(fit)}`)
await noSideways(viewer, 'the lecture')
await shot(viewer, 'lecture-watch')
done('the member sees and hears it')

await until('the member is counted', async () => {
  const { people } = await ask(host, `/lectures/${room.id}/attendance`)
  return people.some((a) => a.role === 'member' && a.here && a.seconds > 0) && people.some((a) => a.role === 'host' && a.here)
})
await see(host.page.getByRole('cell', { name: MEMBER }))
await shot(host, 'lecture-attendance')

// A page that is loaded again comes back into the same lecture.
await viewer.page.reload()
await viewer.page.getByRole('button', { name: '观看直播' }).click()
await until('pictures arrive again', async () => (await received(viewer)).video > 10)
done('and again after a reload')

// The door says no, and what a page hangs up is gone already: that is the point.
viewer.expected = /401|404|409/
host.expected = /404/
await host.page.getByRole('button', { name: '结束讲座' }).click()
await host.page.getByRole('button', { name: '结束', exact: true }).click()
await see(viewer.page.getByText('这场讲座已经结束。'))
const { people } = await ask(host, `/lectures/${room.id}/attendance`)
const member = people.find((a) => a.role === 'member')
assert.equal(member.here, false)
assert.equal(member.times, 2)
done('the end is an end')
assert.deepEqual(house.complaints, [])
await house.browser.close()
