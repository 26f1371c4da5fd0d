package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
	"tongxin/internal/trail"
	"tongxin/member"
	"tongxin/notify"
	"tongxin/staff"
	"tongxin/storage"
	"tongxin/wechat/sandbox"
)

// benchMini is the mini-program that benchmarks send messages of.
func benchMini() sandbox.Account {
	return sandbox.Account{
		AppID: "wx0000000000be0002", Secret: "0000bench0000sandbox000only00000", Token: "benchtoken", Name: "压测小程序", Crowd: true,
		AESKey: "YmVuY2hiZW5jaGJlbmNoYmVuY2hiZW5jaGJlbmNoMDA", Mode: "aes",
		Templates: []sandbox.MsgTemplate{{ID: "bench-template", Use: "mini", Title: "通知提醒", Fields: []string{"thing1", "time2", "thing3"}}},
	}
}

// benchTemplates are the settings for it.
func benchTemplates(rate float64) notify.Settings {
	return notify.Settings{
		Templates: []notify.Template{{
			Channel: notify.Mini, AppID: benchMini().AppID, ID: "bench-template", Title: "通知提醒", Page: "pages/notice/index?id={id}",
			Fields: []notify.Field{{Key: "thing1", Source: "title"}, {Key: "time2", Source: "time"}, {Key: "thing3", Source: "place", Text: "见通知"}},
		}},
		Rates: []notify.Rate{{AppID: benchMini().AppID, PerSecond: rate}},
	}
}

