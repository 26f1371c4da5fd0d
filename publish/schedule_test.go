package publish_test

import (
	"strings"
	"testing"
	"time"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/publish"
)

func on(accounts ...*publish.Account) []publish.Target {
	var out []publish.Target
	for _, a := range accounts {
		out = append(out, publish.Target{AccountID: a.ID})
	}
	return out
}

func TestSchedule(t *testing.T) {
	h := newHouse(t)
	mass := h.newAccount(1, "群发号", publish.ModeMass)
	p := h.approved(1, "文")
	due := start().Add(48 * time.Hour)
	d, err := h.Schedule(h.ctx, h.planner, p.ID, p.Version, due, []publish.Target{{AccountID: h.account.ID}, {AccountID: mass.ID}})
	must(t, err)
	if d.State != publish.Queued || !d.DueAt.Equal(due) || len(d.Deliveries) != 2 || d.Version != p.Version+1 {
		t.Fatalf("%+v", d)
	}
	for i, mode := range []publish.Mode{publish.ModePublish, publish.ModeMass} {
		x := d.Deliveries[i]
		if x.Mode != mode || x.State != publish.Waiting || x.Hash != p.ApprovedHash || !x.DueAt.Equal(due) || !x.NextAt.Equal(due.Add(-10*time.Minute)) {
			t.Fatalf("%+v", x)
		}
	}
	h.after(47 * time.Hour)
	if n := h.sim.count("draft") + h.sim.count("cover"); n != 0 {
		t.Fatalf("%d calls long before the time", n)
	}
	h.after(55 * time.Minute)
	if h.sim.count("draft") != 2 || h.sim.submits() != 0 {
		t.Fatalf("%d drafts, %d submits shortly before the time", h.sim.count("draft"), h.sim.submits())
	}
	h.after(10 * time.Minute)
	if h.sim.submits() != 2 || h.get(p.ID).State != publish.Finished {
		t.Fatalf("%d submits, %s", h.sim.submits(), h.get(p.ID).State)
	}
}

func TestScheduleRefusals(t *testing.T) {
	h := newHouse(t)
	foreign := h.newAccount(3, "西区号", publish.ModePublish)
	east := h.person(300, "东区排期", "/1/2/", publish.PostRead, publish.PostSchedule)
	p := h.approved(2, "文")
	soon := start().Add(time.Hour)
	for name, c := range map[string]struct {
		due     time.Time
		targets []publish.Target
		field   string
	}{
		"none":    {soon, nil, "targets"},
		"foreign": {soon, on(foreign), "targets[0].accountId"},
		"unknown": {soon, []publish.Target{{AccountID: 77}}, "targets[0].accountId"},
		"many":    {soon, make([]publish.Target, 51), "targets"},
		"far":     {start().Add(367 * 24 * time.Hour), on(h.account), "dueAt"},
	} {
		_, err := h.Schedule(h.ctx, east, p.ID, p.Version, c.due, c.targets)
		if e := want(t, err, errs.Invalid); len(e.Fields) != 1 || e.Fields[0].Name != c.field {
			t.Errorf("%s: %+v", name, e)
		}
	}
	_, err := h.Schedule(h.ctx, h.planner, p.ID, p.Version, soon, on(h.account, h.account))
	want(t, err, errs.Invalid)
	_, err = h.Schedule(h.ctx, h.planner, p.ID, p.Version, soon, []publish.Target{{AccountID: h.account.ID, Mode: "shout"}})
	want(t, err, errs.Invalid)
	d := h.draft(1, "草")
	_, err = h.Schedule(h.ctx, h.planner, d.ID, d.Version, soon, on(h.account))
	want(t, err, errs.Conflict)
	if got := h.get(p.ID); got.State != publish.Approved || len(got.Deliveries) != 0 || got.Version != p.Version {
		t.Fatalf("%+v", got)
	}
	q := h.schedule(p, -time.Hour, "") // in the past means now
	if !q.DueAt.Equal(start()) {
		t.Fatalf("due %v", q.DueAt)
	}
	_, err = h.Schedule(h.ctx, h.planner, p.ID, q.Version, soon, on(h.account))
	want(t, err, errs.Conflict)
}

