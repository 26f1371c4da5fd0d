// Shows a lecture in a browser's page.
import { canWatch, play, Refusal, watch, type Pass } from '../../../room/media'
import type { Player, PlayerOptions } from './platform'

export function openPlayer(box: string, o: PlayerOptions): Player | null {
  const place = document.getElementById(box)
  if (!place || !canWatch()) return null
  const video = document.createElement('video')
  video.setAttribute('playsinline', '')
  video.setAttribute('webkit-playsinline', '')
  video.setAttribute('aria-label', '讲座画面')
  // Sheets of pages reach only what stands in their templates.
  video.className = 'lecture-video'
  Object.assign(video.style, { position: 'absolute', left: '0', top: '0', width: '100%', height: '100%', objectFit: 'contain' })
  video.autoplay = true
  place.replaceChildren(video)
  let shown: MediaStream | null = null
  const link = watch({
    pass: o.pass as () => Promise<Pass>,
    onState: (s, why) => o.onState(s, why instanceof Refusal && why.message ? why.message : undefined, why),
    onStream(stream) {
      if (stream === shown) return
      shown = stream
      video.srcObject = stream
      void play(video).then(o.onPlay)
    },
  })
  return {
    sound() {
      video.muted = false
      void play(video).then(o.onPlay)
    },
    close() {
      link.close()
      video.srcObject = null
      video.remove()
    },
  }
}
