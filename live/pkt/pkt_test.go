package pkt_test

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"github.com/pion/stun/v4"
	"pgregory.net/rapid"

	"tongxin/live/pkt"
)

func check(t rapid.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestRTPAgreesWithTheLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rtp.Packet{
			Header: rtp.Header{
				Version: 2, Marker: rapid.Bool().Draw(t, "marker"), PayloadType: rapid.Uint8Range(0, 127).Draw(t, "pt"), SequenceNumber: rapid.Uint16().Draw(t, "seq"),
				Timestamp: rapid.Uint32().Draw(t, "ts"), SSRC: rapid.Uint32().Draw(t, "ssrc"), CSRC: rapid.SliceOfN(rapid.Uint32(), 0, 15).Draw(t, "csrc"),
			},
			Payload: rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(t, "payload"),
		}
		if rapid.Bool().Draw(t, "extension") {
			check(t, p.SetExtension(1, rapid.SliceOfN(rapid.Byte(), 1, 16).Draw(t, "ext")))
		}
		if pad := rapid.Uint8Range(0, 20).Draw(t, "pad"); pad > 0 {
			p.Padding, p.Header.PaddingSize = true, pad
		}
		b, err := p.Marshal()
		check(t, err)
		got, ok := pkt.ParseRTP(b)
		if !ok || got.Marker != p.Marker || got.PT != p.PayloadType || got.Seq != p.SequenceNumber || got.TS != p.Timestamp || got.SSRC != p.SSRC || !bytes.Equal(got.Payload, p.Payload) {
			t.Fatalf("%+v of %+v", got, p)
		}
	})
	for name, b := range map[string][]byte{
		"empty": {}, "version 1": bytes.Repeat([]byte{0x40}, 20), "padding longer than all": append(append([]byte{0xa0}, make([]byte, 12)...), 200),
		"padding of nothing": append([]byte{0xa0}, make([]byte, 13)...), "extension beyond the end": append([]byte{0x90}, make([]byte, 12)...),
	} {
		if _, ok := pkt.ParseRTP(b); ok {
			t.Errorf("%s: taken", name)
		}
	}
}

// Frames are padded so that all but the last part have one size, and the library
// takes the padding off again.
func TestEqualize(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(1000, 1010), 2, 8).Draw(t, "sizes")
		var frame []*pkt.Packet
		for i, n := range sizes {
			frame = append(frame, &pkt.Packet{Seq: int64(i), Payload: bytes.Repeat([]byte{byte(i)}, n)})
		}
		pkt.Equalize(frame)
		longest := 0
		for _, p := range frame {
			longest = max(longest, p.Size())
		}
		for i, p := range frame {
			if i < len(frame)-1 && p.Size() != longest {
				t.Fatalf("part %d has %d bytes, the longest %d", i, p.Size(), longest)
			}
			b := make([]byte, pkt.HeaderLen)
			p.PutHeader(b, 96, uint16(i), 1)
			var back rtp.Packet
			check(t, back.Unmarshal(append(b, p.Payload...)))
			if !bytes.Equal(back.Payload, bytes.Repeat([]byte{byte(i)}, sizes[i])) {
				t.Fatalf("part %d changed", i)
			}
		}
	})
}

func TestRingKeepsTheNewest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, kept, head := pkt.NewRing(64), map[int64]*pkt.Packet{}, int64(0)
		first := rapid.Int64Range(0, 1000).Draw(t, "first")
		for range rapid.IntRange(1, 300).Draw(t, "n") {
			seq := max(0, first+rapid.Int64Range(-80, 40).Draw(t, "step"))
			p := &pkt.Packet{Seq: seq}
			taken := r.Put(p)
			if want := kept[seq] == nil && seq >= head-64; taken != want {
				t.Fatalf("put %d at head %d: %v", seq, head, taken)
			}
			if taken {
				kept[seq] = p
				head = max(head, seq+1)
				first = max(first, seq)
			}
		}
		for seq := max(0, head-100); seq < head+5; seq++ {
			want := kept[seq]
			if seq < head-64 {
				want = nil
			}
			if r.Get(seq) != want {
				t.Fatalf("get %d at head %d: %v, want %v", seq, head, r.Get(seq), want)
			}
		}
	})
}

