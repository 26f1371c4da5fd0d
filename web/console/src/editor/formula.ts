import { Extension } from '@tiptap/core'
import { Plugin, PluginKey } from '@tiptap/pm/state'
import { Decoration, DecorationSet } from '@tiptap/pm/view'
import type { Node } from '@tiptap/pm/model'

const FORMULA = /\$\$[^$\n]+\$\$|\$(?!\s)[^$\n]+?(?<!\s)\$/g

function paint(doc: Node): DecorationSet {
  const found: Decoration[] = []
  doc.descendants((node, pos, parent) => {
    if (!node.isText || parent?.type.spec.code) return
    for (const m of (node.text ?? '').matchAll(FORMULA)) {
      found.push(Decoration.inline(pos + m.index, pos + m.index + m[0].length, { class: 'formula', title: '公式（TeX）' }))
    }
  })
  return DecorationSet.create(doc, found)
}

/** Formulas stay text between dollar signs, as the server reads them; this only makes them visible. */
export const Formula = Extension.create({
  name: 'formula',
  addProseMirrorPlugins() {
    const key = new PluginKey<DecorationSet>('formula')
    return [
      new Plugin<DecorationSet>({
        key,
        state: {
          init: (_, state) => paint(state.doc),
          apply: (tr, old) => (tr.docChanged ? paint(tr.doc) : old),
        },
        props: { decorations: (state) => key.getState(state) },
      }),
    ]
  },
})
