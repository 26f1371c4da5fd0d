package publish_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/publish"
)

// remindedHouse is a house whose people can be found by their rights.
func remindedHouse(t testing.TB) *house {
	var h *house
	h = newHouse(t, func(c *publish.Config) {
		c.Holders = func(_ context.Context, right authz.Right, path string) ([]publish.Holder, error) {
			var out []publish.Holder
			for _, a := range h.actors {
				if a.Can(right, path) {
					out = append(out, publish.Holder{ID: a.ID, Name: a.Name})
				}
			}
			return out, nil
		}
	})
	return h
}

func (h *house) remind() {
	h.t.Helper()
	must(h.t, h.Remind(h.ctx))
}

func (h *house) told(who *authz.Actor, kind publish.NoticeKind) []publish.Notice {
	h.t.Helper()
	res, err := h.Notices(h.ctx, who, false, first(200))
	must(h.t, err)
	return slices.DeleteFunc(res.Items, func(n publish.Notice) bool { return n.Kind != kind })
}

// reached lists who was told of a kind, each as often as it was told.
func (h *house) reached(kind publish.NoticeKind) []ids.ID {
	h.t.Helper()
	rows, err := h.db.Query(h.ctx, `SELECT account_id FROM notices WHERE kind = ? ORDER BY account_id`, string(kind))
	must(h.t, err)
	defer rows.Close()
	var out []ids.ID
	for rows.Next() {
		var id ids.ID
		must(h.t, rows.Scan(&id))
		out = append(out, id)
	}
	must(h.t, rows.Err())
	return out
}

func (h *house) wantReached(kind publish.NoticeKind, people ...*authz.Actor) {
	h.t.Helper()
	h.remind()
	h.remind()
	must(h.t, h.service().Remind(h.ctx)) // another node, which remembers nothing
	var want []ids.ID
	for _, p := range people {
		want = append(want, p.ID)
	}
	slices.Sort(want)
	if got := h.reached(kind); !slices.Equal(got, want) {
		h.t.Fatalf("%s reached %v, want %v", kind, got, want)
	}
}

func shanghai(text string) time.Time {
	at, err := time.ParseInLocation("2006-01-02 15:04", text, clock.Shanghai())
	if err != nil {
		panic(err)
	}
	return at
}

func (h *house) until(text string) { h.clock.Add(shanghai(text).Sub(h.clock.Now())) }

func TestReviewersAreAsked(t *testing.T) {
	h := remindedHouse(t)
	h.remind()
	h.wantReached(publish.ReviewAsked)
	p := h.submitted(2, "通知一则")
	j := h.judges
	h.wantReached(publish.ReviewAsked, j[0], j[1], j[2], j[3])
	n := h.told(j[0], publish.ReviewAsked)[0]
	if n.Title != "请您初审" || n.Link != "/posts/"+p.ID.String()+"/review" || n.PostID != p.ID ||
		n.Text != "《通知一则》由王编辑提交，请您初审，请在 3月5日 16:00 前完成。" {
		t.Fatalf("%+v", n)
	}
	p = h.pass(j[1], p)
	// The next level asks everyone but who passed this content already.
	h.wantReached(publish.ReviewAsked, j[0], j[1], j[2], j[3], j[0], j[2], j[3])
	h.sendBack(j[2], p)
	h.wantReached(publish.PostReturned, h.editor)
	has(t, h.told(h.editor, publish.PostReturned)[0].Text, "《通知一则》被复审退回：标题不妥。请修改")
	// The same content again: who passed the second level before may not pass the first.
	_, err := h.Submit(h.ctx, h.editor, p.ID, h.get(p.ID).Version)
	must(t, err)
	h.wantReached(publish.ReviewAsked, j[0], j[1], j[2], j[3], j[0], j[2], j[3], j[0], j[1], j[2], j[3])
	for _, who := range []*authz.Actor{h.root, h.editor, h.editor2, h.reader, h.planner, h.stranger} {
		if got := h.told(who, publish.ReviewAsked); len(got) != 0 {
			t.Fatalf("%s was asked: %+v", who.Name, got)
		}
	}
}

