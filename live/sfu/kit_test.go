package sfu_test

import (
	"bytes"
	"encoding/binary"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"tongxin/internal/clock"
	"tongxin/live/sfu"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// start runs a node on a free port of loopback.
func start(t testing.TB, change func(*sfu.Config)) *sfu.Node {
	t.Helper()
	cfg := sfu.Config{Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}, Shards: 2, Clock: clock.System{}, Log: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&cfg)
	}
	n, err := sfu.New(cfg)
	check(t, err)
	check(t, n.Start())
	t.Cleanup(func() { check(t, n.Close()) })
	return n
}

// within waits for a channel.
func within[T any](t testing.TB, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(20 * time.Second):
		t.Fatalf("not within 20 s: %s", what)
		panic("not reached")
	}
}

// sender is a publisher of made-up media: frames of four packets, every one of
// them with its number inside.
type sender struct {
	t     testing.TB
	pc    *webrtc.PeerConnection
	audio *webrtc.TrackLocalStaticRTP
	video *webrtc.TrackLocalStaticRTP
	kinds string
	keys  chan struct{} // requests for key frames
	frame uint32
	seq   uint16
	aseq  uint16
}

func clientAPI(t testing.TB, v6 bool) *webrtc.API {
	m := &webrtc.MediaEngine{}
	check(t, m.RegisterDefaultCodecs())
	var s webrtc.SettingEngine
	s.SetIncludeLoopbackCandidate(true)
	if v6 {
		s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP6})
	}
	return webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithSettingEngine(s))
}

func publish(t testing.TB, n *sfu.Node, room, mime string) *sender {
	t.Helper()
	pc, err := clientAPI(t, false).NewPeerConnection(webrtc.Configuration{})
	check(t, err)
	t.Cleanup(func() { check(t, pc.Close()) })
	p := &sender{t: t, pc: pc, kinds: mime, keys: make(chan struct{}, 100), seq: 65500, aseq: 65530}
	p.audio, err = webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}, "a", "s")
	check(t, err)
	p.video, err = webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: mime, ClockRate: 90000}, "v", "s")
	check(t, err)
	_, err = pc.AddTransceiverFromTrack(p.audio, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	check(t, err)
	tr, err := pc.AddTransceiverFromTrack(p.video, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	check(t, err)
	go func() {
		for {
			list, _, err := tr.Sender().ReadRTCP()
			if err != nil {
				return
			}
			for _, r := range list {
				if _, ok := r.(*rtcp.PictureLossIndication); ok {
					select {
					case p.keys <- struct{}{}:
					default:
					}
				}
			}
		}
	}()
	connected := connection(pc)
	a, err := n.Publish(t.Context(), room, "token", offerOf(t, pc))
	check(t, err)
	check(t, pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: a.SDP}))
	within(t, "the publisher is connected", connected)
	return p
}

func connection(pc *webrtc.PeerConnection) chan struct{} {
	c := make(chan struct{})
	var once sync.Once
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			once.Do(func() { close(c) })
		}
	})
	return c
}

func offerOf(t testing.TB, pc *webrtc.PeerConnection) string {
	t.Helper()
	offer, err := pc.CreateOffer(nil)
	check(t, err)
	done := webrtc.GatheringCompletePromise(pc)
	check(t, pc.SetLocalDescription(offer))
	within(t, "gathering", done)
	return pc.LocalDescription().SDP
}

// body is the payload of part i of frame n: it looks like H.264, the first part
// of a key frame like an IDR slice.
func body(n uint32, i int, key bool) []byte {
	b := bytes.Repeat([]byte{byte(n), byte(i)}, 500+i%2) // sizes differ by two bytes
	b[0] = 0x41
	if key && i == 0 {
		b[0] = 0x65
	}
	binary.BigEndian.PutUint32(b[1:], n)
	b[5] = byte(i)
	return b
}

const parts = 4