// A viewer's numbering has no gaps where packets were left out, no number is
// given twice, and what it asks for is found.
func TestSeqMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := pkt.NewSeqMap(rapid.Uint16().Draw(t, "first"))
		if _, ok := m.Map(5); ok {
			t.Fatal("it sends before it begins")
		}
		src := rapid.Int64Range(0, 70_000).Draw(t, "src")
		next := m.Sent()
		owns, srcs := map[int64]int64{}, map[int64]int64{}
		cuts := 0
		for range rapid.IntRange(1, 60).Draw(t, "runs") {
			src += rapid.SampledFrom([]int64{0, 1, 50, 5000}).Draw(t, "gap")
			if !m.Ahead(src) {
				t.Fatalf("%d is ahead", src)
			}
			if m.Cut(src); cuts < 4 {
				cuts++
			}
			for range rapid.IntRange(0, 30).Draw(t, "run") {
				own, ok := m.Map(src)
				if !ok || own != next {
					t.Fatalf("source %d became %d (%v), want %d", src, own, ok, next)
				}
				owns[own], srcs[src] = src, own
				next, src = next+1, src+1
			}
		}
		m.Cut(0) // the past is over
		for own := max(m.Sent()-20, 0); own < m.Sent(); own++ {
			src, sent := owns[own]
			got, full, ok := m.Unmap(uint16(own))
			if ok && (!sent || got != src || full != own) {
				t.Fatalf("asked for %d: source %d, want %d", own, got, src)
			}
			if again, found := m.Map(src); sent && found && again != own {
				t.Fatalf("source %d is %d now and was %d", src, again, own)
			}
		}
		if _, _, ok := m.Unmap(uint16(m.Sent() + 3)); ok {
			t.Fatal("it finds what was never sent")
		}
	})
}

// Whoever sends: numbers never repeat, time never stands still at a change.
func TestRewriter(t *testing.T) {
	w := pkt.Rewriter{Rate: 90000}
	at := time.Unix(1000, 0)
	seq, ts, fresh := w.Next(1, 65534, 4_294_967_000, at)
	if !fresh || seq != 65534 || ts != 4_294_967_000 {
		t.Fatal(seq, ts, fresh)
	}
	for i, want := range []int64{65535, 65536, 65537} {
		at = at.Add(33 * time.Millisecond)
		if seq, _, fresh = w.Next(1, uint16(65535+i), 4_294_967_000+uint32(i+1)*3000, at); seq != want || fresh {
			t.Fatalf("%d after the wrap, want %d", seq, want)
		}
	}
	if seq, _, _ = w.Next(1, 65535, 0, at); seq != 65535 {
		t.Fatalf("a late one became %d", seq)
	}
	last, _, _ := w.Last()
	at = at.Add(2 * time.Second)
	seq, ts, fresh = w.Next(2, 7, 5055, at)
	if !fresh || seq <= 65537 || ts-last < 2*90000 || ts-last > 2*90000+10 {
		t.Fatalf("another source: %d, %d after the last, fresh %v", seq, ts-last, fresh)
	}
	if before, _, _ := w.Next(2, 6, 5055-3000, at); before != seq-1 {
		t.Fatalf("the new source's earlier packet became %d, want %d", before, seq-1)
	}
	if shifted, ok := w.Shift(2, 5055+90000); !ok || shifted != ts+90000 {
		t.Fatal(shifted, ok)
	}
	if _, ok := w.Shift(1, 0); ok {
		t.Fatal("the clock of a source that is gone")
	}
}

// Packets without content are left out, and those that were late find their
// numbers all the same.
func TestRewriterSkips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := pkt.Rewriter{Rate: 90000}
		first := rapid.Uint16().Draw(t, "first")
		at := time.Unix(1000, 0)
		base, _, _ := w.Next(1, first, 0, at)
		src, want := first, base
		late, lateWant := []uint16{}, []int64{}
		for range rapid.IntRange(0, 60).Draw(t, "n") {
			src++
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				w.Skip(1, src)
			case 1:
				want++
				late, lateWant = append(late, src), append(lateWant, want)
				src++
				want++ // another one shows that one was missing
				if got, _, _ := w.Next(1, src, 0, at); got != want {
					t.Fatalf("%d, want %d", got, want)
				}
			default:
				want++
				if got, _, _ := w.Next(1, src, 0, at); got != want {
					t.Fatalf("%d, want %d", got, want)
				}
			}
		}
		for i, seq := range late {
			if got, _, _ := w.Next(1, seq, 0, at); got != lateWant[i] {
				t.Fatalf("a late one became %d, want %d", got, lateWant[i])
			}
		}
	})
}

