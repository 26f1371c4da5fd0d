package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// longest is how long a test waits for another part of the program, on a slow
// machine under load.
const longest = 30 * time.Second

// testSecret is good enough for the program and easy to find in any output.
const testSecret = "test-secret-0123456789-abcdefghijklmnop"

// place is a house on one machine: a directory, a port and settings.
type place struct {
	dir, url string
	env      []string
}

// newPlace is complete for production; more settings may follow.
func newPlace(t *testing.T, more ...string) *place {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	p := &place{dir: t.TempDir(), url: "http://127.0.0.1:" + strconv.Itoa(port)}
	p.env = append([]string{
		"TONGXIN_DATA=" + p.dir, "TONGXIN_ADDR=127.0.0.1:" + strconv.Itoa(port), "TONGXIN_METRICS_ADDR=",
		"TONGXIN_PUBLIC_URL=" + p.url, "TONGXIN_SECRET_KEY=" + testSecret, "TONGXIN_NODE=test",
	}, more...)
	return p
}

// without leaves settings out.
func (p *place) without(names ...string) []string {
	var env []string
next:
	for _, kv := range p.env {
		for _, n := range names {
			if strings.HasPrefix(kv, "TONGXIN_"+n+"=") {
				continue next
			}
		}
		env = append(env, kv)
	}
	return env
}

// outcome is what a command left behind.
type outcome struct {
	code     int
	out, err string
}

// tongxin runs one command to its end.
func tongxin(t *testing.T, env []string, args ...string) outcome {
	t.Helper()
	var out, errOut bytes.Buffer
	code := run(t.Context(), args, env, &out, &errOut)
	return outcome{code, out.String(), errOut.String()}
}

// want asserts the exit code, and texts on either stream.
func (o outcome) want(t *testing.T, code int, parts ...string) outcome {
	t.Helper()
	if o.code != code {
		t.Fatalf("exit code %d, want %d\n%s%s", o.code, code, o.out, o.err)
	}
	for _, p := range parts {
		if !strings.Contains(o.out+o.err, p) {
			t.Fatalf("%q is not in\n%s%s", p, o.out, o.err)
		}
	}
	return o
}

func (o outcome) lacks(t *testing.T, parts ...string) outcome {
	t.Helper()
	for _, p := range parts {
		if strings.Contains(o.out+o.err, p) {
			t.Fatalf("%q must not be in\n%s%s", p, o.out, o.err)
		}
	}
	return o
}

// journal keeps what a program writes and tells when a text appeared.
type journal struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	word string
	seen chan struct{}
}

func newJournal(word string) *journal { return &journal{word: word, seen: make(chan struct{})} }

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	had := strings.Contains(j.buf.String(), j.word)
	j.buf.Write(b)
	if j.word != "" && !had && strings.Contains(j.buf.String(), j.word) {
		close(j.seen)
	}
	return len(b), nil
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.String()
}

// running is a command that serves, inside the test.
type running struct {
	url      string
	out, log *journal
	cancel   context.CancelFunc
	done     chan struct{}
	code     int
}