func TestReschedule(t *testing.T) {
	h := newHouse(t)
	q := h.queued("文", time.Hour)
	h.after(55 * time.Minute) // the draft is in the box
	if h.sim.inBox() != 1 {
		t.Fatal("not prepared")
	}
	later := start().Add(30 * 24 * time.Hour)
	d, err := h.Reschedule(h.ctx, h.planner, q.ID, later)
	must(t, err)
	if !d.DueAt.Equal(later) || !d.Deliveries[0].DueAt.Equal(later) || d.State != publish.Queued {
		t.Fatalf("%+v", d)
	}
	h.after(24 * time.Hour)
	if h.sim.submits() != 0 {
		t.Fatal("published at the old time")
	}
	_, err = h.Reschedule(h.ctx, h.planner, q.ID, start())
	want(t, err, errs.Invalid)
	_, err = h.Reschedule(h.ctx, h.planner, q.ID, start().Add(2*366*24*time.Hour))
	want(t, err, errs.Invalid)
	_, err = h.Reschedule(h.ctx, h.planner, q.ID, h.clock.Now().Add(time.Minute)) // earlier
	must(t, err)
	h.after(2 * time.Minute)
	h.wantState(q.ID, publish.Published)
	_, err = h.Reschedule(h.ctx, h.planner, q.ID, later)
	want(t, err, errs.Conflict)
	if h.sim.submits() != 1 || h.sim.count("draft") != 1 {
		t.Fatalf("%d submits, %d drafts", h.sim.submits(), h.sim.count("draft"))
	}
}

// A post that is moved far away is prepared shortly before its new time, not now.
func TestMovedFarAwayIsNotPreparedNow(t *testing.T) {
	h := newHouse(t)
	q := h.queued("文", 24*time.Hour)
	_, err := h.Reschedule(h.ctx, h.planner, q.ID, start().Add(240*time.Hour))
	must(t, err)
	must(t, h.store.WakeAccount(h.ctx, h.account.ID, h.clock.Now(), publish.Waiting))
	h.drain()
	if n := h.sim.count("cover") + h.sim.count("draft"); n != 0 {
		t.Fatalf("%d calls nine days before", n)
	}
	if d := h.sole(q.ID); !d.NextAt.Equal(start().Add(240*time.Hour - 10*time.Minute)) {
		t.Fatalf("next look %v", d.NextAt)
	}
}

func TestCancel(t *testing.T) {
	h := newHouse(t)
	q := h.queued("文", time.Hour)
	h.after(55 * time.Minute)
	c, err := h.Service.Cancel(h.ctx, h.planner, q.ID)
	must(t, err)
	if c.State != publish.Approved || c.Deliveries[0].State != publish.Cancelled {
		t.Fatalf("%+v", c)
	}
	h.after(24 * time.Hour)
	if h.sim.submits() != 0 || h.sim.inBox() != 0 || h.sim.count("drop") != 1 {
		t.Fatalf("submits %d, drafts %d", h.sim.submits(), h.sim.inBox())
	}
	_, err = h.Service.Cancel(h.ctx, h.planner, q.ID)
	want(t, err, errs.Conflict)
	again := h.schedule(&c.Post, 0, "") // still approved
	h.after(time.Hour)
	if got := h.get(again.ID); got.State != publish.Finished || h.sim.submits() != 1 {
		t.Fatalf("%s, %d", got.State, h.sim.submits())
	}
	_, err = h.Service.Cancel(h.ctx, h.planner, q.ID)
	want(t, err, errs.Conflict)
}

func TestCancelOfAPartlyPublishedPost(t *testing.T) {
	h := newHouse(t)
	b := h.newAccount(1, "第二个号", publish.ModePublish)
	must(t, h.pause(b))
	q := h.queued("文", 0, h.account, b)
	h.after(time.Hour)
	c, err := h.Service.Cancel(h.ctx, h.planner, q.ID)
	must(t, err)
	if c.State != publish.Finished || c.Deliveries[0].State != publish.Published || c.Deliveries[1].State != publish.Cancelled {
		t.Fatalf("%+v", c)
	}
}

func (h *house) pause(a *publish.Account) error {
	_, err := h.PauseAccount(h.ctx, h.root, a.ID, "检修")
	return err
}

