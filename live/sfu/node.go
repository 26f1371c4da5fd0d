// Package sfu is the media core: it takes what a publisher sends (WHIP, through
// pion's PeerConnection) and hands it to many viewers (WHEP) over a path of its
// own. It owns UDP sockets, certificate, rooms of tracks and their sessions. It
// knows no HTTP, no database, no people: who may come in is decided before.
//
// Locks, in the order they may be taken: Node.mu, room.mu, viewer.mu. No lock is
// held across a system call that can wait.
package sfu

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/dtls/v3/pkg/crypto/fingerprint"
	"github.com/pion/dtls/v3/pkg/crypto/selfsign"
	"github.com/pion/webrtc/v4"

	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/limit"
)

// Limits that keep one peer from costing others anything.
const (
	MaxSDP         = 64 << 10 // bytes of an offer or a fragment
	maxAddresses   = 8        // of one session at a time
	joinTime       = 20 * time.Second
	consentTime    = 30 * time.Second // RFC 7675 §5.1
	handshakeTime  = 10 * time.Second
	handshakeTries = 3
	socketBuffer   = 4 << 20
)

// Config of a Node. Listen, Log and Clock are required.
type Config struct {
	// Listen are the UDP addresses, one port for publishers and viewers alike.
	// 0.0.0.0 takes all IPv4 addresses that the machine has at the start, [::] those
	// of both families.
	Listen []netip.AddrPort
	// Public are the addresses that peers are told when the machine is behind a
	// translation of addresses one to one; empty: those it has.
	Public []netip.Addr
	// Shards send to viewers, each from a goroutine of its own; 0: one a processor.
	Shards int
	// MaxViewers and MaxPublishers of this node; 0: 5,000 and 100.
	MaxViewers, MaxPublishers int
	// Handshakes of one address, which may be that of a hall; zero: 500 a second,
	// 2,000 at once.
	Handshakes limit.Rate
	// Plain sends packet by packet, as on systems without segmentation.
	Plain bool
	Clock clock.Clock
	Log   *slog.Logger
}

// Node is one media server. Start it, then let people in.
type Node struct {
	cfg        Config
	cert       tls.Certificate
	pionCert   webrtc.Certificate
	print      string // sha-256 fingerprint of cert, as SDP writes it
	groups     []group
	shards     []*shard
	handshakes *limit.Buckets
	stats      counters

	mu       sync.Mutex
	running  bool
	rooms    map[string]*room
	sessions map[string]session
	nViewers int
	nPubs    int

	peers peers
	done  chan struct{}
	work  sync.WaitGroup
}

// group is the sockets of one listen address.
type group struct {
	addr  netip.AddrPort
	v6    bool
	conns []*net.UDPConn // one a shard; where ports cannot be shared, one
}

// counters of a node.
type counters struct {
	packets, bytes, unsent, resent, keyRequests, held, sealErrors atomic.Int64
}

// Stats are figures for metrics.
type Stats struct {
	Rooms, Publishers, Viewers                        int
	Packets, Bytes, Unsent, Resent, KeyRequests, Held int64
}

// New makes a node with a certificate of its own. It opens nothing yet.
func New(cfg Config) (*Node, error) {
	if len(cfg.Listen) == 0 || cfg.Log == nil || cfg.Clock == nil {
		return nil, errs.New(errs.Internal, "sfu: Listen, Log and Clock are required")
	}
	if cfg.Shards <= 0 {
		cfg.Shards = runtime.GOMAXPROCS(0)
	}
	if cfg.MaxViewers <= 0 {
		cfg.MaxViewers = 5000
	}
	if cfg.MaxPublishers <= 0 {
		cfg.MaxPublishers = 100
	}
	if cfg.Handshakes.PerSecond <= 0 {
		cfg.Handshakes = limit.Rate{PerSecond: 500, Burst: 2000}
	}
	n := &Node{
		cfg: cfg, rooms: map[string]*room{}, sessions: map[string]session{}, done: make(chan struct{}),
		handshakes: limit.New(cfg.Clock, cfg.Handshakes, 10_000),
	}
	n.peers.init()
	return n, n.certify()
}

// certify makes the certificate. Browsers know it by the fingerprint in the
// answer only, so a new one at each start costs nobody anything.
func (n *Node) certify() error {
	cert, err := selfsign.GenerateSelfSigned()
	if err != nil {
		return err
	}
	if cert.Leaf, err = x509.ParseCertificate(cert.Certificate[0]); err != nil {
		return err
	}
	n.cert, n.pionCert = cert, webrtc.CertificateFromX509(cert.PrivateKey, cert.Leaf)
	n.print, err = fingerprint.Fingerprint(cert.Leaf, crypto.SHA256)
	return err
}

