package storage_test

import (
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/publish"
	"tongxin/storage"
	"tongxin/storage/storagetest"
)

func TestPublishClaim(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		a, idle := h.account(2, "东区发布"), h.account(2, "停用")
		p := h.post(4, "甲")
		now := h.clock.Now()
		late, soon, asleep, leased, paused := h.waiting(p, a), h.waiting(p, a), h.waiting(p, a), h.waiting(p, a), h.waiting(p, idle)
		late.NextAt, soon.NextAt, asleep.NextAt = now.Add(-time.Minute), now.Add(time.Minute), time.Time{}
		leased.LeaseOwner, leased.LeaseUntil = "dead", now.Add(2*time.Minute)
		due := h.waiting(p, a)
		h.commit(publish.Change{Post: h.step(p, publish.Queued), Expect: 1, Add: []*publish.Delivery{due, late, soon, asleep, leased, paused}})
		idle.Paused = true
		if err := h.SaveAccount(t.Context(), idle, 1, h.entry("account.pause")); err != nil {
			t.Fatal(err)
		}

		got := h.take("me", 10)
		if len(got) != 2 || got[0].ID != late.ID || got[1].ID != due.ID {
			t.Fatalf("claimed %v", got)
		}
		d := got[0]
		if d.Version != 2 || d.LeaseOwner != "me" || !d.LeaseUntil.Equal(now.Add(time.Minute)) || d.AccountName != "东区发布" ||
			d.PostTitle != "甲" || d.OrgID != 4 || d.OrgPath != "/1/2/4/" || d.Platform != publish.WeChat || d.Hash != p.Hash {
			t.Fatalf("claimed %+v", d)
		}
		if again := h.take("other", 10); len(again) != 0 {
			t.Fatalf("leased rows were claimed again: %v", again)
		}
		if next := h.next(); !next.Equal(now.Add(time.Minute)) {
			t.Fatalf("next look at %v", next)
		}
		h.clock.Add(time.Minute) // the leases of "me" end and soon is due
		if again := h.take("other", 10); len(again) != 3 || again[0].ID != late.ID || again[2].ID != soon.ID || again[0].Version != 3 {
			t.Fatalf("after the lease: %v", again)
		}
		// Fencing: who lost the lease stores nothing.
		d.State, d.Note = publish.Failed, "stale"
		wantCode(t, h.SaveDelivery(t.Context(), d, d.Version, "stale", nil), errs.Stale)
		if now := h.delivery(d.ID); now.State != publish.Waiting || now.Note != "" || now.LeaseOwner != "other" || d.Version != 2 {
			t.Fatalf("a worker without a lease stored %+v", now)
		}
		events, err := h.DeliveryEvents(t.Context(), d.ID)
		if err != nil || len(events) != 0 {
			t.Fatalf("events %v, %v", events, err)
		}
	})
}

func (h *house) next() time.Time {
	h.t.Helper()
	next, err := h.NextDue(h.t.Context(), publish.Part{})
	if err != nil {
		h.t.Fatal(err)
	}
	return next
}

func TestPublishNextDue(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		if next := h.next(); !next.IsZero() {
			t.Fatalf("nothing is queued, next %v", next)
		}
		a := h.account(2, "号")
		p, now := h.post(2, "甲"), h.clock.Now()
		ds := h.queue(p, a, a, a)
		put := func(i int, next, lease time.Time) {
			d := h.delivery(ds[i].ID)
			d.NextAt, d.LeaseUntil = next, lease
			h.save(d, "")
		}
		minute := func(n int) time.Time { return now.Add(time.Duration(n) * time.Minute) }
		put(0, minute(5), time.Time{})
		put(1, minute(1), minute(3)) // leased over its time: due again at minute 3
		put(2, time.Time{}, minute(1))
		if next := h.next(); !next.Equal(minute(3)) {
			t.Fatalf("next %v, want the lease's end", next)
		}
		put(1, minute(1), minute(9))
		if next := h.next(); !next.Equal(minute(5)) {
			t.Fatalf("next %v, want the free one", next)
		}
		put(1, minute(4), minute(2))
		if next := h.next(); !next.Equal(minute(4)) {
			t.Fatalf("next %v, want the one whose lease ends before", next)
		}
		put(0, time.Time{}, time.Time{})
		put(1, minute(1), minute(7))
		if next := h.next(); !next.Equal(minute(7)) {
			t.Fatalf("next %v, want the only one's lease end", next)
		}
		a.Paused = true
		if err := h.SaveAccount(t.Context(), a, 1, h.entry("account.pause")); err != nil {
			t.Fatal(err)
		}
		if next := h.next(); !next.IsZero() {
			t.Fatalf("the account is paused, next %v", next)
		}
	})
}