// An edit of a post that one account has already makes a new content, but not
// a new post: that account never gets it twice.
func TestEditedPostDoesNotReachAnAccountTwice(t *testing.T) {
	h := newHouse(t)
	b := h.newAccount(1, "第二个号", publish.ModePublish)
	must(t, h.pause(b))
	q := h.queued("文", 0, h.account, b)
	h.after(time.Hour)
	e, err := h.Edit(h.ctx, h.editor, q.ID, h.get(q.ID).Version, h.content("改过的文"), false)
	must(t, err)
	p := h.approve(e)
	_, err = h.Schedule(h.ctx, h.planner, p.ID, p.Version, start(), on(b, h.account))
	has(t, want(t, err, errs.Conflict).Msg, h.account.Name)
	_, err = h.ResumeAccount(h.ctx, h.root, b.ID)
	must(t, err)
	d, err := h.Schedule(h.ctx, h.planner, p.ID, p.Version, start(), on(b))
	must(t, err)
	h.after(time.Hour)
	if h.sim.submits() != 2 || h.get(d.ID).State != publish.Finished {
		t.Fatalf("%d submits", h.sim.submits())
	}
}

func TestRetry(t *testing.T) {
	h := newHouse(t)
	h.sim.failing("submit", 1, trouble(publish.KindPermanent, 53503))
	q := h.queued("文", 0)
	h.after(time.Minute)
	failed := h.wantState(q.ID, publish.Failed)
	if h.get(q.ID).State != publish.Finished || failed.ErrCode != 53503 || failed.DoneAt.IsZero() {
		t.Fatalf("%+v", failed)
	}
	_, err := h.Retry(h.ctx, h.editor, failed.ID)
	want(t, err, errs.Forbidden)
	_, err = h.Retry(h.ctx, h.stranger, failed.ID)
	want(t, err, errs.NotFound)
	r, err := h.Retry(h.ctx, h.planner, failed.ID)
	must(t, err)
	if len(r.Deliveries) != 2 || r.State != publish.Queued || r.Deliveries[0].State != publish.Failed || r.Deliveries[1].Mode != failed.Mode {
		t.Fatalf("%+v", r)
	}
	_, err = h.Retry(h.ctx, h.planner, failed.ID) // one is on its way
	want(t, err, errs.Conflict)
	h.after(time.Hour)
	_, err = h.Retry(h.ctx, h.planner, failed.ID)
	want(t, err, errs.Conflict)
	got := h.get(q.ID)
	_, err = h.Retry(h.ctx, h.planner, got.Deliveries[1].ID) // published
	want(t, err, errs.Conflict)
	if h.sim.submits() != 1 || got.Deliveries[1].State != publish.Published {
		t.Fatalf("%d submits", h.sim.submits())
	}
}

func TestFailedPostMayBeScheduledAgainUntilItIsEdited(t *testing.T) {
	h := newHouse(t)
	h.sim.failing("draft", 1, trouble(publish.KindPermanent, 45166))
	q := h.queued("文", 0)
	h.after(time.Minute)
	h.wantState(q.ID, publish.Failed)
	cur := h.get(q.ID)
	d, err := h.Schedule(h.ctx, h.planner, q.ID, cur.Version, start(), on(h.account))
	must(t, err)
	h.after(time.Hour)
	if h.sim.submits() != 1 || len(h.get(d.ID).Deliveries) != 2 {
		t.Fatal("not published by the second schedule")
	}
	cur = h.get(q.ID)
	_, err = h.Schedule(h.ctx, h.planner, q.ID, cur.Version, start(), on(h.account))
	want(t, err, errs.Conflict)
}

// unknownPost leaves a post whose submit was accepted without an answer.
func (h *house) unknownPost(title string, mode publish.Mode) publish.Delivery {
	h.t.Helper()
	h.sim.failing("submit", 1, lost())
	p := h.schedule(h.approved(3, title), 0, mode)
	h.drain()
	h.sim.healed()
	return h.wantState(p.ID, publish.Unknown)
}

