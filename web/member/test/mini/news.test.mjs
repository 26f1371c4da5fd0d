import assert from 'node:assert/strict'
import { test } from 'node:test'
import { open, phone, problems, Refusal, said, serve, settled, signedIn } from './kit.mjs'

const item = { id: '11', kind: 'notice', title: '主题党日通知', summary: '周五下午三点，活动室。', at: '2026-03-02T01:00:00Z', from: '第一党支部', ask: { options: ['参加', '请假'] } }
const home = {
  ...signedIn,
  'GET /inbox': { items: [item] },
  'GET /feed': { items: [{ id: '21', title: '先锋岗', digest: '雪后清晨', publishedAt: '2026-03-01T01:00:00Z', from: '城关街道党工委', articles: 2 }] },
  'GET /quiz/daily': { paper: { id: '31', title: '每日答题', kind: 'daily', questions: 5, points: 5, attemptsUsed: 0 }, state: 'open', streak: 3 },
}

test('home: who it is, the quiz of today, notices and posts; all of it again without a network', async () => {
  phone.storage.set('session', 'r1')
  serve(home)
  let p = await open('pages/index/index')
  assert.match(p.text, /刘芳，您好/)
  assert.match(p.text, /每日答题.*连续 3 天.*共 5 题.*开始答题/)
  assert.match(p.text, /1 条未读.*主题党日通知.*请您回复/)
  assert.match(p.text, /先锋岗.*雪后清晨.*共 2 篇/)
  assert.match(p.text, /首页.*学习.*竞赛.*我的/)
  const refresh = phone.requests.filter((r) => r.path === '/session/refresh')
  assert.deepEqual(refresh.map((r) => r.body), [{ refresh: 'r1' }], 'one refresh for all that the page asks')
  assert.ok(phone.requests.filter((r) => r.path === '/feed').every((r) => r.headers.Authorization === 'Bearer a1'))
  assert.equal(phone.storage.get('session'), 'r2')
  await p.tap('开始答题')
  assert.equal(phone.went.at(-1), '/quiz/run/index?paper=31')
  await p.tap('学习')
  assert.equal(phone.went.at(-1), '/pages/learn/index')
  await p.tap('有通知时提醒我')
  assert.deepEqual(phone.subscribed, [['tmpl-1']])
  assert.match(p.text, /到时微信会提醒您一次/)
  p.leave()

  phone.online = false
  p = await open('pages/index/index')
  await settled(1500) // calls that may be repeated are tried again before they count as lost
  assert.match(p.text, /离线内容.*主题党日通知/)
  assert.match(p.text, /先锋岗/)
  phone.online = true
  p.leave()
  problems.length = 0
})

test('a notice is read, answered, and the answer can be changed', async () => {
  const sent = []
  let answer
  serve({
    ...home,
    'GET /inbox/{id}': () => ({ ...item, body: '<p style="font-size:16px">请带<b>党章</b></p>', ...(answer ? { answer } : {}) }),
    'POST /inbox/{id}/read': (r) => void sent.push(r.path),
    'PUT /inbox/{id}/answer': (r) => ((answer = { ...r.body, at: '2026-03-02T02:00:00Z' }), { ...item, answer }),
    'POST /subscriptions': () => undefined,
  })
  const p = await open('news/notice/index', { id: '11' })
  assert.match(p.text, /主题党日通知/)
  assert.deepEqual(sent, ['/inbox/11/read'])
  await p.tap('发送回复')
  assert.match(p.text, /请先选一项/)
  assert.equal(answer, undefined)
  await p.tap('请假')
  await p.tap('发送回复')
  assert.equal(answer.choice, 1)
  assert.match(p.text, /您的回复：请假/)
  assert.doesNotMatch(p.text, /发送回复/)
  await p.tap('修改回复')
  await p.tap('参加')
  await p.tap('发送回复')
  assert.match(p.text, /您的回复：参加/)
  p.leave()
})

test('what is gone or refused is said in a sentence, without an offer to try for ever', async () => {
  serve({ ...home, 'GET /inbox/{id}': new Refusal(404, 'not_found', '没有找到这条通知，可能已被撤回。') })
  const p = await open('news/notice/index', { id: '99' })
  assert.match(p.text, /没有找到这条通知，可能已被撤回。/)
  assert.doesNotMatch(p.text, /再试一次/)
  p.leave()
})

test('nothing was complained about', () => {
  assert.deepEqual(problems, [])
  assert.deepEqual(said, [])
})
