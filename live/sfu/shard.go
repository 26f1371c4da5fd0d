package sfu

import (
	"time"

	"tongxin/live/pkt"
)

const (
	batchQueue = 256 // batches a shard may be behind: three seconds of a room
	jobQueue   = 1024
	// catchUp packets go to a new viewer each catchTick until it has all since the
	// key frame: 14 Mbit/s, which a mobile network takes.
	catchUp    = 8
	catchTick  = 5 * time.Millisecond
	slowTick   = 100 * time.Millisecond
	reportTick = 3 * time.Second
	firstTick  = 300 * time.Millisecond
	// heldLoss of 256 packets in two reports one after the other: the viewer's
	// network does not carry the pictures, so that they stop for a while.
	heldLoss = 64
	heldMost = 8 * time.Second
	// Packets a viewer may ask for again: at once, and each slowTick.
	resendBurst = 64
	resendTick  = 20
	maxTag      = 16
)

// batch is what a room hands to the shards at once: usually a frame. Shared by
// all shards and not changed any more.
type batch struct {
	room  *room
	items []item
	size  int // bytes for one viewer, sealed
}

// shard sends to its share of the viewers from one goroutine, which owns all that
// is said to belong to the shard.
type shard struct {
	node     *Node
	index    int
	in       chan *batch
	jobs     chan func()
	boxes    []*outbox // by group
	rooms    map[*room][]*viewer
	catching map[*viewer]bool
	part     [catchUp]*pkt.Packet
	head     [pkt.HeaderLen]byte
	plain    []byte
}

func newShard(n *Node, index int) (*shard, error) {
	s := &shard{
		node: n, index: index, in: make(chan *batch, batchQueue), jobs: make(chan func(), jobQueue),
		rooms: map[*room][]*viewer{}, catching: map[*viewer]bool{},
	}
	for _, g := range n.groups {
		o, err := newOutbox(g.conns[index%len(g.conns)], g.v6, n.cfg.Plain, func(lost int) { n.stats.unsent.Add(int64(lost)) })
		if err != nil {
			return nil, err
		}
		s.boxes = append(s.boxes, o)
	}
	return s, nil
}

// offer hands a batch over without waiting. A shard that is far behind loses it:
// its viewers go on at the next key frame.
func (s *shard) offer(b *batch) {
	select {
	case s.in <- b:
	default:
		b.room.skipped[s.index].Store(true)
		s.node.stats.unsent.Add(int64(len(b.items)))
	}
}

// do runs fn on the shard; it waits for room in the queue.
func (s *shard) do(fn func()) {
	select {
	case s.jobs <- fn:
	case <-s.node.done:
	}
}

// try is do for what a stranger can cause at will: when much waits, it is lost.
func (s *shard) try(fn func()) {
	select {
	case s.jobs <- fn:
	default:
	}
}

func (s *shard) run() {
	slow := time.NewTicker(slowTick)
	defer slow.Stop()
	fast := time.NewTicker(time.Hour)
	defer fast.Stop()
	ticking := false
	for {
		select {
		case b := <-s.in:
			s.deliver(b)
		case fn := <-s.jobs:
			fn()
		case now := <-slow.C:
			s.tick(now)
		case <-fast.C:
			for v := range s.catching {
				s.catch(v)
			}
		case <-s.node.done:
			return
		}
		for _, o := range s.boxes {
			o.flush()
		}
		if want := len(s.catching) > 0; want != ticking {
			ticking = want
			if want {
				fast.Reset(catchTick)
			} else {
				fast.Reset(time.Hour)
			}
		}
	}
}

// join adds a viewer whose keys are agreed.
func (s *shard) join(v *viewer) {
	s.rooms[v.room] = append(s.rooms[v.room], v)
	v.nextReport = time.Now()
	if !v.wants(pkt.Codec(v.room.codec.Load())) {
		return
	}
	s.begin(v)
}

// begin starts the pictures: at once from the last key frame, or at the next one.
func (s *shard) begin(v *viewer) {
	v.video = waiting
	if seq, ok := v.room.start(); ok {
		if v.videoSeq.Ahead(seq) {
			v.videoSeq.Cut(seq)
			v.video, v.next = catching, seq
			s.catching[v] = true
			s.catch(v)
			return
		}
	}
	v.room.needKey(time.Now())
}

func (s *shard) leave(v *viewer) {
	list := s.rooms[v.room]
	for i := range list {
		if list[i] == v {
			list[i] = list[len(list)-1]
			list[len(list)-1] = nil
			s.rooms[v.room] = list[:len(list)-1]
			break
		}
	}
	if len(s.rooms[v.room]) == 0 {
		delete(s.rooms, v.room)
	}
	delete(s.catching, v)
}

// deliver sends a batch to all viewers of its room.
func (s *shard) deliver(b *batch) {
	late := b.room.skipped[s.index].Swap(false)
	for _, v := range s.rooms[b.room] {
		if late && v.video == flowing {
			v.video = waiting
		}
		d := v.to.Load()
		if d == nil {
			continue
		}
		w := writer{s: s, v: v, d: d, left: b.size}
		for _, it := range b.items {
			if own, ok := v.number(it); ok {
				w.add(it, own)
			}
		}
		w.close()
	}
}

// catch sends a new viewer the next part of what it has missed.
func (s *shard) catch(v *viewer) {
	n, next := v.room.kept(v.next, s.part[:])
	if d := v.to.Load(); d != nil {
		codec := pkt.Codec(v.room.codec.Load())
		w := writer{s: s, v: v, d: d}
		for _, p := range s.part[:n] {
			w.left += p.Size() + maxTag
		}
		for _, p := range s.part[:n] {
			if own, ok := v.videoSeq.Map(p.Seq); ok {
				w.add(item{p, codec}, own)
			}
		}
		w.close()
	}
	clear(s.part[:])
	v.next = next
	if n < catchUp {
		v.video = flowing
		delete(s.catching, v)
	}
}