func TestResolveByAPerson(t *testing.T) {
	h := newHouse(t)
	d := h.unknownPost("一", publish.ModePublish)
	_, err := h.Resolve(h.ctx, h.editor, d.ID, publish.SaidPublished, "https://mp.weixin.qq.com/s/1", "")
	want(t, err, errs.Forbidden)
	for _, link := range []string{"", "http://evil.example/s/1", "https://mp.weixin.qq.com.evil.example/s/1", "javascript:alert(1)", "https://mp.weixin.qq.com"} {
		_, err = h.Resolve(h.ctx, h.planner, d.ID, publish.SaidPublished, link, "")
		want(t, err, errs.Invalid)
	}
	_, err = h.Resolve(h.ctx, h.planner, d.ID, publish.SaidNotPublished, "", " ")
	want(t, err, errs.Invalid)
	_, err = h.Resolve(h.ctx, h.planner, d.ID, "perhaps", "", "")
	want(t, err, errs.Invalid)
	detail, err := h.Service.Delivery(h.ctx, h.reader, d.ID)
	must(t, err)
	known := strings.Join(detail.Known, "")
	has(t, known, "草稿已保存")
	has(t, known, "没有再提交过")
	has(t, known, "没有收到平台的接收回执")
	has(t, known, "下次核对时间")

	got, err := h.Resolve(h.ctx, h.planner, d.ID, publish.SaidPublished, " https://mp.weixin.qq.com/s/abc ", "")
	must(t, err)
	if got.State != publish.Published || got.URLs[0] != "https://mp.weixin.qq.com/s/abc" || h.get(d.PostID).State != publish.Finished {
		t.Fatalf("%+v", got)
	}
	has(t, h.timeline(d.ID), "由"+h.planner.Name+"确认已发布")
	_, err = h.Resolve(h.ctx, h.planner, d.ID, publish.SaidNotPublished, "", "没有")
	want(t, err, errs.Conflict)

	d = h.unknownPost("二", publish.ModePublish)
	got, err = h.Resolve(h.ctx, h.planner, d.ID, publish.SaidNotPublished, "", "后台没有")
	must(t, err)
	if got.State != publish.Failed || h.audits("delivery.resolve") != 2 {
		t.Fatalf("%+v", got)
	}

	d = h.unknownPost("三", publish.ModePublish)
	_, err = h.Resolve(h.ctx, h.planner, d.ID, publish.LookAgain, "", "")
	must(t, err)
	h.drain()
	h.wantState(d.PostID, publish.Published)
	if n := h.sim.accepted(d.ID); n != 1 {
		t.Fatalf("%d submits", n)
	}
}

func TestByHand(t *testing.T) {
	h := newHouse(t)
	p := h.schedule(h.approved(3, "手动"), time.Hour, publish.ModeDraft)
	h.after(59 * time.Minute)
	h.wantState(p.ID, publish.Waiting)
	h.after(time.Minute)
	d := h.wantState(p.ID, publish.ByHand)
	has(t, d.Note, "手动发布")
	if h.sim.submits() != 0 || h.sim.inBox() != 1 || h.get(p.ID).State != publish.Queued {
		t.Fatal("not only a draft")
	}
	_, err := h.ConfirmByHand(h.ctx, h.planner, d.ID, "")
	want(t, err, errs.Conflict) // nothing is found
	_, err = h.ConfirmByHand(h.ctx, h.planner, d.ID, "https://elsewhere.example/1")
	want(t, err, errs.Invalid)
	_, err = h.sim.Submit(h.ctx, *h.account, d.DraftID, publish.ModePublish, "by hand")
	must(t, err)
	h.clock.Add(time.Hour)
	got, err := h.ConfirmByHand(h.ctx, h.planner, d.ID, "")
	must(t, err)
	if got.State != publish.Published || got.ArticleID == "" || len(got.URLs) != 1 || h.get(p.ID).State != publish.Finished {
		t.Fatalf("%+v", got)
	}
	_, err = h.ConfirmByHand(h.ctx, h.planner, d.ID, "")
	want(t, err, errs.Conflict)

	p = h.schedule(h.approved(3, "手动二"), 0, publish.ModeDraft)
	h.after(time.Minute)
	d = h.wantState(p.ID, publish.ByHand)
	h.sim.failing("recent", 9, trouble(publish.KindAuth, 48001))
	h.clock.Add(time.Hour)
	_, err = h.ConfirmByHand(h.ctx, h.planner, d.ID, "")
	has(t, want(t, err, errs.Upstream).Msg, "文章链接")
	got, err = h.ConfirmByHand(h.ctx, h.planner, d.ID, "https://mp.weixin.qq.com/s/xyz")
	if err != nil || got.URLs[0] != "https://mp.weixin.qq.com/s/xyz" {
		t.Fatalf("%+v %v", got, err)
	}

	p = h.schedule(h.approved(3, "手动三"), 0, publish.ModeDraft)
	h.after(time.Minute)
	box := h.sim.inBox()
	_, err = h.Service.Cancel(h.ctx, h.planner, p.ID)
	must(t, err)
	h.after(time.Hour)
	if h.sim.inBox() != box-1 {
		t.Fatal("the cancelled draft stays in the box")
	}
}