// A part of the queue is claimed, and looked ahead to, without the rest.
func TestPublishPart(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		a, b, now := h.account(2, "甲号"), h.account(2, "乙号"), h.clock.Now()
		ds := h.queue(h.post(2, "甲"), a, b, b)
		shown := h.delivery(ds[2].ID)
		shown.State, shown.NextAt = publish.Published, now.Add(time.Hour)
		h.save(shown, "")
		waiting := publish.Part{States: []publish.DeliveryState{publish.Waiting}, Without: []ids.ID{a.ID}}
		after := publish.Part{States: []publish.DeliveryState{publish.Submitted, publish.Unknown, publish.Published}}
		nobody := publish.Part{Without: []ids.ID{a.ID, b.ID}}
		for _, c := range []struct {
			part publish.Part
			next time.Time
			want ids.ID
		}{{waiting, ds[1].NextAt, ds[1].ID}, {after, shown.NextAt, 0}, {nobody, time.Time{}, 0}} {
			next, err := h.NextDue(t.Context(), c.part)
			if err != nil || !next.Equal(c.next) {
				t.Fatalf("%+v: next %v, %v", c.part, next, err)
			}
			got, err := h.Claim(t.Context(), "me", now, now.Add(time.Minute), c.part, 10)
			if err != nil || len(got) > 1 || (len(got) == 1) != (c.want != 0) || len(got) == 1 && got[0].ID != c.want {
				t.Fatalf("%+v: claimed %v, %v", c.part, got, err)
			}
		}
	})
}

// Two nodes race for 500 deliveries: each is claimed once, and together all.
func TestPublishClaimRace(t *testing.T) {
	storagetest.EachDSN(t, func(t *testing.T, dsn string) {
		c := newManual()
		h := newHouse(t, storagetest.Open(t, storage.Options{DSN: dsn, Clock: c}), c)
		stores := []*storage.Publishing{h.Publishing, h.Publishing}
		if h.db.Dialect() == "mysql" { // a second node on the same database
			other := storagetest.Open(t, storage.Options{DSN: dsn, Clock: c})
			stores[1] = storage.NewPublishing(other, pubBox(t))
		}
		const n = 500
		a, now := h.account(2, "号"), c.Now()
		for i := range 5 {
			p := h.post(2, fmt.Sprintf("p%d", i))
			var ds []*publish.Delivery
			for range n / 5 {
				ds = append(ds, h.waiting(p, a))
			}
			h.commit(publish.Change{Post: h.step(p, publish.Queued), Expect: 1, Add: ds})
		}
		var mu sync.Mutex
		claimed := map[ids.ID]int{}
		together(4, func(i int) {
			for {
				got, err := stores[i%2].Claim(t.Context(), fmt.Sprintf("owner%d", i), now, now.Add(time.Minute), publish.Part{}, 17)
				if err != nil {
					t.Error(err)
					return
				}
				if len(got) == 0 {
					return
				}
				for _, d := range got {
					mu.Lock()
					claimed[d.ID]++
					mu.Unlock()
					d.State, d.Step, d.LeaseUntil, d.NextAt = publish.Submitted, publish.StepResult, time.Time{}, now.Add(time.Hour)
					if err := stores[i%2].SaveDelivery(t.Context(), d, d.Version, "已提交", nil); err != nil {
						t.Error(err)
					}
				}
			}
		})
		for id, times := range claimed {
			if times != 1 {
				t.Errorf("delivery %d was claimed %d times", id, times)
			}
		}
		if len(claimed) != n || h.count(`SELECT COUNT(*) FROM deliveries WHERE state = 'submitted' AND version = 3`) != n {
			t.Fatalf("%d of %d were claimed", len(claimed), n)
		}
		if got := h.count(`SELECT COUNT(*) FROM delivery_events`); got != n {
			t.Fatalf("%d events of %d deliveries", got, n)
		}
	})
}

