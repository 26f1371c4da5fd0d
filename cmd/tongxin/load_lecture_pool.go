//go:build linux

package main

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"tongxin/live/pkt"
)

const (
	poolBatch   = 32   // datagrams taken at once
	poolBytes   = 1600 // of one
	latencyStep = 100 * time.Microsecond
	latencyMost = 20_000 // steps: two seconds
	provenEvery = 8      // one packet of so many is decrypted whole and its proof checked
)

// viewerPool receives for all viewers from few threads: a generator that costs
// more than the server measures itself.
type viewerPool struct {
	base    time.Time
	workers []*poolWorker
	next    atomic.Uint32
	done    chan struct{}
	work    sync.WaitGroup

	mu     sync.Mutex
	all    []*loadViewer
	frozen atomic.Bool // who joins from now on is not measured
}

// poolWorker is one thread with its sockets.
type poolWorker struct {
	pool *viewerPool
	ep   int

	mu  sync.RWMutex
	fds map[int32]*loadViewer

	delay                 [latencyMost]uint32
	received, all, broken uint64
}

// mmsg is struct mmsghdr of recvmmsg(2).
type mmsg struct {
	hdr unix.Msghdr
	n   uint32
}

func newViewerPool(n int, base time.Time) (*viewerPool, error) {
	p := &viewerPool{base: base, done: make(chan struct{})}
	for range max(n, 1) {
		ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
		if err != nil {
			return nil, err
		}
		w := &poolWorker{pool: p, ep: ep, fds: map[int32]*loadViewer{}}
		p.workers = append(p.workers, w)
		p.work.Go(w.run)
	}
	p.work.Go(p.keepAlive)
	return p, nil
}

func (p *viewerPool) close() {
	close(p.done)
	p.work.Wait()
	for _, w := range p.workers {
		for fd := range w.fds {
			_ = unix.Close(int(fd)) // the measurement is over
		}
		_ = unix.Close(w.ep)
	}
}

// freeze keeps those who join from now on out of the figures.
func (p *viewerPool) freeze() { p.frozen.Store(true) }

// socket opens one for a viewer that talks to an address.
func (p *viewerPool) socket(v *loadViewer, to netip.AddrPort) error {
	w := p.workers[int(p.next.Add(1))%len(p.workers)]
	domain, sa := unix.AF_INET, unix.Sockaddr(&unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()})
	if to.Addr().Is6() {
		domain, sa = unix.AF_INET6, &unix.SockaddrInet6{Port: int(to.Port()), Addr: to.Addr().As16()}
	}
	fd, err := unix.Socket(domain, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 1<<20) // as much as the machine allows
	if err := unix.Connect(fd, sa); err != nil {
		return errors.Join(err, unix.Close(fd))
	}
	v.fd = fd
	w.mu.Lock()
	w.fds[int32(fd)] = v
	w.mu.Unlock()
	p.mu.Lock()
	p.all = append(p.all, v)
	p.mu.Unlock()
	return unix.EpollCtl(w.ep, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

func (w *poolWorker) run() {
	runtime.LockOSThread()
	var events [256]unix.EpollEvent
	buf := make([]byte, poolBatch*poolBytes)
	var msgs [poolBatch]mmsg
	var iov [poolBatch]unix.Iovec
	for i := range msgs {
		iov[i].Base = &buf[i*poolBytes]
		iov[i].SetLen(poolBytes)
		msgs[i].hdr.Iov = &iov[i]
		msgs[i].hdr.SetIovlen(1)
	}
	for {
		select {
		case <-w.pool.done:
			return
		default:
		}
		n, err := unix.EpollWait(w.ep, events[:], 100)
		if err != nil {
			continue // a signal
		}
		for _, e := range events[:n] {
			w.mu.RLock()
			v := w.fds[e.Fd]
			w.mu.RUnlock()
			for {
				r, _, en := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(e.Fd), uintptr(unsafe.Pointer(&msgs[0])), poolBatch, unix.MSG_DONTWAIT, 0, 0)
				if en != 0 {
					break
				}
				now := time.Since(w.pool.base)
				for i := range int(r) {
					w.take(v, buf[i*poolBytes:i*poolBytes+int(msgs[i].n)], now)
				}
				if r < poolBatch {
					break
				}
			}
		}
	}
}

