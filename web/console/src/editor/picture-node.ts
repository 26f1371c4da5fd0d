import { Node, mergeAttributes } from '@tiptap/core'
import { pictureUrl } from '@/api/media'

const HASH = /asset:([0-9a-f]{64})/

function field(label: string, hint: string, value: string, write: (v: string) => void): [HTMLElement, HTMLInputElement] {
  const row = document.createElement('label')
  row.className = 'pn-field'
  const name = document.createElement('span')
  name.textContent = label
  const input = document.createElement('input')
  input.value = value
  input.placeholder = hint
  input.addEventListener('input', () => write(input.value.trim()))
  row.append(name, input)
  return [row, input]
}

/**
 * A picture of its own block, with what it shows (alt) and a caption. It is
 * stored as asset:<hash> and displayed through the media route. The caption is
 * stored as the title, as in Markdown: the server shows the title below the
 * picture and, where there is none, what the picture shows.
 */
export const PictureNode = Node.create({
  name: 'picture',
  group: 'block',
  atom: true,
  draggable: true,
  selectable: true,
  addAttributes() {
    return { src: { default: '' }, alt: { default: '' }, caption: { default: '' } }
  },
  parseHTML() {
    const read = (img: Element | null, caption?: string) => {
      const src = img?.getAttribute('src') ?? ''
      return src ? { src, alt: img?.getAttribute('alt') ?? '', caption: caption || (img?.getAttribute('title') ?? '') } : (false as const)
    }
    return [
      {
        tag: 'figure',
        getAttrs: (el) => read(el.querySelector('img'), el.querySelector('figcaption')?.textContent?.trim()),
      },
      { tag: 'img[src]', getAttrs: (el) => read(el) },
    ]
  },
  renderHTML({ HTMLAttributes }) {
    const { caption, ...img } = HTMLAttributes as { caption: string }
    return ['figure', {}, ['img', mergeAttributes(img, caption ? { title: caption } : {})]]
  },
  addNodeView() {
    return ({ node, editor, getPos }) => {
      let current = node
      const write = (attrs: Record<string, string>): void => {
        const pos = getPos()
        if (pos === undefined) return
        editor.view.dispatch(editor.state.tr.setNodeMarkup(pos, undefined, { ...current.attrs, ...attrs }))
      }
      const dom = document.createElement('figure')
      dom.className = 'pn'
      const img = document.createElement('img')
      const [altRow, alt] = field('图片说明', '图上是什么（给看不见图片的人，必填）', String(node.attrs.alt), (v) => write({ alt: v }))
      const [capRow, caption] = field('图注', '显示在图片下方，不填就显示图片说明', String(node.attrs.caption), (v) => write({ caption: v }))
      const outside = document.createElement('p')
      outside.className = 'pn-outside'
      outside.textContent = '这是外部图片，发布后不会显示。请另存后拖进来上传。'
      const show = (): void => {
        const hash = HASH.exec(String(current.attrs.src))?.[1]
        outside.hidden = hash !== undefined
        img.hidden = hash === undefined
        const wanted = hash ? pictureUrl(hash, 800) : ''
        if (wanted && img.getAttribute('src') !== wanted) img.src = wanted
        img.alt = String(current.attrs.alt)
        dom.classList.toggle('pn-noalt', !current.attrs.alt)
      }
      show()
      dom.append(img, outside, altRow, capRow)
      return {
        dom,
        stopEvent: (e: Event) => e.target instanceof HTMLInputElement,
        ignoreMutation: () => true,
        update: (next) => {
          if (next.type !== current.type) return false
          current = next
          if (document.activeElement !== alt) alt.value = String(next.attrs.alt)
          if (document.activeElement !== caption) caption.value = String(next.attrs.caption)
          show()
          return true
        },
      }
    }
  },
})