// loadCampaign measures how fast a notice reaches every inbox, and how well the
// rate of messages is held against the sandbox over HTTP.
func loadCampaign(ctx context.Context, c *cli, args []string) error {
	f := c.flags("load campaign")
	people := f.Int("members", 100_000, "members of the house")
	rate := f.Float64("rate", 500, "messages a second that the account allows")
	span := f.Duration("span", 60*time.Second, "how long the rate is watched")
	latency := f.Int("latency", 20, "milliseconds the platform takes for each call")
	db := f.String("db", "", "MySQL DSN of an empty database; default: SQLite")
	if err := f.Parse(args); err != nil {
		return err
	}
	box, base, stop, err := benchCrowd(*latency)
	if err != nil {
		return err
	}
	defer stop()
	b, err := newBench(*db, miniEnviron(base)...)
	if err != nil {
		return err
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	token, org, err := b.crowdHouse(ctx, port, *people, *rate)
	if err != nil {
		return errors.Join(err, b.close())
	}
	ch, err := b.start(ctx, c, port)
	if err != nil {
		return errors.Join(err, b.close())
	}
	figures, err := runCampaign(ch, box, token, org, *people, *rate, *span)
	if err == nil {
		figures["latency_ms"], figures["db"] = *latency, map[bool]string{true: "sqlite", false: "mysql"}[*db == ""]
		err = printFigures(c, figures)
	}
	return errors.Join(err, ch.stop(), b.close())
}

// miniEnviron sets the program up with the mini-program of the sandbox at base.
func miniEnviron(base string) []string {
	app := benchMini()
	return []string{"TONGXIN_WECHAT_BASE=" + base, "TONGXIN_MINI_APPID=" + app.AppID, "TONGXIN_MINI_SECRET=" + app.Secret, "TONGXIN_MINI_TOKEN=" + app.Token, "TONGXIN_MINI_AESKEY=" + app.AESKey}
}

func benchCrowd(latency int) (*sandbox.Sandbox, string, func(), error) {
	box, err := sandbox.New(sandbox.Config{
		Accounts: []sandbox.Account{benchMini()}, Quotas: map[string]sandbox.Quota{"*": {Day: -1, Minute: -1}},
		Faults: sandbox.Faults{LatencyMS: latency}, Log: slog.New(slog.DiscardHandler),
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

// crowdHouse fills a database with members who can all be sent one message, and
// returns a sign-in link of an editor and the top organisation.
func (b *bench) crowdHouse(ctx context.Context, port, people int, rate float64) (token string, org ids.ID, err error) {
	set, err := b.settings(port)
	if err != nil {
		return "", 0, err
	}
	p, err := build(ctx, set, slog.New(slog.DiscardHandler), options{publicURL: *set.publicURL})
	if err != nil {
		return "", 0, err
	}
	org, editor, err := p.seedCrowd(ctx, people, rate)
	if err == nil {
		token, err = p.staff.IssueSigninLink(ctx, editor.ID, time.Hour)
	}
	return token, org, errors.Join(err, p.Close())
}

// crowdBranch is how many members a branch of the crowd has.
const crowdBranch = 500

func (p *program) seedCrowd(ctx context.Context, people int, rate float64) (ids.ID, *authz.Actor, error) {
	system := authz.SystemActor("load")
	org, _, editor, err := p.benchHouse(ctx)
	if err != nil {
		return 0, nil, err
	}
	roster := storage.NewMembers(p.db)
	for n := 0; n < people; n += crowdBranch {
		branch, err := p.staff.CreateOrg(ctx, system, staff.OrgInput{ParentID: org, Kind: staff.Branch, Name: fmt.Sprintf("压测第 %d 支部", n/crowdBranch+1)})
		if err != nil {
			return 0, nil, err
		}
		list := make([]member.Write, min(crowdBranch, people-n))
		for i := range list {
			m := &member.Member{
				ID: p.db.IDs().New(), OrgID: branch.ID, OrgPath: branch.Path, Name: fmt.Sprintf("党员%d", n+i), Kind: member.Full, State: member.Active,
				Version: 1, CreatedAt: p.clock.Now(), UpdatedAt: p.clock.Now(), UpdatedBy: "load",
			}
			list[i] = member.Write{Member: m, Entry: trail.Entry{Actor: system, Action: "member.create", Object: "member", ID: m.ID}}
		}
		if err := roster.Import(ctx, list, trail.Entry{Actor: system, Action: "member.import", Object: "org", ID: branch.ID}); err != nil {
			return 0, nil, err
		}
	}
	if err := storage.NewNotify(p.db).SeedReach(ctx, benchMini().AppID, sandbox.Crowd, "bench-template"); err != nil {
		return 0, nil, err
	}
	_, err = p.notify.SaveSettings(ctx, system, 0, benchTemplates(rate))
	return org, editor, err
}

// staffCall makes one JSON call with the session of target.
func (t writeTarget) call(method, url, match string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if match != "" {
		req.Header.Set("If-Match", match)
	}
	for k, v := range t.headers {
		req.Header.Set(k, v)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return err
	}
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s answered %d: %s", method, url, res.StatusCode, answer)
	}
	return json.Unmarshal(answer, out)
}

// runCampaign sends a notice to everyone and gathers the figures.
func runCampaign(ch *child, box *sandbox.Sandbox, token string, org ids.ID, people int, rate float64, span time.Duration) (map[string]any, error) {
	target, err := signIn(ch, token, "0")
	if err != nil {
		return nil, err
	}
	base := ch.url + "/api/staff/v1/notify/campaigns"
	var c notify.Campaign
	in := notify.Input{
		OrgID: org, Title: "关于召开全体党员大会的通知", Body: "请各位党员按时参加。\n\n- 时间：周五下午三点\n- 地点：党群服务中心", Place: "党群服务中心",
		EventAt: time.Now().Add(72 * time.Hour), Audience: notify.Audience{Orgs: []ids.ID{org}}, Push: true, Ask: &notify.Ask{Options: []string{"能参加", "请假"}},
	}
	if err := target.call(http.MethodPost, base, "", in, &c); err != nil {
		return nil, err
	}
	began := time.Now()
	if err := target.call(http.MethodPost, base+"/"+c.ID.String()+"/start", fmt.Sprintf("%q", "1"), struct{}{}, &c); err != nil {
		return nil, err
	}
	for c.State == notify.Fanning && time.Since(began) < time.Minute {
		time.Sleep(250 * time.Millisecond)
		if err := target.call(http.MethodGet, base+"/"+c.ID.String(), "", nil, &c); err != nil {
			return nil, err
		}
	}
	inboxes := time.Since(began)
	before, err := ch.cpu()
	if err != nil {
		return nil, err
	}
	held := watchRate(box, rate, span)
	after, err := ch.cpu()
	if err != nil {
		return nil, err
	}
	if err := target.call(http.MethodGet, base+"/"+c.ID.String(), "", nil, &c); err != nil {
		return nil, err
	}
	twice, total := 0, 0
	for _, n := range box.MessageCounts(benchMini().AppID) {
		if total += n; n > 1 {
			twice++
		}
	}
	mb, err := memory(ch.cmd.Process.Pid)
	for k, v := range map[string]any{
		"bench": "campaign", "members": people, "inboxes": c.Recipients, "inbox_complete_s": math.Round(inboxes.Seconds()*1000) / 1000,
		"messages": total, "people_twice": twice, "by_state": c.Progress.ByState, "server_cpu_s": (after - before).Seconds(), "server_mb": mb,
	} {
		held[k] = v
	}
	return held, err
}

// watchRate counts messages at the sandbox for span, from the moment when they
// flow.
func watchRate(box *sandbox.Sandbox, rate float64, span time.Duration) map[string]any {
	app := benchMini().AppID
	for wait := time.Now(); box.MessageTotal(app) == 0 && time.Since(wait) < 30*time.Second; {
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(2 * time.Second)
	first, at, worst := box.MessageTotal(app), time.Now(), 0.0
	last, lastAt := first, at
	for time.Since(at) < span {
		time.Sleep(10 * time.Second)
		n, now := box.MessageTotal(app), time.Now()
		if off := float64(n-last)/now.Sub(lastAt).Seconds()/rate - 1; math.Abs(off) > math.Abs(worst) {
			worst = off
		}
		last, lastAt = n, now
	}
	got := float64(last-first) / lastAt.Sub(at).Seconds()
	round := func(v float64) float64 { return math.Round(v*1000) / 1000 }
	return map[string]any{
		"rate": rate, "rate_measured": round(got), "rate_off_percent": round(100 * (got/rate - 1)), "worst_10s_off_percent": round(100 * worst),
		"watched_s": round(lastAt.Sub(at).Seconds()),
	}
}