func TestWritersAreNotAskedToReview(t *testing.T) {
	h := remindedHouse(t)
	p, err := h.Create(h.ctx, h.judges[0], 2, h.content("自己写的"))
	must(t, err)
	p, err = h.Edit(h.ctx, h.judges[1], p.ID, p.Version, h.content("改过的"), false)
	must(t, err)
	_, err = h.Submit(h.ctx, h.editor, p.ID, p.Version)
	must(t, err)
	h.wantReached(publish.ReviewAsked, h.judges[2], h.judges[3])
	h.sendBack(h.judges[2], h.post(p.ID))
	h.wantReached(publish.PostReturned, h.judges[0], h.judges[1])
}

func (h *house) post(id ids.ID) *publish.Post { return &h.get(id).Post }

// Somebody who comes to hold the right later is asked too, and only once.
func TestNewReviewerIsAsked(t *testing.T) {
	h := remindedHouse(t)
	h.submitted(2, "等人审")
	h.remind()
	newcomer := h.person(200, "新同志", "/1/2/", publish.PostRead, publish.ReviewRight(1))
	elsewhere := h.person(201, "西区同志", "/1/3/", publish.PostRead, publish.ReviewRight(1))
	h.clock.Add(11 * time.Minute)
	h.remind()
	h.remind()
	if len(h.told(newcomer, publish.ReviewAsked)) != 1 || len(h.told(elsewhere, publish.ReviewAsked)) != 0 {
		t.Fatal("the newcomer was not asked, or somebody of another branch was")
	}
}

func TestDeadlineReminders(t *testing.T) {
	h := remindedHouse(t)
	p := h.submitted(2, "限时") // 3 days from Monday 16:00
	j := h.judges[0]
	count := func(kind publish.NoticeKind, want int) {
		t.Helper()
		h.remind()
		h.remind()
		if got := h.told(j, kind); len(got) != want {
			t.Fatalf("at %v: %d of %s, want %d", h.clock.Now().In(clock.Shanghai()), len(got), kind, want)
		}
	}
	h.until("2026-03-05 13:59")
	count(publish.ReviewDueSoon, 0)
	h.until("2026-03-05 14:00")
	count(publish.ReviewDueSoon, 1)
	h.until("2026-03-05 15:59")
	count(publish.ReviewOverdue, 0)
	for i, at := range []string{"2026-03-05 16:00", "2026-03-06 09:00", "2026-03-07 09:00", "2026-03-08 09:00", "2026-03-09 09:00"} {
		h.until(at)
		count(publish.ReviewOverdue, i+1)
		h.clock.Add(10 * time.Hour)
		count(publish.ReviewOverdue, i+1)
	}
	h.until("2026-03-12 09:00")
	count(publish.ReviewOverdue, 5)
	count(publish.ReviewDueSoon, 1)
	has(t, h.told(j, publish.ReviewOverdue)[0].Text, "3月5日 16:00 到期")

	// The next level begins anew; a long silence skips what would have come between.
	h.pass(h.judges[1], h.post(p.ID))
	h.clock.Add(30 * 24 * time.Hour)
	count(publish.ReviewOverdue, 6)
	// What was decided is not reminded of.
	h.pass(h.judges[2], h.post(p.ID))
	h.clock.Add(24 * time.Hour)
	count(publish.ReviewOverdue, 6)
}

