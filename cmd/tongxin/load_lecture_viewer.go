//go:build linux

package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/selfsign"
	"github.com/pion/srtp/v3"

	"tongxin/live/dgram"
	"tongxin/live/pkt"
)

// loadViewer is one who watches: an ICE agent that nominates the first candidate,
// DTLS by the library, SRTP.
type loadViewer struct {
	fd    int
	to    *net.UDPAddr
	dtls  *dgram.Queue
	extra bool // joined in the storm: not measured

	ufrag, password   string // ours
	theirs, theirPass string
	bound             chan struct{}
	once              sync.Once
	sees              chan struct{}
	first             time.Duration

	ready   atomic.Bool // the keys below are set
	gcm     *pkt.GCM
	cm      *srtp.Context
	sendGCM *pkt.GCM
	sendCM  *srtp.Context
	videoPT uint8
	audioPT uint8
	mu      sync.Mutex // of sending reports
	tracks  [2]loadTrack
}

// loadTrack counts one track. The receiving thread owns it.
type loadTrack struct {
	video           bool
	ssrc            uint32
	lowest, highest int64
	received        uint64
}

// count notes a number and returns its rollover counter.
func (t *loadTrack) count(seq uint16) uint32 {
	if t.received == 0 {
		t.lowest, t.highest = int64(seq), int64(seq)
	}
	n := pkt.Extend(t.highest, seq)
	t.highest = max(t.highest, n)
	t.received++
	return uint32(n >> 16)
}

func (v *loadViewer) track(ssrc uint32, pt uint8) *loadTrack {
	for i := range v.tracks {
		t := &v.tracks[i]
		if t.ssrc == ssrc {
			return t
		}
		if t.ssrc == 0 && (pt == v.videoPT || pt == v.audioPT) {
			t.ssrc, t.video = ssrc, pt == v.videoPT
			return t
		}
	}
	return nil
}

// open decrypts a whole packet and checks its proof.
func (v *loadViewer) open(b []byte, head int, roc uint32) ([]byte, bool) {
	if v.gcm != nil {
		return v.gcm.OpenRTP(b, head, roc)
	}
	out, err := v.cm.DecryptRTP(nil, b, nil)
	if err != nil {
		return nil, false
	}
	return out[head:], true
}

// bind asks the server: for its consent, and to send here.
func (v *loadViewer) bind() {
	var id [12]byte
	rand.Read(id[:])                                                                          //nolint:errcheck // crypto/rand.Read never fails since Go 1.24
	_ = v.write(pkt.AppendBindingRequest(nil, id, v.theirs+":"+v.ufrag, []byte(v.theirPass))) // asked again
}

// stun takes a response, or answers a server that asks by itself.
func (v *loadViewer) stun(b []byte) {
	m, ok := pkt.ParseBinding(b)
	if !ok {
		return
	}
	if m.Request {
		if m.Check(b, []byte(v.password)) {
			_ = v.write(pkt.AppendBindingSuccess(nil, m.ID, v.to.AddrPort(), []byte(v.password))) // asked again
		}
		return
	}
	if m.Check(b, []byte(v.theirPass)) {
		v.once.Do(func() { close(v.bound) })
	}
}