// Start opens the sockets and begins to read.
func (n *Node) Start() error {
	for _, addr := range n.cfg.Listen {
		for _, a := range concrete(addr) {
			a = netip.AddrPortFrom(a.Addr(), addr.Port())
			conns, err := listenUDP(a, n.cfg.Shards)
			if err != nil {
				n.closeSockets()
				return err
			}
			local := conns[0].LocalAddr().(*net.UDPAddr).AddrPort()
			addr = netip.AddrPortFrom(addr.Addr(), local.Port()) // one port on all addresses
			local = netip.AddrPortFrom(a.Addr(), local.Port())
			n.groups = append(n.groups, group{addr: local, v6: a.Addr().Is6(), conns: conns})
		}
	}
	for i := range n.cfg.Shards {
		s, err := newShard(n, i)
		if err != nil {
			n.closeSockets()
			return err
		}
		n.shards = append(n.shards, s)
	}
	n.mu.Lock()
	n.running = true
	n.mu.Unlock()
	for _, s := range n.shards {
		n.work.Go(s.run)
	}
	for gi, g := range n.groups {
		for _, c := range g.conns {
			n.work.Go(func() { n.read(gi, c) })
		}
	}
	n.work.Go(n.sweep)
	return nil
}

func (n *Node) closeSockets() {
	for _, g := range n.groups {
		for _, c := range g.conns {
			_ = c.Close() // nothing is left to be written
		}
	}
}

// Close says goodbye to everybody and ends all goroutines.
func (n *Node) Close() error {
	n.mu.Lock()
	if !n.running {
		n.mu.Unlock()
		return nil
	}
	n.running = false
	all := make([]session, 0, len(n.sessions))
	for _, s := range n.sessions {
		all = append(all, s)
	}
	n.mu.Unlock()
	var wg sync.WaitGroup
	for _, s := range all {
		wg.Go(s.Close)
	}
	wg.Wait()
	close(n.done)
	n.closeSockets()
	n.work.Wait()
	return nil
}

// Addrs are the addresses the node listens on, with their ports.
func (n *Node) Addrs() []netip.AddrPort {
	out := make([]netip.AddrPort, len(n.groups))
	for i, g := range n.groups {
		out[i] = g.addr
	}
	return out
}

// Stats reads the counters.
func (n *Node) Stats() Stats {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := &n.stats
	return Stats{
		Rooms: len(n.rooms), Publishers: n.nPubs, Viewers: n.nViewers, Packets: c.packets.Load(), Bytes: c.bytes.Load(),
		Unsent: c.unsent.Load(), Resent: c.resent.Load(), KeyRequests: c.keyRequests.Load(), Held: c.held.Load(),
	}
}

// session is a publisher or a viewer, found again by its id.
type session interface {
	// bind tells the session its room before anybody finds it.
	bind(r *room)
	// Close ends the session; a second time does nothing.
	Close()
	// expired reports that nothing proved the peer's consent for too long.
	expired(now time.Time) bool
}

// sweep ends sessions whose peers went away without a word.
func (n *Node) sweep() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-n.done:
			return
		case now := <-tick.C:
			n.mu.Lock()
			var old []session
			for _, s := range n.sessions {
				if s.expired(now) {
					old = append(old, s)
				}
			}
			n.mu.Unlock()
			for _, s := range old {
				s.Close()
			}
		}
	}
}

// enter books a session into its room.
func (n *Node) enter(id, name string, s session, publisher bool) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	full := errs.New(errs.Unavailable, "现在观看的人太多，请稍后再试。")
	full.RetryAfter = 10 * time.Second
	switch {
	case !n.running:
		return errs.New(errs.Unavailable, "直播服务尚未启动，请稍后再试。")
	case publisher && n.nPubs >= n.cfg.MaxPublishers, !publisher && n.nViewers >= n.cfg.MaxViewers:
		return full
	}
	r := n.rooms[name]
	if r == nil {
		r = newRoom(n, name)
		n.rooms[name] = r
	}
	r.sessions++
	s.bind(r)
	n.sessions[id] = s
	if publisher {
		n.nPubs++
	} else {
		n.nViewers++
	}
	return nil
}

// leave takes a session out; an empty room ends.
func (n *Node) leave(id string, r *room, publisher bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, ok := n.sessions[id]; !ok {
		return
	}
	delete(n.sessions, id)
	if publisher {
		n.nPubs--
	} else {
		n.nViewers--
	}
	if r.sessions--; r.sessions == 0 {
		r.close()
		delete(n.rooms, r.name)
	}
}
