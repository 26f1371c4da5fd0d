import assert from 'node:assert/strict'
import { test } from 'node:test'
import { me, open, phone, problems, Refusal, said, serve, settled } from './kit.mjs'

const into = { state: 'signed_in', access: 'a1', accessExpiresAt: '2026-03-02T01:15:00Z', refresh: 'r9', me }

test('who is not known yet is sent to sign in, and told why when the server says so', async () => {
  serve({ 'POST /session/mini': { state: 'bind', ticket: 't1', expiresAt: '' } })
  const p = await open('pages/index/index')
  assert.match(p.text, /请先登录/)
  assert.doesNotMatch(p.text, /您好/)
  await p.tap('去登录')
  assert.equal(phone.went.at(-1), '/pages/bind/index')
  p.leave()
})

test('binding: the phone button, a refusal of the person, and the roster that does not know the number', async () => {
  const bodies = []
  let say = new Refusal(404, 'not_found', '名册里没有这个手机号，请联系支部书记。')
  serve({ 'POST /session/bind': (r) => (bodies.push(r.body), say) })
  const p = await open('pages/bind/index')
  const button = p.all('btn-main')[0]
  assert.match(button.textContent, /用手机号登录/)

  // What WeChat answers when the person says no.
  p.phone = async (detail) => {
    const page = p.comp.querySelector('.btn-main')
    page.dispatchEvent('getphonenumber', { bubbles: true, detail })
    await settled()
  }
  await p.phone({ errMsg: 'getPhoneNumber:fail user deny' })
  assert.match(p.text, /没有取得手机号/)
  assert.deepEqual(bodies, [])

  await p.phone({ code: 'phone-1' })
  assert.deepEqual(bodies.map((b) => [b.ticket, b.phoneCode]), [['t1', 'phone-1']])
  assert.match(p.text, /名册里没有这个手机号，请联系支部书记。/)
  assert.match(p.text, /请书记给您一个邀请码/)

  say = into
  await p.phone({ code: 'phone-2' })
  assert.equal(phone.went.at(-1), '/pages/index/index')
  assert.equal(phone.storage.get('session'), 'r9')
  p.leave()
})

test('who left loses everything that was kept on the phone', async () => {
  phone.storage.set('read:inbox', JSON.stringify({ owner: '1', at: 1, value: [] }))
  phone.storage.set('answers:5', '{}')
  const gone = new Refusal(403, 'forbidden', '您已不在本组织的党员名册中，不能再登录。')
  serve({ 'GET /session': new Refusal(401, 'unauthorized', ''), 'POST /session/refresh': gone, 'GET /sessions': new Refusal(401, 'unauthorized', ''), 'POST /session/mini': gone })
  phone.storage.set('me', JSON.stringify(me))
  const p = await open('account/devices/index')
  assert.match(p.text, /您已不在本组织的党员名册中/)
  assert.match(p.text, /请先登录/)
  assert.equal(phone.storage.get('session'), undefined)
  assert.deepEqual([...phone.storage.keys()].filter((k) => k.startsWith('read:') || k.startsWith('answers:') || k === 'me'), [])
  p.leave()
})

test('nothing was complained about', () => {
  assert.deepEqual(problems, [])
  assert.deepEqual(said, [])
})