func TestShortAndOpenDeadlines(t *testing.T) {
	h := remindedHouse(t)
	h.orgs[2] = publish.Org{ID: 2, Path: "/1/2/", Name: "东区", ReviewLevels: 1, ReviewTime: time.Hour}
	h.submitted(2, "急")
	h.submitted(1, "不限时")
	h.clock.Add(29 * time.Minute)
	h.wantReached(publish.ReviewDueSoon)
	h.clock.Add(time.Minute)
	j := h.judges
	h.wantReached(publish.ReviewDueSoon, j[0], j[1], j[2], j[3])
	h.clock.Add(20 * 24 * time.Hour)
	h.wantReached(publish.ReviewDueSoon, j[0], j[1], j[2], j[3])
	h.wantReached(publish.ReviewOverdue, j[0], j[1], j[2], j[3])
	// A thing of long ago makes no notices: the old ones may be swept by now.
	h.clock.Add(100 * 24 * time.Hour)
	_, err := h.store.SweepNotices(h.ctx, h.clock.Now().Add(-publish.NoticeAge))
	must(t, err)
	h.wantReached(publish.ReviewAsked)
}

func TestApprovalIsToldOnce(t *testing.T) {
	h := remindedHouse(t)
	p := h.approved(2, "通过")
	h.wantReached(publish.PostApproved, h.editor)
	n := h.told(h.editor, publish.PostApproved)[0]
	has(t, n.Text, "可以安排发布了。请联系") // the editor here may not plan
	if n.Link != "/posts/"+p.ID.String() {
		t.Fatalf("%+v", n)
	}
	h.schedule(p, time.Hour, "")
	_, err := h.Service.Cancel(h.ctx, h.planner, p.ID)
	must(t, err)
	h.wantReached(publish.PostApproved, h.editor)
	edited, err := h.Edit(h.ctx, h.editor, p.ID, h.get(p.ID).Version, h.content("再改"), false)
	must(t, err)
	h.approve(edited)
	h.wantReached(publish.PostApproved, h.editor, h.editor)
	// No review at all is an approval too.
	h.approved(3, "免审")
	h.wantReached(publish.PostApproved, h.editor, h.editor, h.editor)
}

func TestDeliveriesReachAPerson(t *testing.T) {
	h := remindedHouse(t)
	h.schedule(h.approved(3, "手动"), 0, publish.ModeDraft)
	h.drain()
	concerned := []*authz.Actor{h.root, h.editor, h.planner}
	thrice := slices.Concat(concerned, concerned, concerned)
	h.wantReached(publish.DeliveryByHand, concerned...)
	h.clock.Add(23 * time.Hour)
	h.wantReached(publish.DeliveryByHand, concerned...)
	h.clock.Add(time.Hour)
	h.wantReached(publish.DeliveryByHand, thrice[:6]...)
	h.clock.Add(47 * time.Hour)
	h.wantReached(publish.DeliveryByHand, thrice[:6]...)
	h.clock.Add(time.Hour)
	h.wantReached(publish.DeliveryByHand, thrice...)
	h.clock.Add(10 * 24 * time.Hour)
	h.wantReached(publish.DeliveryByHand, thrice...)
	texts := ""
	for _, n := range h.told(h.editor, publish.DeliveryByHand) {
		texts += n.Text
	}
	has(t, texts, "已等待三天")
	has(t, texts, "《手动》的草稿在“市委公众号”的草稿箱里。请到公众平台手动发布")

	h.sim.failing("submit", 1, trouble(publish.KindPermanent, 45166))
	q := h.queued("失败", 0)
	h.drain()
	h.wantReached(publish.DeliveryFailed, concerned...)
	n := h.told(h.planner, publish.DeliveryFailed)[0]
	if n.Link != "/posts/"+q.ID.String() || n.DeliveryID != h.sole(q.ID).ID || n.Text != "《失败》没有发布到“市委公众号”：平台：permanent。请查看原因，处理后可以重新发布。" {
		t.Fatalf("%+v", n)
	}

	h.sim.failing("submit", 1, lost())
	h.queued("不明", 0)
	h.drain()
	h.wantReached(publish.DeliveryUnknown, concerned...)
	h.wantReached(publish.DeliveryPublished)
	h.after(time.Hour) // it is found by reading
	h.wantReached(publish.DeliveryUnknown, concerned...)
	h.wantReached(publish.DeliveryPublished, h.editor)
	for _, who := range []*authz.Actor{h.stranger, h.reader, h.editor2, h.judges[1]} {
		res, err := h.Notices(h.ctx, who, false, first(100))
		must(t, err)
		for _, n := range res.Items {
			if n.DeliveryID != 0 {
				t.Fatalf("%s was told %+v", who.Name, n)
			}
		}
	}
}