// take sorts one datagram.
func (w *poolWorker) take(v *loadViewer, b []byte, now time.Duration) {
	switch {
	case v == nil || len(b) == 0:
	case b[0] < 4:
		v.stun(b)
	case b[0] < 64:
		v.dtls.Push(b, v.to)
	case !pkt.IsRTCP(b) && v.ready.Load():
		w.media(v, b, now)
	}
}

// media counts a packet, and now and then proves that it is genuine.
func (w *poolWorker) media(v *loadViewer, b []byte, now time.Duration) {
	if len(b) < pkt.HeaderLen+pkt.Tag {
		return
	}
	at := pkt.HeaderLen + 4*int(b[0]&0x0f)
	if b[0]&0x10 != 0 && len(b) > at+4 {
		at += 4 + 4*int(binary.BigEndian.Uint16(b[at+2:]))
	}
	t := v.track(binary.BigEndian.Uint32(b[8:]), b[1]&0x7f)
	if t == nil {
		return
	}
	roc := t.count(binary.BigEndian.Uint16(b[2:]))
	w.all++
	var head [lectureStamped]byte
	if t.received%provenEvery == 0 || v.gcm == nil {
		body, ok := v.open(b, at, roc)
		if !ok {
			w.broken++
			return
		}
		copy(head[:], body)
	} else if !v.gcm.Peek(&head, b, at, roc) {
		return
	}
	if t.video && v.first == 0 {
		v.first = now
		close(v.sees)
	}
	if v.extra || binary.BigEndian.Uint16(head[2:]) != lectureMagic {
		return
	}
	w.received++
	d := (now - time.Duration(binary.BigEndian.Uint64(head[8:]))) / latencyStep
	w.delay[min(max(int(d), 0), latencyMost-1)]++
}

// keepAlive renews consent and reports, spread over time.
func (p *viewerPool) keepAlive() {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-p.done:
			return
		case <-tick.C:
		}
		p.mu.Lock()
		all := p.all
		p.mu.Unlock()
		for i, v := range all {
			if i%50 == n%50 { // every five seconds
				v.bind()
			}
			if i%10 == n%10 { // every second
				v.report()
			}
		}
	}
}

// sums are the counters of all threads and viewers at a moment. They are read
// while the threads count on: a packet more or less is no matter in a million.
type sums struct {
	delay                           []uint32
	received, all, broken, expected uint64
	counted                         uint64 // packets of the tracks that expected is about
	viewers                         int
}

func (p *viewerPool) snapshot() sums {
	s := sums{delay: make([]uint32, latencyMost)}
	for _, w := range p.workers {
		for i, n := range &w.delay {
			s.delay[i] += n
		}
		s.received, s.all, s.broken = s.received+w.received, s.all+w.all, s.broken+w.broken
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, v := range p.all {
		if v.extra {
			continue
		}
		s.viewers++
		for i := range v.tracks {
			if t := &v.tracks[i]; t.received > 0 {
				s.expected += uint64(t.highest-t.lowest) + 1
				s.counted += t.received
			}
		}
	}
	return s
}

func (s sums) since(before sums) sums {
	for i := range s.delay {
		s.delay[i] -= before.delay[i]
	}
	s.received, s.all, s.broken = s.received-before.received, s.all-before.all, s.broken-before.broken
	s.expected, s.counted = s.expected-before.expected, s.counted-before.counted
	return s
}

func (s sums) figures(took time.Duration) map[string]any {
	total := uint64(0)
	for _, n := range s.delay {
		total += uint64(n)
	}
	at := func(p float64) float64 {
		want, seen := min(uint64(p*float64(total)), total-1), uint64(0)
		for i, n := range s.delay {
			if seen += uint64(n); seen > want {
				return float64(i) * latencyStep.Seconds() * 1000
			}
		}
		return float64(latencyMost) * latencyStep.Seconds() * 1000
	}
	out := map[string]any{
		"packets": s.all, "packets_per_s": int(float64(s.all) / took.Seconds()), "broken": s.broken,
		"latency_ms": map[string]float64{"p50": round(at(0.5)), "p95": round(at(0.95)), "p99": round(at(0.99)), "max": round(at(1))},
	}
	if s.expected > 0 {
		out["loss_percent"] = float64(int64(s.expected)-int64(s.counted)) * 100 / float64(s.expected)
	}
	return out
}

// write sends a datagram of a viewer.
func (v *loadViewer) write(b []byte) error { return unix.Send(v.fd, b, 0) }