func TestPublishSaveDelivery(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		a := h.account(2, "号")
		p := h.post(2, "甲")
		d := h.delivery(h.queue(p, a)[0].ID)
		now := h.clock.Now()
		d.Mode, d.State, d.Step, d.DueAt, d.NextAt = publish.ModeMass, publish.Submitted, publish.StepResult, now.Add(time.Hour), now.Add(time.Minute)
		d.LeaseOwner, d.LeaseUntil, d.Attempt, d.DraftID, d.Polls = "me", now.Add(time.Second), 3, "draft", 4
		d.Receipt = publish.Receipt{PublishID: "p1", MsgID: "m1", MsgDataID: "d1"}
		d.SubmitAt, d.DoneAt, d.ArticleID, d.URLs = now, now.Add(2*time.Second), "Art", []string{"https://mp.weixin.qq.com/s/1"}
		d.ErrKind, d.ErrCode, d.Note = publish.KindQuota, -45028, "明天再试"
		e := h.entry("delivery.submitted")
		if err := h.SaveDelivery(t.Context(), d, 1, "已提交", &e); err != nil {
			t.Fatal(err)
		}
		got := h.delivery(d.ID)
		if fmt.Sprintf("%+v", *got) != fmt.Sprintf("%+v", *d) || got.Version != 2 {
			t.Fatalf("stored\n%+v, want\n%+v", *got, *d)
		}
		events, err := h.DeliveryEvents(t.Context(), d.ID)
		if err != nil || len(events) != 1 || events[0].Note != "已提交" || events[0].State != "submitted" || events[0].Step != "result" || !events[0].At.Equal(now) {
			t.Fatalf("events %+v, %v", events, err)
		}
		if h.audits("delivery.submitted") != 1 {
			t.Fatal("the audit row is missing")
		}
		h.save(d, "")
		if events, err = h.DeliveryEvents(t.Context(), d.ID); err != nil || len(events) != 1 {
			t.Fatalf("an empty note made an event: %v, %v", events, err)
		}
		lost := *d
		lost.ID = 77
		wantCode(t, h.SaveDelivery(t.Context(), &lost, 1, "", nil), errs.NotFound)
		_, err = h.Delivery(t.Context(), 77)
		wantCode(t, err, errs.NotFound)
		if h.load(p.ID).State != publish.Queued {
			t.Fatal("the post is finished while its delivery is under way")
		}
	})
}

func TestPublishFinishRule(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		a := h.account(2, "号")
		p := h.post(2, "甲")
		ds := h.queue(p, a, a)
		one, two := h.delivery(ds[0].ID), h.delivery(ds[1].ID)
		one.State = publish.Published
		h.save(one, "")
		if got := h.load(p.ID); got.State != publish.Queued || got.Version != 2 {
			t.Fatalf("one is under way, post %s v%d", got.State, got.Version)
		}
		two.State = publish.Unknown
		h.save(two, "")
		two.State = publish.Failed
		e := h.entry("delivery.failed")
		if err := h.SaveDelivery(t.Context(), two, two.Version, "失败", &e); err != nil {
			t.Fatal(err)
		}
		if got := h.load(p.ID); got.State != publish.Finished || got.Version != 3 || got.UpdatedBy != h.actor.Name {
			t.Fatalf("all are over, post %s v%d by %s", got.State, got.Version, got.UpdatedBy)
		}
		one.NextAt = h.clock.Now() // later looks at figures change the post no more
		h.save(one, "")
		if got := h.load(p.ID); got.Version != 3 {
			t.Fatalf("the post changed again: v%d", got.Version)
		}
	})
}