// report tells the server that all is well.
func (v *loadViewer) report() {
	if !v.ready.Load() {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	var b []byte
	for i := range v.tracks {
		if ssrc := v.tracks[i].ssrc; ssrc != 0 {
			b = pkt.AppendRR(b, 1, pkt.Report{SSRC: ssrc, Highest: uint32(v.tracks[i].highest)})
		}
	}
	if b == nil {
		return
	}
	if v.sendGCM != nil {
		_ = v.write(v.sendGCM.SealRTCP(nil, b)) // the next one says the same
	} else if out, err := v.sendCM.EncryptRTCP(nil, b, nil); err == nil {
		_ = v.write(out) // as above
	}
}

// loadCert is what all viewers show: making one for each would measure that.
var loadCert = sync.OnceValues(func() (tls.Certificate, error) { return selfsign.GenerateSelfSigned() })

// join brings one viewer in and waits for the first packet of a picture. It
// returns how long that took.
func (p *viewerPool) join(ctx context.Context, l *lecture) (time.Duration, error) {
	began := time.Now()
	cert, err := loadCert()
	if err != nil {
		return 0, err
	}
	v := &loadViewer{ufrag: hexToken(4), password: hexToken(12), bound: make(chan struct{}), sees: make(chan struct{}), extra: p.frozen.Load()}
	answer, err := l.post(ctx, l.whep, l.whepToken, v.offer(cert))
	if err != nil {
		return 0, err
	}
	passive, err := v.accept(answer)
	if err != nil {
		return 0, err
	}
	v.dtls = dgram.New(v.to, 32, func(b []byte, _ net.Addr) error { return v.write(b) })
	if err := p.socket(v, v.to.AddrPort()); err != nil {
		return 0, err
	}
	if err := v.ice(ctx); err != nil {
		return 0, err
	}
	if err := v.agree(ctx, cert, passive); err != nil {
		return 0, err
	}
	select {
	case <-v.sees:
		return time.Since(began), nil
	case <-time.After(20 * time.Second):
		return 0, errors.New("no picture within 20 s")
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func hexToken(n int) string {
	b := make([]byte, n)
	rand.Read(b) //nolint:errcheck // crypto/rand.Read never fails since Go 1.24
	return hex.EncodeToString(b)
}

// offer is what a browser would send, with the codecs that are published.
func (v *loadViewer) offer(cert tls.Certificate) string {
	sum := sha256.Sum256(cert.Certificate[0])
	print := make([]string, len(sum))
	for i, c := range sum {
		print[i] = fmt.Sprintf("%02X", c)
	}
	ice := "c=IN IP4 0.0.0.0\r\na=ice-ufrag:" + v.ufrag + "\r\na=ice-pwd:" + v.password + "\r\na=ice-options:trickle\r\na=fingerprint:sha-256 " + strings.Join(print, ":") +
		"\r\na=setup:actpass\r\na=recvonly\r\na=rtcp-mux\r\na=rtcp-rsize\r\n"
	return "v=0\r\no=- " + strconv.FormatInt(time.Now().UnixNano(), 10) + " 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\na=msid-semantic: WMS\r\n" +
		"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" + ice + "a=mid:0\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n" +
		"m=video 9 UDP/TLS/RTP/SAVPF 102\r\n" + ice + "a=mid:1\r\na=rtpmap:102 H264/90000\r\na=rtcp-fb:102 nack\r\na=rtcp-fb:102 nack pli\r\n" +
		"a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n"
}

// accept reads an answer. passive says that the server waits for our handshake.
func (v *loadViewer) accept(answer string) (passive bool, err error) {
	passive = true
	kind := ""
	for line := range strings.Lines(answer) {
		line = strings.TrimSpace(line)
		key, value, _ := strings.Cut(line, ":")
		switch {
		case strings.HasPrefix(line, "m="):
			kind, _, _ = strings.Cut(line[2:], " ")
		case key == "a=ice-ufrag":
			v.theirs = value
		case key == "a=ice-pwd":
			v.theirPass = value
		case key == "a=setup":
			passive = value != "active"
		case key == "a=rtpmap":
			number, name, _ := strings.Cut(value, " ")
			pt, _ := strconv.ParseUint(number, 10, 7) // 0 finds nothing
			if name = strings.ToLower(name); kind == "video" && strings.HasPrefix(name, "h264/") {
				v.videoPT = uint8(pt)
			} else if kind == "audio" && strings.HasPrefix(name, "opus/") {
				v.audioPT = uint8(pt)
			}
		case key == "a=candidate" && v.to == nil:
			f := strings.Fields(value)
			if len(f) < 6 || !strings.EqualFold(f[2], "udp") {
				continue
			}
			if a, err := netip.ParseAddrPort(net.JoinHostPort(f[4], f[5])); err == nil {
				v.to = net.UDPAddrFromAddrPort(a)
			}
		}
	}
	if v.to == nil || v.theirs == "" || v.videoPT == 0 {
		return false, errors.New("the answer has no UDP candidate, no ufrag or no H.264")
	}
	return passive, nil
}

func (v *loadViewer) ice(ctx context.Context) error {
	for range 20 {
		v.bind()
		select {
		case <-v.bound:
			return nil
		case <-time.After(250 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return errors.New("the server did not answer STUN")
}

// agree makes the keys.
func (v *loadViewer) agree(ctx context.Context, cert tls.Certificate, passive bool) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	profiles := []dtls.SRTPProtectionProfile{dtls.SRTP_AES128_CM_HMAC_SHA1_80, dtls.SRTP_AEAD_AES_128_GCM} // in the order of browsers
	var conn *dtls.Conn
	var err error
	if passive {
		conn, err = dtls.ClientWithOptions(v.dtls, v.to, dtls.WithCertificates(cert), dtls.WithSRTPProtectionProfiles(profiles...), dtls.WithInsecureSkipVerify(true))
	} else {
		conn, err = dtls.ServerWithOptions(v.dtls, v.to, dtls.WithCertificates(cert), dtls.WithSRTPProtectionProfiles(profiles...), dtls.WithInsecureSkipVerify(true),
			dtls.WithClientAuth(dtls.RequireAnyClientCert), dtls.WithVerifyPeerCertificate(func([][]byte, [][]*x509.Certificate) error { return nil }))
	}
	if err != nil {
		return err
	}
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	profile, _ := conn.SelectedSRTPProtectionProfile()
	state, ok := conn.ConnectionState()
	if !ok {
		return errors.New("no state of DTLS")
	}
	salt := pkt.GCMSaltLen
	if profile == dtls.SRTP_AES128_CM_HMAC_SHA1_80 {
		salt = 14
	}
	const key = pkt.GCMKeyLen
	m, err := state.ExportKeyingMaterial("EXTRACTOR-dtls_srtp", nil, 2*key+2*salt)
	if err != nil {
		return err
	}
	client, server := [2][]byte{m[:key], m[2*key : 2*key+salt]}, [2][]byte{m[key : 2*key], m[2*key+salt:]}
	ours, theirs := client, server
	if !passive {
		ours, theirs = server, client
	}
	if profile == dtls.SRTP_AEAD_AES_128_GCM {
		if v.gcm, err = pkt.NewGCM(theirs[0], theirs[1]); err == nil {
			v.sendGCM, err = pkt.NewGCM(ours[0], ours[1])
		}
	} else if v.cm, err = srtp.CreateContext(theirs[0], theirs[1], srtp.ProtectionProfileAes128CmHmacSha1_80); err == nil {
		v.sendCM, err = srtp.CreateContext(ours[0], ours[1], srtp.ProtectionProfileAes128CmHmacSha1_80)
	}
	if err == nil {
		v.ready.Store(true)
	}
	return err
}
