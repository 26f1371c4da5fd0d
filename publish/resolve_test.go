package publish_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tongxin/internal/errs"
	"tongxin/publish"
)

func TestEventEndsASubmittedPost(t *testing.T) {
	h := newHouse(t)
	q := h.queued("文", 0)
	h.drain()
	d := h.wantState(q.ID, publish.Submitted)
	if d.Receipt.PublishID == "" || d.Receipt.MsgDataID == "" || h.audits("delivery.submitted") != 1 {
		t.Fatalf("%+v", d)
	}
	ev := h.sim.event(0)
	must(t, h.TakeEvent(h.ctx, ev))
	must(t, h.TakeEvent(h.ctx, ev)) // the platform calls up to three times
	got := h.wantState(q.ID, publish.Published)
	if got.ArticleID == "" || len(got.URLs) != 1 || got.Receipt != d.Receipt || h.audits("delivery.published") != 1 || h.get(q.ID).State != publish.Finished {
		t.Fatalf("%+v", got)
	}
	h.after(time.Hour)
	if h.sim.count("result")+h.sim.count("recent") != 0 {
		t.Fatal("asked for what was known")
	}
}

func TestEventOfFailureAndRemoval(t *testing.T) {
	h := newHouse(t)
	h.sim.verdict = func(*job) publish.Outcome {
		return publish.Outcome{State: publish.OutcomeFailed, Code: 4, Msg: "平台审核未通过。"}
	}
	q := h.queued("文", 0)
	h.drain()
	must(t, h.TakeEvent(h.ctx, h.sim.event(0)))
	d := h.wantState(q.ID, publish.Failed)
	if d.Note != "平台审核未通过。" || d.ErrCode != 4 {
		t.Fatalf("%+v", d)
	}

	h.sim.verdict = nil
	q = h.queued("文二", 0)
	h.after(time.Hour)
	h.wantState(q.ID, publish.Published)
	ev := h.sim.event(1)
	ev.Dedupe, ev.Outcome = "removed", publish.Outcome{State: publish.OutcomeRemoved, Msg: "文章被平台下架。"}
	must(t, h.TakeEvent(h.ctx, ev))
	if d := h.wantState(q.ID, publish.Retracted); d.Note != "文章被平台下架。" || !d.NextAt.IsZero() {
		t.Fatalf("%+v", d)
	}
}

// An event that could not be applied comes again: knowing its number must not
// mean that it is done.
func TestEventThatFailedOnce(t *testing.T) {
	h, hk := hookedHouse(t)
	q := h.queued("文", 0)
	h.after(time.Hour)
	ev := h.sim.event(0)
	ev.Dedupe, ev.Outcome = "removed", publish.Outcome{State: publish.OutcomeRemoved, Msg: "被下架。"}
	hk.before = func(*publish.Delivery) error { return errs.New(errs.Unavailable, "忙") }
	want(t, h.TakeEvent(h.ctx, ev), errs.Unavailable)
	hk.before = nil
	must(t, h.TakeEvent(h.ctx, ev))
	h.wantState(q.ID, publish.Retracted)
	must(t, h.TakeEvent(h.ctx, ev))
	if n := h.audits("delivery.retracted"); n != 1 {
		t.Fatalf("%d entries", n)
	}
}

// The callback may be here before the answer to the submit is stored.
func TestEventBeforeTheReceipt(t *testing.T) {
	for _, mode := range []publish.Mode{publish.ModePublish, publish.ModeMass} {
		h := newHouse(t)
		p := h.approved(3, "文")
		h.sim.after = func(call string) {
			if call == "submit" {
				must(t, h.TakeEvent(h.ctx, h.sim.event(0)))
			}
		}
		h.schedule(p, 0, mode)
		h.drain()
		d := h.wantState(p.ID, publish.Published)
		if d.Receipt.MsgDataID == "" || h.sim.count("result") != 0 {
			t.Fatalf("%s: %+v", mode, d)
		}
		must(t, h.TakeEvent(h.ctx, h.sim.event(0)))
	}
}

func TestPollingBacksOffWithinItsBudget(t *testing.T) {
	h := newHouse(t)
	h.sim.duration = 5 * time.Hour
	h.sim.failing("result", 1, trouble(publish.KindTransient, -1))
	q := h.queued("文", 0)
	h.after(4 * time.Hour)
	h.wantState(q.ID, publish.Submitted)
	if n := h.sim.count("result"); n < 5 || n > 9 {
		t.Fatalf("%d polls in four hours", n)
	}
	h.after(20 * time.Hour)
	h.wantState(q.ID, publish.Published)
}

func TestPollsOfADayAreCounted(t *testing.T) {
	h := newHouse(t)
	a, err := h.store.Account(h.ctx, h.account.ID)
	must(t, err)
	a.Limits.PollsPerDay, a.Version = 3, a.Version+1
	must(t, h.store.SaveAccount(h.ctx, a, a.Version-1, h.entry("account.update")))
	h.sim.duration = 30 * time.Hour
	q := h.queued("文", 0)
	h.after(8 * time.Hour) // midnight in Shanghai
	d := h.wantState(q.ID, publish.Submitted)
	if h.sim.count("result") != 3 {
		t.Fatalf("%d polls", h.sim.count("result"))
	}
	has(t, h.timeline(d.ID), "次数已用完")
	h.after(30 * time.Hour)
	h.wantState(q.ID, publish.Published)
	if n := h.sim.count("result"); n > 7 {
		t.Fatalf("%d polls", n)
	}
}

