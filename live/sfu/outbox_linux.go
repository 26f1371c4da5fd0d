package sfu

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	batchMsgs  = 64        // messages in one sendmmsg
	batchBytes = 512 << 10 // of one batch
	maxSegs    = 60        // the kernel takes 64 (UDP_MAX_SEGMENTS); older ones count differently
	maxMsg     = 60_000    // bytes of one segmented message: an IP packet ends at 65,535
	sendPause  = 20 * time.Millisecond
)

// mmsghdr is struct mmsghdr of sendmmsg(2); x/sys has none.
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
}

// outbox gathers messages of one shard for one socket and sends them with as few
// system calls as the machine allows: a frame's packets as one message that the
// kernel cuts (UDP_SEGMENT, Linux 4.18), many viewers in one sendmmsg.
type outbox struct {
	conn  *net.UDPConn
	raw   syscall.RawConn
	v6    bool
	gso   bool
	plain bool // one write a packet
	buf   []byte
	used  int
	n     int
	msgs  [batchMsgs]mmsghdr
	iov   [batchMsgs]unix.Iovec
	ctl   [batchMsgs][24]byte // one cmsg with 16 bits, aligned
	to    [batchMsgs]*dest
	size  [batchMsgs]int

	sent   int // messages of the running call
	errno  syscall.Errno
	submit func(fd uintptr) bool // made once: a closure a call would be garbage
	lost   func(n int)
}

func newOutbox(conn *net.UDPConn, v6, plain bool, lost func(n int)) (*outbox, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	o := &outbox{conn: conn, raw: raw, v6: v6, plain: plain, buf: make([]byte, batchBytes), lost: lost}
	o.submit = o.sendmmsg
	if !plain {
		err = raw.Control(func(fd uintptr) {
			_, e := unix.GetsockoptInt(int(fd), unix.SOL_UDP, unix.UDP_SEGMENT)
			o.gso = e == nil
		})
	}
	return o, err
}

// dest is where a viewer is, in the form the kernel takes.
type dest struct {
	addr  netip.AddrPort
	group int // the sockets its datagrams came in on
	sa    [unix.SizeofSockaddrInet6]byte
	saLen uint32
}

func newDest(addr netip.AddrPort, group int, v6 bool) *dest {
	d := &dest{addr: addr, group: group}
	if !v6 {
		sa := (*unix.RawSockaddrInet4)(unsafe.Pointer(&d.sa))
		sa.Family = unix.AF_INET
		binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&sa.Port))[:], addr.Port())
		sa.Addr = addr.Addr().Unmap().As4()
		d.saLen = unix.SizeofSockaddrInet4
		return d
	}
	sa := (*unix.RawSockaddrInet6)(unsafe.Pointer(&d.sa))
	sa.Family = unix.AF_INET6
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&sa.Port))[:], addr.Port())
	sa.Addr = addr.Addr().As16() // IPv4 becomes ::ffff:a.b.c.d
	if zone := addr.Addr().Zone(); zone != "" {
		if i, err := net.InterfaceByName(zone); err == nil {
			sa.Scope_id = uint32(i.Index)
		}
	}
	d.saLen = unix.SizeofSockaddrInet6
	return d
}

// take gives room for n bytes; it is valid until send.
func (o *outbox) take(n int) []byte {
	if o.n == batchMsgs || o.used+n > len(o.buf) {
		o.flush()
	}
	return o.buf[o.used : o.used : o.used+n]
}

// segments is how many packets of a size may go into one message.
func (o *outbox) segments(size int) int {
	if !o.gso {
		return 1
	}
	return max(1, min(maxSegs, maxMsg/size))
}

// send queues b, which lies in what take gave, for d. seg is the size of all
// packets in b but the last, which may be shorter.
func (o *outbox) send(d *dest, b []byte, seg int) {
	if o.plain {
		if _, err := o.conn.WriteToUDPAddrPort(b, d.addr); err != nil {
			o.lost(1)
		}
		return
	}
	i := o.n
	o.iov[i].Base = &b[0]
	o.iov[i].SetLen(len(b))
	h := &o.msgs[i].hdr
	*h = unix.Msghdr{Name: &d.sa[0], Namelen: d.saLen, Iov: &o.iov[i]}
	h.SetIovlen(1)
	if len(b) > seg {
		c := (*unix.Cmsghdr)(unsafe.Pointer(&o.ctl[i]))
		c.Level, c.Type = unix.SOL_UDP, unix.UDP_SEGMENT
		c.SetLen(unix.CmsgLen(2))
		binary.NativeEndian.PutUint16(o.ctl[i][unix.CmsgLen(0):], uint16(seg))
		h.Control = &o.ctl[i][0]
		h.SetControllen(unix.CmsgSpace(2))
	}
	o.to[i], o.size[i] = d, seg
	o.n++
	o.used += len(b)
}

// flush sends what is queued. It waits for room in the socket for a moment, then
// drops: the network is slower than the room, and what is late is worth nothing.
func (o *outbox) flush() {
	for at := 0; at < o.n; {
		o.sent = at
		if err := o.raw.Write(o.submit); err != nil {
			break // closed
		}
		at = o.sent
		switch o.errno {
		case 0:
			continue
		case unix.EAGAIN:
			o.lost(o.n - at)
			at = o.n
		case unix.EIO, unix.EINVAL, unix.EMSGSIZE:
			if !o.gso || o.msgs[at].hdr.Control == nil {
				o.lost(1)
				at++
				break
			}
			// The device cannot cut (no checksums in hardware): one by one from now on.
			o.gso = o.gso && o.errno != unix.EIO
			o.single(at)
			at++
		default: // no route, a firewall: this viewer's trouble
			o.lost(1)
			at++
		}
	}
	o.n, o.used = 0, 0
}

// sendmmsg runs under the poller. It reports false to be called again when there
// is room.
func (o *outbox) sendmmsg(fd uintptr) bool {
	o.errno = 0
	for o.sent < o.n {
		r, _, e := unix.Syscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&o.msgs[o.sent])), uintptr(o.n-o.sent), unix.MSG_DONTWAIT, 0, 0)
		if e == unix.EINTR {
			continue
		}
		if e == unix.EAGAIN {
			return o.wait(fd)
		}
		if e != 0 {
			o.errno = e
			return true
		}
		o.sent += int(r)
	}
	return true
}

// wait gives the socket a moment to drain. Poll and not the runtime's poller: the
// readers of the socket share its deadlines.
func (o *outbox) wait(fd uintptr) bool {
	p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	if n, err := unix.Poll(p, int(sendPause/time.Millisecond)); err == nil && n == 1 {
		return o.sendmmsg(fd)
	}
	o.errno = unix.EAGAIN
	return true
}

// single sends the packets of message i one by one.
func (o *outbox) single(i int) {
	b := unsafe.Slice(o.iov[i].Base, int(o.iov[i].Len))
	for len(b) > 0 {
		n := min(o.size[i], len(b))
		if _, err := o.conn.WriteToUDPAddrPort(b[:n], o.to[i].addr); err != nil {
			o.lost(1)
		}
		b = b[n:]
	}
}

// listenUDP opens n sockets on one address; the kernel spreads the peers over
// them by their addresses.
func listenUDP(addr netip.AddrPort, n int) ([]*net.UDPConn, error) {
	cfg := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		e := c.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
			// As much as the machine allows; a refusal leaves the default.
			_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUF, socketBuffer)
			_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, socketBuffer)
		})
		return errors.Join(err, e)
	}}
	return listenWith(cfg, addr, n)
}
