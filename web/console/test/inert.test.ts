import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renameStyles } from '../src/lib/inert'

test('style attributes are renamed before a browser parses them', () => {
  assert.equal(renameStyles('<p style="color:red">a</p>'), '<p data-tx-style="color:red">a</p>')
  assert.equal(renameStyles("<td class=x style='a'>"), "<td class=x data-tx-style='a'>")
  assert.equal(renameStyles('<img/style=x>'), '<img/data-tx-style=x>')
  assert.equal(renameStyles('<P STYLE = "x">'), '<P data-tx-style = "x">')
})

test('text and other attributes that speak of style stay as they are', () => {
  for (const same of ['<p title="a style=b">x</p>', '<p>the style="x" of</p>', '<p data-style="x">', '<a href="?style=1">']) {
    assert.equal(renameStyles(same), same)
  }
})

test('a bracket inside a quoted value does not end the tag', () => {
  assert.equal(renameStyles('<p title="a>b" style="c">'), '<p title="a>b" data-tx-style="c">')
})

test('style sheets are left out before anything is parsed', () => {
  assert.equal(renameStyles('<b>1</b><style><!-- p {margin:0} --></style><STYLE type="a">x</STYLE ><i>2</i><style>open'), '<b>1</b><i>2</i>')
})
