package httpkit

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"tongxin/internal/authz"
)

// A shutdown stops accepting, and lets what is running finish.
func TestServeDrains(t *testing.T) {
	b := build(t, nil)
	began, finish := make(chan struct{}), make(chan struct{})
	b.api.Get("/long", Public, "long", Read(func(context.Context, *authz.Actor, *struct{}) (*thing, error) {
		close(began)
		<-finish
		return &thing{Name: "done"}, nil
	}))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	local, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	over := make(chan error, 1)
	go func() { over <- b.kit.Serve(ctx, ln, local) }()
	if body := get(t, "http://"+local.Addr().String()+"/metrics"); !strings.Contains(body, "http_request") {
		t.Fatal("no metrics on the local listener")
	}
	answer := make(chan string, 1)
	go func() { answer <- get(t, "http://"+ln.Addr().String()+"/api/x/v1/long") }()
	<-began
	stop()
	for !b.kit.Stopping() {
		runtime.Gosched()
	}
	select {
	case err := <-over:
		t.Fatalf("stopped before the running request was done: %v", err)
	default:
	}
	close(finish)
	if body := <-answer; !strings.Contains(body, "done") {
		t.Fatalf("the running request was cut off: %s", body)
	}
	if err := <-over; err != nil {
		t.Fatal(err)
	}
	if _, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", ln.Addr().String()); err == nil {
		t.Fatal("still accepting")
	}
}

// Over a real connection: the parser itself refuses a body that is too large,
// by the limit of the route it is meant for. Above the default it reads only for
// people who are signed in.
func TestServeBoundsBodies(t *testing.T) {
	b := build(t, nil)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	over := make(chan error, 1)
	go func() { over <- b.kit.Serve(ctx, ln, nil) }()
	post := func(path, session string, size int) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+ln.Addr().String()+path, strings.NewReader(strings.Repeat("x", size)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Who", "write")
		req.Header.Set("Cookie", "session="+session)
		req.Header.Set(HeaderCSRF, "token-of-write")
		res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
		if err != nil {
			return 0, err.Error()
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(body)
	}
	for _, c := range []struct {
		path, session string
		size          int
		want          int
	}{
		{"/api/x/v1/upload", "live", 3 << 19, 200},
		{"/api/x/v1/upload", "ended", DefaultMaxBody, 200}, // X-Who is the bench's own credential
		{"/api/x/v1/upload", "ended", DefaultMaxBody + 1, 401},
		{"/api/x/v1/upload?x=1", "live", 2<<20 + 1, 413},
		{"/api/x/v1/things", "live", DefaultMaxBody + 1, 413},
		{"/nowhere", "live", DefaultMaxBody + 1, 413},
	} {
		// The server answers and closes before it has read all, so a client that
		// is still sending may see the connection end instead of the answer.
		if status, body := post(c.path, c.session, c.size); status != c.want && !(c.want >= 400 && status == 0) {
			t.Errorf("%s of %q with %d bytes: %d %s", c.path, c.session, c.size, status, body)
		}
	}
	stop()
	if err := <-over; err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, url string) string {
	req, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		return err.Error()
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err.Error()
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return fmt.Sprint(string(body), err)
}

func TestServeRefusesAHoleInTheTable(t *testing.T) {
	b := build(t, nil)
	b.kit.App().Get("/hole", nil)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if err := b.kit.Serve(t.Context(), ln, nil); err == nil || !strings.Contains(err.Error(), "/hole") {
		t.Fatalf("%v", err)
	}
}

// A client that asks and never reads must not keep its connection and the
// answer for ever.
func TestServeLeavesAReaderWhoStops(t *testing.T) {
	const size = 32 << 20 // more than the buffers of a connection
	b, asked := build(t, func(c *Config) { c.WriteTimeout = 50 * time.Millisecond }), make(chan struct{})
	b.api.Get("/big", Public, "big", Raw(func(c *fiber.Ctx) error {
		defer close(asked)
		return c.Send(make([]byte, size))
	}))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	over := make(chan error, 1)
	go func() { over <- b.kit.Serve(ctx, ln, nil) }()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET /api/x/v1/big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	<-asked
	patience, enough := context.WithTimeout(t.Context(), 30*time.Second)
	defer enough()
	for look := time.NewTicker(5 * time.Millisecond); b.kit.App().Server().GetOpenConnectionsCount() > 0; <-look.C {
		if patience.Err() != nil {
			t.Fatal("the connection is still open")
		}
	}
	if n, _ := io.Copy(io.Discard, conn); n >= size {
		t.Errorf("the whole answer was kept: %d bytes", n)
	}
	stop()
	if err := <-over; err != nil {
		t.Fatal(err)
	}
}