func TestUnwellAccountsReachTheirManagers(t *testing.T) {
	h := remindedHouse(t)
	h.person(120, "东区管理员", "/1/2/", publish.AccountManage) // not of the root's account
	h.remind()
	h.sim.failing("health", 1, trouble(publish.KindAuth, 40164))
	check := func() {
		t.Helper()
		_, err := h.CheckAccount(h.ctx, h.root, h.account.ID)
		must(t, err)
	}
	check()
	h.wantReached(publish.AccountUnwell, h.root)
	n := h.told(h.root, publish.AccountUnwell)[0]
	if n.Link != "/accounts" || n.PostID != 0 {
		t.Fatalf("%+v", n)
	}
	has(t, n.Text, "“市委公众号”检查没有通过：平台：auth")
	h.sim.failing("health", 1, trouble(publish.KindAuth, 40164))
	h.clock.Add(time.Hour)
	check()
	h.wantReached(publish.AccountUnwell, h.root)
	h.clock.Add(24 * time.Hour) // an old bad check is told once
	h.wantReached(publish.AccountUnwell, h.root)
	h.sim.healed()
	check()
	h.wantReached(publish.AccountUnwell, h.root)

	h.sim.failing("submit", 1000, trouble(publish.KindAuth, 40125))
	h.queued("等密钥", 0)
	h.drain()
	h.wantReached(publish.AccountUnwell, h.root, h.root)
	h.clock.Add(time.Hour)
	h.wantReached(publish.AccountUnwell, h.root, h.root)
	h.clock.Add(24 * time.Hour)
	h.wantReached(publish.AccountUnwell, h.root, h.root, h.root)
	has(t, h.told(h.root, publish.AccountUnwell)[0].Text, "IP 白名单")
}

func TestNoticesAreTheOwnersAndWithinRights(t *testing.T) {
	h := remindedHouse(t)
	h.submitted(2, "一")
	h.submitted(1, "二")
	h.remind()
	j := h.judges[0]
	list := h.told(j, publish.ReviewAsked)
	unread := func(who *authz.Actor, want int) {
		t.Helper()
		n, err := h.UnreadNotices(h.ctx, who)
		must(t, err)
		if n != want {
			t.Fatalf("%d unread, want %d", n, want)
		}
	}
	unread(j, 2)
	want(t, h.ReadNotice(h.ctx, h.judges[1], list[0].ID), errs.NotFound)
	want(t, h.ReadNotice(h.ctx, j, 0), errs.NotFound)
	must(t, h.ReadNotice(h.ctx, j, list[0].ID))
	unread(j, 1)
	res, err := h.Notices(h.ctx, j, true, first(10))
	must(t, err)
	if len(res.Items) != 1 || res.Items[0].ID != list[1].ID {
		t.Fatalf("%+v", res.Items)
	}
	unread(h.judges[1], 2)
	moved := &authz.Actor{ID: h.judges[1].ID, Kind: authz.Staff, Grants: []authz.Grant{{Path: "/1/2/", Rights: []authz.Right{publish.PostRead}}}}
	unread(moved, 1)
	unread(&authz.Actor{ID: h.judges[1].ID, Kind: authz.Staff}, 0) // must first bind a second factor, say
	must(t, h.ReadNotices(h.ctx, h.judges[1], 0))
	unread(h.judges[1], 0)
	unread(h.judges[2], 2)
	pages, cursor := 0, ""
	for pages == 0 || cursor != "" {
		r, err := page.Parse(cursor, 1)
		must(t, err)
		res, err := h.Notices(h.ctx, h.judges[2], false, r)
		must(t, err)
		cursor, pages = res.Next, pages+1
	}
	if pages != 2 {
		t.Fatalf("%d pages", pages)
	}
}

