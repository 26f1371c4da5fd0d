import assert from 'node:assert/strict'
import { test } from 'node:test'
import { articleOf, findAnchor, makeAnchor } from '../src/lib/anchor'
import { centred, move, zoom } from '../src/lib/crop'
import { asArticle, textAsHtml } from '../src/lib/plain'
import { count, device, escapeHtml } from '../src/lib/text'
import { toProblem } from '../src/api/problem'
import { byDay, movedTo, slotTime, slotsOn, tone } from '../src/calendar/model'
import type { CalendarItem } from '../src/api/types'

test('an anchor finds its place again after edits elsewhere', () => {
  const text = '支部召开会议。会议强调学习。会议要求落实。'
  const from = text.indexOf('会议要求')
  const anchor = makeAnchor(text, from, from + 2)
  const changed = '昨天，' + text.replace('强调学习', '强调要学习')
  const at = findAnchor(changed, anchor)
  assert.equal(at && changed.slice(at.from, at.from + 4), '会议要求')
  assert.equal(findAnchor('别的内容', anchor), null)
  assert.equal(findAnchor(text, { quote: '', prefix: '', suffix: '' }), null)
})

test('a crop keeps its shape and stays inside the picture', () => {
  const c = centred(1600, 900, 1)
  assert.ok(Math.abs(c.w * 1600 - c.h * 900) < 1e-6)
  assert.deepEqual(move(c, 5, 5), { ...c, x: 1 - c.w, y: 0 })
  const big = zoom(c, 99)
  assert.ok(big.w <= 1 && big.h <= 1 && Math.abs(big.w / big.h - c.w / c.h) < 1e-9)
  const small = zoom(c, 0.0001)
  assert.ok(small.w >= 0.1 - 1e-9 && small.h >= 0.1 - 1e-9)
})

test('characters are counted as people count them', () => {
  assert.equal(count('党建😀'), 3)
  assert.equal(escapeHtml('<a href="x">&'), '&lt;a href=&quot;x&quot;&gt;&amp;')
  assert.equal(device('Mozilla/5.0 (Windows NT 10.0) Chrome/130 Safari/537'), 'Chrome · Windows')
  assert.equal(device(''), '未知设备')
})

test('an error answer becomes a sentence, and never shows what it is not', () => {
  const p = toProblem(422, { detail: '标题太长。', code: 'invalid', fields: [{ name: 'body.title', message: '最多 32 字' }] })
  assert.equal(p.message, '标题太长。')
  assert.equal(p.field('title'), '最多 32 字')
  assert.equal(p.field('name'), '')
  assert.equal(toProblem(500, '<html>stack trace</html>').message, '服务器暂时无法处理，请稍后重试。')
  assert.ok(toProblem(503, undefined).offline)
  assert.ok(!toProblem(412, undefined).offline)
})

const item = (dueAt: string, more: Partial<CalendarItem> = {}): CalendarItem => ({ postId: '1', title: 'x', dueAt, movable: true, warnings: [], ...more })

test('items are grouped by their day in Shanghai, earliest first', () => {
  const days = byDay([item('2026-03-09T10:00:00Z'), item('2026-03-08T17:00:00Z'), item('2026-03-08T15:00:00Z')])
  assert.deepEqual([...days.keys()], ['2026-03-08', '2026-03-09'])
  assert.equal(days.get('2026-03-09')?.[0]?.dueAt, '2026-03-08T17:00:00Z')
})

test('a dragged item keeps its time of day', () => {
  assert.equal(movedTo(item('2026-03-09T00:30:00Z'), '2026-03-20'), '2026-03-20T00:30:00.000Z')
})

test('weekly slots: Sunday is 7', () => {
  const slots = [{ id: '1', orgId: '1', accountId: '1', weekday: 7, minute: 545 }]
  assert.equal(slotsOn(slots, '2026-03-08').length, 1)
  assert.equal(slotsOn(slots, '2026-03-09').length, 0)
  assert.equal(slotTime(slots[0] ?? { id: '', orgId: '', accountId: '', weekday: 1, minute: 0 }), '09:05')
})

test('what needs a person is amber', () => {
  assert.equal(tone(item('', { deliveryState: 'unknown' })), 'amber')
  assert.equal(tone(item('', { state: 'draft' })), 'plain')
})

test('a comment follows its quotation to the article that holds it now', () => {
  const [one, two] = ['重阳节，志愿者走进楼院。', '老人说：志愿者真好。']
  const anchor = { quote: '志愿者', prefix: '重阳节，', suffix: '走进楼院。' }
  assert.equal(articleOf(anchor, 0, [one, two]), 0)
  assert.equal(articleOf(anchor, 0, [two, one]), 1, 'reordered: the surroundings decide')
  assert.equal(articleOf(anchor, 3, [two, one]), 1, 'the stored index is out of range')
  assert.equal(articleOf({ ...anchor, prefix: '', suffix: '' }, 1, [one, one]), 1, 'as good in both: it stays')
  assert.equal(articleOf(anchor, 1, ['别的', '内容']), -1)
  assert.equal(articleOf(anchor, 1, ['别的', undefined]), 1, 'not known yet is not gone')
  assert.equal(articleOf({ quote: '', prefix: '', suffix: '' }, 1, [one, two]), 1)
})

test('a picture post keeps its words and pictures when it becomes an article', () => {
  assert.equal(asArticle('第一行 <b>\n\n第二行', ['ab']), '<p>第一行 &lt;b&gt;</p><p>第二行</p><figure><img src="asset:ab" alt=""></figure>')
  assert.equal(asArticle(' \n', []), '')
  assert.equal(textAsHtml('一\n二 & 三'), '<section style="white-space: pre-wrap">一\n二 &amp; 三</section>')
  assert.equal(textAsHtml(''), '')
})
