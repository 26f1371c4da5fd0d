package sfu

import (
	"errors"
	"net"
	"net/netip"
	"sync"

	"tongxin/live/pkt"
)

// peer gets the datagrams of one session. Its methods are called from the reading
// goroutines and must not wait.
type peer interface {
	// stun takes a binding request for the peer's ufrag. Nothing about it is
	// proved yet.
	stun(g int, from netip.AddrPort, b []byte, m pkt.Binding)
	// datagram takes anything else from an address that the peer has proved.
	datagram(from netip.AddrPort, b []byte)
}

// peers finds a session by its ufrag, and by an address once that is proved. An
// unknown sender costs one look-up and gets no answer.
type peers struct {
	mu    sync.RWMutex
	ufrag map[string]peer
	addr  map[netip.AddrPort]peer
	of    map[peer][]netip.AddrPort // oldest first
}

func (p *peers) init() {
	p.ufrag, p.addr, p.of = map[string]peer{}, map[netip.AddrPort]peer{}, map[peer][]netip.AddrPort{}
}

func (p *peers) add(ufrag string, who peer) {
	p.mu.Lock()
	p.ufrag[ufrag] = who
	p.mu.Unlock()
}

func (p *peers) forgetUfrag(ufrag string) {
	p.mu.Lock()
	delete(p.ufrag, ufrag)
	p.mu.Unlock()
}

func (p *peers) byUfrag(ufrag []byte) peer {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.ufrag[string(ufrag)]
}

func (p *peers) byAddr(a netip.AddrPort) peer {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.addr[a]
}

// learn notes an address of a peer. A peer with too many loses its oldest.
func (p *peers) learn(a netip.AddrPort, who peer) {
	if p.byAddr(a) == who {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if old := p.addr[a]; old != nil {
		p.drop(a, old)
	}
	p.addr[a] = who
	p.of[who] = append(p.of[who], a)
	if list := p.of[who]; len(list) > maxAddresses {
		p.drop(list[0], who)
	}
}

func (p *peers) drop(a netip.AddrPort, who peer) {
	delete(p.addr, a)
	list := p.of[who]
	for i := range list {
		if list[i] == a {
			p.of[who] = append(list[:i:i], list[i+1:]...)
			return
		}
	}
}

// remove forgets a peer with all its addresses.
func (p *peers) remove(who peer, ufrags ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, u := range ufrags {
		delete(p.ufrag, u)
	}
	for _, a := range p.of[who] {
		delete(p.addr, a)
	}
	delete(p.of, who)
}

// read sorts what comes to one socket (RFC 7983) until it is closed.
func (n *Node) read(g int, conn *net.UDPConn) {
	b := make([]byte, 2048) // what is longer was cut and fails its proof
	for {
		size, from, err := conn.ReadFromUDPAddrPort(b)
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			continue // an ICMP error about somebody
		}
		n.take(g, netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), b[:size])
	}
}

func (n *Node) take(g int, from netip.AddrPort, b []byte) {
	if len(b) == 0 {
		return
	}
	if b[0] < 4 {
		if m, ok := pkt.ParseBinding(b); ok && m.Request {
			if who := n.peers.byUfrag(m.Local()); who != nil {
				who.stun(g, from, b, m)
			}
		}
		return
	}
	if b[0] >= 20 && b[0] < 64 || b[0] >= 128 && b[0] < 192 {
		if who := n.peers.byAddr(from); who != nil {
			who.datagram(from, b)
		}
	}
}