// The last deliveries of a post end at the same moment on several lanes: the
// post is finished, once.
func TestPublishFinishRace(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		a := h.account(2, "号")
		for round := range 10 {
			p := h.post(2, fmt.Sprintf("p%d", round))
			ds := h.queue(p, a, a, a, a)
			together(len(ds), func(i int) {
				d := *ds[i]
				d.State = publish.Published
				if err := h.SaveDelivery(t.Context(), &d, 1, "已发布", nil); err != nil {
					t.Error(err)
				}
			})
			if got := h.load(p.ID); got.State != publish.Finished || got.Version != 3 {
				t.Fatalf("round %d: post %s v%d", round, got.State, got.Version)
			}
		}
	})
}

func TestPublishCancel(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		a := h.account(2, "号")
		p := h.post(2, "甲")
		ds := h.queue(p, a, a, a, a)
		plain, drafted, saving, byHand := h.delivery(ds[0].ID), h.delivery(ds[1].ID), h.delivery(ds[2].ID), h.delivery(ds[3].ID)
		later, lease := h.clock.Now().Add(time.Hour), h.clock.Now().Add(time.Minute)
		plain.NextAt, drafted.NextAt, saving.NextAt, byHand.NextAt = later, later, later, time.Time{}
		drafted.DraftID, drafted.Step, saving.Step = "d1", publish.StepReady, publish.StepDraft
		saving.LeaseOwner, saving.LeaseUntil = "worker", lease
		byHand.State, byHand.DraftID = publish.ByHand, "d2"
		for _, d := range []*publish.Delivery{plain, drafted, saving, byHand} {
			h.save(d, "")
		}
		c := publish.Change{Post: h.step(p, publish.Approved), Expect: p.Version, Cancel: true, Entry: h.entry("post.cancel")}
		h.commit(c)
		for d, next := range map[*publish.Delivery]time.Time{plain: {}, drafted: h.clock.Now(), saving: h.clock.Now(), byHand: h.clock.Now()} {
			got := h.delivery(d.ID)
			if got.State != publish.Cancelled || got.Version != d.Version+1 || !got.NextAt.Equal(next) || !got.LeaseUntil.Equal(d.LeaseUntil) || got.DoneAt.IsZero() {
				t.Errorf("cancelled %+v, want a look at %v", got, next)
			}
			wantCode(t, h.SaveDelivery(t.Context(), d, d.Version, "", nil), errs.Stale)
		}
		if got := h.load(p.ID); got.State != publish.Approved || c.Post.State != publish.Approved {
			t.Fatalf("post %s", got.State)
		}
		if got := h.take("queue", 10); len(got) != 2 {
			t.Fatalf("%d drafts to drop are free, want 2", len(got))
		}
		events, err := h.DeliveryEvents(t.Context(), plain.ID)
		if err != nil || len(events) != 1 || events[0].State != "cancelled" || h.audits("post.cancel") != 1 {
			t.Fatalf("events %+v, %v", events, err)
		}
	})
}

func TestPublishCancelTooLate(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		a := h.account(2, "号")
		p := h.post(2, "甲")
		ds := h.queue(p, a, a)
		gone, still := h.delivery(ds[0].ID), h.delivery(ds[1].ID)
		gone.State = publish.Submitting
		h.save(gone, "")
		// One is too late, one is not: the post stays queued for the first.
		part := publish.Change{Post: h.step(p, publish.Approved), Expect: p.Version, Cancel: true}
		h.commit(part)
		if part.Post.State != publish.Queued || h.load(p.ID).State != publish.Queued || h.delivery(still.ID).State != publish.Cancelled ||
			h.delivery(gone.ID).State != publish.Submitting || h.delivery(gone.ID).Version != gone.Version {
			t.Fatalf("post %s", h.load(p.ID).State)
		}
		p = h.load(p.ID)
		for name, c := range map[string]publish.Change{"cancel": {Cancel: true}, "move": {MoveTo: h.clock.Now().Add(time.Hour)}} {
			c.Post, c.Expect, c.Entry = h.step(p, publish.Approved), p.Version, h.entry("post."+name)
			wantCode(t, h.Commit(t.Context(), c), errs.Conflict)
			if got := h.load(p.ID); got.Version != p.Version || got.State != publish.Queued || h.audits("post."+name) != 0 {
				t.Fatalf("%s left %+v", name, got)
			}
		}
		gone.State = publish.Published
		h.save(gone, "")
		if h.load(p.ID).State != publish.Finished {
			t.Fatal("the post is not finished by its last delivery")
		}
	})
}