// A part of the look that fails keeps nothing back that was found, and what it
// missed is told later.
func TestRemindGoesOnOverErrors(t *testing.T) {
	broken := errors.New("no people today")
	h := remindedHouse(t)
	find := h.Config.Holders
	s := h.service(func(c *publish.Config) {
		c.Holders = func(ctx context.Context, right authz.Right, path string) ([]publish.Holder, error) {
			if right == publish.ReviewRight(1) && broken != nil {
				return nil, broken
			}
			return find(ctx, right, path)
		}
	})
	h.submitted(2, "待审")
	h.approved(3, "通过")
	if err := s.Remind(h.ctx); !errors.Is(err, broken) {
		t.Fatalf("got %v", err)
	}
	if len(h.reached(publish.ReviewAsked)) != 0 || len(h.reached(publish.PostApproved)) != 1 {
		t.Fatal("what was found was not told")
	}
	broken = nil
	must(t, s.Remind(h.ctx))
	if len(h.reached(publish.ReviewAsked)) != 4 || len(h.reached(publish.PostApproved)) != 1 {
		t.Fatal("what was missed is not told later")
	}
	h.service(func(c *publish.Config) { c.Holders = nil }) // reminds nobody
	must(t, h.service(func(c *publish.Config) { c.Holders = nil }).Remind(h.ctx))
}

// Whatever people do, whenever and wherever the look is taken: nobody gets a
// notice of one occasion twice, nobody is asked to review who may not, and
// nobody is told of what they may not read.
func TestNoticesProperty(t *testing.T) {
	h := remindedHouse(t)
	h.person(300, "东区审核", "/1/2/", publish.PostRead, publish.ReviewRight(1), publish.ReviewRight(2))
	nodes := []*publish.Service{h.Service, h.service(), h.service()}
	people := []*authz.Actor{h.root, h.editor, h.judges[0], h.judges[1], h.judges[2], h.judges[3], h.actors[300], h.planner}
	round, seen := 0, ids.ID(0)
	rapid.Check(t, func(rt *rapid.T) {
		round++
		org := rapid.SampledFrom([]ids.ID{1, 2, 3}).Draw(rt, "org")
		p, err := h.Create(h.ctx, rapid.SampledFrom([]*authz.Actor{h.editor, h.judges[0]}).Draw(rt, "author"), org, h.content(fmt.Sprintf("第 %d 篇", round)))
		must(rt, err)
		c := &chain{house: h, rt: rt, asked: map[string]int{}, titles: []string{fmt.Sprintf("甲 %d", round), fmt.Sprintf("乙 %d", round), fmt.Sprintf("丙 %d", round)}, account: h.account.ID, id: p.ID}
		for range rapid.IntRange(3, 12).Draw(rt, "steps") {
			c.step(rapid.SampledFrom(people).Draw(rt, "who"))
			h.clock.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 30, 600}).Draw(rt, "minutes")) * time.Minute)
			for range rapid.IntRange(0, 3).Draw(rt, "looks") {
				must(rt, rapid.SampledFrom(nodes).Draw(rt, "node").Remind(h.ctx))
			}
			seen = h.checkNotices(rt, seen)
		}
	})
}