func TestKeyFrames(t *testing.T) {
	for _, c := range []struct {
		name  string
		codec pkt.Codec
		b     []byte
		key   bool
	}{
		{"idr", pkt.H264, []byte{0x65, 0x88}, true},
		{"slice", pkt.H264, []byte{0x41, 0x9a}, false},
		{"sps", pkt.H264, []byte{0x67, 0x42}, true},
		{"stap-a of sps and pps", pkt.H264, []byte{0x78, 0, 2, 0x67, 0x42, 0, 2, 0x68, 0xce}, true},
		{"stap-a of sei and idr", pkt.H264, []byte{0x78, 0, 2, 0x06, 0x05, 0, 2, 0x65, 0x88}, true},
		{"stap-a of slices", pkt.H264, []byte{0x78, 0, 2, 0x41, 0x9a}, false},
		{"stap-a cut off", pkt.H264, []byte{0x78, 0, 9, 0x67}, false},
		{"first part of idr", pkt.H264, []byte{0x7c, 0x85, 0x88}, true},
		{"later part of idr", pkt.H264, []byte{0x7c, 0x05, 0x88}, false},
		{"first part of a slice", pkt.H264, []byte{0x7c, 0x81, 0x9a}, false},
		{"nothing", pkt.H264, nil, false},
		{"vp8 key", pkt.VP8, []byte{0x10, 0x00}, true},
		{"vp8 inter", pkt.VP8, []byte{0x10, 0x01}, false},
		{"vp8 key with a long picture id", pkt.VP8, []byte{0x90, 0xe0, 0x81, 0x23, 0x04, 0x20, 0x00}, true},
		{"vp8 second partition", pkt.VP8, []byte{0x11, 0x00}, false},
		{"vp8 not the start", pkt.VP8, []byte{0x00, 0x00}, false},
		{"vp8 cut off", pkt.VP8, []byte{0x90, 0x80}, false},
		{"sound", pkt.Opus, []byte{0x65, 0x88}, false},
	} {
		if got := c.codec.Key(c.b); got != c.key {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestSTUNAgreesWithTheLibrary(t *testing.T) {
	password := "a password of 22 chars"
	m, err := stun.Build(stun.TransactionID, stun.BindingRequest, stun.NewUsername("ours:theirs"), stun.RawAttribute{Type: stun.AttrUseCandidate},
		stun.NewShortTermIntegrity(password), stun.Fingerprint)
	check(t, err)
	got, ok := pkt.ParseBinding(m.Raw)
	if !ok || !got.Request || !got.Use || string(got.Local()) != "ours" || got.ID != m.TransactionID {
		t.Fatalf("%+v %v", got, ok)
	}
	raw := bytes.Clone(m.Raw)
	if !got.Check(m.Raw, []byte(password)) || got.Check(m.Raw, []byte("another")) || !bytes.Equal(raw, m.Raw) {
		t.Fatal("the proof was not judged well, or the message changed")
	}
	for i := range raw {
		if i == len(raw)-8 || i == len(raw)-7 {
			continue // without its kind the fingerprint is an unknown attribute, which proves and harms nothing
		}
		b := bytes.Clone(raw)
		b[i] ^= 1
		if m, ok := pkt.ParseBinding(b); ok && m.Check(b, []byte(password)) {
			t.Fatalf("changed at %d, it is still taken", i)
		}
	}
	for _, from := range []string{"192.0.2.7:4321", "[2001:db8::5]:65535", "[::ffff:192.0.2.7]:1"} {
		a := netip.MustParseAddrPort(from)
		var back stun.Message
		check(t, stun.Decode(pkt.AppendBindingSuccess(nil, m.TransactionID, a, []byte(password)), &back))
		var x stun.XORMappedAddress
		check(t, x.GetFrom(&back))
		check(t, stun.NewShortTermIntegrity(password).Check(&back))
		check(t, stun.Fingerprint.Check(&back))
		if back.Type != stun.BindingSuccess || int(a.Port()) != x.Port || x.IP.String() != a.Addr().Unmap().String() {
			t.Fatalf("%s: %v %v", from, back.Type, x)
		}
	}
	b := pkt.AppendBindingRequest(nil, m.TransactionID, "abc:de", []byte(password))
	var back stun.Message
	check(t, stun.Decode(b, &back))
	check(t, stun.NewShortTermIntegrity(password).Check(&back))
	if got, ok := pkt.ParseBinding(b); !ok || !got.Check(b, []byte(password)) || string(got.Local()) != "abc" || !got.Use {
		t.Fatal("our own request is not taken")
	}
}

func TestGCMAgreesWithTheLibrary(t *testing.T) {
	key, salt := bytes.Repeat([]byte{7}, 16), bytes.Repeat([]byte{9}, 12)
	lib, err := srtp.CreateContext(key, salt, srtp.ProtectionProfileAeadAes128Gcm)
	check(t, err)
	libSend, err := srtp.CreateContext(key, salt, srtp.ProtectionProfileAeadAes128Gcm)
	check(t, err)
	g, err := pkt.NewGCM(key, salt)
	check(t, err)
	for seq := int64(65530); seq < 65545; seq++ { // over a wrap
		p := &pkt.Packet{Seq: seq, TS: 1234, Payload: bytes.Repeat([]byte{byte(seq)}, 100), Marker: seq%2 == 0}
		h := make([]byte, pkt.HeaderLen)
		p.PutHeader(h, 96, uint16(seq), 0xdeadbeef)
		roc := uint32((seq - 65530 + 65530) >> 16)
		sealed := g.SealRTP(make([]byte, 0, 200), h, p.Payload, roc)
		plain, err := lib.DecryptRTP(nil, sealed, nil)
		check(t, err)
		if !bytes.Equal(plain, append(bytes.Clone(h), p.Payload...)) {
			t.Fatalf("%d: other content", seq)
		}
		theirs, err := libSend.EncryptRTP(nil, plain, nil)
		check(t, err)
		if !bytes.Equal(theirs, sealed) {
			t.Fatalf("%d: sealed in another way", seq)
		}
		var head [16]byte
		if !g.Peek(&head, sealed, pkt.HeaderLen, roc) || !bytes.Equal(head[:], p.Payload[:16]) {
			t.Fatalf("%d: peeked %x", seq, head)
		}
		body, ok := g.OpenRTP(bytes.Clone(sealed), pkt.HeaderLen, roc)
		if !ok || !bytes.Equal(body, p.Payload) {
			t.Fatalf("%d: it does not open", seq)
		}
		sealed[len(sealed)-1] ^= 1
		if _, ok := g.OpenRTP(sealed, pkt.HeaderLen, roc); ok {
			t.Fatalf("%d: altered and opened", seq)
		}
	}
	report := pkt.AppendCNAME(pkt.AppendSR(nil, pkt.SenderReport{SSRC: 5, At: time.Unix(1, 0), TS: 9}), "name", 5)
	for range 3 {
		sealed := g.SealRTCP(nil, report)
		plain, err := lib.DecryptRTCP(nil, sealed, nil)
		check(t, err)
		if !bytes.Equal(plain, report) {
			t.Fatalf("%x", plain)
		}
		theirs, err := libSend.EncryptRTCP(nil, report, nil)
		check(t, err)
		if got, ok := g.OpenRTCP(bytes.Clone(theirs)); !ok || !bytes.Equal(got, report) {
			t.Fatal("the library's report does not open")
		}
		if _, ok := g.OpenRTCP(theirs); ok {
			t.Fatal("a repeated report opens")
		}
	}
}

func TestRTCPAgreesWithTheLibrary(t *testing.T) {
	at := time.Date(2026, 11, 25, 8, 0, 0, 250_000_000, time.UTC)
	b := pkt.AppendSR(nil, pkt.SenderReport{SSRC: 1, At: at, TS: 2, Packets: 3, Octets: 4})
	b = pkt.AppendCNAME(b, "room", 1, 2)
	b = pkt.AppendBYE(b, 1, 2)
	list, err := rtcp.Unmarshal(b)
	check(t, err)
	sr, sdes, bye := list[0].(*rtcp.SenderReport), list[1].(*rtcp.SourceDescription), list[2].(*rtcp.Goodbye)
	if sr.SSRC != 1 || sr.RTPTime != 2 || sr.PacketCount != 3 || sr.OctetCount != 4 || pkt.FromNTP(sr.NTPTime).Sub(at).Abs() > time.Microsecond {
		t.Fatalf("%+v", sr)
	}
	if len(sdes.Chunks) != 2 || sdes.Chunks[1].Source != 2 || sdes.Chunks[1].Items[0].Text != "room" || len(bye.Sources) != 2 {
		t.Fatalf("%+v %+v", sdes, bye)
	}
	in := []rtcp.Packet{
		&rtcp.ReceiverReport{SSRC: 9, Reports: []rtcp.ReceptionReport{{SSRC: 1, FractionLost: 30, LastSequenceNumber: 77, Jitter: 5}, {SSRC: 2}}},
		&rtcp.TransportLayerNack{MediaSSRC: 1, Nacks: rtcp.NackPairsFromSequenceNumbers([]uint16{65534, 65535, 3, 100})},
		&rtcp.PictureLossIndication{MediaSSRC: 1},
		&rtcp.FullIntraRequest{FIR: []rtcp.FIREntry{{SSRC: 2}}},
		&rtcp.ReceiverEstimatedMaximumBitrate{Bitrate: 1e6, SSRCs: []uint32{1}},
	}
	raw, err := rtcp.Marshal(in)
	check(t, err)
	var reports []pkt.Report
	var seqs []uint16
	var keys []uint32
	f := pkt.Feedback{
		Report: func(r pkt.Report) { reports = append(reports, r) },
		NACK:   func(_ uint32, s uint16) { seqs = append(seqs, s) },
		Key:    func(s uint32) { keys = append(keys, s) },
	}
	if !f.Read(raw) || len(reports) != 2 || reports[0] != (pkt.Report{SSRC: 1, Lost: 30, Highest: 77, Jitter: 5}) || len(keys) != 2 || keys[1] != 2 {
		t.Fatalf("%+v %v", reports, keys)
	}
	if want := []uint16{65534, 65535, 3, 100}; len(seqs) != 4 || seqs[0] != want[0] || seqs[1] != want[1] || seqs[2] != want[2] || seqs[3] != want[3] {
		t.Fatal(seqs)
	}
	ours := pkt.AppendNACK(pkt.AppendPLI(pkt.AppendRR(nil, 9, pkt.Report{SSRC: 1, Lost: 2}), 9, 1), 9, 1, 5, 900)
	if list, err = rtcp.Unmarshal(ours); err != nil || len(list) != 3 {
		t.Fatal(list, err)
	}
	if !(&pkt.Feedback{}).Read(ours) || (&pkt.Feedback{}).Read(ours[:len(ours)-1]) {
		t.Fatal("whole and cut off are judged alike")
	}
}

func FuzzRTP(f *testing.F) {
	p := rtp.Packet{Header: rtp.Header{Version: 2, Marker: true, PayloadType: 96, SequenceNumber: 7, Extension: true, ExtensionProfile: 0xbede}, Payload: []byte{0x7c, 0x85, 1, 2}}
	check(f, p.SetExtension(1, []byte{1, 2, 3}))
	b, err := p.Marshal()
	check(f, err)
	f.Add(b)
	f.Add([]byte{0x78, 0, 2, 0x67, 0x42, 0, 2, 0x68, 0xce})
	f.Add(append([]byte{0xbf, 0xff}, make([]byte, 100)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, ok := pkt.ParseRTP(b); ok && len(p.Payload) > len(b)-pkt.HeaderLen {
			t.Fatal("a payload longer than its packet")
		}
		for _, c := range []pkt.Codec{pkt.H264, pkt.VP8, pkt.Opus} {
			c.Key(b)
		}
	})
}

func FuzzRTCP(f *testing.F) {
	f.Add(pkt.AppendNACK(pkt.AppendPLI(pkt.AppendRR(nil, 9, pkt.Report{SSRC: 1}), 9, 1), 9, 1, 5))
	f.Add(pkt.AppendCNAME(pkt.AppendSR(nil, pkt.SenderReport{}), "x", 1))
	f.Add([]byte{0x9f, 200, 0, 1, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		n := 0
		r := pkt.Feedback{Report: func(pkt.Report) { n++ }, NACK: func(uint32, uint16) { n++ }, Key: func(uint32) { n++ }}
		r.Read(b)
		if n > 17*len(b) {
			t.Fatalf("%d callbacks of %d bytes", n, len(b))
		}
		g, err := pkt.NewGCM(make([]byte, 16), make([]byte, 12))
		check(t, err)
		if _, ok := g.OpenRTCP(bytes.Clone(b)); ok {
			t.Fatal("forged")
		}
		if _, ok := g.OpenRTP(bytes.Clone(b), pkt.HeaderLen, 0); ok {
			t.Fatal("forged")
		}
	})
}

func FuzzSTUN(f *testing.F) {
	f.Add(pkt.AppendBindingRequest(nil, [12]byte{1}, "abc:def", []byte("password")))
	f.Add(pkt.AppendBindingSuccess(nil, [12]byte{2}, netip.MustParseAddrPort("[::1]:9"), []byte("password")))
	f.Add([]byte{0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42})
	secret := []byte("nobody can know this one, it is not in the seeds")
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		if m, ok := pkt.ParseBinding(b); ok {
			m.Local()
			if m.Check(b, secret) {
				t.Fatal("forged")
			}
		}
		if !bytes.Equal(before, b) {
			t.Fatal("the message changed")
		}
	})
}
