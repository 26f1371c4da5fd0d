//go:build proof

package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/ids"
	"tongxin/internal/seal"
	"tongxin/publish"
	"tongxin/storage"
	"tongxin/wechat/sandbox"
)

// proofHouse is one run of the proof: the sandbox in this process, the product
// in processes of its own, and a database between the lives of those.
type proofHouse struct {
	binary string
	bench  *bench
	box    *sandbox.Sandbox
	api    http.Handler
	pushes *http.Transport // events to the nodes
	turn   atomic.Int64
	nodes  []*node
	traps  *traps
	kills  tally
	look   *storage.DB // reads beside the running nodes
	posts  []proofPost
	logs   string // directory of the nodes' logs
}

// proofPost is what was planned. No two posts have one title.
type proofPost struct {
	id    ids.ID
	title string
	mode  publish.Mode
}

// pace is the queue's timing in a run.
type pace struct{ lease, poll, settle, timeout time.Duration }

func (p pace) environ() []string {
	return []string{
		"TONGXIN_QUEUE_LEASE=" + p.lease.String(), "TONGXIN_QUEUE_POLL=" + p.poll.String(), "TONGXIN_QUEUE_SETTLE=" + p.settle.String(),
		"TONGXIN_QUEUE_RETRY=50ms", "TONGXIN_QUEUE_AUTH_RETRY=300ms", "TONGXIN_WECHAT_TIMEOUT=" + p.timeout.String(),
	}
}

// buildBinary builds the product as it is shipped.
func buildBinary(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tongxin")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

func newProofHouse(t *testing.T, binary string, b *bench, seed uint64, tr *traps) *proofHouse {
	t.Helper()
	h := &proofHouse{binary: binary, bench: b, traps: tr, pushes: &http.Transport{MaxIdleConnsPerHost: 16}, logs: t.TempDir()}
	app := benchApp()
	app.CallbackURL, app.MassPerDay = "http://node.invalid/wechat/"+app.AppID, -1
	var err error
	h.box, err = sandbox.New(sandbox.Config{
		Accounts: []sandbox.Account{app}, Seed: seed, Quotas: map[string]sandbox.Quota{"*": {Day: -1, Minute: -1}},
		PublishDelay: 300 * time.Millisecond, CallbackTimeout: 2 * time.Second, CallbackPause: 300 * time.Millisecond,
		Client: &http.Client{Transport: h}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	h.api = h.box.Handler()
	t.Cleanup(func() { h.clear(t) })
	return h
}

// clear ends what a failed test left running.
func (h *proofHouse) clear(t *testing.T) {
	for _, n := range h.nodes {
		if err := n.stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("%s, started %d times, its log ends:\n%s", n.name, n.starts, n.tail())
		}
		n.front.CloseClientConnections()
		n.front.Close()
		if err := n.log.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := h.box.Close(); err != nil {
		t.Error(err)
	}
	h.pushes.CloseIdleConnections()
	if h.look != nil {
		if err := h.look.Close(); err != nil {
			t.Error(err)
		}
	}
}

// open opens the house's database: to read beside the nodes, or to own it.
func (h *proofHouse) open(t *testing.T, readOnly bool) *storage.DB {
	t.Helper()
	set, err := h.bench.settings(1)
	if err != nil {
		t.Fatal(err)
	}
	db, err := storage.Open(context.WithoutCancel(t.Context()), storage.Options{
		DSN: *set.db, Clock: clock.System{},
		AuditKey: h.seals(t).Derive("audit"), ReadOnly: readOnly,
	})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func (h *proofHouse) seals(t *testing.T) *seal.Box {
	t.Helper()
	box, err := boxOf(h.bench.secret, "")
	if err != nil {
		t.Fatal(err)
	}
	return box
}

// planProof writes the posts: publishing ones, and a few that are mass-sent or only
// left as drafts. All are due in the same second, soon after it returns.
func (b *bench) planProof(ctx context.Context, publishing, mass, byHand int, soon time.Duration) (posts []proofPost, due time.Time, err error) {
	set, err := b.settings(1)
	if err != nil {
		return nil, due, err
	}
	p, err := build(ctx, set, slog.New(slog.DiscardHandler), options{publicURL: *set.publicURL})
	if err != nil {
		return nil, due, err
	}
	defer func() {
		if closeErr := p.Close(); err == nil {
			err = closeErr
		}
	}()
	org, account, editor, err := p.benchHouse(ctx)
	if err != nil {
		return nil, due, err
	}
	if err := p.raiseLimits(ctx, account); err != nil {
		return nil, due, err
	}
	pictures, err := p.proofPictures(ctx, editor, org)
	if err != nil {
		return nil, due, err
	}
	posts = make([]proofPost, publishing+mass+byHand)
	drafts := make([]*publish.Post, len(posts))
	err = eachOf(len(posts), func(i int) error {
		mode := publish.ModePublish
		if i >= publishing {
			mode = publish.ModeMass
		}
		if i >= publishing+mass {
			mode = publish.ModeDraft
		}
		title := fmt.Sprintf("第 %d 篇（%s）", i, mode)
		post, err := p.publish.Create(ctx, editor, org, publish.Content{Articles: []publish.Article{{
			Kind: publish.News, Title: title, Author: "同心",
			Format: "markdown", Cover: publish.Cover{Asset: pictures[i%4]},
			Body: fmt.Sprintf("## 第 %d 篇\n\n志愿者为第 %d 户老人检修水电。\n\n![检修现场](asset:%s)\n", i, i*7919, pictures[i%len(pictures)]),
		}}})
		if err != nil {
			return err
		}
		posts[i] = proofPost{post.ID, title, mode}
		drafts[i], err = p.publish.Submit(ctx, editor, post.ID, post.Version)
		return err
	})
	if err != nil {
		return nil, due, err
	}
	due = time.Now().Add(soon).Truncate(time.Second)
	return posts, due, eachOf(len(posts), func(i int) error {
		_, err := p.publish.Schedule(ctx, editor, drafts[i].ID, drafts[i].Version, due, []publish.Target{{AccountID: account, Mode: posts[i].mode}})
		return err
	})
}

// raiseLimits takes the account's own daily budgets away: a thousand posts with
// look-ups are more than an account has.
func (p *program) raiseLimits(ctx context.Context, account ids.ID) error {
	system := authz.SystemActor("proof")
	a, err := p.publish.Account(ctx, system, account)
	if err != nil {
		return err
	}
	_, err = p.publish.UpdateAccount(ctx, system, account, a.Version, publish.AccountInput{
		Name: a.Name, Kind: a.Kind, Mode: a.Mode,
		Limits: &publish.AccountLimit{PublishPerDay: 100000, MassPerDay: 1000, PollsPerDay: 100000, ReadsPerDay: 100000},
	})
	return err
}

// proofPictures gives the posts several pictures, so that there are uploads to
// be killed in; the first four serve as covers too.
func (p *program) proofPictures(ctx context.Context, editor *authz.Actor, org ids.ID) ([]string, error) {
	out := make([]string, 24)
	for i := range out {
		img := image.NewRGBA(image.Rect(0, 0, 940, 400))
		for n := range img.Pix {
			img.Pix[n] = 0xff
		}
		for x := range 200 {
			img.Set(x*4, 10*i, color.RGBA{R: 200, A: 255})
		}
		var buf bytes.Buffer
		if err := png.Encode(&buf, img); err != nil {
			return nil, err
		}
		a, err := p.publish.UploadMedia(ctx, editor, publish.MediaUpload{OrgID: org, Name: fmt.Sprintf("%d.png", i), Alt: "检修现场", Data: buf.Bytes()})
		if err != nil {
			return nil, err
		}
		out[i] = a.Hash
	}
	return out, nil
}

// eachOf runs f for 0…n-1 on a few workers and returns the first error.
func eachOf(n int, f func(i int) error) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	var once sync.Once
	var first error
	for range 16 {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := f(i); err != nil {
					once.Do(func() { first = err })
					return
				}
			}
		})
	}
	wg.Wait()
	return first
}