// checkNotices proves the notices after an id against the state as it is and
// returns the newest.
func (h *house) checkNotices(rt *rapid.T, after ids.ID) ids.ID {
	rows, err := h.db.Query(h.ctx, `SELECT n.id, n.account_id, n.kind, n.post_id, o.path,
		(SELECT COUNT(*) FROM notices m WHERE m.account_id = n.account_id AND m.dedupe = n.dedupe)
		FROM notices n JOIN orgs o ON o.id = n.org_id WHERE n.id > ? ORDER BY n.id`, after)
	must(rt, err)
	type row struct {
		id, who, post ids.ID
		kind          publish.NoticeKind
		path          string
		same          int
	}
	var list []row
	for rows.Next() {
		var r row
		must(rt, rows.Scan(&r.id, &r.who, &r.kind, &r.post, &r.path, &r.same))
		list = append(list, r)
	}
	must(rt, errors.Join(rows.Err(), rows.Close()))
	for _, r := range list {
		after = r.id
		actor := h.actors[r.who]
		if r.same != 1 || actor == nil || !actor.Can(publish.PostRead, r.path) {
			rt.Fatalf("%+v: told %d times, to %v", r, r.same, actor)
		}
		if strings.HasPrefix(string(r.kind), "review_") {
			d, err := h.Get(h.ctx, actor, r.post)
			must(rt, err)
			if !slices.Contains(d.Can, "review") {
				rt.Fatalf("%s was asked for post %+v and may not review it", actor.Name, d.Post)
			}
		}
	}
	return after
}

// quiet is a store in which nothing happens; it counts the looks.
type quiet struct {
	publish.Store
	looks atomic.Int64
}

func (q *quiet) PostsInReview(context.Context, ids.ID, int) ([]publish.Post, error) {
	q.looks.Add(1)
	return nil, nil
}

func (q *quiet) PostsDecided(context.Context, time.Time, publish.Post, int) ([]publish.Post, error) {
	return nil, nil
}

func (q *quiet) DeliveriesOpen(context.Context, ids.ID, int) ([]publish.Attention, error) {
	return nil, nil
}

func (q *quiet) DeliveriesEnded(context.Context, ids.ID, int) ([]publish.Attention, error) {
	return nil, nil
}
func (q *quiet) AccountsRefused(context.Context, time.Time) ([]ids.ID, error) { return nil, nil }
func (q *quiet) ListAccounts(context.Context, authz.Scope) ([]publish.Account, error) {
	return nil, nil
}
func (q *quiet) AddNotices(context.Context, []publish.Notice) (int, error) { return 0, nil }
func (*quiet) LastSuccess(context.Context, authz.Scope) (map[ids.ID]time.Time, error) {
	return nil, nil
}

func (q *quiet) SaveHealth(context.Context, ids.ID, publish.Health) error { return nil }
func (q *quiet) Account(context.Context, ids.ID) (*publish.Account, error) {
	return &publish.Account{Platform: publish.WeChat, OrgPath: "/1/"}, nil
}

// The loop looks every half minute, and once for many changes that come together.
func TestReminderLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &quiet{}
		c := clock.System{}
		s, err := publish.New(publish.Config{
			Store: store, Clock: c, IDs: ids.NewSource(c, 1), Log: slog.New(slog.DiscardHandler),
			Platforms: map[string]publish.Platform{publish.WeChat: newSimulator(c)},
		})
		must(t, err)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			s.RunReminders(ctx)
			close(done)
		}()
		looks := func(want int64) {
			t.Helper()
			synctest.Wait()
			if got := store.looks.Load(); got != want {
				t.Fatalf("%d looks, want %d", got, want)
			}
		}
		looks(1)
		time.Sleep(29 * time.Second)
		looks(1)
		time.Sleep(time.Second)
		looks(2)
		for range 10 {
			_, err := s.CheckAccount(ctx, authz.SystemActor("test"), 1)
			must(t, err)
			time.Sleep(10 * time.Millisecond)
		}
		looks(2)
		time.Sleep(500 * time.Millisecond)
		looks(3)
		time.Sleep(25 * time.Second)
		looks(3)
		stop()
		<-done
	})
}