// An edit of a queued post takes it out of the queue and leaves it a draft.
func TestPublishEditCancels(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		a := h.account(2, "号")
		p := h.post(2, "甲")
		ds := h.queue(p, a, a)
		gone := h.delivery(ds[0].ID)
		gone.State = publish.Submitted
		h.save(gone, "")
		c := h.edit(p, pubContent("乙"), false)
		c.Cancel, c.Post.ApprovedHash = true, ""
		h.commit(c)
		if got := h.load(p.ID); got.State != publish.Draft || got.Content.Title() != "乙" {
			t.Fatalf("post %s %q", got.State, got.Title)
		}
		gone.State = publish.Published
		h.save(gone, "")
		if got := h.load(p.ID); got.State != publish.Draft {
			t.Fatalf("a draft became %s", got.State)
		}
		rev, err := h.Revision(t.Context(), p.ID, gone.PostVersion)
		if err != nil || rev.Hash != gone.Hash {
			t.Fatalf("the delivered content is lost: %+v, %v", rev, err)
		}
	})
}

func TestPublishMove(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		a := h.account(2, "号")
		p := h.post(2, "甲")
		ds := h.queue(p, a, a, a)
		leased, byHand, over := h.delivery(ds[0].ID), h.delivery(ds[1].ID), h.delivery(ds[2].ID)
		leased.LeaseOwner, leased.LeaseUntil, leased.NextAt = "worker", h.clock.Now().Add(time.Minute), h.clock.Now().Add(time.Hour)
		byHand.State, over.State = publish.ByHand, publish.Failed
		for _, d := range []*publish.Delivery{leased, byHand, over} {
			h.save(d, "")
		}
		to := h.clock.Now().Add(48 * time.Hour)
		c := publish.Change{Post: h.step(p, publish.Queued), Expect: p.Version, MoveTo: to}
		c.Post.DueAt = to
		h.commit(c)
		got := h.delivery(leased.ID)
		if !got.DueAt.Equal(to) || !got.NextAt.Equal(h.clock.Now()) || !got.LeaseUntil.IsZero() || got.LeaseOwner != "" || got.Version != leased.Version+1 {
			t.Fatalf("moved %+v", got)
		}
		for _, d := range []*publish.Delivery{byHand, over} {
			if got := h.delivery(d.ID); !got.DueAt.Equal(d.DueAt) || got.Version != d.Version {
				t.Fatalf("a delivery that does not wait was moved: %+v", got)
			}
		}
		if post := h.load(p.ID); !post.DueAt.Equal(to) || post.State != publish.Queued {
			t.Fatalf("post %+v", post)
		}
	})
}

// A person cancels while a worker stores its intent to submit: one of the two
// wins, never both.
func TestPublishCancelRace(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		a := h.account(2, "号")
		for round := range 20 {
			p := h.post(2, fmt.Sprintf("p%d", round))
			d := *h.queue(p, a)[0]
			d.State, d.Step = publish.Submitting, publish.StepSubmit
			c := publish.Change{Post: h.step(p, publish.Approved), Expect: p.Version, Cancel: true, Entry: h.entry("post.cancel")}
			var cancelErr, submitErr error
			together(2, func(i int) {
				if i == 0 {
					cancelErr = h.Commit(t.Context(), c)
				} else {
					submitErr = h.SaveDelivery(t.Context(), &d, 1, "", nil)
				}
			})
			got, post := h.delivery(d.ID).State, h.load(p.ID).State
			switch {
			case cancelErr == nil && errs.Is(submitErr, errs.Stale) && got == publish.Cancelled && post == publish.Approved:
			case submitErr == nil && errs.Is(cancelErr, errs.Conflict) && got == publish.Submitting && post == publish.Queued:
			default:
				t.Fatalf("round %d: cancel %v, submit %v, delivery %s, post %s", round, cancelErr, submitErr, got, post)
			}
		}
	})
}

