// A look at every main page: pictures at 1440 and 375 px, no sideways scrolling
// there and at 1024 px, and main actions within reach of the Tab key.
import { ask, goto, noSideways, settled, shot, tabTo } from './kit.mjs'

const WIDTHS = [
  { width: 1440, height: 900 },
  { width: 1024, height: 768 },
  { width: 375, height: 812 },
]

async function look(p, name, path) {
  for (const size of WIDTHS) {
    await p.page.setViewportSize(size)
    if (path.startsWith('/sandbox/')) {
      await p.page.goto(path)
      await p.page.waitForLoadState('networkidle')
    } else await goto(p, path)
    await noSideways(p, name)
    if (size.width !== 1024) await shot(p, `${name}-${size.width}`)
  }
  await p.page.setViewportSize(WIDTHS[0])
  await settled(p.page)
}

/** Visits what each of the given people uses. id is a post with a history. */
export async function lookAround({ admin, editor, reviewer, auditor, follower }, id) {
  if (admin) {
    for (const [name, path] of [
      ['accounts', '/accounts'],
      ['people', '/people'],
      ['words', '/words'],
      ['my-account', '/me'],
    ])
      await look(admin, name, path)
    await goto(admin, '/accounts')
    await tabTo(admin, admin.page.getByRole('button', { name: /接入|添加/ }).first())
  }
  if (editor) {
    const draft = (await ask(editor, '/posts?state=draft')).items[0]
    for (const [name, path] of [
      ['dashboard', '/'],
      ['posts', '/posts'],
      ['editor', `/posts/${draft.id}/edit`],
      ['post', `/posts/${id}`],
      ['sheet', `/posts/${id}/sheet`],
      ['calendar', '/calendar'],
      ['media', '/media'],
    ])
      await look(editor, name, path)
    await goto(editor, `/posts/${draft.id}/edit`)
    await tabTo(editor, editor.page.getByRole('button', { name: /^送审/ }))
    await goto(editor, '/calendar')
    await tabTo(editor, editor.page.locator('.chip').first())
  }
  if (reviewer) {
    const post = (await ask(reviewer, '/reviews')).items[0]
    await look(reviewer, 'reviews', '/review')
    await look(reviewer, 'review', `/posts/${post.id}/review`)
  }
  if (auditor) await look(auditor, 'audit', '/audit')
  if (follower) await look(follower, 'sandbox', '/sandbox/')
}
