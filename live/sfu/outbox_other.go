//go:build !linux

package sfu

import (
	"net"
	"net/netip"
)

// outbox on systems without sendmmsg and UDP_SEGMENT writes packet by packet.
type outbox struct {
	conn *net.UDPConn
	buf  []byte
	lost func(n int)
}

func newOutbox(conn *net.UDPConn, _, _ bool, lost func(n int)) (*outbox, error) {
	return &outbox{conn: conn, buf: make([]byte, 128<<10), lost: lost}, nil
}

// dest is where a viewer is.
type dest struct {
	addr  netip.AddrPort
	group int // the sockets its datagrams came in on
}

func newDest(addr netip.AddrPort, group int, _ bool) *dest { return &dest{addr: addr, group: group} }

func (o *outbox) take(n int) []byte { return o.buf[:0:n] }

func (o *outbox) segments(int) int { return 1 }

func (o *outbox) send(d *dest, b []byte, _ int) {
	if _, err := o.conn.WriteToUDPAddrPort(b, d.addr); err != nil {
		o.lost(1)
	}
}

func (o *outbox) flush() {}

// listenUDP opens one socket: two on one port would not share its datagrams here.
func listenUDP(addr netip.AddrPort, _ int) ([]*net.UDPConn, error) {
	return listenWith(net.ListenConfig{}, addr, 1)
}
