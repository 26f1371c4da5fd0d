package storage_test

import (
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"tongxin/internal/errs"
	"tongxin/publish"
)

func TestPublishReceiptsAndArticles(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		a, b := h.account(2, "甲"), h.account(2, "乙")
		one, two := h.delivery(h.queue(h.post(2, "p1"), a)[0].ID), h.delivery(h.queue(h.post(2, "p2"), a)[0].ID)
		one.Receipt = publish.Receipt{PublishID: "100"}
		two.Receipt = publish.Receipt{MsgID: "200", MsgDataID: "300"}
		h.save(one, "")
		h.save(two, "")
		for r, want := range map[publish.Receipt]*publish.Delivery{
			{PublishID: "100"}: one, {MsgID: "200"}: two, {MsgDataID: "300"}: two, {PublishID: "unknown", MsgID: "200"}: two,
		} {
			d, err := h.DeliveryByReceipt(t.Context(), a.ID, r)
			if err != nil || d.ID != want.ID {
				t.Errorf("%+v: %v, %v", r, d, err)
			}
		}
		for _, r := range []publish.Receipt{{}, {PublishID: "200"}, {MsgID: "1"}} {
			_, err := h.DeliveryByReceipt(t.Context(), a.ID, r)
			wantCode(t, err, errs.NotFound)
		}
		_, err := h.DeliveryByReceipt(t.Context(), b.ID, publish.Receipt{PublishID: "100"})
		wantCode(t, err, errs.NotFound)

		// Ids differ by case: what the platform gives is compared byte by byte.
		one.State, one.ArticleID = publish.Published, "aB-1"
		h.save(one, "")
		h.save(one, "") // the same delivery again is no clash
		two.State, two.ArticleID = publish.Published, "aB-1"
		before := two.Version
		wantCode(t, h.SaveDelivery(t.Context(), two, two.Version, "found", nil), errs.Conflict)
		if got := h.delivery(two.ID); got.State != publish.Waiting || got.Version != before {
			t.Fatalf("the refused delivery is stored: %+v", got)
		}
		two.ArticleID = "Ab-1"
		h.save(two, "")
		got, err := h.ClaimedArticles(t.Context(), a.ID, []string{"aB-1", "x", "AB-1", "Ab-1"})
		if err != nil || !maps.Equal(got, map[string]bool{"aB-1": true, "Ab-1": true}) {
			t.Fatalf("claimed %v, %v", got, err)
		}
		for _, list := range [][]string{nil, {"x"}} {
			if got, err = h.ClaimedArticles(t.Context(), a.ID, list); err != nil || len(got) != 0 {
				t.Fatalf("claimed %v, %v", got, err)
			}
		}
		if got, err = h.ClaimedArticles(t.Context(), b.ID, []string{"aB-1"}); err != nil || len(got) != 0 {
			t.Fatalf("another account's claim: %v, %v", got, err)
		}
	})
}

// Two deliveries find the same article at the same moment: one gets it.
func TestPublishArticleRace(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		a := h.account(2, "甲")
		ds := h.queue(h.post(2, "p"), a, a, a, a)
		var won atomic.Int64
		together(len(ds), func(i int) {
			d := *ds[i]
			d.State, d.ArticleID = publish.Published, "one"
			switch err := h.SaveDelivery(t.Context(), &d, 1, "", nil); {
			case err == nil:
				won.Add(1)
			case !errs.Is(err, errs.Conflict):
				t.Error(err)
			}
		})
		if won.Load() != 1 || h.count(`SELECT COUNT(*) FROM deliveries WHERE state = 'published'`) != 1 {
			t.Fatalf("%d deliveries hold one article", won.Load())
		}
	})
}

func TestPublishPlatformEvents(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		a, b := h.account(2, "甲"), h.account(2, "乙")
		now := h.clock.Now()
		ev := publish.PlatformEvent{
			AccountID: a.ID, Dedupe: "FromUser:1:PUBLISHJOBFINISH", Receipt: publish.Receipt{PublishID: "9"}, At: now,
			Outcome: publish.Outcome{State: publish.OutcomePublished, ArticleID: "art", URLs: []string{"https://mp.weixin.qq.com/s/1"}, Msg: "已发布"},
		}
		var fresh atomic.Int64
		together(16, func(int) {
			ok, err := h.SavePlatformEvent(t.Context(), ev)
			if err != nil {
				t.Error(err)
			}
			if ok {
				fresh.Add(1)
			}
		})
		if fresh.Load() != 1 {
			t.Fatalf("one callback was new %d times", fresh.Load())
		}
		second := ev
		second.AccountID = b.ID
		if ok, err := h.SavePlatformEvent(t.Context(), second); err != nil || !ok {
			t.Fatalf("another account's event: %v, %v", ok, err)
		}
		earlier := ev
		earlier.Dedupe, earlier.At = "earlier", now.Add(-time.Hour)
		if ok, err := h.SavePlatformEvent(t.Context(), earlier); err != nil || !ok {
			t.Fatalf("earlier event: %v, %v", ok, err)
		}
		list, err := h.PlatformEvents(t.Context(), a.ID, now.Add(-2*time.Hour))
		if err != nil || len(list) != 2 || list[0].Dedupe != "earlier" || list[1].Outcome.URLs[0] != ev.Outcome.URLs[0] || list[1].Receipt != ev.Receipt {
			t.Fatalf("events %+v, %v", list, err)
		}
		if since, err := h.PlatformEvents(t.Context(), a.ID, now); err != nil || len(since) != 1 {
			t.Fatalf("events since now: %+v, %v", since, err)
		}
		for range 2 { // the same delivery may claim again
			if err := h.ClaimPlatformEvent(t.Context(), list[1].ID, 500); err != nil {
				t.Fatal(err)
			}
		}
		wantCode(t, h.ClaimPlatformEvent(t.Context(), list[1].ID, 501), errs.Conflict)
		wantCode(t, h.ClaimPlatformEvent(t.Context(), 3, 501), errs.NotFound)
		if list, err = h.PlatformEvents(t.Context(), a.ID, time.Time{}); err != nil || len(list) != 1 || list[0].Dedupe != "earlier" {
			t.Fatalf("a claimed event is listed: %+v, %v", list, err)
		}
	})
}