func TestReadsOfADayAreCounted(t *testing.T) {
	h := newHouse(t)
	a, err := h.store.Account(h.ctx, h.account.ID)
	must(t, err)
	a.Limits.ReadsPerDay, a.Version = 2, a.Version+1
	must(t, h.store.SaveAccount(h.ctx, a, a.Version-1, h.entry("account.update")))
	h.sim.duration = 12 * time.Hour
	d := h.unknownPost("文", publish.ModePublish)
	h.after(7 * time.Hour)
	if n := h.sim.count("recent"); n != 2 {
		t.Fatalf("%d readings", n)
	}
	has(t, h.wantState(d.PostID, publish.Unknown).Note, "次数已用完")
	h.after(26 * time.Hour)
	h.wantState(d.PostID, publish.Published)
}

func TestNoResultForDaysIsLeftOpen(t *testing.T) {
	h := newHouse(t)
	h.sim.duration = 100 * 24 * time.Hour
	q := h.queued("文", 0)
	h.after(80 * time.Hour)
	d := h.wantState(q.ID, publish.Unknown)
	has(t, d.Note+h.timeline(d.ID), "三天内没有给出发布结果")
	h.after(96 * time.Hour)
	h.wantState(q.ID, publish.Unknown) // never failed: the platform took it
	must(t, h.TakeEvent(h.ctx, h.sim.event(0)))
	h.wantState(q.ID, publish.Published)
	if h.sim.submits() != 1 {
		t.Fatal("submitted again")
	}
}

func TestUnknownIsFoundInTheList(t *testing.T) {
	h := newHouse(t)
	h.sim.duration = 20 * time.Minute
	d := h.unknownPost("文", publish.ModePublish)
	h.after(10 * time.Minute)
	has(t, h.wantState(d.PostID, publish.Unknown).Note, "草稿已不在草稿箱")
	h.after(6 * time.Hour)
	got := h.wantState(d.PostID, publish.Published)
	if got.ArticleID != h.sim.jobs[0].found.ArticleID || got.Note != "" || got.ErrKind != "" || h.sim.submits() != 1 {
		t.Fatalf("%+v", got)
	}
}

// A list of several pages is read back to the submit and no further.
func TestUnknownIsFoundOnALaterPage(t *testing.T) {
	h := newHouse(t)
	publishOthers := func(n int) {
		for i := range n {
			id, err := h.sim.SaveDraft(h.ctx, *h.account, []publish.Rendered{{Title: fmt.Sprint("别的", i)}})
			must(t, err)
			_, err = h.sim.Submit(h.ctx, *h.account, id, publish.ModePublish, "other")
			must(t, err)
		}
	}
	publishOthers(60)
	h.clock.Add(time.Hour)
	d := h.unknownPost("文", publish.ModePublish)
	publishOthers(30)
	h.after(time.Minute)
	h.wantState(d.PostID, publish.Published)
	if n := h.sim.count("recent"); n != 2 {
		t.Fatalf("%d pages", n)
	}
}

func TestUnknownThatNeverArrived(t *testing.T) {
	h := newHouse(t)
	h.sim.failing("submit", 1, trouble(publish.KindUnknown, 0))
	q := h.queued("文", 0)
	h.after(119 * time.Minute)
	has(t, h.wantState(q.ID, publish.Unknown).Note, "草稿仍在草稿箱")
	h.after(6 * time.Hour)
	d := h.wantState(q.ID, publish.Failed)
	has(t, d.Note, "可以重新安排发布")
	if h.sim.count("submit") != 1 || h.get(q.ID).State != publish.Finished {
		t.Fatal("not left alone")
	}
	_, err := h.Retry(h.ctx, h.planner, d.ID)
	must(t, err)
	h.after(time.Hour)
	if h.sim.submits() != 1 {
		t.Fatalf("%d submits", h.sim.submits())
	}
}

// A mass send that is in no list is left to a person, however long it takes.
func TestUnknownMassIsNeverCalledFailed(t *testing.T) {
	h := newHouse(t)
	h.sim.failing("submit", 1, trouble(publish.KindUnknown, 0))
	p := h.schedule(h.approved(3, "文"), 0, publish.ModeMass)
	h.after(30 * 24 * time.Hour)
	h.wantState(p.ID, publish.Unknown)
}

func TestLookingGoesOnOverErrors(t *testing.T) {
	h := newHouse(t)
	d := h.unknownPost("文", publish.ModePublish)
	h.sim.failing("recent", 3, trouble(publish.KindTransient, -1))
	h.after(time.Minute)
	has(t, h.wantState(d.PostID, publish.Unknown).Note, "没有答复")
	h.after(time.Hour)
	h.wantState(d.PostID, publish.Published)
	if strings.Count(h.timeline(d.ID), "没有答复") != 1 {
		t.Fatalf("the timeline repeats itself:\n%s", h.timeline(d.ID))
	}
}

