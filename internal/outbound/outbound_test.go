package outbound

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"testing"
	"time"
)

func TestPublic(t *testing.T) {
	for addr, want := range map[string]bool{
		"8.8.8.8": true, "223.5.5.5": true, "2400:3200::1": true, "::ffff:8.8.8.8": true,
		"127.0.0.1": false, "10.0.0.1": false, "172.16.0.1": false, "172.32.0.1": true, "192.168.0.1": false, "169.254.169.254": false,
		"100.64.0.1": false, "100.128.0.1": true, "0.0.0.0": false, "255.255.255.255": false, "224.0.0.1": false, "198.18.0.1": false,
		"::": false, "::1": false, "fe80::1": false, "fc00::1": false, "fd12::1": false, "ff02::1": false, "fec0::1": false,
		"::ffff:127.0.0.1": false, "64:ff9b::7f00:1": false, "2002:7f00:1::": false, "2001::1": false, "2001:db8::1": false,
	} {
		if got := Public(netip.MustParseAddr(addr)); got != want {
			t.Errorf("Public(%s) = %v", addr, got)
		}
	}
	if Public(netip.Addr{}) || Public(netip.MustParseAddr("fe80::1%eth0")) {
		t.Error("no address, or one with a zone, counts as public")
	}
}

func TestInner(t *testing.T) {
	for raw, want := range map[string]bool{
		"https://localhost/x": true, "https://a.localhost.:8443/": true, "https://127.1.2.3/": true, "https://[::1]/": true,
		"https://[::ffff:192.168.1.1]/": true, "https://169.254.169.254/latest": true, "https://example.org/": false, "https://8.8.8.8/": false,
	} {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		if got := Inner(u); got != want {
			t.Errorf("Inner(%s) = %v", raw, got)
		}
	}
}

func TestClient(t *testing.T) {
	calls := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	}))
	defer srv.Close()
	// "localhost" has to be resolved first: the judging comes after.
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{srv.URL, "http://localhost:" + u.Port()} {
		if _, err := Client(time.Second, false).Get(target); !errors.Is(err, PrivateError{}) {
			t.Errorf("%s: %v; want a refusal", target, err)
		}
	}
	if calls != 0 {
		t.Fatalf("%d calls reached an inner host", calls)
	}
	resp, err := Client(time.Second, true).Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusFound || calls != 1 {
		t.Fatalf("status %d after %d calls, %v; want the redirect itself", resp.StatusCode, calls, err)
	}
}