// The first calls of a day come at once: none of them may be told that the
// budget is spent while it is not.
func TestPublishSpendAtTheStartOfADay(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		a := h.account(2, "甲")
		for day := range 20 {
			const calls = 8
			var ok atomic.Int64
			together(calls, func(int) {
				within, err := h.Spend(t.Context(), a.ID, fmt.Sprintf("2026-03-%02d", day+1), "poll", calls)
				if err != nil {
					t.Error(err)
				}
				if within {
					ok.Add(1)
				}
			})
			if ok.Load() != calls {
				t.Fatalf("day %d: %d of %d calls were allowed", day, ok.Load(), calls)
			}
		}
	})
}

func TestPublishSpend(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		a, b := h.account(2, "甲"), h.account(2, "乙")
		const callers, limit = 40, 25
		var ok atomic.Int64
		together(callers, func(int) {
			within, err := h.Spend(t.Context(), a.ID, "2026-03-02", "poll", limit)
			if err != nil {
				t.Error(err)
			}
			if within {
				ok.Add(1)
			}
		})
		if ok.Load() != limit {
			t.Fatalf("%d calls within a limit of %d", ok.Load(), limit)
		}
		spend := func(day, call string, limit int) bool {
			t.Helper()
			within, err := h.Spend(t.Context(), a.ID, day, call, limit)
			if err != nil {
				t.Fatal(err)
			}
			return within
		}
		if !spend("2026-03-03", "poll", 1) || spend("2026-03-03", "poll", 1) || spend("2026-03-02", "mass", 0) || !spend("2026-03-02", "read", 2) {
			t.Fatal("days and calls are not counted apart")
		}
		got, err := h.Spent(t.Context(), a.ID, "2026-03-02")
		if err != nil || !maps.Equal(got, map[string]int{"poll": limit, "read": 1}) {
			t.Fatalf("spent %v, %v", got, err)
		}
		if got, err = h.Spent(t.Context(), b.ID, "2026-03-02"); err != nil || len(got) != 0 {
			t.Fatalf("another account spent %v, %v", got, err)
		}
	})
}

func TestPublishUploadsAndFigures(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		a, b := h.account(2, "甲"), h.account(2, "乙")
		var keys []string
		for i := range 300 {
			keys = append(keys, fmt.Sprintf("content:%d", i))
		}
		for _, k := range []string{keys[0], keys[299]} {
			if err := h.SaveUpload(t.Context(), a.ID, k, "ref of "+k); err != nil {
				t.Fatal(err)
			}
		}
		if err := h.SaveUpload(t.Context(), a.ID, keys[0], "later"); err != nil {
			t.Fatal(err)
		}
		got, err := h.Uploads(t.Context(), a.ID, keys)
		if err != nil || !maps.Equal(got, map[string]string{keys[0]: "ref of " + keys[0], keys[299]: "ref of " + keys[299]}) {
			t.Fatalf("uploads %v, %v", got, err)
		}
		if got, err = h.Uploads(t.Context(), b.ID, keys); err != nil || len(got) != 0 {
			t.Fatalf("another account's uploads %v, %v", got, err)
		}
		if err := h.SaveFigures(t.Context(), 5, []publish.Figures{{Day: "2026-03-02", Reads: 1}, {Day: "2026-03-01", Reads: 9, People: 8, Shares: 7, Likes: 6}}); err != nil {
			t.Fatal(err)
		}
		if err := h.SaveFigures(t.Context(), 5, []publish.Figures{{Day: "2026-03-02", Reads: 3, People: 2}}); err != nil {
			t.Fatal(err)
		}
		figures, err := h.FiguresOf(t.Context(), 5)
		if want := []publish.Figures{{Day: "2026-03-01", Reads: 9, People: 8, Shares: 7, Likes: 6}, {Day: "2026-03-02", Reads: 3, People: 2}}; err != nil || !slices.Equal(figures, want) {
			t.Fatalf("figures %v, %v", figures, err)
		}
		if figures, err = h.FiguresOf(t.Context(), 6); err != nil || len(figures) != 0 {
			t.Fatalf("figures of another: %v, %v", figures, err)
		}
	})
}
