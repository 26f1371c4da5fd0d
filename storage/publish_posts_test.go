package storage_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/publish"
)

func TestPublishPostRoundTrip(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		c := pubContent("第一篇 <b>&amp; 'quoted'")
		c.Articles[0].Cover = publish.Cover{Asset: hash64("a"), Wide: [4]float64{0, 0.1, 1, 0.9}}
		p := h.draft(4, c)
		p.Sim, p.Levels, p.ReviewDue = 1<<63|5, 3, h.clock.Now().Add(time.Hour)
		if _, err := h.CreatePost(t.Context(), p, h.entry("post.create")); err != nil {
			t.Fatal(err)
		}
		got := h.load(p.ID)
		if got.OrgPath != "/1/2/4/" || got.OrgName != "东区一支部" || got.Content.Hash() != c.Hash() || got.Hash != c.Hash() ||
			!got.ReviewDue.Equal(p.ReviewDue) || !got.CreatedAt.Equal(p.CreatedAt) || !slices.Equal(got.Editors, p.Editors) || !got.DueAt.IsZero() {
			t.Fatalf("got %+v", got)
		}
		rev, err := h.Revision(t.Context(), p.ID, 1)
		if err != nil || rev.Content.Hash() != c.Hash() || rev.Auto {
			t.Fatalf("first revision: %+v, %v", rev, err)
		}
		prints, err := h.Fingerprints(t.Context(), everything(), pubStart())
		if err != nil || len(prints) != 1 || prints[0].Sim != 1<<63|5 || prints[0].Hash != c.Hash() {
			t.Fatalf("fingerprints: %+v, %v", prints, err)
		}
		if prints, err = h.Fingerprints(t.Context(), everything(), pubStart().Add(time.Second)); err != nil || len(prints) != 0 {
			t.Fatalf("later than the post: %v, %v", prints, err)
		}
		_, err = h.Post(t.Context(), 12345)
		wantCode(t, err, errs.NotFound)
		if h.audits("post.create") != 1 {
			t.Fatal("one audit row of the creation is missing")
		}
	})
}

func TestPublishCreatePostTwice(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		const callers = 24
		made := make([]ids.ID, callers)
		together(callers, func(i int) {
			id, err := h.CreatePost(keyed(t.Context(), "key", "body"), h.draft(2, pubContent("同一篇")), h.entry("post.create"))
			if err != nil {
				t.Error(err)
			}
			made[i] = id
		})
		for _, id := range made {
			if id == 0 || id != made[0] {
				t.Fatalf("two posts of one key: %v", made)
			}
		}
		if n := h.count(`SELECT COUNT(*) FROM posts`); n != 1 || h.audits("post.create") != 1 || h.count(`SELECT COUNT(*) FROM revisions`) != 1 {
			t.Fatalf("%d posts", n)
		}
		_, err := h.CreatePost(keyed(t.Context(), "key", "other body"), h.draft(2, pubContent("另一篇")), h.entry("post.create"))
		wantCode(t, err, errs.Conflict)
		if h.count(`SELECT COUNT(*) FROM posts`) != 1 {
			t.Fatal("the refused post was stored")
		}
	})
}

func TestPublishCreateRefusesForeignHash(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		p := h.draft(2, pubContent("甲"))
		p.Hash = pubContent("乙").Hash()
		_, err := h.CreatePost(t.Context(), p, h.entry("post.create"))
		wantCode(t, err, errs.Internal)
		if h.count(`SELECT COUNT(*) FROM posts`)+h.count(`SELECT COUNT(*) FROM contents`) != 0 {
			t.Fatal("something was stored")
		}
	})
}

