package sfu

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"tongxin/internal/errs"
	"tongxin/live/pkt"
)

const (
	maxPacket = 1500
	// gatherTime is far more than listing the machine's addresses takes.
	gatherTime = 3 * time.Second
)

// publisher is who sends into a room, by a PeerConnection of pion.
type publisher struct {
	node  *Node
	room  *room
	id    string
	token string
	pc    *webrtc.PeerConnection
	port  *port
	born  time.Time
	ok    atomic.Bool  // connected once
	gone  atomic.Int64 // since when disconnected, nanoseconds after born; 0: it is not

	mu     sync.Mutex
	offer  string // the newest, for a restart of ICE
	closed bool
}

// source is one track of a publisher.
type source struct {
	pub   *publisher
	codec pkt.Codec
	ssrc  uint32
}

// requestKey asks the publisher's encoder for a key frame.
func (s *source) requestKey() {
	_ = s.pub.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: s.ssrc}}) // it is asked again while nobody sees a picture
}

// videoFeedback is what we ask of a video sender.
func videoFeedback() []webrtc.RTCPFeedback {
	return []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "ccm", Parameter: "fir"}}
}

// codecs that a publisher may send, H.264 first: it goes to HLS and to recordings
// as it is.
func codecs(m *webrtc.MediaEngine) error {
	opus := webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1;usedtx=1"},
		PayloadType:        111,
	}
	if err := m.RegisterCodec(opus, webrtc.RTPCodecTypeAudio); err != nil {
		return err
	}
	// Constrained baseline, baseline, main, high, constrained high.
	for i, profile := range []string{"42e01f", "42001f", "4d001f", "640032", "640c1f"} {
		c := webrtc.RTPCodecParameters{
			RTPCodecCapability: webrtc.RTPCodecCapability{
				MimeType: webrtc.MimeTypeH264, ClockRate: 90000, RTCPFeedback: videoFeedback(),
				SDPFmtpLine: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=" + profile,
			},
			PayloadType: webrtc.PayloadType(102 + i),
		}
		if err := video(m, c); err != nil {
			return err
		}
	}
	return video(m, webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000, RTCPFeedback: videoFeedback()},
		PayloadType:        96,
	})
}

// video registers a codec and its retransmission, which browsers also use to
// probe the network: else they put padding between the pictures.
func video(m *webrtc.MediaEngine, c webrtc.RTPCodecParameters) error {
	if err := m.RegisterCodec(c, webrtc.RTPCodecTypeVideo); err != nil {
		return err
	}
	return m.RegisterCodec(webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeRTX, ClockRate: 90000, SDPFmtpLine: fmt.Sprintf("apt=%d", c.PayloadType)},
		PayloadType:        c.PayloadType + 16,
	}, webrtc.RTPCodecTypeVideo)
}

// api builds pion for one publisher: what is received is asked for again and
// reported on, and nothing is ever sent but that.
func (n *Node) api(p *port) (*webrtc.API, error) {
	m := &webrtc.MediaEngine{}
	if err := codecs(m); err != nil {
		return nil, err
	}
	reg := &interceptor.Registry{}
	gen, err := nack.NewGeneratorInterceptor()
	if err != nil {
		return nil, err
	}
	rr, err := report.NewReceiverInterceptor()
	if err != nil {
		return nil, err
	}
	reg.Add(gen)
	reg.Add(rr)
	if err := webrtc.ConfigureTWCCSender(m, reg); err != nil {
		return nil, err
	}
	var s webrtc.SettingEngine
	s.SetLite(true)
	s.SetICEUDPMux(p)
	s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6})
	s.SetIncludeLoopbackCandidate(true)
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.SetSRTPProtectionProfiles(profiles()...)
	s.SetDTLSInsecureSkipHelloVerify(true)
	s.SetICETimeouts(5*time.Second, consentTime, 2*time.Second)
	s.DisableActiveTCP(true)
	if err := s.SetAnsweringDTLSRole(webrtc.DTLSRoleServer); err != nil {
		return nil, err
	}
	return webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithInterceptorRegistry(reg), webrtc.WithSettingEngine(s)), nil
}

// Publish lets somebody send into a room. Who sends there already is sent away:
// it is the same person coming back, or one whom the host let in. The token is
// what the session asks for from now on.
func (n *Node) Publish(ctx context.Context, name, token, offer string) (Answer, error) {
	if err := checkOffer(offer); err != nil {
		return Answer{}, err
	}
	p := &publisher{node: n, id: sessionID(), token: token, born: time.Now(), port: newPort(n)}
	if err := n.enter(p.id, name, p, true); err != nil {
		return Answer{}, err
	}
	answer, err := p.open(ctx, offer)
	if err != nil {
		p.Close()
		return Answer{}, err
	}
	return Answer{ID: p.id, SDP: answer, ETag: etag(answer)}, nil
}

func (p *publisher) open(ctx context.Context, offer string) (string, error) {
	api, err := p.node.api(p.port)
	if err != nil {
		return "", err
	}
	pc, err := api.NewPeerConnection(webrtc.Configuration{Certificates: []webrtc.Certificate{p.node.pionCert}})
	if err != nil {
		return "", err
	}
	p.mu.Lock()
	p.pc = pc
	closed := p.closed
	p.mu.Unlock()
	if closed { // the node ends
		return "", errors.Join(errs.New(errs.Unavailable, "直播服务正在停止，请稍后再试。"), pc.Close())
	}
	p.pc.OnTrack(func(t *webrtc.TrackRemote, rx *webrtc.RTPReceiver) { p.track(t, rx) })
	p.pc.OnConnectionStateChange(p.state)
	p.room.take(p)
	return p.answer(ctx, offer)
}

