package storage_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/member"
	"tongxin/notify"
	"tongxin/storage"
	"tongxin/storage/storagetest"
)

func miniTemplate() notify.Template {
	return notify.Template{Channel: notify.Mini, AppID: "mini", ID: "t1", Title: "通知"}
}

func fansTemplate() notify.Template {
	return notify.Template{Channel: notify.Official, AppID: "official", ID: "t2", Title: "通知"}
}

func (p *postbox) bind(app string, people ...*member.Member) {
	p.t.Helper()
	ok(p.t, p.db.Write(p.t.Context(), func(tx *storage.Tx) error {
		for _, m := range people {
			_, err := tx.Exec(`INSERT INTO member_wechat (id, member_id, app_id, openid, unionid, how, bound_at) VALUES (?, ?, ?, ?, '', 'phone', 1)`,
				p.db.IDs().New(), m.ID, app, app+"-"+m.ID.String())
			if err != nil {
				return err
			}
		}
		return nil
	}))
}

func (p *postbox) grant(m *member.Member, n int) {
	p.t.Helper()
	for range n {
		ok(p.t, p.n.Grant(p.t.Context(), m.ID, "t1", notify.FromClient, time.Time{}, 0))
	}
}

func (p *postbox) claim(c *notify.Campaign, t notify.Template, next notify.Channel, n int) *notify.Claimed {
	p.t.Helper()
	now := time.Now().UTC()
	got, err := p.n.ClaimSends(p.t.Context(), notify.Claim{
		Campaign: c.ID, Template: t, Next: next, Rate: 1e6, Owner: "node", Now: now, Until: now.Add(time.Minute), Max: n,
	})
	ok(p.t, err)
	return got
}

func (p *postbox) result(c *notify.Campaign, x notify.Outgoing, r notify.Result) int {
	p.t.Helper()
	r.Campaign, r.Member, r.Version, r.At, r.Template = c.ID, x.MemberID, x.Version, time.Now().UTC(), "t1"
	n, err := p.n.StoreResults(p.t.Context(), []notify.Result{r})
	ok(p.t, err)
	return n
}

func (p *postbox) outcome(c *notify.Campaign, m *member.Member) notify.Recipient {
	p.t.Helper()
	list, err := p.n.Recipients(p.t.Context(), notify.RecipientFilter{Campaign: c.ID, Scope: authz.Scope{All: true}}, page.Request{Limit: 100})
	ok(p.t, err)
	for _, x := range list {
		if x.MemberID == m.ID {
			return x
		}
	}
	p.t.Fatalf("%s is no recipient", m.Name)
	return notify.Recipient{}
}

func (p *postbox) left(m *member.Member) int64 {
	p.t.Helper()
	b, err := p.n.Balance(p.t.Context(), m.ID)
	ok(p.t, err)
	return b["t1"]
}

