package pkt

import "time"

// Rewriter gives the packets of whoever sends a track at the moment one
// continuous numbering and one clock, so that viewers do not notice that a
// publisher came back with another SSRC. The zero value needs Rate.
type Rewriter struct {
	Rate int // ticks of the clock in a second

	ssrc     uint32
	started  bool
	src      int64 // newest number of the source, extended
	offset   int64 // own number − source's
	tsOffset uint32
	lastSeq  int64
	lastTS   uint32
	lastAt   time.Time
	skips    []int64 // numbers of the source that were left out, oldest first
}

// skipsKept is how far back late packets find their way past numbers left out.
const skipsKept = 64

// Skip leaves out a packet of the source: one without content, by which senders
// measure the network. Later ones move up. An old one leaves a gap.
func (w *Rewriter) Skip(ssrc uint32, seq uint16) {
	src := Extend(w.src, seq)
	if !w.started || ssrc != w.ssrc || src <= w.src {
		return
	}
	w.src = src
	w.offset--
	if w.skips = append(w.skips, src); len(w.skips) > skipsKept {
		w.skips = append(w.skips[:0], w.skips[1:]...)
	}
}

// Next returns number and timestamp for a packet that arrived at the time at.
// fresh says that it is the first of a source.
func (w *Rewriter) Next(ssrc uint32, seq uint16, ts uint32, at time.Time) (ext int64, out uint32, fresh bool) {
	if !w.started || ssrc != w.ssrc {
		fresh = true
		w.ssrc, w.src, w.skips = ssrc, int64(seq), w.skips[:0]
		if w.started {
			// The pause counts, at least a frame: players reorder by timestamp.
			gap := max(int64(at.Sub(w.lastAt)), int64(10*time.Millisecond)) * int64(w.Rate) / int64(time.Second)
			w.tsOffset = w.lastTS + uint32(gap) - ts
			// Leave room for packets of the new source that come out of order.
			w.offset = w.lastSeq + 1 + reorder - w.src
		}
		w.started = true
	}
	src := Extend(w.src, seq)
	w.src = max(w.src, src)
	ext, out = src+w.offset, ts+w.tsOffset
	for i := len(w.skips) - 1; i >= 0 && w.skips[i] > src; i-- {
		ext++ // it is older than what was left out
	}
	if fresh || ext > w.lastSeq {
		w.lastSeq, w.lastTS, w.lastAt = ext, out, at
	}
	return ext, out, fresh
}

// Last is the newest timestamp given out and when its packet arrived.
func (w *Rewriter) Last() (ts uint32, at time.Time, ok bool) { return w.lastTS, w.lastAt, w.started }

// Shift turns a timestamp of the present source into the track's.
func (w *Rewriter) Shift(ssrc, ts uint32) (uint32, bool) {
	return ts + w.tsOffset, w.started && ssrc == w.ssrc
}

// reorder is how many numbers are left free when the source changes, so that
// the new source's first packets may arrive in any order.
const reorder = 32

// SeqMap gives one viewer a numbering without gaps where packets were left out
// on purpose: a gap would look like loss, and the viewer would ask for them
// forever. It remembers the last few cuts, so that what the viewer asks for can
// be found. Numbers never wrap here; the low 16 bits go on the wire and the
// others are SRTP's rollover counter. The zero value sends nothing until Cut.
type SeqMap struct {
	cuts [4]cut // newest first
	n    int
	next int64 // own number of the next new packet
}

type cut struct {
	from, to int64 // source numbers that were sent under this cut; to is one beyond
	offset   int64 // source − own
}

// NewSeqMap starts at a number, for which RFC 3711 wants less than 2^15.
func NewSeqMap(first uint16) SeqMap { return SeqMap{next: int64(first & 0x7fff)} }

// Cut says that src is the next packet to be sent and what lies between it and
// the last one will never be.
func (m *SeqMap) Cut(src int64) {
	if m.n > 0 && src < m.cuts[0].to {
		return // it would give a number a second time
	}
	if m.n > 0 && m.cuts[0].to == src {
		return // no gap
	}
	copy(m.cuts[1:], m.cuts[:])
	m.cuts[0] = cut{from: src, to: src, offset: src - m.next}
	m.n = min(m.n+1, len(m.cuts))
}

// Ahead reports whether src is newer than everything sent, so that Cut takes it.
func (m *SeqMap) Ahead(src int64) bool { return m.n == 0 || src >= m.cuts[0].to }

// Map is the own number of a source packet; ok is false for one that lies in a
// gap or before everything remembered.
func (m *SeqMap) Map(src int64) (own int64, ok bool) {
	for i := range m.n {
		c := &m.cuts[i]
		if src < c.from {
			continue
		}
		if i == 0 && src >= c.to {
			c.to = src + 1
			m.next = c.to - c.offset
		}
		return src - c.offset, src < c.to
	}
	return 0, false
}

// Unmap finds the source number of an own one of 16 bits that was sent.
func (m *SeqMap) Unmap(seq uint16) (src, own int64, ok bool) {
	own = Extend(m.next-1, seq)
	for i := range m.n {
		c := m.cuts[i]
		if src = own + c.offset; src >= c.from {
			return src, own, src < c.to
		}
	}
	return 0, 0, false
}

// Sent is one beyond the newest own number.
func (m *SeqMap) Sent() int64 { return m.next }
