package storage_test

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/publish"
	"tongxin/staff"
	"tongxin/storage"
	"tongxin/storage/storagetest"
)

func notice(who ids.ID, occasion string) publish.Notice {
	return publish.Notice{AccountID: who, Dedupe: occasion, OrgID: 2, Kind: publish.ReviewAsked, PostID: 7, Title: "请您初审", Text: "《甲》请您初审。", Link: "/posts/7/review"}
}

func mine(who ids.ID) publish.NoticeFilter {
	return publish.NoticeFilter{AccountID: who, Posts: everything(), Accounts: everything()}
}

func (h *house) add(list ...publish.Notice) int {
	h.t.Helper()
	n, err := h.AddNotices(h.t.Context(), list)
	ok(h.t, err)
	return n
}

func (h *house) notices(f publish.NoticeFilter) []publish.Notice {
	h.t.Helper()
	list, err := h.Notices(h.t.Context(), f, first(100))
	ok(h.t, err)
	return list
}

func TestNoticesAreOnePerPersonAndOccasion(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		if n := h.add(notice(1, "a"), notice(1, "a"), notice(2, "a"), notice(1, "b")); n != 3 {
			t.Fatalf("%d added", n)
		}
		if n := h.add(notice(1, "a"), notice(2, "a"), notice(2, "A"), notice(3, "b")); n != 2 {
			t.Fatalf("%d added the second time", n) // "A" is another occasion: text compares by bytes
		}
		if n := h.add(); n != 0 {
			t.Fatal("nothing was added")
		}
		got := h.notices(mine(1))
		if len(got) != 2 || got[0].ID <= got[1].ID {
			t.Fatalf("notices of one: %+v", got)
		}
		n := got[1]
		if n.ID == 0 || n.AccountID != 1 || n.Dedupe != "a" || n.OrgID != 2 || n.Kind != publish.ReviewAsked || n.PostID != 7 || n.DeliveryID != 0 ||
			n.Title != "请您初审" || n.Text != "《甲》请您初审。" || n.Link != "/posts/7/review" || !n.At.Equal(h.clock.Now()) || !n.ReadAt.IsZero() {
			t.Fatalf("came back as %+v", n)
		}
		var many []publish.Notice
		for i := range 450 {
			many = append(many, notice(ids.ID(i%9+10), fmt.Sprintf("many:%d", i)))
		}
		if n := h.add(many...); n != 450 {
			t.Fatalf("%d of 450", n)
		}
		if n := h.add(many...); n != 0 {
			t.Fatalf("%d of 450 again", n)
		}
	})
}

// Nodes that find the same occasions at once store each once, without failing.
func TestNoticesUnderRace(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		var total atomic.Int64
		together(12, func(i int) {
			var list []publish.Notice
			for j := range 40 {
				list = append(list, notice(ids.ID(j%5+1), fmt.Sprintf("race:%d", j)))
			}
			if i%2 == 1 {
				slices.Reverse(list)
			}
			n, err := h.AddNotices(t.Context(), list)
			total.Add(int64(n))
			if err != nil {
				t.Error(err)
			}
		})
		if total.Load() != 40 || h.count(`SELECT COUNT(*) FROM notices`) != 40 {
			t.Fatalf("%d told, %d stored", total.Load(), h.count(`SELECT COUNT(*) FROM notices`))
		}
	})
}

