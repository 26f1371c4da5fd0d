package sfu

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/fingerprint"

	"tongxin/live/dgram"
	"tongxin/live/pkt"
)

// flow is what a viewer gets of the pictures.
type flow uint8

const (
	idle     flow = iota // there are none, or none it could show
	waiting              // for the next key frame
	catching             // gets what came since the last key frame
	flowing
	held // its network does not carry them
)

// viewer is one who only receives. It has no PeerConnection: an ICE-lite agent of
// a few lines, the DTLS server of the library, and SRTP that the shard seals.
type viewer struct {
	node  *Node
	room  *room
	shard *shard
	id    string
	token string // what the session's address asks for
	pt    [pkt.VP8 + 1]uint8
	print offerPrint // of the peer's certificate
	born  time.Time

	to     atomic.Pointer[dest] // where the peer wants its packets
	heard  atomic.Int64         // last proof of consent, nanoseconds since born
	joined atomic.Bool

	mu     sync.Mutex
	ice    credentials
	tries  int
	dtls   *dgram.Queue
	conn   *dtls.Conn
	keys   keys // set once, before the shard knows the viewer
	asked  time.Time
	closed bool

	badReports, goodReports atomic.Int32 // one after the other

	// The shard's:
	video      flow
	next       int64 // what catching has sent already
	audioSeq   pkt.SeqMap
	videoSeq   pkt.SeqMap
	audioCount sent
	videoCount sent
	nextReport time.Time
	reports    int
	heldFor    time.Duration
	heldUntil  time.Time
	resends    int
}

// sent counts for sender reports.
type sent struct{ packets, octets uint32 }

// credentials of an ICE session and the version that ETag shows.
type credentials struct {
	ufrag, password string
}

func newCredentials() credentials { return credentials{secret(8), secret(24)} }

func ssrc() uint32 {
	var b [4]byte
	rand.Read(b[:]) //nolint:errcheck // crypto/rand.Read never fails since Go 1.24
	return binary.BigEndian.Uint32(b[:]) | 1
}

func firstSeq() uint16 { return uint16(ssrc()>>1) & 0x7fff }

// wants reports whether the viewer can show a codec.
func (v *viewer) wants(c pkt.Codec) bool { return c.Video() && v.pt[c] != 0 }

// number decides whether a packet goes to the viewer now, and under which number.
// It runs on the shard.
func (v *viewer) number(it item) (own int64, ok bool) {
	if v.pt[it.codec] == 0 {
		return 0, false
	}
	if !it.codec.Video() {
		if v.audioCount.packets == 0 {
			v.audioSeq.Cut(it.p.Seq)
		}
		return v.audioSeq.Map(it.p.Seq)
	}
	switch v.video {
	case idle, waiting:
		if !it.p.Key || !v.videoSeq.Ahead(it.p.Seq) {
			return 0, false
		}
		v.videoSeq.Cut(it.p.Seq)
		v.video = flowing
	case flowing:
		if it.p.Seq < v.next {
			return 0, false
		}
	default:
		return 0, false
	}
	return v.videoSeq.Map(it.p.Seq)
}

// stun answers a binding request whose sender knows the password.
func (v *viewer) stun(g int, from netip.AddrPort, b []byte, m pkt.Binding) {
	v.mu.Lock()
	password, closed := v.ice.password, v.closed
	mine := string(m.Local()) == v.ice.ufrag
	v.mu.Unlock()
	if closed || !mine || !m.Check(b, []byte(password)) {
		return
	}
	v.heard.Store(int64(time.Since(v.born)))
	v.node.peers.learn(from, v)
	if old := v.to.Load(); old == nil || m.Use && (old.addr != from || old.group != g) {
		v.to.Store(newDest(from, g, v.node.groups[g].v6))
	}
	answer := pkt.AppendBindingSuccess(make([]byte, 0, 96), m.ID, from, []byte(password))
	v.node.send(g, answer, from)
	v.handshake()
}

// send writes one datagram outside of the shards.
func (n *Node) send(g int, b []byte, to netip.AddrPort) {
	if _, err := n.groups[g].conns[0].WriteToUDPAddrPort(b, to); err != nil {
		n.stats.unsent.Add(1)
	}
}

// datagram takes DTLS and SRTCP.
func (v *viewer) datagram(from netip.AddrPort, b []byte) {
	if b[0] < 64 {
		v.mu.Lock()
		q := v.dtls
		v.mu.Unlock()
		if q != nil {
			q.Push(b, net.UDPAddrFromAddrPort(from))
		}
		return
	}
	if !pkt.IsRTCP(b) || !v.joined.Load() {
		return
	}
	v.feedback(b)
}

// handshake starts DTLS once, after the first proof of an address.
func (v *viewer) handshake() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed || v.dtls != nil || v.tries >= handshakeTries {
		return
	}
	if ok, _ := v.node.handshakes.Allow(v.to.Load().addr.Addr().String()); !ok {
		return
	}
	v.tries++
	local := net.UDPAddrFromAddrPort(v.node.groups[0].addr)
	q := dgram.New(local, 16, func(b []byte, _ net.Addr) error {
		if d := v.to.Load(); d != nil {
			v.node.send(d.group, b, d.addr)
		}
		return nil
	})
	v.dtls = q
	v.node.work.Go(func() { v.serve(q) })
}