func TestRetract(t *testing.T) {
	h := newHouse(t)
	q := h.queued("文", 0)
	h.after(time.Hour)
	d := h.wantState(q.ID, publish.Published)
	_, err := h.Service.Retract(h.ctx, h.editor, d.ID, "文", "错")
	want(t, err, errs.Forbidden)
	_, err = h.Service.Retract(h.ctx, h.planner, d.ID, "别", " ")
	if e := want(t, err, errs.Invalid); len(e.Fields) != 2 {
		t.Fatalf("%+v", e.Fields)
	}
	h.sim.failing("retract", 1, trouble(publish.KindQuota, 45009))
	_, err = h.Service.Retract(h.ctx, h.planner, d.ID, "文", "错")
	want(t, err, errs.Upstream)
	h.wantState(q.ID, publish.Published)
	got, err := h.Service.Retract(h.ctx, h.planner, d.ID, " 文 ", "有错别字")
	must(t, err)
	if got.State != publish.Retracted || !got.NextAt.IsZero() || h.audits("delivery.retract") != 1 {
		t.Fatalf("%+v", got)
	}
	_, err = h.Service.Retract(h.ctx, h.planner, d.ID, "文", "错")
	want(t, err, errs.Conflict)
	// A late word of the platform does not bring it back.
	must(t, h.TakeEvent(h.ctx, h.sim.event(0)))
	h.after(240 * time.Hour)
	h.wantState(q.ID, publish.Retracted)
}

// The platform has acted: a worker that read figures meanwhile must not turn
// the retraction into "somebody changed this".
func TestRetractOverAReaderOfFigures(t *testing.T) {
	h := newHouse(t)
	q := h.queued("文", 0)
	h.after(time.Hour)
	d := h.wantState(q.ID, publish.Published)
	h.sim.before = func(call string) {
		if call == "retract" {
			fresh := h.sole(q.ID)
			must(t, h.store.SaveDelivery(h.ctx, &fresh, fresh.Version, "", nil))
		}
	}
	got, err := h.Service.Retract(h.ctx, h.planner, d.ID, "文", "有错别字")
	must(t, err)
	if got.State != publish.Retracted || h.sim.count("retract") != 1 {
		t.Fatalf("%+v", got)
	}
	h.wantState(q.ID, publish.Retracted)
}

func TestRightsOnDeliveries(t *testing.T) {
	h := newHouse(t)
	d := h.unknownPost("文", publish.ModePublish)
	_, err := h.Service.Delivery(h.ctx, h.stranger, d.ID)
	want(t, err, errs.NotFound)
	_, err = h.Service.Delivery(h.ctx, h.root, ids.ID(1))
	want(t, err, errs.NotFound)
	res, err := h.Deliveries(h.ctx, h.stranger, publish.DeliveryFilter{}, first(5))
	if err != nil || len(res.Items) != 0 {
		t.Fatalf("%+v %v", res, err)
	}
	res, err = h.Deliveries(h.ctx, h.reader, publish.DeliveryFilter{}, first(5))
	if err != nil || len(res.Items) != 1 {
		t.Fatalf("%+v %v", res, err)
	}
}

// A feed has neither followers to push to nor a draft box.
func TestFeedsTakeOneModeOnly(t *testing.T) {
	h := newHouse(t)
	h.Service = h.service(func(c *publish.Config) {
		c.Platforms = map[string]publish.Platform{publish.WeChat: h.sim, publish.Feed: h.sim}
	})
	id := h.db.IDs().New()
	_, err := h.store.CreateAccount(h.ctx, &publish.Account{
		ID: id, OrgID: 1, OrgPath: "/1/", Platform: publish.Feed, Name: "网站", Kind: "feed", Mode: publish.ModePublish,
		AppID: "feed-1", Limits: publish.DefaultLimits(), Version: 1, Created: h.clock.Now(),
	}, h.entry("account.create"))
	must(t, err)
	p := h.approved(3, "文")
	for _, mode := range []publish.Mode{publish.ModeMass, publish.ModeDraft} {
		_, err := h.Schedule(h.ctx, h.planner, p.ID, p.Version, h.clock.Now(), []publish.Target{{AccountID: id, Mode: mode}})
		has(t, want(t, err, errs.Invalid).Fields[0].Msg, "“网站”是订阅源")
	}
	_, err = h.Schedule(h.ctx, h.planner, p.ID, p.Version, h.clock.Now(), []publish.Target{{AccountID: id}})
	must(t, err)
}
