import assert from 'node:assert/strict'
import { test } from 'node:test'
import { open, phone, problems, Refusal, said, serve, settled, signedIn } from './kit.mjs'

const open1 = { id: '71', title: '专题党课', speaker: '李老师', orgName: '第一党支部', state: 'open', startsAt: '2026-03-02T01:00:00Z', agenda: ['导学', '讨论'], present: 12 }
const soon = { ...open1, id: '72', title: '下一讲', state: 'planned', startsAt: '2026-03-01T01:00:00Z', present: 0 }

test('lectures: what is on air comes first, and a code opens another one', async () => {
  phone.storage.set('session', 'r1')
  let asked = 0
  serve({ ...signedIn, 'GET /lectures': { items: [soon, open1] }, 'POST /lectures/join': (r) => (asked++, assert.deepEqual(r.body, { code: 'abc234' }), { roomId: '71', path: '/whep/71', bearer: 'x', expiresAt: '2026-03-02T02:00:00Z' }) })
  const p = await open('live/lectures/index')
  assert.match(p.text, /专题党课第一党支部 · 李老师12 人正在观看直播中.*下一讲.*开始未开始/)
  await p.tap('进入讲座')
  assert.equal(asked, 0)
  assert.match(p.text, /请输入主持人告诉您的观看码/)
  p.leave()
})

test('the mini-program says how to watch, and promises no player', async () => {
  serve({ ...signedIn, 'GET /lectures/71': open1 })
  const p = await open('live/lecture/index', { id: '71' })
  assert.match(p.text, /专题党课.*小程序里暂时不能直接播放直播.*复制网页地址.*议程1\. 导学2\. 讨论/)
  assert.doesNotMatch(p.text, /观看直播/)
  p.leave()
})

test('a lecture to come tells its time, a missing one says so', async () => {
  serve({ ...signedIn, 'GET /lectures/72': soon, 'GET /lectures/73': new Refusal(404, 'not_found', '没有找到这个讲座，可能已被删除，或者您没有查看权限。') })
  let p = await open('live/lecture/index', { id: '72' })
  assert.match(p.text, /开始，到时请再打开本页/)
  assert.doesNotMatch(p.text, /复制网页地址/)
  p.leave()
  p = await open('live/lecture/index', { id: '73' })
  await settled()
  assert.match(p.text, /没有找到这个讲座/)
  p.leave()
  assert.deepEqual(problems, [])
  assert.deepEqual(said, [])
})