// serve runs the DTLS session: handshake, keys, then nothing but its end.
func (v *viewer) serve(q *dgram.Queue) {
	conn, err := v.agree(q)
	if err != nil {
		v.node.cfg.Log.Debug("live: a viewer's handshake failed", "room", v.room.name, "error", err)
		_ = q.Close() // never fails
		v.mu.Lock()
		v.dtls = nil // its next binding request may start another
		v.mu.Unlock()
		return
	}
	v.joined.Store(true) // before the shard is asked: Close looks at it
	v.shard.do(func() {
		v.mu.Lock()
		closed := v.closed
		v.mu.Unlock()
		if !closed {
			v.shard.join(v)
		}
	})
	for b := make([]byte, 256); ; { // browsers send nothing but close_notify
		if _, err := conn.Read(b); err != nil {
			break
		}
	}
	_ = conn.Close() // it is over already
	v.Close()
}

func (v *viewer) agree(q *dgram.Queue) (*dtls.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), handshakeTime)
	defer cancel()
	conn, err := dtls.ServerWithOptions(q, net.UDPAddrFromAddrPort(v.to.Load().addr),
		dtls.WithCertificates(v.node.cert), dtls.WithSRTPProtectionProfiles(profiles()...),
		dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret),
		dtls.WithClientAuth(dtls.RequireAnyClientCert), dtls.WithInsecureSkipVerify(true),
		dtls.WithVerifyPeerCertificate(v.verify),
		// STUN has proved the address; a cookie would cost a round trip.
		dtls.WithInsecureSkipVerifyHello(true),
	)
	if err != nil {
		return nil, err
	}
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	k, err := keysOf(conn)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		return nil, errors.Join(net.ErrClosed, conn.Close())
	}
	v.keys, v.conn = k, conn
	return conn, nil
}

// verify compares the peer's certificate with the fingerprint of its offer: that
// is all the proof there is (RFC 8122 §5).
func (v *viewer) verify(raw [][]byte, _ [][]*x509.Certificate) error {
	if len(raw) == 0 {
		return errors.New("no certificate")
	}
	cert, err := x509.ParseCertificate(raw[0])
	if err != nil {
		return err
	}
	got, err := fingerprint.Fingerprint(cert, v.print.hash)
	if err != nil {
		return err
	}
	if !strings.EqualFold(got, v.print.value) {
		return errors.New("another certificate than the offer's")
	}
	return nil
}

// feedback opens and reads what the viewer reports.
func (v *viewer) feedback(b []byte) {
	now := time.Now()
	v.mu.Lock()
	plain, ok := v.keys.openRTCP(b)
	mayAsk := now.Sub(v.asked) >= 2*keyPause
	v.mu.Unlock()
	if !ok {
		return
	}
	v.heard.Store(int64(now.Sub(v.born)))
	var audio, video []uint16
	key, loss, reported := false, uint8(0), false
	f := pkt.Feedback{
		Report: func(r pkt.Report) {
			if r.SSRC == v.room.video.ssrc {
				loss, reported = r.Lost, true
			}
		},
		NACK: func(ssrc uint32, seq uint16) {
			switch {
			case ssrc == v.room.video.ssrc && len(video) < resendBurst:
				video = append(video, seq)
			case ssrc == v.room.audio.ssrc && len(audio) < resendBurst:
				audio = append(audio, seq)
			}
		},
		Key: func(ssrc uint32) { key = key || ssrc == v.room.video.ssrc },
	}
	f.Read(plain)
	if reported {
		v.rate(loss)
	}
	if len(audio) > 0 {
		v.shard.try(func() { v.shard.resend(v, false, audio) })
	}
	if len(video) > 0 {
		v.shard.try(func() { v.shard.resend(v, true, video) })
	}
	if key && mayAsk {
		v.mu.Lock()
		v.asked = now
		v.mu.Unlock()
		v.room.needKey(now)
	}
}

// rate counts reports of heavy loss, and of little, one after the other.
func (v *viewer) rate(loss uint8) {
	if loss >= heldLoss {
		v.goodReports.Store(0)
		v.badReports.Add(1)
		return
	}
	v.badReports.Store(0)
	v.goodReports.Add(1)
}

// bind implements session. The shard is drawn: by the start of a random number.
func (v *viewer) bind(r *room) {
	v.room, v.shard = r, v.node.shards[int(v.audioSeq.Sent())%len(v.node.shards)]
}

// expired implements session.
func (v *viewer) expired(now time.Time) bool {
	if !v.joined.Load() {
		return now.Sub(v.born) > joinTime
	}
	return now.Sub(v.born)-time.Duration(v.heard.Load()) > consentTime
}

// Close implements session: the peer is told, and all that was kept is given back.
func (v *viewer) Close() {
	v.mu.Lock()
	if v.closed {
		v.mu.Unlock()
		return
	}
	v.closed = true
	q, conn, ufrag := v.dtls, v.conn, v.ice.ufrag
	v.mu.Unlock()
	v.node.leave(v.id, v.room, false)
	if v.joined.Load() {
		v.shard.do(func() { v.shard.leave(v) })
	}
	if conn != nil {
		_ = conn.Close() // tells the peer, which may be gone
	}
	if q != nil {
		_ = q.Close() // ends serve
	}
	v.node.peers.remove(v, ufrag)
}
