package contest

import "sync"

// topic of a frame: what it is about, and so what it makes superfluous.
type topic string

const (
	topicWelcome  topic = "welcome"
	topicLobby    topic = "lobby"
	topicQuestion topic = "question"
	topicAck      topic = "ack"
	topicState    topic = "state"   // closed, skipped, paused
	topicResumed  topic = "resumed" // a question follows and must not push it out
	topicReveal   topic = "reveal"
	topicBoard    topic = "board"
	topicCount    topic = "count"
	topicEnd      topic = "end"
	topicPong     topic = "pong"
	topicNoise    topic = "noise" // refusals of a client that sends too much
)

// outletSize is how many frames wait for one client. A client that falls behind
// further is cut off and may connect again: it then starts from what is now.
const outletSize = 24

// queued is a frame that waits.
type queued struct {
	topic topic
	frame []byte
	last  bool // close after it
}

// outlet is the bounded queue of one client. Putting never waits: a frame first
// pushes out those it supersedes, and when the queue is still full the client is
// too slow.
type outlet struct {
	mu    sync.Mutex
	queue []queued
	wake  chan struct{} // 1 place
	slow  bool
}

func newOutlet() *outlet { return &outlet{wake: make(chan struct{}, 1)} }

// supersedes reports whether a new frame about a makes a waiting one about b
// worthless. Acknowledgements are never dropped.
func supersedes(a, b topic) bool {
	switch a {
	case topicWelcome:
		return b != topicAck
	case topicQuestion, topicEnd:
		return b == topicLobby || b == topicQuestion || b == topicState || b == topicReveal || b == topicBoard || b == topicCount
	case topicLobby, topicCount, topicBoard, topicReveal, topicPong, topicNoise:
		return a == b
	case topicAck, topicState, topicResumed:
	}
	return false
}

// put adds frames that belong together; false when the client is too slow to keep.
func (o *outlet) put(list ...queued) bool {
	o.mu.Lock()
	if o.slow {
		o.mu.Unlock()
		return false
	}
	for _, q := range list {
		kept := o.queue[:0]
		for _, w := range o.queue {
			if !supersedes(q.topic, w.topic) {
				kept = append(kept, w)
			}
		}
		o.queue = append(kept, q)
	}
	o.slow = len(o.queue) > outletSize
	ok := !o.slow
	o.mu.Unlock()
	poke(o.wake)
	return ok
}

// take empties the queue into buf; slow says that frames were lost.
func (o *outlet) take(buf []queued) (out []queued, slow bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	out = append(buf[:0], o.queue...)
	clear(o.queue)
	o.queue = o.queue[:0]
	return out, o.slow
}
