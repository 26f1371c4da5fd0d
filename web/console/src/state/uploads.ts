import { reactive } from 'vue'
import { uploadPicture } from '@/api/media'
import { sentence } from '@/api/problem'
import type { Asset } from '@/api/types'
import { bytes } from '@/lib/text'

/** The server refuses larger pictures; saying so early saves the wait. */
export const MAX_PICTURE = 20 * 1024 * 1024
const AT_ONCE = 2

export interface Upload {
  id: number
  file: File
  name: string
  /** 0–1 */
  progress: number
  state: 'waiting' | 'sending' | 'done' | 'failed'
  error: string
  asset?: Asset
}

/** Sends pictures two at a time and lets a person try a failed one again. */
export class Uploads {
  readonly list = reactive<Upload[]>([])
  private serial = 0
  private sending = 0

  constructor(
    private readonly orgId: () => string,
    private readonly done: (u: Upload, asset: Asset) => void,
  ) {}

  add(files: Iterable<File>): Upload[] {
    const added: Upload[] = []
    for (const file of files) {
      this.list.push({ id: ++this.serial, file, name: file.name || '粘贴的图片', progress: 0, state: 'waiting', error: '' })
      const u = this.list[this.list.length - 1]
      if (!u) continue
      if (!file.type.startsWith('image/')) this.fail(u, '只能上传图片（JPG、PNG、GIF、WebP）。')
      else if (file.size > MAX_PICTURE) this.fail(u, `图片 ${bytes(file.size)}，超过 20 MB，请压缩后再传。`)
      added.push(u)
    }
    this.pump()
    return added
  }

  retry(u: Upload): void {
    u.state = 'waiting'
    u.error = ''
    u.progress = 0
    this.pump()
  }

  drop(u: Upload): void {
    const at = this.list.indexOf(u)
    if (at >= 0 && u.state !== 'sending') this.list.splice(at, 1)
  }

  clearDone(): void {
    for (const u of [...this.list]) if (u.state === 'done') this.drop(u)
  }

  private fail(u: Upload, error: string): void {
    u.state = 'failed'
    u.error = error
  }

  private pump(): void {
    while (this.sending < AT_ONCE) {
      const next = this.list.find((u) => u.state === 'waiting')
      if (!next) return
      void this.send(next)
    }
  }

  private async send(u: Upload): Promise<void> {
    u.state = 'sending'
    this.sending++
    try {
      const asset = await uploadPicture(u.file, this.orgId(), (share) => (u.progress = share))
      u.asset = asset
      u.progress = 1
      u.state = 'done'
      this.done(u, asset)
    } catch (e) {
      this.fail(u, sentence(e))
    } finally {
      this.sending--
      this.pump()
    }
  }
}