// send sends one frame and one packet of sound.
func (p *sender) send(key bool) {
	p.t.Helper()
	p.frame++
	for i := range parts {
		check(p.t, p.video.WriteRTP(&rtp.Packet{
			Header:  rtp.Header{Version: 2, SequenceNumber: p.seq, Timestamp: p.frame * 3000, Marker: i == parts-1},
			Payload: body(p.frame, i, key),
		}))
		p.seq++
	}
	b := make([]byte, 100)
	binary.BigEndian.PutUint32(b, p.frame)
	check(p.t, p.audio.WriteRTP(&rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: p.aseq, Timestamp: p.frame * 960}, Payload: b}))
	p.aseq++
}

// watcher is a viewer by pion: not our code on the other side.
type watcher struct {
	pc      *webrtc.PeerConnection
	id      string
	etag    string
	video   chan *rtp.Packet
	audio   chan *rtp.Packet
	reports chan *rtcp.SenderReport
	closed  chan struct{}
	rx      chan *webrtc.RTPReceiver
	began   bool
	seq     uint16 // of the newest packet that frames has read
	track   chan *webrtc.TrackRemote
}

func watch(t testing.TB, n *sfu.Node, room string, api *webrtc.API) *watcher {
	t.Helper()
	pc, err := api.NewPeerConnection(webrtc.Configuration{})
	check(t, err)
	t.Cleanup(func() { check(t, pc.Close()) })
	w := &watcher{
		pc: pc, video: make(chan *rtp.Packet, 4096), audio: make(chan *rtp.Packet, 4096), reports: make(chan *rtcp.SenderReport, 64),
		closed: make(chan struct{}), track: make(chan *webrtc.TrackRemote, 2), rx: make(chan *webrtc.RTPReceiver, 2),
	}
	for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
		_, err := pc.AddTransceiverFromKind(kind, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
		check(t, err)
	}
	pc.OnTrack(func(tr *webrtc.TrackRemote, rx *webrtc.RTPReceiver) {
		into := w.audio
		if tr.Kind() == webrtc.RTPCodecTypeVideo {
			into = w.video
		}
		w.track <- tr
		w.rx <- rx
		go func() {
			for {
				list, _, err := rx.ReadRTCP()
				if err != nil {
					return
				}
				for _, r := range list {
					if sr, ok := r.(*rtcp.SenderReport); ok {
						w.reports <- sr
					}
				}
			}
		}()
		for {
			p, _, err := tr.ReadRTP()
			if err != nil {
				return
			}
			into <- p
		}
	})
	connected := make(chan struct{})
	var once, end sync.Once
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		switch s {
		case webrtc.PeerConnectionStateConnected:
			once.Do(func() { close(connected) })
		case webrtc.PeerConnectionStateClosed, webrtc.PeerConnectionStateFailed:
			end.Do(func() { close(w.closed) })
		}
	})
	a, err := n.Watch(t.Context(), room, "token", offerOf(t, pc))
	check(t, err)
	w.id, w.etag = a.ID, a.ETag
	check(t, pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: a.SDP}))
	within(t, "the viewer is connected", connected)
	return w
}

// frames reads whole frames of video up to number last and fails on anything
// missing, doubled or changed. It returns the number of the first.
func (w *watcher) frames(t testing.TB, last uint32) (first uint32) {
	t.Helper()
	var n uint32
	part := 0
	var seq uint16
	for {
		p := within(t, "a packet of video", w.video)
		if len(p.Payload) == 0 {
			continue
		}
		got, i := binary.BigEndian.Uint32(p.Payload[1:]), int(p.Payload[5])
		if first == 0 {
			first, n = got, got
			if p.Payload[0] != 0x65 && !w.began {
				t.Fatalf("it begins with frame %d, which is no key frame", got)
			}
		} else if p.SequenceNumber != seq+1 {
			t.Fatalf("number %d after %d", p.SequenceNumber, seq)
		}
		w.began = true
		seq, w.seq = p.SequenceNumber, p.SequenceNumber
		if got != n || i != part || p.Marker != (i == parts-1) || !bytes.Equal(p.Payload, body(n, i, p.Payload[0] == 0x65)) {
			t.Fatalf("frame %d part %d of %d bytes (marker %v), want frame %d part %d", got, i, len(p.Payload), p.Marker, n, part)
		}
		if part++; part == parts {
			if n == last {
				return first
			}
			part, n = 0, n+1
		}
	}
}

func clockNow() clock.Clock { return clock.System{} }

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