func TestNotifySends(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p := newPostbox(t, db)
		ctx := t.Context()
		way := notify.Way{miniTemplate(), fansTemplate()}
		p.bind("mini", p.anna, p.ben, p.dora)
		p.bind("official", p.ben, p.carl)
		p.grant(p.anna, 2)
		p.grant(p.dora, 1)
		reach, err := p.n.Reach(ctx, p.everyone(), way)
		ok(t, err)
		if len(reach.Channels) != 2 || reach.Channels[0].Count != 1 || reach.Channels[1].Count != 2 || reach.InboxOnly != 1 {
			t.Fatalf("%+v", reach)
		}
		p.grant(p.ben, 1)
		c := p.fan(p.campaign("root", p.everyone()), way, 2)
		if c.State != notify.Sending {
			t.Fatal(c.State)
		}
		if p.outcome(c, p.anna).Channel != notify.Mini || p.outcome(c, p.ben).Channel != notify.Mini || p.outcome(c, p.carl).Channel != notify.Official || p.outcome(c, p.e).Outcome != "inbox" {
			t.Error("wrong channels")
		}
		// Ben's grant is gone before his turn: the next channel has him.
		ok(t, p.n.Empty(ctx, p.ben.ID, "t1", notify.Refused, notify.FromEvent))
		got := p.claim(c, way[0], notify.Official, 10)
		if len(got.Sends) != 1 || got.Sends[0].MemberID != p.anna.ID || got.Sends[0].OpenID != "mini-"+p.anna.ID.String() || got.Moved != 1 {
			t.Fatalf("%+v", got)
		}
		if p.left(p.anna) != 1 || p.outcome(c, p.anna).Outcome != "sending" {
			t.Error("the intent was not stored")
		}
		if again := p.claim(c, way[0], notify.Official, 10); len(again.Sends) != 0 || again.Moved != 0 {
			t.Errorf("claimed twice: %+v", again)
		}
		if done, err := p.n.FinishCampaign(ctx, c.ID); err != nil || done {
			t.Error("finished while something is under way", err)
		}
		anna := got.Sends[0]
		// Certainly not sent: the grant comes back, and it may be claimed again.
		if n := p.result(c, anna, notify.Result{State: notify.SendWaiting, NextAt: time.Now(), Attempt: 1, GiveBack: true, Kind: notify.Later, Code: -1, Note: "忙"}); n != 1 || p.left(p.anna) != 2 {
			t.Error("the grant did not come back")
		}
		if n := p.result(c, anna, notify.Result{State: notify.SendSent}); n != 0 || p.outcome(c, p.anna).Outcome != "waiting" {
			t.Error("a result whose claim is over was stored")
		}
		got = p.claim(c, way[0], notify.Official, 10)
		if len(got.Sends) != 1 || got.Sends[0].Attempt != 1 {
			t.Fatalf("%+v", got)
		}
		p.result(c, got.Sends[0], notify.Result{State: notify.SendSent, MsgID: "m1"})
		if camp, m, err := p.n.SentMessage(ctx, "m1"); err != nil || camp != c.ID || m != p.anna.ID {
			t.Error(camp, m, err)
		}
		ok(t, p.n.SettleSend(ctx, c.ID, p.anna.ID, notify.SendFailed, 43101, "拒收"))
		if x := p.outcome(c, p.anna); x.Outcome != "failed" || x.Code != 43101 {
			t.Errorf("%+v", x)
		}
		// A paused campaign gives nothing out; a node that died leaves unknowns.
		fans := p.claim(c, way[1], "", 1)
		ok(t, p.n.HaltCampaign(ctx, c.ID, "模板不对"))
		if more := p.claim(c, way[1], "", 10); len(more.Sends) != 0 {
			t.Error("a paused campaign went on")
		}
		n, err := p.n.LoseSends(ctx, time.Now().Add(2*time.Minute))
		ok(t, err)
		if n != 1 || p.result(c, fans.Sends[0], notify.Result{State: notify.SendSent}) != 0 {
			t.Error("an intent of a dead node is not unknown")
		}
		p.resume(c.ID)
		rest := p.claim(c, way[1], "", 10)
		if len(rest.Sends) != 1 || rest.Sends[0].MemberID == fans.Sends[0].MemberID {
			t.Errorf("an unknown message is repeated: %+v", rest)
		}
		p.result(c, rest.Sends[0], notify.Result{State: notify.SendFailed, Kind: notify.NoFan, Code: 43004})
		if done, err := p.n.FinishCampaign(ctx, c.ID); err != nil || !done {
			t.Error("not finished", err)
		}
		pr, err := p.n.Progress(ctx, c.ID)
		ok(t, err)
		if pr.Total != 3 || pr.ByState["failed"] != 2 || pr.ByState["unknown"] != 1 {
			t.Errorf("%+v", pr)
		}
		// A retry takes refused ones only.
		x, err := p.n.Campaign(ctx, c.ID)
		ok(t, err)
		x.Was, x.State, x.RetryBy = notify.Done, notify.Sending, notify.Mini
		x.Version++
		ok(t, p.n.SaveCampaign(ctx, x, x.Version-1, entry("campaign.retry")))
		if pr, err = p.n.Progress(ctx, c.ID); err != nil || pr.ByState["waiting"] != 2 || pr.ByState["unknown"] != 1 {
			t.Errorf("%+v %v", pr, err)
		}
		code(t, p.n.SaveCampaign(ctx, x, x.Version, entry("campaign.pause")), errs.Stale) // the state has moved on
	})
}