func TestPublishCommitComparesVersions(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		p := h.post(2, "甲")
		h.commit(h.edit(p, pubContent("乙"), false))
		stale := h.edit(p, pubContent("丙"), false)
		stale.Review = &publish.Review{PostID: p.ID, Level: 1, Decision: publish.Pass}
		stale.Entry = h.entry("post.stale")
		wantCode(t, h.Commit(t.Context(), stale), errs.Stale)
		got := h.load(p.ID)
		if got.Title != "乙" || got.Version != 2 || got.Content.Title() != "乙" {
			t.Fatalf("got %+v", got)
		}
		reviews, err := h.Reviews(t.Context(), p.ID)
		if err != nil || len(reviews) != 0 {
			t.Fatalf("the stale change left a review: %v, %v", reviews, err)
		}
		if h.audits("post.stale") != 0 || h.count(`SELECT COUNT(*) FROM contents WHERE hash = ?`, pubContent("丙").Hash()) != 0 {
			t.Fatal("the stale change left something behind")
		}
		missing := h.edit(h.draft(2, pubContent("无")), pubContent("也无"), false)
		wantCode(t, h.Commit(t.Context(), missing), errs.NotFound)
		skips := publish.Change{Post: h.step(got, publish.Draft), Expect: 7}
		wantCode(t, h.Commit(t.Context(), skips), errs.Internal)
	})
}

// Of many edits of the same version exactly one is stored.
func TestPublishCommitRace(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		p := h.post(2, "甲")
		const callers = 16
		won := make([]bool, callers)
		together(callers, func(i int) {
			err := h.Commit(t.Context(), h.edit(p, pubContent(fmt.Sprintf("版本 %d", i)), false))
			won[i] = err == nil
			if err != nil && !errs.Is(err, errs.Stale) {
				t.Error(err)
			}
		})
		wins := 0
		for i, w := range won {
			if w {
				wins++
				if got := h.load(p.ID); got.Title != fmt.Sprintf("版本 %d", i) {
					t.Fatalf("stored %q, but %d won", got.Title, i)
				}
			}
		}
		if wins != 1 || h.count(`SELECT COUNT(*) FROM revisions`) != 2 {
			t.Fatalf("%d edits of one version were stored", wins)
		}
	})
}

func TestPublishReviewsAndStateOnly(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		p := h.post(2, "甲")
		next := h.step(p, publish.InReview)
		next.Level, next.Levels = 1, 2
		h.commit(publish.Change{Post: next, Expect: 1, Review: &publish.Review{
			PostID: p.ID, Version: 1, Hash: p.Hash, Level: 1,
			Decision: publish.Return, Reason: "标题不妥", ReviewerID: 7, ReviewerName: "李审核", At: h.clock.Now(),
		}})
		got := h.load(p.ID)
		if got.State != publish.InReview || got.Level != 1 || got.Hash != p.Hash {
			t.Fatalf("got %+v", got)
		}
		rs, err := h.Reviews(t.Context(), p.ID)
		if err != nil || len(rs) != 1 || rs[0].ID == 0 || rs[0].Reason != "标题不妥" || rs[0].Hash != p.Hash || rs[0].Decision != publish.Return {
			t.Fatalf("reviews %+v, %v", rs, err)
		}
	})
}

func TestPublishRevisions(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		p := h.post(2, "v1")
		h.commit(h.edit(p, pubContent("v2"), true))
		p = h.load(p.ID)
		h.commit(publish.Change{Post: h.step(p, publish.InReview), Expect: 2})
		p = h.load(p.ID)
		h.commit(h.edit(p, pubContent("v4"), false))
		page1, err := h.Revisions(t.Context(), p.ID, first(1))
		if err != nil || len(page1) != 2 || page1[0].Version != 4 || page1[1].Version != 2 || !page1[1].Auto || page1[0].Auto {
			t.Fatalf("first page %+v, %v", page1, err)
		}
		page2, err := h.Revisions(t.Context(), p.ID, page.Request{After: 4, Limit: 5})
		if err != nil || len(page2) != 2 || page2[0].Version != 2 || page2[1].Version != 1 {
			t.Fatalf("second page %+v, %v", page2, err)
		}
		for version, title := range map[int64]string{1: "v1", 2: "v2", 3: "v2", 4: "v4", 9: "v4"} {
			rev, err := h.Revision(t.Context(), p.ID, version)
			if err != nil || rev.Content.Title() != title {
				t.Fatalf("at version %d: %+v, %v", version, rev, err)
			}
		}
		_, err = h.Revision(t.Context(), p.ID, 0)
		wantCode(t, err, errs.NotFound)
	})
}