func TestNoticesAreReadByTheirOwner(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		ctx, now := t.Context(), h.clock.Now()
		unwell := notice(1, "unwell")
		unwell.Kind, unwell.OrgID = publish.AccountUnwell, 3
		h.add(notice(1, "a"), notice(1, "b"), notice(2, "a"))
		h.add(unwell)
		all := h.notices(mine(1))
		unread := mine(1)
		unread.Unread = true
		count := func(f publish.NoticeFilter, want int) {
			t.Helper()
			n, err := h.CountNotices(ctx, f)
			ok(t, err)
			if n != want || len(h.notices(f)) != want {
				t.Fatalf("%d counted, %d listed, want %d", n, len(h.notices(f)), want)
			}
		}
		count(unread, 3)
		rows, err := h.Notices(ctx, unread, page.Request{Limit: 1, After: all[0].ID})
		if err != nil || len(rows) != 2 || rows[0].ID != all[1].ID {
			t.Fatalf("second page %+v, %v", rows, err)
		}

		// Others' notices, and those about what the person may not see, are not there.
		wantCode(t, h.ReadNotice(ctx, mine(2), all[0].ID, now), errs.NotFound)
		wantCode(t, h.ReadNotice(ctx, mine(1), 12345, now), errs.NotFound)
		east := publish.NoticeFilter{AccountID: 1, Posts: under("/1/2/"), Accounts: under("/1/2/")}
		count(east, 2)
		wantCode(t, h.ReadNotice(ctx, east, all[0].ID, now), errs.NotFound) // of west
		count(publish.NoticeFilter{AccountID: 1, Posts: everything()}, 2)
		count(publish.NoticeFilter{AccountID: 1, Accounts: under("/1/3/")}, 1)
		count(publish.NoticeFilter{AccountID: 1}, 0)
		count(unread, 3)

		ok(t, h.ReadNotice(ctx, mine(1), all[0].ID, now))
		ok(t, h.ReadNotice(ctx, mine(1), all[0].ID, now.Add(time.Hour))) // again: the first time stays
		count(unread, 2)
		if got := h.notices(mine(1))[0]; !got.ReadAt.Equal(now) {
			t.Fatalf("read at %v", got.ReadAt)
		}
		ok(t, h.ReadNotices(ctx, unread, all[2].ID, now)) // the oldest only
		count(unread, 1)
		ok(t, h.ReadNotices(ctx, unread, 0, now))
		count(unread, 0)
		count(mine(2), 1)
		if h.count(`SELECT COUNT(*) FROM notices WHERE account_id = 2 AND read_at <> 0`) != 0 {
			t.Fatal("another's notice was marked")
		}
	})
}

func TestNoticesAreSwept(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		for i := range 300 {
			n := notice(1, fmt.Sprintf("old:%d", i))
			n.At = h.clock.Now().Add(-time.Duration(i) * time.Minute)
			h.add(n)
		}
		gone, err := h.SweepNotices(t.Context(), h.clock.Now().Add(-9*time.Minute))
		if err != nil || gone != 290 || h.count(`SELECT COUNT(*) FROM notices`) != 10 {
			t.Fatalf("%d swept: %v", gone, err)
		}
	})
}

func TestOccasionsOfPosts(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		ctx, begin := t.Context(), h.clock.Now()
		review := func(p *publish.Post) *publish.Post {
			next := h.step(p, publish.InReview)
			next.Level, next.Levels, next.ReviewDue, next.Editors = 1, 2, begin.Add(time.Hour), []ids.ID{900, 901}
			h.commit(publish.Change{Post: next, Expect: p.Version})
			return next
		}
		a, b, c := review(h.post(2, "甲")), review(h.post(3, "乙")), h.post(2, "丙")
		got, err := h.PostsInReview(ctx, 0, 10)
		if err != nil || len(got) != 2 || got[0].ID != a.ID || got[1].ID != b.ID {
			t.Fatalf("in review: %+v, %v", got, err)
		}
		p := got[0]
		if p.OrgPath != "/1/2/" || p.Title != "甲" || p.Version != 2 || p.Level != 1 || p.Levels != 2 || !p.ReviewDue.Equal(a.ReviewDue) ||
			p.AuthorID != 900 || !slices.Equal(p.Editors, []ids.ID{900, 901}) || p.Hash != a.Hash || len(p.Content.Articles) != 0 {
			t.Fatalf("came back as %+v", p)
		}
		if got, err = h.PostsInReview(ctx, a.ID, 10); err != nil || len(got) != 1 || got[0].ID != b.ID {
			t.Fatalf("after the first: %+v, %v", got, err)
		}
		decide := func(p *publish.Post, state publish.PostState) {
			h.clock.Add(time.Minute)
			h.commit(publish.Change{Post: h.step(p, state), Expect: p.Version})
		}
		decide(b, publish.Returned)
		decide(a, publish.Approved)
		decide(c, publish.Draft)
		decided := func(since time.Time, after publish.Post, limit int) string {
			rows, err := h.PostsDecided(ctx, since, after, limit)
			ok(t, err)
			out := ""
			for _, p := range rows {
				out += p.Title
			}
			return out
		}
		if s := decided(begin, publish.Post{}, 10); s != "乙甲" {
			t.Fatalf("decided: %s", s)
		}
		rows, err := h.PostsDecided(ctx, begin, publish.Post{}, 1)
		if err != nil || len(rows) != 1 || decided(begin, rows[0], 10) != "甲" {
			t.Fatalf("in steps: %+v, %v", rows, err)
		}
		if s := decided(begin.Add(90*time.Second), publish.Post{}, 10); s != "甲" {
			t.Fatalf("since: %s", s)
		}
		if s := decided(begin.Add(time.Hour), publish.Post{}, 10); s != "" {
			t.Fatalf("nothing changed lately: %s", s)
		}
	})
}

