import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forReading, plain } from '@/lib/html'

test('text in articles grows with the chosen size', () => {
  const html = '<section style="font-size:16px;line-height: 28px;padding:16px"><p style="font-size:15.5px;">你好</p></section>'
  const got = forReading(html, 1.4, '')
  assert.match(got, /font-size:22\.4px;line-height:39\.2px;padding:16px/)
  assert.match(got, /font-size:21\.7px/)
  assert.equal(forReading(html, 1, ''), html.replace('line-height: ', 'line-height:'))
})

test('formulas become pictures with their words, because rich-text knows no svg', () => {
  const got = forReading('<p>解<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" style="width:2em"><title>x²</title><path d="M0 0"/></svg>得</p>', 1, '')
  const src = /src="data:image\/svg\+xml;base64,([^"]+)"/.exec(got)
  assert.ok(src)
  assert.match(Buffer.from(src[1]!, 'base64').toString('utf8'), /^<svg .*<title>x²<\/title>.*<\/svg>$/)
  assert.match(got, /alt="x²"/)
  assert.match(got, /style="max-width:100%;width:2em"/)
  assert.doesNotMatch(got, /<svg/)
})

test('pictures fit the page and come from the server also in a mini-program', () => {
  const got = forReading('<img src="/pictures/abc" alt="图"><img src="https://mmbiz.example/1" style="width:80%" /><img src="//x/y">', 1, 'https://tx.example')
  assert.equal(got, '<img src="https://tx.example/pictures/abc" alt="图" style="max-width:100%;height:auto;"><img src="https://mmbiz.example/1" style="max-width:100%;width:80%"><img src="//x/y" style="max-width:100%;height:auto;">')
})

test('plain text', () => {
  assert.equal(plain('<p>1 &lt; 2 &amp;amp; <b>好</b></p>'), '1 < 2 &amp; 好')
})
