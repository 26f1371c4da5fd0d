package sfu

import (
	"sync"
	"sync/atomic"
	"time"

	"tongxin/live/pkt"
)

const (
	videoRing = 1024 // packets kept: nine seconds at 1 Mbit/s
	audioRing = 256
	// gather is how long the beginning of a frame waits for its end, so that all
	// of it leaves in one message. Browsers spread a frame over some milliseconds;
	// nobody can show its beginning before its end is there.
	gather = 10 * time.Millisecond
	// keyPause is the least time between two requests for a key frame: it is
	// several times the size of others, and everybody has to take it.
	keyPause = 500 * time.Millisecond
	// lateStart is the age in ticks up to which a new viewer gets the pictures
	// since the last key frame; an older one costs more than a new key frame.
	lateStart = 3 * 90000
)

// room is one room: at most one publisher with one sound and one video track, and
// the viewers that the shards hold. Numbering, clock and SSRC of a track belong to
// the room, so that a publisher may come back without the viewers noticing.
type room struct {
	node     *Node
	name     string
	sessions int // guarded by Node.mu
	stream   string

	mu        sync.Mutex
	closed    bool
	publisher *publisher
	audio     track
	video     track
	pending   []item
	timer     *time.Timer
	lastKey   time.Time // when a key frame was asked for
	// offset turns the publisher's wall clock into ours; see publisherTime.
	offset    time.Duration
	hasOffset bool

	codec   atomic.Uint32 // of the video at the moment, a pkt.Codec
	skipped []atomic.Bool // by shard: it was too late for a batch
}

// track is one of a room. Guarded by room.mu.
type track struct {
	ssrc   uint32
	codec  pkt.Codec
	write  pkt.Rewriter
	ring   *pkt.Ring
	source *source // who sends it now

	frame   int64 // number of the first packet of the newest frame
	frameTS uint32
	keyTS   uint32
	key     int64 // number of the packet where the newest key frame begins
	hasKey  bool

	report   time.Time // a moment of the publisher's clock, turned into ours …
	reportTS uint32    // … and its timestamp
	reported bool
}

// item is a packet on its way to the shards.
type item struct {
	p     *pkt.Packet
	codec pkt.Codec
}

func newRoom(n *Node, name string) *room {
	r := &room{node: n, name: name, stream: sessionID(), skipped: make([]atomic.Bool, len(n.shards))}
	r.audio = track{ssrc: ssrc(), ring: pkt.NewRing(audioRing), write: pkt.Rewriter{Rate: pkt.Opus.Rate()}}
	r.video = track{ssrc: ssrc(), ring: pkt.NewRing(videoRing), write: pkt.Rewriter{Rate: pkt.H264.Rate()}}
	r.timer = time.AfterFunc(time.Hour, r.late)
	r.timer.Stop()
	return r
}

// close ends an empty room.
func (r *room) close() {
	r.mu.Lock()
	r.closed = true
	r.timer.Stop()
	r.mu.Unlock()
}

// track finds the track for a codec.
func (r *room) track(c pkt.Codec) *track {
	if c.Video() {
		return &r.video
	}
	return &r.audio
}

// push takes a packet of a publisher. The payload becomes the room's.
func (r *room) push(src *source, in pkt.RTP, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.track(src.codec)
	if r.closed || t.source != src {
		return // somebody else publishes by now
	}
	if len(in.Payload) == 0 { // padding, to probe the network
		t.write.Skip(in.SSRC, in.Seq)
		return
	}
	seq, ts, fresh := t.write.Next(in.SSRC, in.Seq, in.TS, now)
	if fresh {
		t.reported, t.hasKey, t.codec = false, false, src.codec
		t.frame, t.frameTS = seq, ts
		if src.codec.Video() {
			r.codec.Store(uint32(src.codec))
		}
	}
	p := &pkt.Packet{Seq: seq, TS: ts, Payload: in.Payload, Marker: in.Marker}
	if src.codec.Video() {
		r.frames(t, p)
	}
	r.pending = append(r.pending, item{p, src.codec})
	switch {
	case in.Marker && src.codec.Video(), len(r.pending) >= 48, len(r.pending) == 1 && !src.codec.Video():
		r.flush()
	case len(r.pending) == 1:
		r.timer.Reset(gather)
	}
}

