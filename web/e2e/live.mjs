// Live video through a real browser: one page publishes a fake camera and
// microphone by WHIP, another watches by WHEP. What counts is decoded frames and
// the energy of the sound, not that something is "connected". The program runs
// already; see cmd/tongxin/live_e2e_test.go.
import assert from 'node:assert/strict'
import { openHouse, person, until } from './kit.mjs'

const house = await openHouse({
  base: process.env.TONGXIN_URL,
  pictures: process.env.TONGXIN_TEST_ARTIFACTS,
  args: ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', '--autoplay-policy=no-user-gesture-required'],
})
const started = Date.now()
const done = (what) => console.log(`${((Date.now() - started) / 1000).toFixed(1).padStart(6)} s  ${what}`)
const { TONGXIN_PUBLISH: publishToken, TONGXIN_WATCH: watchToken } = process.env

/** Everything a page needs to speak WHIP and WHEP: an example of a client in forty lines. */
function client() {
  window.call = async (method, url, token, body, headers = {}) => {
    const res = await fetch(url, { method, body, headers: { Authorization: 'Bearer ' + token, ...headers } })
    if (!res.ok) throw new Error(`${method} ${url} answered ${res.status}: ${await res.text()}`)
    return res
  }
  window.negotiate = async (pc, url, token) => {
    await pc.setLocalDescription()
    const res = await call('POST', url, token, pc.localDescription.sdp, { 'Content-Type': 'application/sdp' })
    window.session = { url: res.headers.get('Location'), etag: res.headers.get('ETag'), token, pc }
    await pc.setRemoteDescription({ type: 'answer', sdp: await res.text() })
  }
  window.publish = async (token, mime) => {
    const media = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 360, frameRate: 30 }, audio: true })
    const pc = (window.pc = new RTCPeerConnection())
    for (const track of media.getTracks()) {
      const t = pc.addTransceiver(track, { direction: 'sendonly', streams: [media] })
      if (track.kind === 'video') t.setCodecPreferences(RTCRtpSender.getCapabilities('video').codecs.filter((c) => c.mimeType === mime))
    }
    await negotiate(pc, '/whip/hall', token)
  }
  window.watch = async (token) => {
    const pc = (window.pc = new RTCPeerConnection())
    pc.addTransceiver('audio', { direction: 'recvonly' })
    pc.addTransceiver('video', { direction: 'recvonly' })
    const video = document.body.appendChild(document.createElement('video'))
    video.autoplay = video.playsInline = true
    const media = new MediaStream()
    pc.ontrack = (e) => { media.addTrack(e.track); video.srcObject = media }
    const began = performance.now()
    window.first = new Promise((resolve) => video.requestVideoFrameCallback(() => resolve(performance.now() - began)))
    await negotiate(pc, '/whep/hall', token)
    return first
  }
  /** ICE restart: our new credentials go there, theirs come back. */
  window.restart = async () => {
    const { pc, url, token } = session
    await pc.setLocalDescription(await pc.createOffer({ iceRestart: true }))
    const own = pc.localDescription.sdp.match(/a=ice-(ufrag|pwd):.*/g).slice(0, 2).join('\r\n') + '\r\n'
    const res = await call('PATCH', url, token, own, { 'Content-Type': 'application/trickle-ice-sdpfrag', 'If-Match': '*' })
    const theirs = await res.text()
    const value = (name) => theirs.match(new RegExp(`a=ice-${name}:(.*)\r\n`))[1]
    const sdp = pc.remoteDescription.sdp.replace(/a=ice-ufrag:.*/g, 'a=ice-ufrag:' + value('ufrag')).replace(/a=ice-pwd:.*/g, 'a=ice-pwd:' + value('pwd'))
    await pc.setRemoteDescription({ type: 'answer', sdp })
    return res.headers.get('ETag') !== session.etag
  }
  window.stats = async () => {
    const out = { state: pc.connectionState }
    const all = [...(await pc.getStats()).values()]
    for (const s of all) {
      if (s.type === 'inbound-rtp') out[s.kind] = { ...s, codec: all.find((c) => c.id === s.codecId)?.mimeType }
      if (s.type === 'transport') out.srtp = s.srtpCipher
    }
    return out
  }
}

async function enter(name) {
  const p = await person(house, name, { width: 800, height: 600 })
  await p.context.addInitScript(client)
  p.expected = /favicon/ // the browser asks for one, and the page that is borrowed here has none
  await p.page.goto('/healthz')
  return p
}
const stats = (p) => p.page.evaluate(() => stats())
/** Waits until so many more frames are decoded and sound was heard meanwhile. */
async function sees(p, more, what) {
  const before = await stats(p)
  return until(what, async () => {
    const now = await stats(p)
    const frames = (now.video?.framesDecoded ?? 0) - (before.video?.framesDecoded ?? 0)
    const energy = (now.audio?.totalAudioEnergy ?? 0) - (before.audio?.totalAudioEnergy ?? 0)
    return frames >= more && energy > 0 ? now : null
  })
}

let host = await enter('host')
await host.page.evaluate((t) => publish(t, 'video/H264'), publishToken)
await until('the publisher is connected', () => host.page.evaluate(() => pc.connectionState === 'connected'))
done('a browser publishes')

const viewer = await enter('viewer')
const first = await viewer.page.evaluate((t) => watch(t), watchToken)
done(`the first picture after ${Math.round(first)} ms`)
let s = await sees(viewer, 60, 'two seconds of picture and sound')
assert.equal(s.video.codec, 'video/H264')
assert.equal(s.audio.codec, 'audio/opus')
assert.equal(s.srtp, 'SRTP_AEAD_AES_128_GCM')
assert.ok(s.video.frameWidth >= 320, `${s.video.frameWidth} pixels wide`)
assert.ok(s.video.packetsLost <= 0 && s.audio.packetsLost <= 0, `lost ${s.video.packetsLost} and ${s.audio.packetsLost}`)
let apart
await until('sound and picture are together', async () => {
  s = await stats(viewer)
  apart = Math.abs(s.audio.estimatedPlayoutTimestamp - s.video.estimatedPlayoutTimestamp)
  return apart < 200
})
done(`decoded ${s.video.framesDecoded} frames, sound and picture ${Math.round(apart)} ms apart`)

assert.ok(await viewer.page.evaluate(() => restart()), 'the ETag changes with the ICE session')
await sees(viewer, 60, 'pictures after an ICE restart of the viewer')
assert.ok(await host.page.evaluate(() => restart()), 'the ETag of the publisher, too')
await sees(viewer, 60, 'pictures after an ICE restart of the publisher')
done('both restarted ICE')

await host.page.reload() // the page is gone without a word
await host.page.evaluate((t) => publish(t, 'video/H264'), publishToken)
await sees(viewer, 60, 'pictures from the publisher who came back, without a new connection')
done('the publisher came back into the room')

await host.page.reload()
await host.page.evaluate((t) => publish(t, 'video/VP8'), publishToken)
s = await until('the other codec is decoded', async () => {
  const now = await stats(viewer)
  return now.video.codec === 'video/VP8' && now.video.framesDecoded > 0 ? now : null
})
await sees(viewer, 30, 'pictures in VP8')
done('the publisher came back with VP8')

await viewer.page.evaluate(() => call('DELETE', session.url, session.token))
await until('the viewer hears of the end', () => viewer.page.evaluate(() => ['closed', 'failed', 'disconnected'].includes(pc.connectionState) || pc.sctp?.state === 'closed' || pc.getReceivers()[0].transport.state === 'closed'))
done('the viewer was told of the end')

await house.browser.close()
assert.deepEqual(house.complaints, [])
