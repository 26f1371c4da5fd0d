package handlers_test

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"testing"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"

	"tongxin/staff"
)

// The cost of a request through the whole pipeline with a signed-in session,
// without sockets: reading and (validated, refused late) writing.
func BenchmarkRequest(b *testing.B) {
	h := buildFor(b, staff.Policy{}, slog.New(slog.NewJSONHandler(io.Discard, nil)))
	who := h.as("east-editor")
	for _, c := range []struct{ name, method, path, body string }{
		{"session", "GET", api + "/orgs/" + h.id("east"), ""},
		{"create", "POST", api + "/posts", fmt.Sprintf(`{"orgId":%q}`, h.id("east"))},
	} {
		b.Run(c.name, func(b *testing.B) {
			ln := fasthttputil.NewInmemoryListener()
			go func() { _ = h.kit.App().Listener(ln) }()
			b.ReportAllocs()
			b.SetParallelism(16)
			b.RunParallel(func(pb *testing.PB) {
				client := &fasthttp.HostClient{Addr: "x", Dial: func(string) (net.Conn, error) { return ln.Dial() }}
				req, res := &fasthttp.Request{}, &fasthttp.Response{}
				for pb.Next() {
					req.Header.SetMethod(c.method)
					req.SetRequestURI("http://example.com" + c.path)
					req.Header.SetCookie("tx", who.cookie)
					req.Header.Set("X-CSRF-Token", who.csrf)
					req.Header.SetContentType("application/json")
					req.SetBodyString(c.body)
					if err := client.Do(req, res); err != nil || res.StatusCode() >= 300 {
						b.Error(err, res.StatusCode(), string(res.Body()))
						return
					}
				}
			})
		})
	}
}