// answer negotiates an offer, the first or a restart.
func (p *publisher) answer(ctx context.Context, offer string) (string, error) {
	if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return "", errs.Wrap(err, errs.Invalid, "推流程序的会话描述（SDP）不正确，请更新推流程序后重试。")
	}
	for _, t := range p.pc.GetTransceivers() {
		if t.Kind() == webrtc.RTPCodecTypeVideo {
			h264First(t)
		}
	}
	a, err := p.pc.CreateAnswer(nil)
	if err != nil {
		return "", errs.Wrap(err, errs.Invalid, "推流程序的会话描述（SDP）不正确，请更新推流程序后重试。")
	}
	gathered := webrtc.GatheringCompletePromise(p.pc)
	if err := p.pc.SetLocalDescription(a); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, gatherTime)
	defer cancel()
	select {
	case <-gathered:
	case <-ctx.Done():
		return "", errs.Wrap(ctx.Err(), errs.Unavailable, "直播服务正忙，请稍后再试。")
	}
	p.mu.Lock()
	p.offer = offer
	p.mu.Unlock()
	return p.pc.LocalDescription().SDP, nil
}

// h264First makes H.264 the first choice where the offer has it.
func h264First(t *webrtc.RTPTransceiver) {
	rx := t.Receiver()
	if rx == nil {
		return
	}
	var first, rest []webrtc.RTPCodecParameters
	for _, c := range rx.GetParameters().Codecs {
		if strings.EqualFold(c.MimeType, webrtc.MimeTypeH264) { // its retransmission follows by itself
			first = append(first, c)
		} else {
			rest = append(rest, c)
		}
	}
	if len(first) > 0 {
		_ = t.SetCodecPreferences(append(first, rest...)) // else the order of the offer holds
	}
}

func (p *publisher) state(s webrtc.PeerConnectionState) {
	switch s {
	case webrtc.PeerConnectionStateConnected:
		p.ok.Store(true)
		p.gone.Store(0)
	case webrtc.PeerConnectionStateDisconnected:
		p.gone.CompareAndSwap(0, int64(time.Since(p.born)))
	case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
		go p.Close() // pion calls from within
	}
}

// track reads one track until it ends.
func (p *publisher) track(t *webrtc.TrackRemote, rx *webrtc.RTPReceiver) {
	src := &source{pub: p, ssrc: uint32(t.SSRC())}
	switch {
	case strings.EqualFold(t.Codec().MimeType, webrtc.MimeTypeOpus):
		src.codec = pkt.Opus
	case strings.EqualFold(t.Codec().MimeType, webrtc.MimeTypeH264):
		src.codec = pkt.H264
	case strings.EqualFold(t.Codec().MimeType, webrtc.MimeTypeVP8):
		src.codec = pkt.VP8
	default:
		return
	}
	if !p.room.begin(src) {
		return
	}
	defer p.room.end(src)
	go p.reports(src, rx) // ends with the receiver
	b := make([]byte, maxPacket)
	for {
		n, _, err := t.Read(b)
		if err != nil {
			return
		}
		in, ok := pkt.ParseRTP(b[:n])
		if !ok || in.PT != uint8(t.PayloadType()) {
			continue // a probe, or a codec that was not agreed on
		}
		in.Payload = append([]byte(nil), in.Payload...) // the room keeps it
		p.room.push(src, in, time.Now())
	}
}

// reports reads the publisher's clock.
func (p *publisher) reports(src *source, rx *webrtc.RTPReceiver) {
	for {
		list, _, err := rx.ReadRTCP()
		if err != nil {
			return
		}
		for _, r := range list {
			if sr, ok := r.(*rtcp.SenderReport); ok {
				p.room.publisherTime(src, sr.SSRC, pkt.FromNTP(sr.NTPTime), sr.RTPTime, time.Now())
			}
		}
	}
}

// bind implements session.
func (p *publisher) bind(r *room) { p.room = r }

// expired implements session. pion watches consent; this catches who never
// connected.
func (p *publisher) expired(now time.Time) bool {
	if !p.ok.Load() {
		return now.Sub(p.born) > joinTime
	}
	gone := p.gone.Load()
	return gone != 0 && now.Sub(p.born)-time.Duration(gone) > consentTime
}

// Close implements session.
func (p *publisher) Close() {
	p.mu.Lock()
	closed, pc := p.closed, p.pc
	p.closed = true
	p.mu.Unlock()
	if closed {
		return
	}
	if pc != nil {
		if err := pc.Close(); err != nil {
			p.node.cfg.Log.Debug("live: a publisher did not close in order", "error", err)
		}
	}
	_ = p.port.Close() // never fails
	p.room.free(p)
	p.node.leave(p.id, p.room, true)
}

// take gives the room to a publisher and sends away who had it.
func (r *room) take(p *publisher) {
	r.mu.Lock()
	old := r.publisher
	r.publisher = p
	r.audio.source, r.video.source = nil, nil
	r.hasOffset = false
	r.mu.Unlock()
	if old != nil {
		go old.Close() // the new one need not wait
	}
}

func (r *room) free(p *publisher) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.publisher == p {
		r.publisher, r.audio.source, r.video.source = nil, nil, nil
	}
}

// begin makes src the track that the room sends on; the first of its kind wins.
func (r *room) begin(src *source) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.track(src.codec)
	if r.publisher != src.pub || t.source != nil {
		return false
	}
	t.source = src
	return true
}

func (r *room) end(src *source) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if t := r.track(src.codec); t.source == src {
		t.source = nil
	}
}
