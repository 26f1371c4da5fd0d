// Live media in a browser: sends by WHIP (RFC 9725), watches by WHEP. Shared by
// the console and the member's page, so it knows neither of them, no framework
// and no text for people.

/** Where to connect and with what; asked for again before each connection. */
export interface Pass {
  path: string
  bearer: string
}

export type LinkState = 'connecting' | 'live' | 'waiting' | 'ended' | 'refused'

export interface LinkOptions {
  /** A fresh pass. What it throws ends the link: onState('refused', what). */
  pass: () => Promise<Pass>
  onState: (state: LinkState, why?: unknown) => void
}

export interface Link {
  close(): void
}

/** Whether this browser can do it at all. */
export function canWatch(): boolean {
  return typeof RTCPeerConnection === 'function'
}
export function canSend(): boolean {
  return canWatch() && typeof navigator !== 'undefined' && Boolean(navigator.mediaDevices?.getUserMedia)
}

/** Seconds before the n-th try in a row, counted from 0. */
export function pause(n: number): number {
  return Math.min(2 ** n, 15)
}

/** An answer of the server that is no answer to an offer. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message)
  }
  /** Trying again with a new pass may help. */
  get passing(): boolean {
    return this.status === 0 || this.status === 401 || this.status === 429 || this.status >= 500
  }
}

async function negotiate(pc: RTCPeerConnection, pass: Pass): Promise<string> {
  await pc.setLocalDescription(await pc.createOffer())
  await gathered(pc)
  const res = await fetch(pass.path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/sdp', Authorization: `Bearer ${pass.bearer}` },
    body: pc.localDescription?.sdp ?? '',
  }).catch(() => {
    throw new Refusal(0, '')
  })
  const text = await res.text()
  if (res.status !== 201) throw new Refusal(res.status, sentenceOf(text))
  await pc.setRemoteDescription({ type: 'answer', sdp: text })
  return res.headers.get('Location') ?? ''
}

function sentenceOf(body: string): string {
  try {
    const p = JSON.parse(body) as { detail?: string; title?: string }
    return p.detail ?? p.title ?? ''
  } catch {
    return ''
  }
}

/** The server has all candidates in its answer, so ours need not be complete: a second is enough. */
function gathered(pc: RTCPeerConnection): Promise<void> {
  if (pc.iceGatheringState === 'complete') return Promise.resolve()
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, 1000)
    pc.addEventListener('icegatheringstatechange', () => {
      if (pc.iceGatheringState !== 'complete') return
      clearTimeout(timer)
      resolve()
    })
  })
}

/** Keeps one connection up until it is closed or refused for good. */
function keep(o: LinkOptions, prepare: (pc: RTCPeerConnection) => void): Link {
  let pc: RTCPeerConnection | null = null
  let session = ''
  let bearer = ''
  let timer: ReturnType<typeof setTimeout> | undefined
  let closed = false
  let tries = 0

  function drop(): void {
    pc?.close()
    pc = null
    // The server would notice by itself, half a minute later.
    if (session) void fetch(session, { method: 'DELETE', headers: { Authorization: `Bearer ${bearer}` }, keepalive: true }).catch(() => undefined)
    session = ''
  }
  function again(): void {
    if (closed) return
    drop()
    o.onState('waiting')
    clearTimeout(timer)
    timer = setTimeout(() => void connect(), pause(tries++) * 1000)
  }
  async function connect(): Promise<void> {
    o.onState('connecting')
    let pass: Pass
    try {
      pass = await o.pass()
    } catch (e) {
      if (!closed) o.onState('refused', e)
      closed = true
      return
    }
    if (closed) return
    bearer = pass.bearer
    const mine = new RTCPeerConnection({ bundlePolicy: 'max-bundle' })
    pc = mine
    prepare(mine)
    mine.addEventListener('connectionstatechange', () => {
      if (mine !== pc || closed) return
      if (mine.connectionState === 'connected') {
        tries = 0
        o.onState('live')
      }
      if (mine.connectionState === 'failed' || mine.connectionState === 'closed') again()
      if (mine.connectionState === 'disconnected') {
        // It often comes back by itself within some seconds.
        clearTimeout(timer)
        timer = setTimeout(() => mine === pc && mine.connectionState !== 'connected' && again(), 4000)
      }
    })
    try {
      session = await negotiate(mine, pass)
      if (closed) drop()
    } catch (e) {
      if (closed || mine !== pc) return
      if (e instanceof Refusal && !e.passing) {
        closed = true
        drop()
        o.onState('refused', e)
      } else again()
    }
  }
  void connect()
  return {
    close() {
      if (closed && !pc) return
      closed = true
      clearTimeout(timer)
      drop()
      o.onState('ended')
    },
  }
}

/** Watches a room. stream gets the picture and the sound, anew after each connection. */
export function watch(o: LinkOptions & { onStream: (stream: MediaStream) => void }): Link {
  return keep(o, (pc) => {
    const stream = new MediaStream()
    pc.addTransceiver('audio', { direction: 'recvonly' })
    pc.addTransceiver('video', { direction: 'recvonly' })
    pc.addEventListener('track', (e) => {
      stream.addTrack(e.track)
      o.onStream(stream)
    })
  })
}

/** Sends a stream into a room. replace changes the camera or microphone while it goes on. */
export function send(o: LinkOptions & { stream: MediaStream; maxBitrate?: number }): Link & { replace(stream: MediaStream): void } {
  let stream = o.stream
  let senders: RTCRtpSender[] = []
  const link = keep(o, (pc) => {
    senders = stream.getTracks().map((t) => {
      const tr = pc.addTransceiver(t, { direction: 'sendonly', streams: [stream], sendEncodings: t.kind === 'video' ? [{ maxBitrate: o.maxBitrate ?? 1_500_000 }] : undefined })
      if (t.kind === 'video') h264First(tr)
      return tr.sender
    })
  })
  return {
    close: link.close,
    replace(next) {
      stream = next
      for (const s of senders) {
        const t = next.getTracks().find((x) => x.kind === s.track?.kind)
        if (t) void s.replaceTrack(t)
      }
    },
  }
}

/** H.264 is what every viewer in WeChat can show. */
function h264First(t: RTCRtpTransceiver): void {
  const all = RTCRtpSender.getCapabilities('video')?.codecs
  if (!all || !t.setCodecPreferences) return
  const rank = (c: { mimeType: string }): number => (c.mimeType.toLowerCase() === 'video/h264' ? 0 : 1)
  t.setCodecPreferences([...all].sort((a, b) => rank(a) - rank(b)))
}

/**
 * Plays with sound, or without where the browser allows sound only after a tap.
 * Tells whether it plays, and whether it has its sound.
 */
export async function play(video: HTMLVideoElement): Promise<'sound' | 'muted' | 'blocked'> {
  const run = (): Promise<boolean> =>
    video.play().then(
      () => true,
      () => false,
    )
  if (await run()) return video.muted ? 'muted' : 'sound'
  video.muted = true
  return (await run()) ? 'muted' : 'blocked'
}
