package feed

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"tongxin/internal/errs"
)

// Bounds of one webhook call.
const (
	callTimeout = 15 * time.Second // connect, send, and read of the answer
	maxAnswer   = 64 << 10         // bytes of the answer that are read and thrown away
)

// privateError is what the dialer answers for an address that is not public.
type privateError struct{}

func (privateError) Error() string { return "feed: address is not public" }

// NewClient makes the HTTP client of webhooks. Others may use it for addresses that people type. The address is judged at the
// moment of connecting, after resolution, so a name that resolves to an inner
// host, now or at the second look-up (DNS rebinding), is refused. Redirects are
// not followed and proxies of the environment not used: both would reach hosts
// that were not judged.
func NewClient(allowPrivate bool) *http.Client {
	d := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: -1}
	if !allowPrivate {
		d.Control = func(_, address string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(address)
			if err != nil || !Public(at.Addr()) {
				return privateError{}
			}
			return nil
		}
	}
	return &http.Client{
		Timeout: callTimeout,
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				return d.DialContext(ctx, network, addr)
			},
			DisableKeepAlives:      true,
			TLSHandshakeTimeout:    5 * time.Second,
			ResponseHeaderTimeout:  10 * time.Second,
			MaxResponseHeaderBytes: 16 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// reserved are the ranges that are not hosts of the public internet. Source:
// IANA special-purpose address registries (RFC 6890 and its updates). NAT64,
// 6to4 and Teredo are in because they carry IPv4 addresses inside.
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

// checkURL judges an address when it is entered, so that the mistake shows at
// once. The dialer judges again.
func (s *Service) checkURL(raw string) (string, error) {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || u.Host == "" || u.Opaque != "" || len(raw) > 500 {
		return "", errs.Bad("url", "推送地址的格式不对，应为 https://域名/路径。")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !s.AllowPrivate) {
		return "", errs.Bad("url", "推送地址必须以 https:// 开头。")
	}
	if u.User != nil {
		return "", errs.Bad("url", "推送地址里不能带用户名和密码，接收方请用签名核对来源。")
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	ip, err := netip.ParseAddr(host)
	inner := host == "localhost" || strings.HasSuffix(host, ".localhost") || (err == nil && !Public(ip))
	if inner && !s.AllowPrivate {
		return "", errs.Bad("url", "推送地址不能指向本机或内部网络。")
	}
	u.Fragment = ""
	return u.String(), nil
}