// resend answers a request for packets that got lost on the way to one viewer.
func (s *shard) resend(v *viewer, video bool, seqs []uint16) {
	d := v.to.Load()
	if d == nil {
		return
	}
	m := &v.audioSeq
	if video {
		m = &v.videoSeq
	}
	for _, seq := range seqs {
		src, own, ok := m.Unmap(seq)
		if !ok || v.resends <= 0 {
			continue
		}
		it, ok := v.room.again(video, src)
		if !ok {
			continue
		}
		v.resends--
		w := writer{s: s, v: v, d: d, left: it.p.Size() + maxTag}
		w.add(it, own)
		w.close()
		s.node.stats.resent.Add(1)
	}
}

// tick does what needs no haste: reports, holds, viewers who wait for a picture.
func (s *shard) tick(now time.Time) {
	for r, list := range s.rooms {
		wanted := false
		for _, v := range list {
			v.resends = min(v.resends+resendTick, resendBurst)
			s.hold(v, now)
			if v.video == idle && v.wants(pkt.Codec(r.codec.Load())) {
				s.begin(v)
			}
			wanted = wanted || v.video == waiting
			if !now.Before(v.nextReport) {
				s.report(v, now)
			}
		}
		if wanted {
			r.needKey(now)
		}
	}
}

// hold stops the pictures of a viewer whose network does not carry them, each
// time for longer; the sound goes on.
func (s *shard) hold(v *viewer, now time.Time) {
	if bad := v.badReports.Load(); bad >= 2 && v.video == flowing {
		v.badReports.Store(0)
		s.node.stats.held.Add(1)
		v.heldFor = min(max(2*v.heldFor, time.Second), heldMost)
		v.video, v.heldUntil = held, now.Add(v.heldFor)
	}
	if v.video == held && now.After(v.heldUntil) {
		v.video = waiting
	}
	if v.video == flowing && v.goodReports.Load() >= 10 {
		v.heldFor = 0
	}
}

// report sends the clocks of both tracks in one packet, so that the player can
// align them.
func (s *shard) report(v *viewer, now time.Time) {
	d := v.to.Load()
	audio, video, hasAudio, hasVideo := v.room.clocks(now)
	hasAudio, hasVideo = hasAudio && v.audioCount.packets > 0, hasVideo && v.videoCount.packets > 0
	if d == nil || !hasAudio && !hasVideo {
		return
	}
	v.nextReport = now.Add(reportTick)
	if !hasAudio || !hasVideo || v.reports < 2 {
		v.nextReport = now.Add(firstTick) // until both are aligned, sound and picture drift
	}
	v.reports++
	b, r := s.plain[:0], v.room
	var ssrcs []uint32
	if hasAudio {
		b = pkt.AppendSR(b, pkt.SenderReport{SSRC: r.audio.ssrc, At: now, TS: audio, Packets: v.audioCount.packets, Octets: v.audioCount.octets})
		ssrcs = append(ssrcs, r.audio.ssrc)
	}
	if hasVideo {
		b = pkt.AppendSR(b, pkt.SenderReport{SSRC: r.video.ssrc, At: now, TS: video, Packets: v.videoCount.packets, Octets: v.videoCount.octets})
		ssrcs = append(ssrcs, r.video.ssrc)
	}
	b = pkt.AppendCNAME(b, r.stream, ssrcs...)
	s.plain = b
	o := s.boxes[d.group]
	out := v.keys.sealRTCP(o.take(len(b)+32), b)
	if len(out) > 0 {
		o.send(d, out, len(out))
	}
}

// writer gathers the packets of one viewer into runs of one size, which leave as
// one message each. Only the last of a run may be shorter.
type writer struct {
	s    *shard
	v    *viewer
	d    *dest
	left int // bytes that may still come
	run  []byte
	seg  int // size of the run's packets
	n    int
	most int
	done bool // a shorter one ended the run
}

func (w *writer) add(it item, own int64) {
	v, p := w.v, it.p
	ssrc, count := v.room.audio.ssrc, &v.audioCount
	if it.codec.Video() {
		ssrc, count = v.room.video.ssrc, &v.videoCount
	}
	size := p.Size() + v.keys.tag()
	if w.n > 0 && (w.done || size > w.seg || w.n == w.most) {
		w.close()
	}
	o := w.s.boxes[w.d.group]
	if w.n == 0 {
		w.run, w.seg, w.done = o.take(w.left), size, false
		w.most = o.segments(size)
	}
	h := &w.s.head
	p.PutHeader(h[:], v.pt[it.codec], uint16(own), ssrc)
	before := len(w.run)
	w.run = v.keys.sealRTP(w.run, h[:], p.Payload, own)
	if len(w.run) == before {
		w.s.node.stats.sealErrors.Add(1)
		return
	}
	w.n++
	w.left -= size
	w.done = size < w.seg
	count.packets++
	count.octets += uint32(len(p.Payload) - int(p.Pad))
}

// close queues the run.
func (w *writer) close() {
	if w.n == 0 {
		return
	}
	w.s.boxes[w.d.group].send(w.d, w.run, w.seg)
	w.s.node.stats.packets.Add(int64(w.n))
	w.s.node.stats.bytes.Add(int64(len(w.run)))
	w.n = 0
}