// frames notes where the newest frame and key frame begin.
func (r *room) frames(t *track, p *pkt.Packet) {
	if p.TS != t.frameTS && int32(p.TS-t.frameTS) > 0 {
		t.frame, t.frameTS = p.Seq, p.TS
	}
	if p.TS == t.frameTS {
		t.frame = min(t.frame, p.Seq)
	}
	if t.codec.Key(p.Payload) && (!t.hasKey || p.TS != t.keyTS) && p.TS == t.frameTS {
		t.key, t.keyTS, t.hasKey = t.frame, p.TS, true
		p.Key = p.Seq == t.frame
		for i := range r.pending {
			if q := r.pending[i]; q.codec == t.codec && q.p.Seq == t.frame {
				q.p.Key = true
			}
		}
	}
}

func (r *room) late() {
	r.mu.Lock()
	if !r.closed {
		r.flush()
	}
	r.mu.Unlock()
}

// flush hands what is pending to the shards. r.mu is held.
func (r *room) flush() {
	if len(r.pending) == 0 {
		return
	}
	r.timer.Stop()
	b := &batch{room: r}
	video := make([]*pkt.Packet, 0, len(r.pending))
	for _, it := range r.pending {
		if it.codec.Video() {
			video = append(video, it.p)
		}
	}
	pkt.Equalize(video)
	for _, it := range r.pending {
		if r.track(it.codec).ring.Put(it.p) {
			b.items = append(b.items, it)
		}
	}
	r.pending = r.pending[:0]
	for _, it := range b.items {
		b.size += it.p.Size() + maxTag
	}
	for _, s := range r.node.shards {
		s.offer(b)
	}
}

// start is where a viewer who comes now begins: the number of the newest key
// frame if what follows it is still there and young.
func (r *room) start() (seq int64, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := &r.video
	if t.source == nil || !t.hasKey || t.frameTS-t.keyTS > lateStart || t.ring.Head()-t.key > int64(t.ring.Len()/2) || t.ring.Get(t.key) == nil {
		return 0, false
	}
	return t.key, true
}

// kept copies packets from number from on, at most len(into), and the next number
// after them. It skips what never came.
func (r *room) kept(from int64, into []*pkt.Packet) (n int, next int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	ring := r.video.ring
	from = max(from, ring.Head()-int64(ring.Len()))
	for ; from < ring.Head() && n < len(into); from++ {
		if p := ring.Get(from); p != nil {
			into[n] = p
			n++
		}
	}
	return n, from
}

// again finds a packet that a viewer asks for.
func (r *room) again(video bool, seq int64) (item, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := &r.audio
	if video {
		t = &r.video
	}
	p := t.ring.Get(seq)
	return item{p, t.codec}, p != nil
}

// needKey asks the publisher for a key frame, at most once in keyPause whoever
// wants one.
func (r *room) needKey(now time.Time) {
	r.mu.Lock()
	src := r.video.source
	if src == nil || now.Sub(r.lastKey) < keyPause {
		r.mu.Unlock()
		return
	}
	r.lastKey = now
	r.mu.Unlock()
	r.node.stats.keyRequests.Add(1)
	src.requestKey()
}

// publisherTime notes a sender report of the publisher. Its clock is another
// machine's: the first report of either track ties it to ours, and both tracks
// keep that tie, so that they stay aligned with each other.
func (r *room) publisherTime(src *source, ssrc uint32, at time.Time, ts uint32, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.track(src.codec)
	if t.source != src {
		return
	}
	out, ok := t.write.Shift(ssrc, ts)
	if !ok {
		return
	}
	if !r.hasOffset {
		r.offset, r.hasOffset = now.Sub(at), true
	}
	t.report, t.reportTS, t.reported = at.Add(r.offset), out, true
}

// clockOf is the timestamp that a track has now: by the publisher's report, else
// by the newest packet.
func (r *room) clockOf(t *track, now time.Time) (ts uint32, ok bool) {
	base, at := t.reportTS, t.report
	if !t.reported {
		if base, at, ok = t.write.Last(); !ok {
			return 0, false
		}
	}
	return base + uint32(int64(now.Sub(at))*int64(t.codec.Rate())/int64(time.Second)), true
}

// clocks are the timestamps of both tracks at one moment.
func (r *room) clocks(now time.Time) (audio, video uint32, hasAudio, hasVideo bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	audio, hasAudio = r.clockOf(&r.audio, now)
	video, hasVideo = r.clockOf(&r.video, now)
	return audio, video, hasAudio, hasVideo
}
