package wechat

import (
	"errors"
	"net/http"
	"net/url"
)

// apiHost is what calls are written for; the gate maps it to the base.
const apiHost = "api.weixin.qq.com"

// gate is the only way out: it maps the known hosts to the base and refuses
// every other host before a name is looked up.
type gate struct {
	base *url.URL
	next http.RoundTripper
}

// errHostRefused has no address in it, so it may be shown and logged.
var errHostRefused = errors.New("host refused")

// known reports whether host belongs to the platform: the API host and the
// documented disaster-recovery and regional names.
func known(host string) bool {
	switch host {
	case apiHost, "api2.weixin.qq.com", "sh.api.weixin.qq.com", "sz.api.weixin.qq.com",
		"hk.api.weixin.qq.com", "mp.weixin.qq.com", "file.api.weixin.qq.com":
		return true
	}
	return false
}

// RoundTrip implements http.RoundTripper.
func (g *gate) RoundTrip(req *http.Request) (*http.Response, error) {
	if !known(req.URL.Hostname()) {
		if req.Body != nil {
			return nil, errors.Join(errHostRefused, req.Body.Close())
		}
		return nil, errHostRefused
	}
	out := req.Clone(req.Context())
	out.URL.Scheme, out.URL.Host = g.base.Scheme, g.base.Host
	out.URL.Path = g.base.Path + req.URL.Path
	out.URL.RawPath = ""
	out.Host = g.base.Host
	return g.next.RoundTrip(out)
}

// CloseIdleConnections lets http.Client reach the transport behind the gate.
func (g *gate) CloseIdleConnections() {
	if c, ok := g.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