func TestPublishListPosts(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		a, b := h.account(2, "东区发布"), h.account(3, "西区发布")
		east, branch := h.post(2, "东区 100% 完成"), h.post(4, "支部 a_b!c")
		west, harbour := h.post(3, "西区 axb"), h.post(20, "港口 ABC")
		h.queue(east, a, b)
		next := h.step(branch, publish.InReview)
		next.Level, next.Levels = 2, 3
		h.commit(publish.Change{Post: next, Expect: 1})
		other := h.step(west, publish.Draft)
		other.Editors = append(other.Editors, 901)
		h.commit(publish.Change{Post: other, Expect: 1})
		h.exec(`UPDATE posts SET author_id = 902, editors = '["902"]' WHERE id = ?`, harbour.ID)

		list := func(f publish.PostFilter) string {
			t.Helper()
			rows, err := h.ListPosts(t.Context(), f, first(10))
			if err != nil {
				t.Fatal(err)
			}
			return titles(rows)
		}
		for name, c := range map[string]struct {
			f    publish.PostFilter
			want string
		}{
			"everything":      {publish.PostFilter{Scope: everything()}, "港口 ABC 西区 axb 支部 a_b!c 东区 100% 完成"},
			"no scope":        {publish.PostFilter{}, ""},
			"subtree":         {publish.PostFilter{Scope: under("/1/2/")}, "支部 a_b!c 东区 100% 完成"},
			"two subtrees":    {publish.PostFilter{Scope: under("/1/20/", "/1/3/")}, "港口 ABC 西区 axb"},
			"foreign org":     {publish.PostFilter{Scope: under("/1/2/"), OrgID: 3}, ""},
			"one org":         {publish.PostFilter{Scope: everything(), OrgID: 2}, "东区 100% 完成"},
			"state":           {publish.PostFilter{Scope: everything(), State: publish.InReview, Level: 2}, "支部 a_b!c"},
			"wrong level":     {publish.PostFilter{Scope: everything(), State: publish.InReview, Level: 1}, ""},
			"delivery state":  {publish.PostFilter{Scope: everything(), Delivery: publish.Waiting}, "东区 100% 完成"},
			"account":         {publish.PostFilter{Scope: everything(), AccountID: b.ID}, "东区 100% 完成"},
			"account+state":   {publish.PostFilter{Scope: everything(), AccountID: b.ID, Delivery: publish.Failed}, ""},
			"author":          {publish.PostFilter{Scope: everything(), AuthorID: 902}, "港口 ABC"},
			"not its author":  {publish.PostFilter{Scope: everything(), NotEditor: 900}, "港口 ABC"},
			"not its editor":  {publish.PostFilter{Scope: everything(), NotEditor: 901}, "港口 ABC 支部 a_b!c 东区 100% 完成"},
			"prefix of an id": {publish.PostFilter{Scope: everything(), NotEditor: 90}, "港口 ABC 西区 axb 支部 a_b!c 东区 100% 完成"},
			"percent":         {publish.PostFilter{Scope: everything(), Query: "100%"}, "东区 100% 完成"},
			"only percent":    {publish.PostFilter{Scope: everything(), Query: "%"}, "东区 100% 完成"},
			"underscore":      {publish.PostFilter{Scope: everything(), Query: "A_B"}, "支部 a_b!c"},
			"escape sign":     {publish.PostFilter{Scope: everything(), Query: "!"}, "支部 a_b!c"},
			"backslash":       {publish.PostFilter{Scope: everything(), Query: `\`}, ""},
			"quote":           {publish.PostFilter{Scope: everything(), Query: `' OR 1=1 -- `}, ""},
			"case":            {publish.PostFilter{Scope: everything(), Query: "abc"}, "港口 ABC"},
		} {
			if got := list(c.f); got != c.want {
				t.Errorf("%s: got %q, want %q", name, got, c.want)
			}
		}

		rows, err := h.ListPosts(t.Context(), publish.PostFilter{Scope: everything(), OrgID: 2}, first(10))
		if err != nil || len(rows) != 1 || len(rows[0].Deliveries) != 2 || rows[0].OrgPath != "/1/2/" || rows[0].Articles != 1 {
			t.Fatalf("got %+v, %v", rows, err)
		}
		if d := rows[0].Deliveries[1]; d.AccountName != "西区发布" || d.State != publish.Waiting || d.URL != "" {
			t.Fatalf("sketch %+v", d)
		}
		prints, err := h.Fingerprints(t.Context(), under("/1/2/"), pubStart())
		if err != nil || len(prints) != 2 || prints[0].PostID == west.ID || prints[1].PostID == harbour.ID {
			t.Fatalf("fingerprints %+v, %v", prints, err)
		}
	})
}