func TestPublishListDeliveries(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		a, b := h.account(2, "东"), h.account(3, "西")
		east, branch, west, harbour := h.post(2, "east"), h.post(4, "branch"), h.post(3, "west"), h.post(20, "harbour")
		for _, p := range []*publish.Post{east, branch, west, harbour} {
			h.queue(p, a)
		}
		d := h.queue(h.load(east.ID), b)[0]
		d.State, d.DueAt = publish.Unknown, h.clock.Now().Add(time.Hour)
		d.Mode = publish.ModeMass
		h.save(d, "")
		list := func(f publish.DeliveryFilter) string {
			t.Helper()
			rows, err := h.ListDeliveries(t.Context(), f, first(10))
			if err != nil {
				t.Fatal(err)
			}
			out := ""
			for _, d := range rows {
				out += d.PostTitle + "/" + d.AccountName + " "
			}
			return out
		}
		now := h.clock.Now()
		for name, c := range map[string]struct {
			f    publish.DeliveryFilter
			want string
		}{
			"everything": {publish.DeliveryFilter{Scope: everything()}, "east/西 harbour/东 west/东 branch/东 east/东 "},
			"no scope":   {publish.DeliveryFilter{}, ""},
			"subtree":    {publish.DeliveryFilter{Scope: under("/1/2/")}, "east/西 branch/东 east/东 "},
			"account":    {publish.DeliveryFilter{Scope: under("/1/2/"), AccountID: b.ID}, "east/西 "},
			"foreign":    {publish.DeliveryFilter{Scope: under("/1/3/"), AccountID: b.ID}, ""},
			"org":        {publish.DeliveryFilter{Scope: everything(), OrgID: 20}, "harbour/东 "},
			"states":     {publish.DeliveryFilter{Scope: everything(), States: []publish.DeliveryState{publish.Unknown, publish.Failed, publish.ByHand}}, "east/西 "},
			"from":       {publish.DeliveryFilter{Scope: everything(), From: now.Add(time.Hour)}, "east/西 "},
			"to":         {publish.DeliveryFilter{Scope: under("/1/2/"), To: now.Add(time.Hour)}, "branch/东 east/东 "},
			"empty span": {publish.DeliveryFilter{Scope: everything(), From: now.Add(time.Minute), To: now.Add(time.Hour)}, ""},
		} {
			if got := list(c.f); got != c.want {
				t.Errorf("%s: got %q, want %q", name, got, c.want)
			}
		}
		rows, err := h.ListDeliveries(t.Context(), publish.DeliveryFilter{Scope: everything()}, page.Request{After: d.ID, Limit: 2})
		if err != nil || len(rows) != 3 || rows[0].PostTitle != "harbour" {
			t.Fatalf("second page %v, %v", rows, err)
		}
		of, err := h.DeliveriesOf(t.Context(), east.ID)
		if err != nil || len(of) != 2 || of[0].AccountName != "东" {
			t.Fatalf("of the post: %v, %v", of, err)
		}

		for scope, want := range map[string]map[publish.DeliveryState]int{"/1/2/": {publish.Waiting: 2, publish.Unknown: 1}, "/1/3/": {publish.Waiting: 1}, "/9/": {}} {
			got, next, err := h.QueueCounts(t.Context(), under(scope))
			if err != nil || !maps.Equal(got, want) || next.IsZero() != (len(want) == 0) {
				t.Errorf("counts of %s: %v, %v, %v", scope, got, next, err)
			}
		}
		got, next, err := h.QueueCounts(t.Context(), everything())
		if err != nil || !maps.Equal(got, map[publish.DeliveryState]int{publish.Waiting: 4, publish.Unknown: 1}) || !next.Equal(now) {
			t.Errorf("counts: %v, %v, %v", got, next, err)
		}
		if n, err := h.UnknownMass(t.Context(), b.ID); err != nil || n != 1 {
			t.Errorf("unknown mass sends: %d, %v", n, err)
		}
		if n, err := h.UnknownMass(t.Context(), a.ID); err != nil || n != 0 {
			t.Errorf("unknown mass sends of another account: %d, %v", n, err)
		}
	})
}
