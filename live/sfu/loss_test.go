package sfu_test

import (
	"crypto/rand"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"tongxin/live/sfu"
)

// What a viewer asks for comes again; requests for key frames of many viewers
// reach the publisher once.
func TestFeedback(t *testing.T) {
	n := start(t, nil)
	p := publish(t, n, "r", webrtc.MimeTypeH264)
	p.send(true)
	var all []*watcher
	for range 3 {
		w := watch(t, n, "r", clientAPI(t, false))
		w.frames(t, 1)
		all = append(all, w)
	}
	w := all[0]
	tr := within(t, "a track", w.track)
	if tr.Kind() == webrtc.RTPCodecTypeAudio {
		tr = within(t, "the other track", w.track)
	}
	p.send(false)
	first := within(t, "a packet", w.video)
	for range parts - 1 {
		within(t, "the rest of the frame", w.video)
	}
	before := n.Stats()
	check(t, w.pc.WriteRTCP([]rtcp.Packet{&rtcp.TransportLayerNack{MediaSSRC: uint32(tr.SSRC()), Nacks: []rtcp.NackPair{{PacketID: first.SequenceNumber}}}}))
	waitFor(t, "the packet is sent again", func() bool { return n.Stats().Resent == before.Resent+1 })
	check(t, w.pc.WriteRTCP([]rtcp.Packet{&rtcp.TransportLayerNack{MediaSSRC: uint32(tr.SSRC()), Nacks: []rtcp.NackPair{{PacketID: first.SequenceNumber - 2000}, {PacketID: first.SequenceNumber + 2000}}}}))
	for _, w := range all {
		tr := tr
		if w != all[0] {
			if tr = within(t, "a track", w.track); tr.Kind() == webrtc.RTPCodecTypeAudio {
				tr = within(t, "the other track", w.track)
			}
		}
		for range 5 {
			check(t, w.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(tr.SSRC())}}))
		}
	}
	within(t, "the publisher is asked for a key frame", p.keys)
	waitFor(t, "it was asked", func() bool { return n.Stats().KeyRequests > before.KeyRequests })
	if got := n.Stats(); got.KeyRequests > before.KeyRequests+2 || got.Resent != before.Resent+1 {
		t.Fatalf("%d requests of fifteen went on; %d packets sent again, of which one was there", got.KeyRequests-before.KeyRequests, got.Resent-before.Resent)
	}
}

// A viewer who reports heavy loss gets sound only for a while, then goes on with
// a key frame and without a gap in the numbers; nobody else notices.
func TestSlowViewer(t *testing.T) {
	n := start(t, nil)
	p := publish(t, n, "r", webrtc.MimeTypeH264)
	p.send(true)
	silent := &webrtc.MediaEngine{} // nothing of the library reports by itself
	check(t, silent.RegisterDefaultCodecs())
	var set webrtc.SettingEngine
	set.SetIncludeLoopbackCandidate(true)
	slow := watch(t, n, "r", webrtc.NewAPI(webrtc.WithMediaEngine(silent), webrtc.WithSettingEngine(set), webrtc.WithInterceptorRegistry(&interceptor.Registry{})))
	well := watch(t, n, "r", clientAPI(t, false))
	slow.frames(t, 1)
	well.frames(t, 1)
	tr := within(t, "a track", slow.track)
	if tr.Kind() == webrtc.RTPCodecTypeAudio {
		tr = within(t, "the other track", slow.track)
	}
	for range 2 {
		check(t, slow.pc.WriteRTCP([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: 1, Reports: []rtcp.ReceptionReport{{SSRC: uint32(tr.SSRC()), FractionLost: 128}}}}))
	}
	waitFor(t, "the pictures are held", func() bool { return n.Stats().Held == 1 })
	p.send(false)
	well.frames(t, p.frame)
	within(t, "sound goes on", slow.audio)
	within(t, "a key frame is asked for when the pause is over", p.keys)
	if got := len(slow.video); got > 0 {
		t.Fatalf("%d packets of video in the pause", got)
	}
	last := slow.seq
	p.send(true)
	if first := slow.frames(t, p.frame); first != p.frame || slow.seq != last+parts {
		t.Fatalf("it goes on with frame %d, number %d after %d", first, slow.seq, last)
	}
	well.frames(t, p.frame)
}

func waitFor(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

// Whatever strangers send to the port, they get no answer and those who watch
// lose nothing.
func TestStrangersGetNothing(t *testing.T) {
	n := start(t, nil)
	p := publish(t, n, "r", webrtc.MimeTypeH264)
	w := watch(t, n, "r", clientAPI(t, false))
	p.send(true)
	w.frames(t, 1)
	conn, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(n.Addrs()[0]))
	check(t, err)
	defer conn.Close() //nolint:errcheck // the test is over
	for i := range 20_000 {
		b := make([]byte, 20+i%1200)
		rand.Read(b) //nolint:errcheck // crypto/rand.Read never fails since Go 1.24
		switch i % 4 {
		case 0: // STUN
			copy(b, []byte{0, 1, byte((len(b) - 20) >> 8), byte(len(b) - 20), 0x21, 0x12, 0xa4, 0x42})
		case 1: // DTLS
			b[0] = 22
		case 2: // RTP
			b[0] = 0x80
		}
		_, _ = conn.Write(b) // full buffers drop it, as they would on the way
	}
	for range 20 {
		p.send(false)
		time.Sleep(time.Millisecond)
	}
	w.frames(t, p.frame)
	check(t, conn.SetReadDeadline(time.Now().Add(200*time.Millisecond)))
	if got, err := conn.Read(make([]byte, 100)); err == nil {
		t.Fatalf("a stranger got an answer of %d bytes", got)
	}
}

func TestLimits(t *testing.T) {
	n := start(t, func(c *sfu.Config) {
		c.MaxViewers = 1
		c.Listen = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}
	})
	watch(t, n, "r", clientAPI(t, false))
	pc, err := clientAPI(t, false).NewPeerConnection(webrtc.Configuration{})
	check(t, err)
	defer pc.Close() //nolint:errcheck // never connected
	_, err = pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
	check(t, err)
	if _, err := n.Watch(t.Context(), "r", "token", offerOf(t, pc)); err == nil {
		t.Fatal("one too many came in")
	}
	busy, err := sfu.New(sfu.Config{Listen: n.Addrs(), Clock: clockNow(), Log: quiet()})
	check(t, err)
	if err := busy.Start(); err == nil {
		check(t, busy.Close())
		t.Fatal("two nodes share one port")
	}
}
