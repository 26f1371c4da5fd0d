package main

import (
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestServeRefuses(t *testing.T) {
	p := newPlace(t)
	for name, c := range map[string]struct {
		env  []string
		want string
	}{
		"no secret":       {p.without("SECRET_KEY"), "TONGXIN_SECRET_KEY must be set to 32 characters or more"},
		"a short secret":  {append(p.without("SECRET_KEY"), "TONGXIN_SECRET_KEY=short"), "TONGXIN_SECRET_KEY must be set to 32 characters or more"},
		"no address":      {p.without("PUBLIC_URL"), "TONGXIN_PUBLIC_URL must be set to the https address people use"},
		"plain http":      {append(p.without("PUBLIC_URL"), "TONGXIN_PUBLIC_URL=http://party.example.cn"), "TONGXIN_PUBLIC_URL must be https unless it is a loopback address"},
		"a contradiction": {append(p.without(), "TONGXIN_SANDBOX=true", "TONGXIN_WECHAT_BASE=http://127.0.0.1:1"), "TONGXIN_SANDBOX and TONGXIN_WECHAT_BASE contradict each other"},
		"sandbox for all": {append(p.without("PUBLIC_URL"), "TONGXIN_SANDBOX=true", "TONGXIN_PUBLIC_URL=https://party.example.cn"), "TONGXIN_PUBLIC_URL must be a loopback address"},
		"open metrics":    {append(p.without("METRICS_ADDR"), "TONGXIN_METRICS_ADDR=0.0.0.0:0"), "TONGXIN_METRICS_ADDR must be a loopback address"},
		"metrics for all": {append(p.without("METRICS_ADDR"), "TONGXIN_METRICS_ADDR=:0"), "TONGXIN_METRICS_ADDR must be a loopback address"},
		"no such file":    {append(p.without(), "TONGXIN_CONFIG="+filepath.Join(p.dir, "none")), "TONGXIN_CONFIG"},
	} {
		t.Run(name, func(t *testing.T) {
			tongxin(t, c.env, "serve").want(t, 1, "tongxin serve:", c.want).lacks(t, testSecret)
		})
	}
	nothing := tongxin(t, nil, "serve").want(t, 1)
	nothing.want(t, 1, "TONGXIN_SECRET_KEY", "TONGXIN_PUBLIC_URL") // both at once
	if _, err := os.Stat(filepath.Join(p.dir, "tongxin.db")); err == nil {
		t.Error("a refused start made a database")
	}
}

// The sandbox asks nobody who they are, so only this machine may reach it.
func TestDemoStaysOnThisMachine(t *testing.T) {
	p := newPlace(t)
	for _, more := range []string{"TONGXIN_ADDR=0.0.0.0:0", "TONGXIN_ADDR=:0", "TONGXIN_ADDR=192.0.2.1:80", "TONGXIN_PUBLIC_URL=https://party.example.cn"} {
		name, _, _ := strings.Cut(strings.TrimPrefix(more, "TONGXIN_"), "=")
		env := p.without("PUBLIC_URL", name)
		tongxin(t, append(env, more), "demo").want(t, 1, "set TONGXIN_ADDR to a loopback address", "ssh -L")
	}
	if _, err := os.Stat(filepath.Join(p.dir, "tongxin.db")); err == nil {
		t.Error("a refused start made a database")
	}
}

func TestServeNamesATakenPort(t *testing.T) {
	p := newPlace(t)
	ln, err := net.Listen("tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	tongxin(t, p.env, "serve").want(t, 1, "is another program using it? TONGXIN_ADDR changes it")
}

func TestServe(t *testing.T) {
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	p := newPlace(t)
	local := "http://127.0.0.1:" + strconv.Itoa(port)
	p.env = append(p.without("METRICS_ADDR"), "TONGXIN_METRICS_ADDR=127.0.0.1:"+strconv.Itoa(port))
	r := p.start(t, "serve")

	wantPage(t, p.url+"/healthz", 200, `"ok"`)
	wantPage(t, p.url+"/readyz", 200, `"ready":true`, `"database":"ok"`, `"bus":"ok"`)
	wantPage(t, p.url+"/console/", 200, "<html")
	wantPage(t, p.url+"/api/staff/v1/posts", 401, "urn:tongxin:problem:unauthorized")
	wantPage(t, p.url+"/sandbox/", 404) // only with the sandbox inside
	for _, path := range []string{"/metrics", "/debug/pprof/"} {
		wantPage(t, p.url+path, 404)
		wantPage(t, local+path, 200)
	}
	wantPage(t, local+"/metrics", 200, "http_requests_total{", "tongxin_queue_deliveries{")

	r.stop(t)
	if _, err := http.Get(p.url + "/healthz"); err == nil {
		t.Error("it still answers")
	}
	for _, bad := range []string{testSecret, `"level":"ERROR"`, `"level":"WARN"`} {
		if strings.Contains(r.log.String(), bad) {
			t.Errorf("the log holds %s:\n%s", bad, r.log)
		}
	}
	if !strings.Contains(r.log.String(), `"version":"`+version+`"`) {
		t.Errorf("the start is not logged with its version:\n%s", r.log)
	}
	again := p.start(t, "serve") // everything was let go: port, database, slot
	again.stop(t)
}

// wantPage fetches and asserts status and texts.
func wantPage(t *testing.T, url string, status int, parts ...string) string {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != status {
		t.Fatalf("%s: status %d, want %d: %s", url, res.StatusCode, status, body)
	}
	for _, p := range parts {
		if !strings.Contains(string(body), p) {
			t.Fatalf("%s: %q is not in %.2000s", url, p, body)
		}
	}
	return string(body)
}