// start runs the program until stop, and returns when it listens: serve and
// sandbox say so in their logs, demo by its welcome.
func (p *place) start(t *testing.T, args ...string) *running {
	t.Helper()
	r := &running{url: p.url, out: newJournal(""), log: newJournal(`"msg":"ready"`), done: make(chan struct{})}
	ready := r.log.seen
	switch args[0] {
	case "demo":
		r.out = newJournal("按 Ctrl+C 停止")
		ready = r.out.seen
	case "sandbox":
		r.log = newJournal("/sandbox/")
		ready = r.log.seen
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	r.cancel = cancel
	go func() {
		defer close(r.done)
		r.code = run(ctx, args, p.env, r.out, r.log)
	}()
	t.Cleanup(func() { r.stop(t) })
	select {
	case <-ready:
	case <-r.done:
		t.Fatalf("it ended with %d:\n%s", r.code, r.log)
	case <-time.After(longest):
		t.Fatalf("it did not start:\n%s", r.log)
	}
	return r
}

// stop ends the program as Ctrl+C does and asserts that it went well.
func (r *running) stop(t *testing.T) {
	t.Helper()
	r.cancel()
	select {
	case <-r.done:
	case <-time.After(longest):
		t.Fatal("it does not stop")
	}
	if r.code != 0 {
		t.Errorf("it ended with %d:\n%s", r.code, r.log)
	}
}

// links are the one-time sign-in links of a demonstration, by person.
func (r *running) links(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, m := range regexp.MustCompile(`（([^（）]+)）  (\S+)/console/#/enter\?token=(\S+)`).FindAllStringSubmatch(r.out.String(), -1) {
		out[m[1]] = m[3]
	}
	if len(out) != len(demoPeople()) {
		t.Fatalf("links for %d of %d people:\n%s", len(out), len(demoPeople()), r.out)
	}
	return out
}

// browser is one person at the program, with a cookie.
type browser struct {
	t            *testing.T
	url          string
	cookie, csrf string
}

// reply is an answer as JSON.
type reply struct {
	t      *testing.T
	status int
	etag   string
	header http.Header
	body   string
	v      any
}

// as signs a person of the demonstration in by a one-time link.
func (r *running) as(t *testing.T, token string) *browser {
	t.Helper()
	b := &browser{t: t, url: r.url}
	in := b.call("POST", "/session/link", map[string]string{"token": token}).want(200)
	b.keep(in)
	return b
}

func (b *browser) keep(in *reply) {
	b.t.Helper()
	res := http.Response{Header: in.header}
	for _, c := range res.Cookies() {
		b.cookie = c.Name + "=" + c.Value
	}
	b.csrf = in.text("me", "csrf")
	if b.cookie == "" || b.csrf == "" {
		b.t.Fatalf("signing in gave no cookie or no token: %s", in.body)
	}
}

// call speaks JSON to the staff surface; headers come in pairs.
func (b *browser) call(method, path string, body any, headers ...string) *reply {
	b.t.Helper()
	var rd io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			b.t.Fatal(err)
		}
		rd = bytes.NewReader(raw)
		headers = append(headers, "Content-Type", "application/json")
	}
	return b.send(method, "/api/staff/v1"+path, rd, headers...)
}

func (b *browser) send(method, path string, body io.Reader, headers ...string) *reply {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Origin", b.url)
	req.Header.Set("X-CSRF-Token", b.csrf)
	req.Header.Set("Cookie", b.cookie)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		b.t.Fatal(err)
	}
	out := &reply{t: b.t, status: res.StatusCode, etag: res.Header.Get("ETag"), header: res.Header, body: string(raw)}
	if strings.Contains(res.Header.Get("Content-Type"), "json") {
		if err := json.Unmarshal(raw, &out.v); err != nil {
			b.t.Fatalf("%s %s: %v: %s", method, path, err, raw)
		}
	}
	return out
}

// upload stores a picture and returns its hash.
func (b *browser) upload(org, alt string, picture []byte) string {
	b.t.Helper()
	var buf bytes.Buffer
	form := multipart.NewWriter(&buf)
	must := func(err error) {
		b.t.Helper()
		if err != nil {
			b.t.Fatal(err)
		}
	}
	must(form.WriteField("orgId", org))
	must(form.WriteField("alt", alt))
	part, err := form.CreateFormFile("file", alt+".png")
	must(err)
	_, err = part.Write(picture)
	must(err)
	must(form.Close())
	return b.send("POST", "/api/staff/v1/media", &buf, "Content-Type", form.FormDataContentType()).want(201).text("hash")
}

func (r *reply) want(status int, parts ...string) *reply {
	r.t.Helper()
	if r.status != status {
		r.t.Fatalf("status %d, want %d: %s", r.status, status, r.body)
	}
	for _, p := range parts {
		if !strings.Contains(r.body, p) {
			r.t.Fatalf("%q is not in %s", p, r.body)
		}
	}
	return r
}

// at walks into the answer: names of members, numbers of items.
func (r *reply) at(path ...any) any {
	v := r.v
	for _, p := range path {
		switch key := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[key]
		case int:
			l, _ := v.([]any)
			if key >= len(l) {
				return nil
			}
			v = l[key]
		}
	}
	return v
}

// text is at as text; "" when there is nothing.
func (r *reply) text(path ...any) string {
	switch v := r.at(path...).(type) {
	case nil:
		return ""
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return fmt.Sprint(v)
	}
}

// list is at as a list.
func (r *reply) list(path ...any) []any {
	l, _ := r.at(path...).([]any)
	return l
}

// until looks until something outside of the test has happened.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.Now().Add(longest)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, longest)
		}
		<-tick.C
	}
}