func TestSingleMassEvent(t *testing.T) {
	h := newHouse(t)
	h.sim.duration = time.Hour
	d := h.unknownPost("文", publish.ModeMass)
	must(t, h.TakeEvent(h.ctx, h.sim.event(0)))
	h.drain()
	got := h.wantState(d.PostID, publish.Published)
	if got.Receipt.MsgID == "" || h.sim.count("recent") != 0 || h.sim.submits() != 1 {
		t.Fatalf("%+v", got)
	}
}

// Two mass sends of unknown outcome and one event: it could be either's.
func TestMassEventOfTwo(t *testing.T) {
	h := newHouse(t)
	h.sim.duration = 48 * time.Hour
	a := h.unknownPost("甲", publish.ModeMass)
	b := h.unknownPost("乙", publish.ModeMass)
	must(t, h.TakeEvent(h.ctx, h.sim.event(1)))
	h.after(time.Hour)
	h.wantState(a.PostID, publish.Unknown)
	h.wantState(b.PostID, publish.Unknown)
	_, err := h.Resolve(h.ctx, h.planner, a.ID, publish.SaidNotPublished, "", "后台没有")
	must(t, err)
	h.after(24 * time.Hour)
	h.wantState(b.PostID, publish.Published)
}

// An event that belongs to a mass send whose receipt is just being stored is
// not the answer to an older one.
func TestMassEventOfASubmitUnderWay(t *testing.T) {
	h := newHouse(t)
	h.sim.failing("submit", 1, trouble(publish.KindUnknown, 0)) // never arrived
	a := h.schedule(h.approved(3, "甲"), 0, publish.ModeMass)
	h.drain()
	h.wantState(a.ID, publish.Unknown)
	h.sim.healed()
	second := h.service()
	b := h.approved(3, "乙")
	h.sim.after = func(call string) {
		if call == "submit" && h.sim.submits() == 1 {
			must(t, h.TakeEvent(h.ctx, h.sim.event(0)))
			h.drainBy(second.Queue()) // looks at the unknown one
		}
	}
	h.schedule(b, 0, publish.ModeMass)
	h.drain()
	if d := h.wantState(b.ID, publish.Published); d.ArticleID != h.sim.jobs[0].found.ArticleID {
		t.Fatalf("%+v", d)
	}
	h.wantState(a.ID, publish.Unknown)
}

// Of two posts with the same content one was accepted: the one whose draft is
// still in the box must not take the other's article.
func TestTwins(t *testing.T) {
	h := newHouse(t)
	h.sim.failing("submit", 1, trouble(publish.KindUnknown, 0)) // never arrived
	a := h.schedule(h.approved(3, "同"), 0, "")
	h.drain()
	b := h.unknownPost("同", publish.ModePublish)
	h.after(10 * time.Minute)
	h.wantState(b.PostID, publish.Published)
	h.wantState(a.ID, publish.Unknown)
	h.after(24 * time.Hour)
	h.wantState(a.ID, publish.Failed) // its draft is there, and nothing unclaimed is listed
	if h.sim.accepted(b.ID) != 1 || h.sim.submits() != 1 {
		t.Fatal("submitted again")
	}
}

func TestTwinByHandIsLeftToAPerson(t *testing.T) {
	h := newHouse(t)
	h.sim.failing("submit", 1, trouble(publish.KindUnknown, 0)) // never arrived
	a := h.schedule(h.approved(3, "同"), 0, "")
	h.drain()
	d := h.sole(a.ID)
	h.sim.healed()
	for range 2 { // people publish the same on the platform's own pages
		id, err := h.sim.SaveDraft(h.ctx, *h.account, h.sim.drafts[d.DraftID].articles)
		must(t, err)
		_, err = h.sim.Submit(h.ctx, *h.account, id, publish.ModePublish, "by hand")
		must(t, err)
		h.after(24 * time.Hour)
		h.wantState(a.ID, publish.Unknown)
	}
	has(t, h.sole(a.ID).Note, "人工确认")
}

func TestTwoAlikeOnTheList(t *testing.T) {
	h := newHouse(t)
	h.sim.duration = time.Hour
	a, b := h.unknownPost("同", publish.ModePublish), h.unknownPost("同", publish.ModePublish)
	h.after(24 * time.Hour)
	has(t, h.wantState(a.PostID, publish.Unknown).Note, "多篇内容相同")
	must(t, h.TakeEvent(h.ctx, h.sim.event(0))) // tells nothing: no receipt is known
	h.after(24 * time.Hour)
	h.wantState(b.PostID, publish.Unknown)
	_, err := h.Resolve(h.ctx, h.planner, a.ID, publish.SaidPublished, h.sim.jobs[0].found.URLs[0], "")
	must(t, err)
	if h.sim.submits() != 2 {
		t.Fatal("submitted again")
	}
}
