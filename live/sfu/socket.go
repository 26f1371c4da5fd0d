package sfu

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// listenWith opens n sockets on one address, the later ones on the port that the
// first one got.
func listenWith(cfg net.ListenConfig, addr netip.AddrPort, n int) ([]*net.UDPConn, error) {
	network := "udp"
	if addr.Addr().Is4() {
		network = "udp4"
	}
	if addr.Port() != 0 {
		// Sockets that share a port would also share it with another program of
		// ours, and each would get half of the datagrams.
		probe, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(addr))
		if err != nil {
			return nil, err
		}
		if err := probe.Close(); err != nil {
			return nil, err
		}
	}
	var out []*net.UDPConn
	for range n {
		c, err := cfg.ListenPacket(context.Background(), network, addr.String())
		if err != nil {
			for _, o := range out {
				err = errors.Join(err, o.Close())
			}
			return nil, err
		}
		u := c.(*net.UDPConn)
		out = append(out, u)
		addr = netip.AddrPortFrom(addr.Addr(), uint16(u.LocalAddr().(*net.UDPAddr).Port))
	}
	return out, nil
}

// candidates are the addresses that peers are told, best first.
func (n *Node) candidates() []netip.AddrPort {
	var out []netip.AddrPort
	for _, g := range n.groups {
		if len(n.cfg.Public) == 0 {
			out = append(out, g.addr)
		}
		for _, a := range n.cfg.Public {
			if c := netip.AddrPortFrom(a.Unmap(), g.addr.Port()); !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	return out
}

// concrete is the addresses that an unspecified one stands for. A socket on the
// unspecified address would answer from whichever address the routing table
// likes, and peers refuse an answer from an address they did not ask. Loopback
// comes last: it serves who tries the program on one machine.
func concrete(addr netip.AddrPort) []netip.AddrPort {
	if !addr.Addr().IsUnspecified() {
		return []netip.AddrPort{addr}
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return []netip.AddrPort{addr}
	}
	var out, loop []netip.AddrPort
	for _, a := range addrs {
		p, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		ip, ok := netip.AddrFromSlice(p.IP)
		if ip = ip.Unmap(); !ok || ip.IsLinkLocalUnicast() || ip.Is6() && addr.Addr().Is4() {
			continue
		}
		if ip.IsLoopback() {
			loop = append(loop, netip.AddrPortFrom(ip, addr.Port()))
			continue
		}
		out = append(out, netip.AddrPortFrom(ip, addr.Port()))
	}
	return append(out, loop...)
}

// iceChars are those of ufrag and password (RFC 8839 §5.4).
const iceChars = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// secret is a random text of n characters with 6 bits each.
func secret(n int) string {
	b := make([]byte, n)
	rand.Read(b) //nolint:errcheck // crypto/rand.Read never fails since Go 1.24
	for i := range b {
		b[i] = iceChars[b[i]&63]
	}
	return string(b)
}

// sessionID goes into addresses.
func sessionID() string { return strings.NewReplacer("+", "-", "/", "_").Replace(secret(24)) }