func TestOccasionsOfDeliveries(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		ctx, begin := t.Context(), h.clock.Now()
		a := h.account(2, "东区发布")
		states := []publish.DeliveryState{publish.ByHand, publish.Unknown, publish.Failed, publish.Published, publish.Waiting}
		var ds []*publish.Delivery
		for i := range states {
			p := h.post(2, fmt.Sprintf("第%d篇", i))
			ds = append(ds, h.queue(p, a)...)
		}
		h.clock.Add(time.Minute)
		for i, st := range states {
			ds[i].State, ds[i].Note = st, "说明"
			if st == publish.Waiting {
				ds[i].ErrKind = publish.KindAuth
			}
			h.save(ds[i], "说明")
		}
		h.clock.Add(time.Minute)
		ds[0].Note = "又说明"
		h.save(ds[0], "又说明") // it came to its state before
		open, err := h.DeliveriesOpen(ctx, 0, 10)
		if err != nil || len(open) != 2 || open[0].ID != ds[0].ID || open[1].ID != ds[1].ID {
			t.Fatalf("open: %+v, %v", open, err)
		}
		if v := open[0]; v.State != publish.ByHand || v.PostID != ds[0].PostID || v.PostTitle != "第0篇" || v.AuthorID != 900 || v.OrgID != 2 ||
			v.OrgPath != "/1/2/" || v.AccountName != "东区发布" || v.Note != "又说明" || !v.Since.Equal(begin.Add(time.Minute)) {
			t.Fatalf("came back as %+v", v)
		}
		if open, err = h.DeliveriesOpen(ctx, ds[0].ID, 1); err != nil || len(open) != 1 || open[0].ID != ds[1].ID {
			t.Fatalf("after the first: %+v, %v", open, err)
		}
		ended, err := h.DeliveriesEnded(ctx, ids.From(begin)-1, 10)
		if err != nil || len(ended) != 2 || ended[0].State != publish.Failed || ended[1].State != publish.Published || ended[0].Event == 0 ||
			!ended[0].Since.Equal(begin.Add(time.Minute)) {
			t.Fatalf("ended: %+v, %v", ended, err)
		}
		if ended, err = h.DeliveriesEnded(ctx, ended[0].Event, 10); err != nil || len(ended) != 1 || ended[0].State != publish.Published {
			t.Fatalf("after the first: %+v, %v", ended, err)
		}
		ds[3].State = publish.Retracted
		h.save(ds[3], "撤下")
		if ended, err = h.DeliveriesEnded(ctx, ids.From(begin)-1, 10); err != nil || len(ended) != 1 || ended[0].State != publish.Failed {
			t.Fatalf("what is no longer so: %+v, %v", ended, err)
		}
		if ended, err = h.DeliveriesEnded(ctx, ids.From(begin.Add(time.Hour))-1, 10); err != nil || len(ended) != 0 {
			t.Fatalf("nothing ended lately: %+v, %v", ended, err)
		}
		refused, err := h.AccountsRefused(ctx, h.clock.Now())
		if err != nil || !slices.Equal(refused, []ids.ID{a.ID}) {
			t.Fatalf("refused: %v, %v", refused, err)
		}
		if refused, err = h.AccountsRefused(ctx, begin.Add(-time.Minute)); err != nil || len(refused) != 0 {
			t.Fatalf("refused before it was due: %v, %v", refused, err)
		}
	})
}