func TestPublishListPostsPages(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		var want []string
		for i := range 7 {
			want = append([]string{h.post(2, fmt.Sprintf("p%d", i)).Title}, want...)
		}
		var got []string
		for r := first(3); ; {
			rows, err := h.ListPosts(t.Context(), publish.PostFilter{Scope: under("/1/2/")}, r)
			if err != nil {
				t.Fatal(err)
			}
			res := page.Of(rows, r.Limit, func(p publish.Summary) ids.ID { return p.ID })
			for _, p := range res.Items {
				got = append(got, p.Title)
			}
			if res.Next == "" {
				break
			}
			if r, err = page.Parse(res.Next, 3); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

func TestPublishDeletePost(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		kept, gone := h.post(2, "留"), h.post(2, "删")
		h.queue(kept, h.account(2, "号"))
		wantCode(t, h.DeletePost(t.Context(), kept.ID, kept.Version, h.entry("post.delete")), errs.Conflict)
		h.load(kept.ID)
		if _, err := h.AddComment(t.Context(), &publish.Comment{PostID: gone.ID, Body: "好", AuthorName: "李"}, h.entry("post.comment")); err != nil {
			t.Fatal(err)
		}
		wantCode(t, h.DeletePost(t.Context(), gone.ID, 9, h.entry("post.delete")), errs.Stale)
		if err := h.DeletePost(t.Context(), gone.ID, 1, h.entry("post.delete")); err != nil {
			t.Fatal(err)
		}
		wantCode(t, h.DeletePost(t.Context(), gone.ID, 1, h.entry("post.delete")), errs.NotFound)
		_, err := h.Post(t.Context(), gone.ID)
		wantCode(t, err, errs.NotFound)
		for _, table := range []string{"revisions", "comments", "reviews"} {
			if h.count(`SELECT COUNT(*) FROM `+table+` WHERE post_id = ?`, gone.ID) != 0 {
				t.Errorf("%s of the deleted post are left", table)
			}
		}
		_, err = h.AddComment(t.Context(), &publish.Comment{PostID: gone.ID, Body: "晚了"}, h.entry("post.comment"))
		wantCode(t, err, errs.NotFound)
		if n := h.audits("post.delete"); n != 1 {
			t.Fatalf("%d audit rows of one deletion", n)
		}
	})
}

func TestPublishComments(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		p := h.post(2, "甲")
		c := publish.Comment{
			ID: h.db.IDs().New(), PostID: p.ID, Version: 1, Article: 2, Quote: "原文", Prefix: "前", Suffix: "后", Body: "请核对",
			AuthorID: 7, AuthorName: "李", At: h.clock.Now(),
		}
		together(8, func(int) {
			mine := c
			mine.ID = h.db.IDs().New()
			if _, err := h.AddComment(keyed(t.Context(), "c1", "x"), &mine, h.entry("post.comment")); err != nil {
				t.Error(err)
			}
		})
		list, err := h.Comments(t.Context(), p.ID)
		if err != nil || len(list) != 1 {
			t.Fatalf("one key made %d comments, %v", len(list), err)
		}
		got := list[0]
		c.ID = got.ID
		if got != c {
			t.Fatalf("got %+v, want %+v", got, c)
		}
		if err := h.ResolveComment(t.Context(), got.ID, "王", h.clock.Now(), h.entry("post.resolve")); err != nil {
			t.Fatal(err)
		}
		one, err := h.Comment(t.Context(), got.ID)
		if err != nil || one.ResolvedBy != "王" || !one.ResolvedAt.Equal(h.clock.Now()) {
			t.Fatalf("got %+v, %v", one, err)
		}
		wantCode(t, h.ResolveComment(t.Context(), 5, "王", h.clock.Now(), h.entry("post.resolve")), errs.NotFound)
		_, err = h.Comment(t.Context(), 5)
		wantCode(t, err, errs.NotFound)
		if h.audits("post.comment") != 1 || h.audits("post.resolve") != 1 {
			t.Fatal("audit rows do not match the writes")
		}
	})
}

