package publish_test

import (
	"testing"
	"time"

	"tongxin/internal/errs"
	"tongxin/publish"
)

// givenUp is a post whose submit was taken for lost: it failed.
func givenUp(t *testing.T) (*house, *publish.Detail, publish.Delivery) {
	h := newHouse(t)
	h.sim.failing("submit", 1, &fault{err: lost().err})
	q := h.queued("文", 0)
	h.after(24 * time.Hour)
	return h, q, h.wantState(q.ID, publish.Failed)
}

// shown makes the platform list the post after all.
func (h *house) shown(d publish.Delivery) {
	h.t.Helper()
	_, err := h.sim.Submit(h.ctx, *h.account, d.DraftID, publish.ModePublish, d.ClientID())
	must(h.t, err)
}

// A platform that shows an article after everybody stopped waiting does not get
// it a second time, by retry or by schedule.
func TestLateArticleIsNotSentAgain(t *testing.T) {
	for _, way := range []string{"retry", "schedule"} {
		h, q, d := givenUp(t)
		h.shown(d)
		var err error
		if way == "retry" {
			_, err = h.Retry(h.ctx, h.planner, d.ID)
		} else {
			p := h.get(q.ID)
			_, err = h.Schedule(h.ctx, h.planner, p.ID, p.Version, h.clock.Now(), []publish.Target{{AccountID: h.account.ID}})
		}
		has(t, want(t, err, errs.Conflict).Msg, "记录已改为“已发布”")
		h.after(24 * time.Hour)
		if got := h.wantState(q.ID, publish.Published); got.ArticleID == "" || len(got.URLs) != 1 {
			t.Fatalf("%s: %+v", way, got)
		}
		if n := h.sim.submits(); n != 1 {
			t.Fatalf("%s: readers see it %d times", way, n)
		}
	}
}

func TestRetryAfterLookingOnceMore(t *testing.T) {
	h, q, d := givenUp(t)
	h.sim.failing("recent", 1, trouble(publish.KindTransient, -1))
	_, err := h.Retry(h.ctx, h.planner, d.ID)
	has(t, want(t, err, errs.Upstream).Msg, "请稍后再试")
	if len(h.get(q.ID).Deliveries) != 1 {
		t.Fatal("sent again without looking")
	}
	_, err = h.Retry(h.ctx, h.planner, d.ID)
	must(t, err)
	h.after(time.Hour)
	ds := h.get(q.ID).Deliveries
	if len(ds) != 2 || ds[0].State != publish.Failed || ds[1].State != publish.Published || h.sim.submits() != 1 {
		t.Fatalf("%+v", ds)
	}
}

// An account that may not read its list rests on what a person said.
func TestRetryWhereTheListIsClosed(t *testing.T) {
	h, _, d := givenUp(t)
	h.sim.failing("recent", 9, trouble(publish.KindAuth, 48001))
	_, err := h.Retry(h.ctx, h.planner, d.ID)
	must(t, err)
}