func (p *postbox) resume(id ids.ID) {
	p.t.Helper()
	c, err := p.n.Campaign(p.t.Context(), id)
	ok(p.t, err)
	if c.State != notify.Paused || c.Problem == "" {
		p.t.Fatalf("%+v", c)
	}
	c.Was, c.State, c.Problem = c.State, notify.Sending, ""
	c.Version++
	ok(p.t, p.n.SaveCampaign(p.t.Context(), c, c.Version-1, entry("campaign.resume")))
}

// Two nodes share the rate: what one has spoken for, the other does not get.
func TestNotifyRate(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p := newPostbox(t, db)
		var people []*member.Member
		for i := range 60 {
			people = append(people, p.addMember("root/a", fmt.Sprint("9", i)))
		}
		p.bind("official", people...)
		c := p.fan(p.campaign("root", p.everyone()), notify.Way{fansTemplate()}, 100)
		began := time.Now()
		var mu sync.Mutex
		var slots []time.Time
		seen := map[ids.ID]bool{}
		const rate = 40.0
		var wg sync.WaitGroup
		for node := range 2 {
			wg.Go(func() {
				for time.Since(began) < 500*time.Millisecond {
					now := time.Now().UTC()
					got, err := p.n.ClaimSends(t.Context(), notify.Claim{Campaign: c.ID, Template: fansTemplate(), Rate: rate, Owner: fmt.Sprint(node), Now: now, Until: now.Add(time.Minute), Max: 7})
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					for _, x := range got.Sends {
						if seen[x.MemberID] {
							t.Error("claimed twice")
						}
						seen[x.MemberID] = true
						slots = append(slots, x.At)
					}
					mu.Unlock()
					if len(got.Sends) == 0 && got.Wait <= 0 && len(seen) < 60 {
						t.Error("no room and no time to wait")
					}
				}
			})
		}
		wg.Wait()
		took := time.Since(began) + notify.Horizon + notify.Burst
		if most := int(took.Seconds()*rate) + 1; len(slots) > most || len(slots) < int(rate*0.5) {
			t.Errorf("%d messages in %v, at most %d", len(slots), took, most)
		}
		at := map[int64]bool{}
		for _, s := range slots {
			if at[s.UnixMicro()/100] {
				t.Error("two messages have one place in the rate")
			}
			at[s.UnixMicro()/100] = true
		}
	})
}

