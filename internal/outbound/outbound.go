// Package outbound is the HTTP client for addresses that people typed in
// (webhooks, links to check). It must not become a way into the network that
// the server stands in, so it judges each address at the moment of connecting.
package outbound

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// PrivateError is what a call fails with, wrapped, when the address is not a
// host of the public internet.
type PrivateError struct{}

func (PrivateError) Error() string { return "outbound: address is not public" }

// Client makes the client. A call lasts at most timeout, the body included.
//
// The address is judged after resolution, so a name that resolves to an inner
// host, now or at the second look-up (DNS rebinding), is refused with
// PrivateError. Redirects are returned and not followed, and proxies of the
// environment are not used: both would reach hosts that were not judged.
// allowPrivate switches the judging off, for tests and closed networks.
func Client(timeout time.Duration, allowPrivate bool) *http.Client {
	d := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: -1}
	if !allowPrivate {
		d.Control = func(_, address string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(address)
			if err != nil || !Public(at.Addr()) {
				return PrivateError{}
			}
			return nil
		}
	}
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			DialContext:            d.DialContext,
			DisableKeepAlives:      true,
			TLSHandshakeTimeout:    5 * time.Second,
			ResponseHeaderTimeout:  timeout,
			MaxResponseHeaderBytes: 16 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// reserved are the ranges that are not hosts of the public internet. Source:
// IANA special-purpose address registries (RFC 6890 and its updates). 6to4 and
// Teredo are in because they carry IPv4 addresses inside; NAT64 lies outside
// of 2000::/3.
func reserved() []netip.Prefix {
	list := []string{
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
		"192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
		"198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
		"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
	}
	out := make([]netip.Prefix, len(list))
	for i, p := range list {
		out[i] = netip.MustParsePrefix(p)
	}
	return out
}

// Public reports whether ip may be a host of the public internet.
func Public(ip netip.Addr) bool {
	ip = ip.Unmap()
	if !ip.IsValid() || ip.Zone() != "" {
		return false
	}
	if ip.Is6() && !netip.MustParsePrefix("2000::/3").Contains(ip) {
		return false
	}
	for _, p := range reserved() {
		if p.Contains(ip) {
			return false
		}
	}
	return true
}

// Inner reports that an address visibly names this machine or an inner
// network, so that the mistake can be shown when it is typed. The client
// judges again: a name may still resolve to such a host.
func Inner(u *url.URL) bool {
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || (err == nil && !Public(ip))
}
