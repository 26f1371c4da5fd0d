package sfu_test

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"tongxin/internal/errs"
	"tongxin/live/sfu"
)

// A publisher and viewers by pion: every byte arrives once, in order, from a key
// frame on, over segmented sends and over single writes.
func TestLectureArrives(t *testing.T) {
	for name, change := range map[string]func(*sfu.Config){
		"segmented": nil,
		"plain":     func(c *sfu.Config) { c.Plain = true },
		"both families": func(c *sfu.Config) {
			c.Listen = []netip.AddrPort{netip.MustParseAddrPort("[::]:0")}
			c.Public = []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1")}
		},
	} {
		t.Run(name, func(t *testing.T) {
			n := start(t, change)
			p := publish(t, n, "r", webrtc.MimeTypeH264)
			early := watch(t, n, "r", clientAPI(t, false))
			p.send(true)
			for range 20 {
				p.send(false)
			}
			if first := early.frames(t, p.frame); first != 1 {
				t.Fatalf("who was there first begins with frame %d", first)
			}
			for i := uint32(1); i <= 3; i++ {
				if got := binary.BigEndian.Uint32(within(t, "sound", early.audio).Payload); got != i {
					t.Fatalf("sound %d, want %d", got, i)
				}
			}
			late := watch(t, n, "r", clientAPI(t, name == "both families"))
			if first := late.frames(t, p.frame); first != 1 {
				t.Fatalf("who comes later begins with frame %d: the pictures since the key frame are kept", first)
			}
			p.send(true) // 65536 was passed meanwhile
			for range 300 {
				p.send(false)
				time.Sleep(time.Millisecond) // the pace of a network; nothing waits for it
			}
			last := p.frame
			if early.frames(t, last); n.Stats().Viewers != 2 || n.Stats().Publishers != 1 {
				t.Fatalf("%+v", n.Stats())
			}
			late.frames(t, last)
			var audio, video bool
			for !audio || !video {
				sr := within(t, "sender reports of both tracks", early.reports)
				audio, video = audio || sr.RTPTime < 400*960, video || sr.RTPTime > 400*960
			}
		})
	}
}

// Who knows only the older SRTP profile gets it.
func TestOlderProfile(t *testing.T) {
	n := start(t, nil)
	p := publish(t, n, "r", webrtc.MimeTypeH264)
	m := &webrtc.MediaEngine{}
	check(t, m.RegisterDefaultCodecs())
	var s webrtc.SettingEngine
	s.SetIncludeLoopbackCandidate(true)
	s.SetSRTPProtectionProfiles(dtls.SRTP_AES128_CM_HMAC_SHA1_80)
	w := watch(t, n, "r", webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithSettingEngine(s)))
	p.send(true)
	p.send(false)
	w.frames(t, 2)
	within(t, "a sender report", w.reports)
}

// VP8 has another mark of a key frame, and who sees no picture asks for one.
func TestVP8Arrives(t *testing.T) {
	n := start(t, nil)
	p := publish(t, n, "r", webrtc.MimeTypeVP8)
	w := watch(t, n, "r", clientAPI(t, false))
	send := func(key bool) {
		p.frame++
		b := []byte{0x10, 0x01, byte(p.frame)} // start of partition 0, not a key frame
		if key {
			b[1] = 0
		}
		check(t, p.video.WriteRTP(&rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: uint16(p.frame), Timestamp: p.frame * 3000, Marker: true}, Payload: b}))
	}
	send(false)
	within(t, "a request for a key frame", p.keys)
	send(false)
	send(true)
	if got := within(t, "a picture", w.video); got.Payload[1] != 0 || got.Payload[2] != byte(p.frame) {
		t.Fatalf("it begins with %x", got.Payload)
	}
}

func TestSessionsEnd(t *testing.T) {
	n := start(t, nil)
	p := publish(t, n, "r", webrtc.MimeTypeH264)
	w := watch(t, n, "r", clientAPI(t, false))
	p.send(true)
	w.frames(t, 1)
	if err := n.Leave("r", w.id, "another"); !errs.Is(err, errs.NotFound) {
		t.Fatal("another token ended the session:", err)
	}
	if err := n.Leave("q", w.id, "token"); !errs.Is(err, errs.NotFound) {
		t.Fatal("it was found in another room:", err)
	}
	check(t, n.Leave("r", w.id, "token"))
	within(t, "the viewer hears of the end", w.closed)
	if err := n.Leave("r", w.id, "token"); !errs.Is(err, errs.NotFound) {
		t.Fatal("it ended twice:", err)
	}
	if s := n.Stats(); s.Viewers != 0 || s.Rooms != 1 {
		t.Fatalf("%+v", s)
	}
}