// until waits for a condition of the processes outside. A node that fell over
// by itself ends the wait.
func (h *proofHouse) until(t *testing.T, limit time.Duration, what string, done func() (bool, string)) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	deadline := time.Now().Add(limit)
	for {
		ok, state := done()
		if ok {
			return
		}
		for _, n := range h.nodes {
			if err := n.trouble(); err != nil {
				t.Fatal(err)
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not after %v: %s", what, limit, state)
		}
		<-tick.C
	}
}

// left counts the deliveries in the given states that the queue must still
// bring on. A mass send is in no list that could be read, so one of unknown
// outcome may wait for a person.
func (h *proofHouse) left(t *testing.T, states ...publish.DeliveryState) (int64, string) {
	t.Helper()
	in, args := storage.In("state", states)
	type row struct {
		state string
		n     int64
	}
	rows, err := storage.All(t.Context(), h.look, func(r storage.Scanner) (out row, err error) { err = r.Scan(&out.state, &out.n); return out, err },
		`SELECT state, COUNT(*) FROM deliveries WHERE `+in+` AND NOT (state = 'unknown' AND mode = 'mass') GROUP BY state`, args...)
	if err != nil {
		t.Fatal(err)
	}
	total, text := int64(0), ""
	for _, r := range rows {
		total += r.n
		text += fmt.Sprintf("%s %d ", r.state, r.n)
	}
	return total, strings.TrimSpace(text)
}

// stopNodes ends the nodes as an operator does: that must work after any number
// of kills.
func (h *proofHouse) stopNodes(t *testing.T) {
	t.Helper()
	for _, n := range h.nodes {
		if err := n.stop(); err != nil {
			t.Error(err)
		}
		if log, err := os.ReadFile(n.log.Name()); err != nil || bytes.Contains(log, []byte("panic")) {
			t.Errorf("%s panicked, or its log is gone (%v)", n.name, err)
		}
	}
}
