import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Answer, Shown } from '@/api/types'
import { choose, complete, fillBlank, inWords, join, matchOf, moveItem, orderOf } from '@/lib/answer'

const single: Shown = { kind: 'single', stem: '', options: ['丙', '甲', '乙'] }
const multiple: Shown = { kind: 'multiple', stem: '', options: ['丁', '乙', '甲', '丙'] }
const order: Shown = { kind: 'order', stem: '', items: ['三', '一', '四', '二'] }
const match: Shown = { kind: 'match', stem: '', lefts: ['一', '二'], rights: ['乙', '多余', '甲'] }
const fill: Shown = { kind: 'fill', stem: '', blanks: 2 }

test('what is sent is the position that was shown and tapped', () => {
  assert.deepEqual(choose(single, undefined, 1), { choice: [1] })
  assert.deepEqual(choose(single, { choice: [1] }, 2), { choice: [2] })
  assert.deepEqual(choose({ kind: 'truefalse', stem: '' }, undefined, 0), { choice: [0] })
  let a: Answer | undefined
  for (const at of [3, 0, 2, 0]) a = choose(multiple, a, at)
  assert.deepEqual(a, { choice: [2, 3] })
  assert.equal(inWords(multiple, a), 'C、D')
})

test('ordering moves items by shown positions and stops at the ends', () => {
  let a: Answer | undefined
  assert.deepEqual(orderOf(order, a), [0, 1, 2, 3])
  assert.equal(complete(order, a), false, 'not touched is not answered')
  a = moveItem(order, a, 1, -1) // 一 to the top
  assert.deepEqual(a.order?.map((i) => order.items?.[i]), ['一', '三', '四', '二'])
  a = moveItem(order, a, 3, -1)
  a = moveItem(order, a, 2, -1)
  assert.deepEqual(a.order?.map((i) => order.items?.[i]), ['一', '二', '三', '四'])
  assert.deepEqual(moveItem(order, a, 0, -1), a)
  assert.deepEqual(moveItem(order, a, 3, 1), a)
  assert.equal(complete(order, a), true)
  assert.deepEqual([...(a.order ?? [])].sort(), [0, 1, 2, 3], 'nothing lost, nothing twice')
})

test('matching gives every right side to one left side; the same pair again parts them', () => {
  let a: Answer | undefined
  assert.deepEqual(matchOf(match, a), [-1, -1])
  a = join(match, a, 0, 2)
  assert.equal(complete(match, a), false)
  a = join(match, a, 1, 2)
  assert.deepEqual(a, { match: [-1, 2] })
  a = join(match, a, 0, 0)
  assert.deepEqual(a, { match: [0, 2] })
  assert.equal(complete(match, a), true)
  assert.equal(inWords(match, a), '1—A，2—C')
  assert.deepEqual(join(match, a, 0, 0), { match: [-1, 2] })
})

test('blanks count when each is filled', () => {
  const one = fillBlank(fill, undefined, 1, '从严治党')
  assert.deepEqual(one, { blanks: ['', '从严治党'] })
  assert.equal(complete(fill, one), false)
  assert.equal(complete(fill, fillBlank(fill, one, 0, '全面')), true)
  assert.equal(inWords(fill, undefined), '未作答')
})

test('an answer of another shape is no answer', () => {
  assert.deepEqual(orderOf(order, { order: [1, 0] }), [0, 1, 2, 3])
  assert.deepEqual(matchOf(match, { match: [1] }), [-1, -1])
})
