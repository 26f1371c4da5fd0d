package pkt

// Ring keeps the newest packets of a track for everybody who asks for one again:
// one cache for a track and not for a viewer. Not safe for concurrent use.
type Ring struct {
	slots []*Packet
	head  int64 // one beyond the newest
	any   bool
}

// NewRing makes a ring of n packets, rounded up to a power of two.
func NewRing(n int) *Ring {
	size := 1
	for size < n {
		size *= 2
	}
	return &Ring{slots: make([]*Packet, size)}
}

// Put keeps a packet. It refuses one that is too old, and a second one with a
// number that is taken.
func (r *Ring) Put(p *Packet) bool {
	if r.any && p.Seq < r.head-int64(len(r.slots)) {
		return false
	}
	at := &r.slots[uint64(p.Seq)%uint64(len(r.slots))]
	if *at != nil && (*at).Seq >= p.Seq {
		return false
	}
	*at = p
	if !r.any || p.Seq >= r.head {
		r.head, r.any = p.Seq+1, true
	}
	return true
}

// Get finds a packet, nil when it is not kept.
func (r *Ring) Get(seq int64) *Packet {
	p := r.slots[uint64(seq)%uint64(len(r.slots))]
	if p == nil || p.Seq != seq || seq < r.head-int64(len(r.slots)) {
		return nil
	}
	return p
}

// Head is one beyond the newest number; 0 for an empty ring.
func (r *Ring) Head() int64 { return r.head }

// Len is how many packets fit.
func (r *Ring) Len() int { return len(r.slots) }
