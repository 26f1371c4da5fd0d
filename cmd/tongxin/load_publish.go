package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
	"tongxin/publish"
	"tongxin/staff"
	"tongxin/wechat/sandbox"
)

// loadPublish measures how late posts are that are due in the same second, with
// the sandbox answering each call after a pause. Lateness is from the due time
// to the moment the sandbox accepted the submit.
func loadPublish(ctx context.Context, c *cli, args []string) error {
	f := c.flags("load publish")
	posts := f.Int("posts", 1000, "posts due in the same second")
	latency := f.Int("latency", 50, "milliseconds the platform takes for each call")
	cold := f.Bool("cold", false, "start the program only when the posts are due: nothing is prepared ahead")
	db := f.String("db", "", "MySQL DSN of an empty database; default: SQLite")
	if err := f.Parse(args); err != nil {
		return err
	}
	box, base, stop, err := benchSandbox(ctx, *latency)
	if err != nil {
		return err
	}
	defer stop()
	b, err := newBench(*db, "TONGXIN_WECHAT_BASE="+base)
	if err != nil {
		return err
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	due := time.Now().Add(time.Duration(*posts)*8*time.Millisecond + 12*time.Second).Truncate(time.Millisecond)
	if err := b.plan(ctx, port, *posts, due); err != nil {
		return errors.Join(err, b.close())
	}
	if left := time.Until(due); left < 6*time.Second && !*cold {
		return errors.Join(fmt.Errorf("planning took too long, only %v left", left), b.close())
	}
	if *cold {
		time.Sleep(time.Until(due))
	}
	ch, err := b.start(ctx, c, port)
	if err != nil {
		return errors.Join(err, b.close())
	}
	if *cold {
		due = time.Now()
	}
	figures, err := watchSubmits(box, ch, *posts, due)
	if err == nil {
		figures["bench"], figures["latency_ms"], figures["cold"], figures["start_ms"] = "publish", *latency, *cold, ch.ready.Milliseconds()
		err = printFigures(c, figures)
	}
	return errors.Join(err, ch.stop(), b.close())
}

// watchSubmits waits until every post was submitted and gathers the figures.
func watchSubmits(box *sandbox.Sandbox, ch *child, posts int, due time.Time) (map[string]any, error) {
	began, err := ch.cpu()
	if err != nil {
		return nil, err
	}
	deadline := due.Add(2 * time.Minute)
	for len(box.Ledger(benchApp().AppID)) < posts && time.Now().Before(deadline) {
		time.Sleep(50 * time.Millisecond)
	}
	used, err := ch.cpu()
	if err != nil {
		return nil, err
	}
	ledger := box.Ledger(benchApp().AppID)
	seen, twice, early := map[string]int{}, 0, 0
	var late []time.Duration
	for _, a := range ledger {
		if seen[a.Title]++; seen[a.Title] > 1 {
			twice++
		}
		d := a.At.Sub(due)
		if d < 0 {
			early++
		}
		late = append(late, d)
	}
	mb, err := memory(ch.cmd.Process.Pid)
	return map[string]any{
		"posts": posts, "submitted": len(ledger), "submitted_twice": twice, "early": early, "due_to_submit_ms": percentiles(late),
		"server_cpu_s": (used - began).Seconds(), "server_mb": mb,
	}, err
}

// benchApp is the account that benchmarks publish to.
func benchApp() sandbox.Account {
	return sandbox.Account{
		AppID: "wx0000000000be0001", Secret: "0000bench0000sandbox000only00000", Token: "benchtoken", Name: "压测号",
		AESKey: "YmVuY2hiZW5jaGJlbmNoYmVuY2hiZW5jaGJlbmNoMDA", Mode: "aes",
	}
}

func benchSandbox(ctx context.Context, latency int) (*sandbox.Sandbox, string, func(), error) {
	box, err := sandbox.New(sandbox.Config{
		Accounts: []sandbox.Account{benchApp()}, Quotas: map[string]sandbox.Quota{"*": {Day: -1, Minute: -1}},
		Faults: sandbox.Faults{LatencyMS: latency}, VisibleText: true, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, "", nil, err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", nil, err
	}
	srv := &http.Server{Handler: box.Handler(), ReadHeaderTimeout: 10 * time.Second}
	go srv.Serve(ln) //nolint:errcheck // ends with Close below
	return box, "http://" + ln.Addr().String(), func() { srv.Close(); box.Close() }, nil
}

// plan makes a house with posts that are all due at one moment.
func (b *bench) plan(ctx context.Context, port, posts int, due time.Time) error {
	set, err := b.settings(port)
	if err != nil {
		return err
	}
	p, err := build(ctx, set, slog.New(slog.DiscardHandler), options{publicURL: *set.publicURL})
	if err != nil {
		return err
	}
	return errors.Join(p.planPosts(ctx, posts, due), p.Close())
}

// benchHouse makes one organisation without review, an editor and an account.
func (p *program) benchHouse(ctx context.Context) (org, account ids.ID, editor *authz.Actor, err error) {
	system := authz.SystemActor("load")
	none := 0
	top, err := p.staff.CreateOrg(ctx, system, staff.OrgInput{Kind: staff.Committee, Name: "压测党委", Settings: staff.Overrides{ReviewLevels: &none}})
	if err != nil {
		return 0, 0, nil, err
	}
	if _, _, err := p.staff.CreateAccount(ctx, system, staff.AccountInput{OrgID: top.ID, Login: "editor", Name: "压测编辑"},
		[]staff.RoleAt{{Role: "editor", OrgID: top.ID}}); err != nil {
		return 0, 0, nil, err
	}
	if editor, err = p.staff.ActorByLogin(ctx, "editor"); err != nil {
		return 0, 0, nil, err
	}
	app := benchApp()
	a, err := p.publish.CreateAccount(ctx, system, publish.AccountInput{
		OrgID: top.ID, Platform: publish.WeChat, Name: app.Name, Kind: "subscription",
		Mode: publish.ModePublish, AppID: app.AppID, Secrets: publish.SecretsInput{AppSecret: &app.Secret, Token: &app.Token, AESKey: &app.AESKey},
	})
	if err != nil {
		return 0, 0, nil, err
	}
	return top.ID, a.ID, editor, nil
}

func (p *program) planPosts(ctx context.Context, posts int, due time.Time) error {
	org, account, editor, err := p.benchHouse(ctx)
	if err != nil {
		return err
	}
	cover, err := p.publish.UploadMedia(ctx, editor, publish.MediaUpload{OrgID: org, Name: "cover.png", Alt: "封面", Data: demoPicture(0)})
	if err != nil {
		return err
	}
	work := make(chan int)
	done := make(chan error, 16)
	for range cap(done) {
		go func() {
			var first error
			for i := range work {
				if first == nil {
					first = p.planPost(ctx, editor, org, account, cover.Hash, i, due)
				}
			}
			done <- first
		}()
	}
	for i := range posts {
		work <- i
	}
	close(work)
	for range cap(done) {
		err = errors.Join(err, <-done)
	}
	return err
}

func (p *program) planPost(ctx context.Context, editor *authz.Actor, org, account ids.ID, cover string, i int, due time.Time) error {
	post, err := p.publish.Create(ctx, editor, org, publish.Content{Articles: []publish.Article{{
		Kind:  publish.News,
		Title: fmt.Sprintf("第 %d 篇压测图文", i), Author: "同心", Format: "markdown", Cover: publish.Cover{Asset: cover},
		Body: fmt.Sprintf("## 第 %d 篇\n\n党员志愿者走进楼院，为第 %d 户老人检修水电、讲解手机使用。\n", i, i*7919),
	}}})
	if err != nil {
		return err
	}
	if post, err = p.publish.Submit(ctx, editor, post.ID, post.Version); err != nil {
		return err
	}
	_, err = p.publish.Schedule(ctx, editor, post.ID, post.Version, due, []publish.Target{{AccountID: account}})
	return err
}
