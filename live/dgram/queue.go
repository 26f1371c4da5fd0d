// Package dgram lets libraries that want a packet connection of their own share
// one UDP port: somebody sorts the datagrams and pushes each into the Queue of
// its session. It owns no sockets.
package dgram

import (
	"net"
	"os"
	"sync"
	"time"

	"github.com/pion/transport/v4/deadline"
)

// Queue is a net.PacketConn that is fed by hand. It holds a bounded number of
// datagrams and drops what comes on top: a peer that sends faster than its
// session reads loses its own packets. Safe for concurrent use.
type Queue struct {
	local net.Addr
	write func(b []byte, to net.Addr) error
	limit int

	mu    sync.Mutex
	items []item

	wake     chan struct{}
	closed   chan struct{}
	once     sync.Once
	deadline *deadline.Deadline
}

type item struct {
	b    []byte
	from net.Addr
}

// New makes a queue of at most limit datagrams. write sends one; its buffer is
// the caller's again when it returns.
func New(local net.Addr, limit int, write func(b []byte, to net.Addr) error) *Queue {
	return &Queue{local: local, write: write, limit: limit, wake: make(chan struct{}, 1), closed: make(chan struct{}), deadline: deadline.New()}
}

// Push copies a datagram into the queue, or drops it when the queue is full.
func (q *Queue) Push(b []byte, from net.Addr) {
	q.mu.Lock()
	full := len(q.items) >= q.limit
	if !full {
		q.items = append(q.items, item{append([]byte(nil), b...), from})
	}
	q.mu.Unlock()
	if !full {
		q.signal()
	}
}

func (q *Queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *Queue) pop() (item, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) == 0 {
		return item{}, false
	}
	it := q.items[0]
	q.items[0] = item{}
	if q.items = q.items[1:]; len(q.items) == 0 {
		q.items = nil // a session that is silent for hours keeps nothing
	} else {
		q.signal() // another reader may wait
	}
	return it, true
}

// ReadFrom implements net.PacketConn. A datagram that is longer than b is cut.
func (q *Queue) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		select {
		case <-q.closed:
			return 0, nil, net.ErrClosed
		case <-q.deadline.Done():
			return 0, nil, os.ErrDeadlineExceeded
		default:
		}
		if it, ok := q.pop(); ok {
			return copy(b, it.b), it.from, nil
		}
		select {
		case <-q.wake:
		case <-q.closed:
		case <-q.deadline.Done():
		}
	}
}

// WriteTo implements net.PacketConn.
func (q *Queue) WriteTo(b []byte, to net.Addr) (int, error) {
	select {
	case <-q.closed:
		return 0, net.ErrClosed
	default:
	}
	if err := q.write(b, to); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Close implements net.PacketConn. Whoever reads is told.
func (q *Queue) Close() error {
	q.once.Do(func() {
		close(q.closed)
		q.deadline.Set(time.Time{}) // its timer must not outlive the queue
	})
	return nil
}

// Closed is closed with the queue.
func (q *Queue) Closed() <-chan struct{} { return q.closed }

// LocalAddr implements net.PacketConn.
func (q *Queue) LocalAddr() net.Addr { return q.local }

// SetDeadline implements net.PacketConn; writing never waits.
func (q *Queue) SetDeadline(t time.Time) error { return q.SetReadDeadline(t) }

// SetReadDeadline implements net.PacketConn.
func (q *Queue) SetReadDeadline(t time.Time) error {
	q.deadline.Set(t)
	return nil
}

// SetWriteDeadline implements net.PacketConn; writing never waits.
func (q *Queue) SetWriteDeadline(time.Time) error { return nil }