// The ledger of grants against a model: never below zero, every row says what
// is left, and what was granted is used, refused or left, also when everything
// happens at once.
func TestNotifyGrantLedger(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p := newPostbox(t, db)
		p.bind("mini", p.anna, p.ben)
		rapid.Check(t, func(rt *rapid.T) {
			ok(t, db.Write(t.Context(), func(tx *storage.Tx) error {
				for _, table := range []string{"grants", "grant_rows", "sends", "inbox", "campaigns"} {
					if _, err := tx.Exec("DELETE FROM " + table); err != nil {
						return err
					}
				}
				return nil
			}))
			p.grant(p.anna, 1)
			var campaigns []*notify.Campaign
			for range rapid.IntRange(1, 3).Draw(rt, "campaigns") {
				campaigns = append(campaigns, p.fan(p.campaign("root", notify.Target{Scope: authz.Scope{All: true}, Members: []ids.ID{p.anna.ID}}), notify.Way{miniTemplate()}, 10))
			}
			ops := rapid.SliceOfN(rapid.IntRange(0, 4), 1, 12).Draw(rt, "ops")
			var wg sync.WaitGroup
			var mu sync.Mutex
			sent := 0
			for i, op := range ops {
				run := func() {
					ctx := t.Context()
					switch op {
					case 0, 1:
						if err := p.n.Grant(ctx, p.anna.ID, "t1", notify.FromClient, time.Time{}, 0); err != nil {
							rt.Error(err)
						}
					case 2:
						if err := p.n.Empty(ctx, p.anna.ID, "t1", notify.Expired, notify.FromProgram); err != nil {
							rt.Error(err)
						}
					default:
						c := campaigns[i%len(campaigns)]
						now := time.Now().UTC()
						got, err := p.n.ClaimSends(ctx, notify.Claim{Campaign: c.ID, Template: miniTemplate(), Rate: 1e6, Owner: "n", Now: now, Until: now.Add(time.Minute), Max: 5})
						if err != nil {
							rt.Error(err)
							return
						}
						for _, x := range got.Sends {
							r := notify.Result{Campaign: c.ID, Member: x.MemberID, Version: x.Version, Template: "t1", State: notify.SendSent, At: now}
							if op == 4 {
								r.State, r.NextAt, r.GiveBack = notify.SendWaiting, now, true
							}
							if _, err := p.n.StoreResults(ctx, []notify.Result{r}); err != nil {
								rt.Error(err)
							}
							mu.Lock()
							sent++
							mu.Unlock()
						}
					}
				}
				wg.Go(run)
			}
			wg.Wait()
			p.checkLedger(rt, p.anna)
		})
	})
}

func (p *postbox) checkLedger(rt *rapid.T, m *member.Member) {
	rows, err := p.n.GrantRows(p.t.Context(), m.ID, "t1")
	if err != nil {
		rt.Fatal(err)
	}
	left := int64(0)
	for i, r := range rows {
		left += r.N
		if r.Seq != int64(i+1) || r.Left != left || left < 0 {
			rt.Fatalf("row %d: %+v, the sum is %d", i, r, left)
		}
		if want := map[notify.GrantKind]int64{notify.Granted: 1, notify.Used: -1, notify.Returned: 1, notify.Confirmed: 0}; r.Kind != notify.Expired && r.Kind != notify.Refused && want[r.Kind] != r.N {
			rt.Fatalf("%+v", r)
		}
	}
	if b, err := p.n.Balance(p.t.Context(), m.ID); err != nil || b["t1"] != left {
		rt.Fatalf("balance %d, ledger %d: %v", b["t1"], left, err)
	}
}

// The client and the platform tell of the same acceptance, in any order and
// more than once: it counts once.
func TestNotifyGrantPairs(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p := newPostbox(t, db)
		ctx := t.Context()
		at := time.Now().UTC().Truncate(time.Second)
		client := func() { ok(t, p.n.Grant(ctx, p.anna.ID, "t1", notify.FromClient, time.Time{}, time.Minute)) }
		event := func(at time.Time) {
			ok(t, p.n.Grant(ctx, p.anna.ID, "t1", notify.FromEvent, at, time.Minute))
		}
		want := func(n int64) {
			t.Helper()
			if got := p.left(p.anna); got != n {
				t.Errorf("%d left, want %d", got, n)
			}
		}
		client()
		event(at)
		event(at) // pushed again
		want(1)
		event(at.Add(time.Second)) // another acceptance, of which the client did not tell yet
		want(2)
		client()
		want(2)
		client()
		want(3)
		for range 2 * notify.MaxGrants {
			client()
		}
		want(notify.MaxGrants)
		sum, err := p.n.GrantSummary(ctx, authz.Scope{Paths: []string{p.orgs["root/c"].Path}})
		ok(t, err)
		if len(sum) != 0 {
			t.Errorf("%+v", sum)
		}
	})
}