func TestPublishThinRevisions(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		p := h.post(2, "v1")
		save := func(title string, auto bool) {
			h.clock.Add(time.Minute)
			h.commit(h.edit(p, pubContent(title), auto))
			p = h.load(p.ID)
		}
		for v := 2; v <= 6; v++ { // minutes 1–5 of one span of ten
			save(fmt.Sprintf("v%d", v), v != 4)
		}
		h.clock.Add(10 * time.Minute)
		save("v7", true)
		save("v3", true) // v8 has the content of v3 again: the current one
		cut := h.clock.Now()
		h.clock.Add(2 * time.Hour)
		orphan := h.post(2, "孤儿")
		if err := h.DeletePost(t.Context(), orphan.ID, 1, h.entry("post.delete")); err != nil {
			t.Fatal(err)
		}

		n, err := h.ThinRevisions(t.Context(), cut.Add(time.Millisecond))
		if err != nil {
			t.Fatal(err)
		}
		revs, err := h.Revisions(t.Context(), p.ID, first(20))
		if err != nil {
			t.Fatal(err)
		}
		var left []string
		for _, r := range revs {
			left = append(left, fmt.Sprint(r.Version))
		}
		// Gone: 2 and 5 (before 6), 7 (before 8). Kept: 1 and 4 (saved by hand), 6
		// and 8 (last of their spans), 3 (its content is the current one).
		if n != 3 || strings.Join(left, " ") != "8 6 4 3 1" {
			t.Fatalf("%d went, left %v", n, left)
		}
		for title, want := range map[string]int64{"v1": 1, "v2": 0, "v3": 1, "v4": 1, "v5": 0, "v6": 1, "v7": 0, "孤儿": 1} {
			if got := h.count(`SELECT COUNT(*) FROM contents WHERE hash = ?`, pubContent(title).Hash()); got != want {
				t.Errorf("content %s: %d rows, want %d", title, got, want)
			}
		}
		h.clock.Add(2 * time.Hour) // the orphan was fresh; now it is not
		if _, err := h.ThinRevisions(t.Context(), cut); err != nil {
			t.Fatal(err)
		}
		if h.count(`SELECT COUNT(*) FROM contents WHERE hash = ?`, pubContent("孤儿").Hash()) != 0 {
			t.Error("the orphan stays")
		}
		if h.load(p.ID).Content.Title() != "v3" {
			t.Error("the current content is lost")
		}
	})
}

// Contents are shared, and the sweep never takes one that an edit names again.
func TestPublishSweepRace(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		p := h.post(2, "甲")
		for round := range 10 {
			gone := h.post(2, "共用")
			if err := h.DeletePost(t.Context(), gone.ID, 1, h.entry("post.delete")); err != nil {
				t.Fatal(err)
			}
			h.clock.Add(2 * time.Hour)
			change := h.edit(p, pubContent("共用"), false)
			together(2, func(i int) {
				var err error
				if i == 0 {
					err = h.Commit(t.Context(), change)
				} else {
					_, err = h.ThinRevisions(t.Context(), h.clock.Now())
				}
				if err != nil {
					t.Error(err)
				}
			})
			if p = h.load(p.ID); p.Content.Title() != "共用" {
				t.Fatalf("round %d: %q", round, p.Title)
			}
			h.commit(h.edit(p, pubContent(fmt.Sprintf("别的 %d", round)), false))
			h.exec(`DELETE FROM revisions WHERE post_id = ? AND hash = ?`, p.ID, pubContent("共用").Hash())
			p = h.load(p.ID)
		}
	})
}
