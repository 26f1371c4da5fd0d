import assert from 'node:assert/strict'
import { test } from 'node:test'
import { me, open, phone, problems, serve, signedIn } from './kit.mjs'

test('settings: sizes change the whole page and reach the server', async () => {
  phone.storage.set('session', 'r1')
  let saved
  serve({ ...signedIn, 'PUT /me/settings': (r) => (saved = r.body) })
  const p = await open('account/settings/index')
  assert.match(p.text, /字号.*标准.*大.*特大.*高对比度.*按我的短板推荐练习.*参加排名.*退出登录/)
  assert.equal(p.all('tx-normal').length, 1)
  await p.tap('特大')
  assert.equal(p.all('tx-larger').length, 1)
  assert.equal(p.all('tx-normal').length, 0)
  assert.deepEqual(saved, { ...me.settings, textSize: 'larger' })
  await p.tap('高对比度')
  assert.equal(p.all('tx-contrast').length, 1)
  assert.equal(saved.highContrast, true)
  assert.deepEqual(problems, [])
  p.leave()
})