func TestHolders(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		c := newCrew(t, db)
		all := c.add("all", "root", "editor@root", "admin@root/a", "editor@root/a")
		a := c.add("a", "root", "editor@root/a")
		c.add("b", "root", "editor@root/a/b")
		c.add("c", "root", "editor@root/c")
		c.add("other", "root", "auditor@root")
		gone := c.add("gone", "root", "editor@root/a")
		ok(t, c.s.SetState(t.Context(), &staff.Account{ID: gone.ID, Version: 2}, 1, staff.Disabled, entry("account.disable")))
		invited := c.add("invited", "root", "secretary@root")
		ok(t, c.s.SetState(t.Context(), &staff.Account{ID: invited.ID, Version: 2}, 1, staff.Invited, entry("account.enable")))
		got, err := c.s.Holders(t.Context(), []string{"editor", "admin", "secretary"}, []string{c.orgs["root"].Path, c.orgs["root/a"].Path})
		if err != nil || !slices.Equal(got, []staff.Holder{{ID: all.ID, Name: "姓名"}, {ID: a.ID, Name: "姓名"}, {ID: invited.ID, Name: "姓名"}}) {
			t.Fatalf("holders %+v, %v", got, err)
		}
		for _, none := range [][2][]string{{{"editor"}, nil}, {nil, {c.orgs["root"].Path}}, {{"editor"}, {"/"}}} {
			if got, err = c.s.Holders(t.Context(), none[0], none[1]); err != nil || len(got) != 0 {
				t.Fatalf("holders of %v: %+v, %v", none, got, err)
			}
		}
	})
}

// A right counts on an organisation by a role there or above, of all but the disabled.
func TestHoldersOfARight(t *testing.T) {
	db := storagetest.SQLite(t)
	c := newCrew(t, db)
	svc, err := staff.New(staff.Config{
		Store: c.s, IDs: db.IDs(), Clock: newManual(), Policy: staff.Policy{Hash: staff.HashParams{MemoryKiB: 32, Passes: 1, Threads: 1}},
		Random: zeros{}, Roles: []staff.Role{{Name: "editor", Rights: []authz.Right{"post.read", "post.write"}}, {Name: "admin", Rights: []authz.Right{"post.read"}}},
	})
	ok(t, err)
	boss, a := c.add("boss", "root", "admin@root"), c.add("a", "root", "editor@root/a")
	c.add("b", "root", "editor@root/a/b")
	for _, v := range []struct {
		right authz.Right
		path  string
		want  []ids.ID
	}{
		{"post.read", c.orgs["root/a"].Path, []ids.ID{boss.ID, a.ID}},
		{"post.write", c.orgs["root/a"].Path, []ids.ID{a.ID}},
		{"post.write", c.orgs["root/c"].Path, nil},
		{"post.read", c.orgs["root/c"].Path, []ids.ID{boss.ID}},
		{"audit.read", c.orgs["root/a"].Path, nil},
		{"post.read", "", nil},
		{"post.read", "x/", nil},
	} {
		list, err := svc.Holders(t.Context(), v.right, v.path)
		ok(t, err)
		var got []ids.ID
		for _, h := range list {
			got = append(got, h.ID)
		}
		if !slices.Equal(got, v.want) {
			t.Errorf("%s on %q: %v, want %v", v.right, v.path, got, v.want)
		}
	}
}

// zeros is randomness that nobody depends on here.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
