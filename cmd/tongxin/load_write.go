package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"tongxin/publish"
)

// writeTarget is an address that creates something small with each POST.
type writeTarget struct {
	name    string
	url     string
	headers map[string]string
	body    func(n int) []byte
	pid     int // whose processor time is read; 0: nobody's
}

// loadWrite measures durable creates over HTTP: a comment on a post, with
// session, rights, validation and audit. With -peer-url another server is
// measured in the same run, in alternating rounds.
func loadWrite(ctx context.Context, c *cli, args []string) error {
	f := c.flags("load write")
	conns := f.Int("conns", 64, "connections")
	span := f.Duration("span", 5*time.Second, "length of one round")
	rounds := f.Int("rounds", 3, "rounds of each server")
	db := f.String("db", "", "MySQL DSN of an empty database; default: SQLite")
	pprof := f.String("pprof", "", "host:port of the server's local listener, to profile it with go tool pprof meanwhile")
	peer := f.String("peer-url", "", "address of the peer's creating call")
	peerBody := f.String("peer-body", "", "JSON body of the peer's call; %d becomes a number")
	peerAuth := f.String("peer-auth", "", "Authorization header of the peer")
	peerPID := f.Int("peer-pid", 0, "process of the peer")
	if err := f.Parse(args); err != nil {
		return err
	}
	b, err := newBench(*db, "TONGXIN_METRICS_ADDR="+*pprof)
	if err != nil {
		return err
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	post, token, err := b.commentHouse(ctx, port)
	if err != nil {
		return errors.Join(err, b.close())
	}
	ch, err := b.start(ctx, c, port)
	if err != nil {
		return errors.Join(err, b.close())
	}
	target, err := signIn(ch, token, post)
	if err != nil {
		return errors.Join(err, ch.stop(), b.close())
	}
	targets := []writeTarget{target}
	if *peer != "" {
		targets = append(targets, writeTarget{
			name: "peer", url: *peer, pid: *peerPID, headers: map[string]string{"Authorization": *peerAuth},
			body: func(n int) []byte { return fmt.Appendf(nil, *peerBody, n) },
		})
	}
	idleMB, idleCPU, err := idle(ch)
	if err != nil {
		return errors.Join(err, ch.stop(), b.close())
	}
	figures := map[string]any{"bench": "write", "conns": *conns, "start_ms": ch.ready.Milliseconds(), "idle_mb": idleMB, "idle_cpu_percent": idleCPU}
	for r := range *rounds {
		for _, t := range targets {
			res := t.round(*conns, *span, r)
			if _, err := fmt.Fprintf(c.err, "%s round %d: %v\n", t.name, r+1, res); err != nil {
				return err
			}
			all, _ := figures[t.name].([]map[string]any)
			figures[t.name] = append(all, res)
		}
	}
	return errors.Join(printFigures(c, figures), ch.stop(), b.close())
}

// idle waits ten seconds and reads what the resting server costs.
func idle(ch *child) (mb, percent float64, err error) {
	before, err := ch.cpu()
	if err != nil {
		return 0, 0, err
	}
	const rest = 10 * time.Second
	time.Sleep(rest)
	after, err := ch.cpu()
	if err != nil {
		return 0, 0, err
	}
	mb, err = memory(ch.cmd.Process.Pid)
	return mb, 100 * (after - before).Seconds() / rest.Seconds(), err
}

// commentHouse makes a house with one post and returns a sign-in link for it.
func (b *bench) commentHouse(ctx context.Context, port int) (post, token string, err error) {
	set, err := b.settings(port)
	if err != nil {
		return "", "", err
	}
	p, err := build(ctx, set, slog.New(slog.DiscardHandler), options{publicURL: *set.publicURL})
	if err != nil {
		return "", "", err
	}
	org, _, editor, err := p.benchHouse(ctx)
	if err == nil {
		var made *publish.Post
		if made, err = p.publish.Create(ctx, editor, org, publish.Content{Articles: []publish.Article{{Title: "压测", Body: "<p>压测正文</p>"}}}); err == nil {
			post = made.ID.String()
			token, err = p.staff.IssueSigninLink(ctx, editor.ID, time.Hour)
		}
	}
	return post, token, errors.Join(err, p.Close())
}

func signIn(ch *child, token, post string) (writeTarget, error) {
	req, res := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(res)
	req.SetRequestURI(ch.url + "/api/staff/v1/session/link")
	req.Header.SetMethod(fasthttp.MethodPost)
	req.Header.SetContentType("application/json")
	req.Header.Set("Origin", ch.url)
	req.SetBodyString(`{"token":"` + token + `"}`)
	if err := fasthttp.Do(req, res); err != nil {
		return writeTarget{}, err
	}
	var in struct {
		Me struct {
			CSRF string `json:"csrf"`
		} `json:"me"`
	}
	if err := json.Unmarshal(res.Body(), &in); err != nil || in.Me.CSRF == "" {
		return writeTarget{}, fmt.Errorf("sign-in answered %d: %s", res.StatusCode(), res.Body())
	}
	var cookie fasthttp.Cookie
	cookie.SetKey("tx")
	if !res.Header.Cookie(&cookie) {
		return writeTarget{}, errors.New("sign-in set no cookie")
	}
	return writeTarget{
		name: "tongxin", url: ch.url + "/api/staff/v1/posts/" + post + "/comments", pid: ch.cmd.Process.Pid,
		headers: map[string]string{"Cookie": "tx=" + string(cookie.Value()), "X-CSRF-Token": in.Me.CSRF, "Origin": ch.url},
		body: func(n int) []byte {
			return fmt.Appendf(nil, `{"article":0,"quote":"压测","body":"第 %d 条批注"}`, n)
		},
	}, nil
}

// round posts over conns connections for span and returns the figures.
func (t writeTarget) round(conns int, span time.Duration, seed int) map[string]any {
	client := &fasthttp.Client{MaxConnsPerHost: conns, ReadTimeout: 10 * time.Second, NoDefaultUserAgentHeader: true}
	defer client.CloseIdleConnections()
	var before, after time.Duration
	if t.pid != 0 {
		before, _ = processCPU(t.pid) // a peer that ended shows up as failures below
	}
	type part struct {
		times  []time.Duration
		failed int
		first  string
	}
	parts := make([]part, conns)
	began := time.Now()
	var wg sync.WaitGroup
	for w := range conns {
		wg.Go(func() {
			p := &parts[w]
			for n := 0; time.Since(began) < span; n++ {
				at := time.Now()
				status, err := t.post(client, seed*1e9+w*1e6+n)
				if err != nil || status/100 != 2 {
					p.failed++
					p.first = fmt.Sprint(status, err)
					continue
				}
				p.times = append(p.times, time.Since(at))
			}
		})
	}
	wg.Wait()
	took := time.Since(began)
	if t.pid != 0 {
		after, _ = processCPU(t.pid)
	}
	var times []time.Duration
	failed, first := 0, ""
	for _, p := range parts {
		times, failed = append(times, p.times...), failed+p.failed
		if p.first != "" {
			first = p.first
		}
	}
	out := map[string]any{"creates_per_s": int(float64(len(times)) / took.Seconds()), "ms": percentiles(times), "failed": failed}
	if failed > 0 {
		out["first_failure"] = first
	}
	if len(times) > 0 {
		out["server_cpu_us"] = (after - before).Microseconds() / int64(len(times))
	}
	return out
}

func (t writeTarget) post(client *fasthttp.Client, n int) (int, error) {
	req, res := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(res)
	req.SetRequestURI(t.url)
	req.Header.SetMethod(fasthttp.MethodPost)
	req.Header.SetContentType("application/json")
	for k, v := range t.headers {
		req.Header.Set(k, v)
	}
	req.SetBodyRaw(t.body(n))
	err := client.Do(req, res)
	return res.StatusCode(), err
}
