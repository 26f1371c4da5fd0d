package main

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// What the publisher sends: 50 packets of Opus and 111 of H.264 a second, 1.06
// Mbit/s in all.
const (
	lectureFPS     = 30
	lectureBody    = 1130 // bytes of a packet of video
	lectureSound   = 160
	lectureKeys    = 15 // packets of a key frame: four times the others, as encoders for live video make them
	lectureEvery   = 60 // frames from key frame to key frame
	lectureMagic   = 0x5458
	lectureStamped = 16 // bytes that carry the moment of sending
)

// lecturer publishes made-up media by a PeerConnection.
type lecturer struct {
	pc           *webrtc.PeerConnection
	audio, video *webrtc.TrackLocalStaticRTP
	base         time.Time   // of the stamps
	start        time.Time   // of the pace
	key          atomic.Bool // a key frame is asked for
	pace         bool        // spread a frame over time as browsers do
	done         chan struct{}
	work         sync.WaitGroup
}

func (l *lecture) publish(ctx context.Context) (*lecturer, error) {
	m := &webrtc.MediaEngine{}
	opus := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1"}
	h264 := webrtc.RTPCodecCapability{
		MimeType: webrtc.MimeTypeH264, ClockRate: 90000, SDPFmtpLine: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
		RTCPFeedback: []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}},
	}
	err := errors.Join(m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: opus, PayloadType: 111}, webrtc.RTPCodecTypeAudio),
		m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: h264, PayloadType: 102}, webrtc.RTPCodecTypeVideo))
	if err != nil {
		return nil, err
	}
	var s webrtc.SettingEngine
	s.SetIncludeLoopbackCandidate(true)
	p := &lecturer{base: l.base, pace: l.pace, done: make(chan struct{})}
	if p.pc, err = webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithSettingEngine(s)).NewPeerConnection(webrtc.Configuration{}); err != nil {
		return nil, err
	}
	if err = p.connect(ctx, l, opus, h264); err != nil {
		return nil, errors.Join(err, p.pc.Close())
	}
	p.start = time.Now()
	p.work.Go(p.speak)
	p.work.Go(p.show)
	return p, nil
}

func (p *lecturer) connect(ctx context.Context, l *lecture, opus, h264 webrtc.RTPCodecCapability) error {
	var err error
	if p.audio, err = webrtc.NewTrackLocalStaticRTP(opus, "audio", "lecture"); err != nil {
		return err
	}
	if p.video, err = webrtc.NewTrackLocalStaticRTP(h264, "video", "lecture"); err != nil {
		return err
	}
	only := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}
	if _, err = p.pc.AddTransceiverFromTrack(p.audio, only); err != nil {
		return err
	}
	tr, err := p.pc.AddTransceiverFromTrack(p.video, only)
	if err != nil {
		return err
	}
	go p.listen(tr.Sender())
	connected := make(chan struct{})
	var once sync.Once
	p.pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			once.Do(func() { close(connected) })
		}
	})
	offer, err := p.pc.CreateOffer(nil)
	if err != nil {
		return err
	}
	gathered := webrtc.GatheringCompletePromise(p.pc)
	if err := p.pc.SetLocalDescription(offer); err != nil {
		return err
	}
	<-gathered
	answer, err := l.post(ctx, l.whip, l.whipToken, p.pc.LocalDescription().SDP)
	if err != nil {
		return err
	}
	if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		return err
	}
	select {
	case <-connected:
		return nil
	case <-time.After(20 * time.Second):
		return errors.New("the publisher did not connect")
	case <-ctx.Done():
		return ctx.Err()
	}
}

// listen hears of requests for key frames.
func (p *lecturer) listen(s *webrtc.RTPSender) {
	for {
		list, _, err := s.ReadRTCP()
		if err != nil {
			return
		}
		for _, r := range list {
			switch r.(type) {
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				p.key.Store(true)
			}
		}
	}
}

// speak sends sound.
func (p *lecturer) speak() {
	body := make([]byte, lectureSound)
	body[0] = 0xfc // Opus, 20 ms, one frame
	for n := uint32(0); p.next(n, 20*time.Millisecond); n++ {
		p.stamp(body, n)
		_ = p.audio.WriteRTP(&rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: uint16(n), Timestamp: n * 960}, Payload: body}) // a server that is gone shows as loss
	}
}

// show sends pictures: fragments (FU-A) of one slice a frame.
func (p *lecturer) show() {
	// A real sequence and picture parameter set, 1920 × 1080, in one STAP-A.
	sets := []byte{
		24, 0, 25, 0x67, 0x42, 0xc0, 0x28, 0xd9, 0x00, 0x78, 0x02, 0x27, 0xe5, 0x84, 0x00, 0x00, 0x03, 0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0xf0, 0x3c, 0x60, 0xc9, 0x20,
		0, 4, 0x68, 0xcb, 0x83, 0xcb,
	}
	body := make([]byte, lectureBody)
	seq := uint16(0)
	send := func(n uint32, b []byte, last bool) {
		_ = p.video.WriteRTP(&rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: seq, Timestamp: n * 90000 / lectureFPS, Marker: last}, Payload: b}) // as above
		seq++
	}
	count, since := uint32(0), lectureEvery
	for n := uint32(0); p.next(n, time.Second/lectureFPS); n++ {
		parts, kind := 3+int(n%2), byte(1)
		if since++; since >= lectureEvery || since >= lectureFPS/2 && p.key.Swap(false) {
			parts, kind, since = lectureKeys, 5, 0
			p.key.Store(false)
			send(n, sets, false)
		}
		for i := range parts {
			body[0], body[1] = 0x60|28, kind
			if i == 0 {
				body[1] |= 0x80
			}
			if i == parts-1 {
				body[1] |= 0x40
			}
			if p.pace && i > 0 && i%2 == 0 {
				// libwebrtc sends at two and a half times the bitrate, every 5 ms.
				time.Sleep(7 * time.Millisecond)
			}
			p.stamp(body, count)
			count++
			send(n, body, i == parts-1)
		}
	}
}

// stamp writes the moment of sending into a body.
func (p *lecturer) stamp(b []byte, n uint32) {
	binary.BigEndian.PutUint16(b[2:], lectureMagic)
	binary.BigEndian.PutUint32(b[4:], n)
	binary.BigEndian.PutUint64(b[8:], uint64(time.Since(p.base)))
}

// next waits for the moment of packet or frame n.
func (p *lecturer) next(n uint32, step time.Duration) bool {
	select {
	case <-p.done:
		return false
	case <-time.After(time.Until(p.start.Add(time.Duration(n+1) * step))):
		return true
	}
}

func (p *lecturer) close() {
	close(p.done)
	p.work.Wait()
	_ = p.pc.Close() // the measurement is over
}

func readSome(r io.Reader, most int64) ([]byte, error) { return io.ReadAll(io.LimitReader(r, most)) }

// ownCPU is what this process has used.
func ownCPU() (time.Duration, error) { return processCPU(os.Getpid()) }
