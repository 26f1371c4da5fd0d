import assert from 'node:assert/strict'
import { test } from 'node:test'
import { markdownToHtml } from '../src/editor/convert'

test('Markdown becomes plain HTML without touching formulas and assets', () => {
  const html = markdownToHtml('## 三个提醒\n\n- 第一\n- 第二\n\n公式 $a_1 * b_1 * c$ 好。\n\n![封面](asset:0341 "图注")')
  assert.match(html, /<h2>三个提醒<\/h2>/)
  assert.match(html, /<li>第一<\/li>/)
  assert.match(html, /\$a_1 \* b_1 \* c\$/)
  assert.match(html, /<img src="asset:0341" alt="封面" title="图注">/)
  assert.doesNotMatch(html, /<em>/)
})
