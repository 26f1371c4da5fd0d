package sfu

import (
	"net"
	"net/netip"
	"sync"

	"github.com/pion/ice/v4"

	"tongxin/live/dgram"
	"tongxin/live/pkt"
)

const publisherQueue = 1024 // datagrams: several key frames

// port is the node's UDP port as the ICE agent of one publisher sees it.
type port struct {
	node  *Node
	addrs []net.Addr

	mu    sync.Mutex
	conns map[string]*share // by ufrag; a restart of ICE makes another
}

var _ ice.UDPMux = (*port)(nil)

// share is what all local candidates of an agent read from, a queue for each
// family: a candidate refuses datagrams of the other one. The last candidate to
// close it ends it.
type share struct {
	queues [2]*dgram.Queue // IPv4, IPv6
	port   *port
	ufrag  string
	group  int // that the newest datagram came in on; guarded by port.mu
	uses   int // guarded by port.mu
}

func family(v6 bool) int {
	if v6 {
		return 1
	}
	return 0
}

func newPort(n *Node) *port {
	p := &port{node: n, conns: map[string]*share{}}
	for _, a := range n.candidates() {
		p.addrs = append(p.addrs, net.UDPAddrFromAddrPort(a))
	}
	return p
}

// GetListenAddresses implements ice.UDPMux: they become the candidates.
func (p *port) GetListenAddresses() []net.Addr { return p.addrs }

// GetConn implements ice.UDPMux.
func (p *port) GetConn(ufrag string, addr net.Addr) (net.PacketConn, error) {
	u, ok := addr.(*net.UDPAddr)
	if !ok {
		return nil, net.InvalidAddrError("not UDP")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.conns[ufrag]
	if s == nil {
		s = &share{port: p, ufrag: ufrag}
		for i := range s.queues {
			s.queues[i] = dgram.New(u, publisherQueue, s.write)
		}
		p.conns[ufrag] = s
		p.node.peers.add(ufrag, s)
	}
	s.uses++
	return &use{Queue: s.queues[family(u.IP.To4() == nil)], share: s}, nil
}

// RemoveConnByUfrag implements ice.UDPMux.
func (p *port) RemoveConnByUfrag(ufrag string) {
	p.mu.Lock()
	s := p.conns[ufrag]
	delete(p.conns, ufrag)
	p.mu.Unlock()
	if s != nil {
		p.node.peers.remove(s, ufrag)
		for _, q := range s.queues {
			_ = q.Close() // never fails
		}
	}
}

// Close implements ice.UDPMux.
func (p *port) Close() error {
	p.mu.Lock()
	var all []string
	for u := range p.conns {
		all = append(all, u)
	}
	p.mu.Unlock()
	for _, u := range all {
		p.RemoveConnByUfrag(u)
	}
	return nil
}

// write sends for the agent. It answers only who has proved to know the password,
// so that an address it writes to is one to take datagrams from.
func (s *share) write(b []byte, to net.Addr) error {
	u, ok := to.(*net.UDPAddr)
	if !ok {
		return net.InvalidAddrError("not UDP")
	}
	a := u.AddrPort()
	a = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
	s.port.node.peers.learn(a, s)
	s.port.mu.Lock()
	g := s.group
	s.port.mu.Unlock()
	s.port.node.send(g, b, a)
	return nil
}

// stun implements peer; the agent checks the proof.
func (s *share) stun(g int, from netip.AddrPort, b []byte, _ pkt.Binding) {
	s.port.mu.Lock()
	s.group = g
	s.port.mu.Unlock()
	s.datagram(from, b)
}

// datagram implements peer.
func (s *share) datagram(from netip.AddrPort, b []byte) {
	s.queues[family(from.Addr().Is6())].Push(b, net.UDPAddrFromAddrPort(from))
}

// use is the share in the hands of one candidate.
type use struct {
	*dgram.Queue
	share *share
	once  sync.Once
}

// Close implements net.PacketConn.
func (u *use) Close() error {
	u.once.Do(func() {
		p := u.share.port
		p.mu.Lock()
		u.share.uses--
		last := u.share.uses == 0
		p.mu.Unlock()
		if last {
			p.RemoveConnByUfrag(u.share.ufrag)
		}
	})
	return nil
}
