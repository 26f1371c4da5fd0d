package storage_test

import (
	"testing"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/publish"
)

func (h *house) asset(org ids.ID, hash, name string) *publish.Asset {
	h.t.Helper()
	a, err := h.SaveAsset(h.t.Context(), &publish.Asset{
		ID: h.db.IDs().New(), OrgID: org, Hash: hash, Name: name, Alt: "说明", Mime: "image/jpeg",
		Width: 1600, Height: 900, Size: 12345, CreatedBy: "王", CreatedAt: h.clock.Now(),
	}, h.entry("media.add"))
	if err != nil {
		h.t.Fatal(err)
	}
	return a
}

func TestPublishAssets(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		east, west := h.asset(2, hash64("a"), "东 50%_x.jpg"), h.asset(3, hash64("a"), "西.jpg")
		branch := h.asset(4, hash64("b"), "支部 HALL.jpg")
		if again := h.asset(2, hash64("a"), "again.jpg"); again.ID != east.ID || again.Name != east.Name || h.audits("media.add") != 3 {
			t.Fatalf("the same picture twice: %+v", again)
		}
		var one [8]ids.ID
		together(len(one), func(i int) { one[i] = h.asset(20, hash64("c"), "港口.jpg").ID })
		for _, id := range one {
			if id != one[0] {
				t.Fatalf("one picture has several records: %v", one)
			}
		}
		for _, c := range []struct {
			scope string
			hash  string
			want  ids.ID
		}{{"/1/2/", hash64("a"), east.ID}, {"/1/3/", hash64("a"), west.ID}, {"/1/", hash64("a"), east.ID}, {"/1/3/", hash64("b"), 0}, {"/1/2/", hash64("c"), 0}} {
			a, err := h.Asset(t.Context(), under(c.scope), c.hash)
			if c.want == 0 {
				wantCode(t, err, errs.NotFound)
			} else if err != nil || a.ID != c.want || a.Width != 1600 || a.OrgPath == "" {
				t.Errorf("%s %s: %+v, %v", c.scope, c.hash[:1], a, err)
			}
		}
		for _, c := range []struct {
			scope, query string
			org          ids.ID
			want         int
		}{{"/1/", "", 0, 4}, {"/1/2/", "", 0, 2}, {"/1/2/", "", 3, 0}, {"/1/2/", "", 4, 1}, {"/1/", "%", 0, 1}, {"/1/", "_", 0, 1}, {"/1/", "hall", 0, 1}, {"/1/", "说明", 0, 4}, {"/9/", "", 0, 0}} {
			list, err := h.ListAssets(t.Context(), under(c.scope), c.org, c.query, first(10))
			if err != nil || len(list) != c.want {
				t.Errorf("%+v: %d, %v", c, len(list), err)
			}
		}
		list, err := h.ListAssets(t.Context(), everything(), 0, "", page.Request{After: branch.ID, Limit: 1})
		if err != nil || len(list) != 2 || list[0].ID != west.ID {
			t.Fatalf("second page %v, %v", list, err)
		}
		east.Name, east.Alt = "新名", "新说明"
		if err := h.UpdateAsset(t.Context(), east, h.entry("media.update")); err != nil {
			t.Fatal(err)
		}
		if got, err := h.Asset(t.Context(), under("/1/2/"), east.Hash); err != nil || got.Name != "新名" || got.Alt != "新说明" {
			t.Fatalf("got %+v, %v", got, err)
		}
		if got, err := h.Asset(t.Context(), under("/1/3/"), east.Hash); err != nil || got.Name != "西.jpg" {
			t.Fatalf("another organisation's record changed: %+v, %v", got, err)
		}
		if err := h.DeleteAsset(t.Context(), east.ID, h.entry("media.delete")); err != nil {
			t.Fatal(err)
		}
		wantCode(t, h.DeleteAsset(t.Context(), east.ID, h.entry("media.delete")), errs.NotFound)
		wantCode(t, h.UpdateAsset(t.Context(), east, h.entry("media.update")), errs.NotFound)
	})
}

func TestPublishAssetUses(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		uses := func(c string) int {
			t.Helper()
			n, err := h.AssetUses(t.Context(), everything(), hash64(c))
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		c := publish.Content{Articles: []publish.Article{
			{Kind: publish.News, Title: "图", Format: "html", Body: assetRef(hash64("a")) + assetRef(hash64("a")) + "asset:short", Cover: publish.Cover{Asset: hash64("b")}},
			{Kind: publish.Pictures, Title: "组图", Format: "html", Images: []string{hash64("c")}},
			{Kind: publish.News, Title: "转义", Format: "markdown", Body: `![图](asset\:` + hash64("e") + `) ![图](asset&#58;` + hash64("f") + `)`},
		}}
		p := h.postOf(2, c)
		h.postOf(3, c) // the same content in a second post
		for _, s := range []string{"a", "b", "c", "e", "f"} {
			if uses(s) != 2 {
				t.Errorf("%s is used %d times, want 2", s, uses(s))
			}
		}
		if uses("d") != 0 {
			t.Error("an unused picture is in use")
		}
		if n, err := h.AssetUses(t.Context(), under("/1/3/"), hash64("a")); err != nil || n != 1 {
			t.Errorf("used %d times in one organisation (%v)", n, err)
		}
		h.queue(p, h.account(2, "号"))
		next := h.edit(p, pubContent("没有图"), false)
		next.Post.ApprovedHash, next.Cancel = "", true
		h.commit(next)
		if uses("a") != 2 {
			t.Errorf("the delivered content counts no more: %d", uses("a"))
		}
		rows, err := h.ListPosts(t.Context(), publish.PostFilter{Scope: under("/1/3/")}, first(5))
		if err != nil || len(rows) != 1 || rows[0].Cover != hash64("b") || rows[0].Articles != 3 {
			t.Fatalf("summary %+v, %v", rows, err)
		}
	})
}

func TestPublishWords(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		w := &publish.Word{Text: "帐号", Kind: "typo", Suggest: "账号", Note: "规范写法"}
		if err := h.SaveWord(t.Context(), w, h.entry("word.save")); err != nil || w.ID == 0 {
			t.Fatal(w, err)
		}
		w.Note = "改"
		if err := h.SaveWord(t.Context(), w, h.entry("word.save")); err != nil {
			t.Fatal(err)
		}
		twin := &publish.Word{Text: "帐号", Kind: "sensitive"}
		wantCode(t, h.SaveWord(t.Context(), twin, h.entry("word.save")), errs.Conflict)
		second := &publish.Word{Text: "登陆", Kind: "typo"}
		if err := h.SaveWord(t.Context(), second, h.entry("word.save")); err != nil {
			t.Fatal(err)
		}
		second.Text = "帐号"
		wantCode(t, h.SaveWord(t.Context(), second, h.entry("word.save")), errs.Conflict)
		list, err := h.Words(t.Context())
		if err != nil || len(list) != 2 || (list[0] != *w && list[1] != *w) {
			t.Fatalf("words %+v, %v", list, err)
		}
		if err := h.DeleteWord(t.Context(), w.ID, h.entry("word.delete")); err != nil {
			t.Fatal(err)
		}
		wantCode(t, h.DeleteWord(t.Context(), w.ID, h.entry("word.delete")), errs.NotFound)
		if h.audits("word.save") != 3 || h.audits("word.delete") != 1 {
			t.Fatal("audit rows do not match the writes")
		}
	})
}

// A creating call that is repeated because its answer was lost gets the same
// answer, and what the program adds by itself meanwhile is no part of it.
func TestPublishSlotsAndWordsOnce(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		a := h.account(2, "号")
		ctx := keyed(t.Context(), "key-of-a-slot", "b1")
		one := publish.Slot{OrgID: 4, AccountID: a.ID, Weekday: 5, Minute: 510}
		two := one
		for _, s := range []*publish.Slot{&one, &two} {
			if err := h.AddSlot(ctx, s, h.entry("slot.add")); err != nil {
				t.Fatal(err)
			}
		}
		if list, err := h.Slots(ctx, everything()); err != nil || len(list) != 1 || one.ID == 0 || two.ID != one.ID {
			t.Errorf("slots %+v, %v; %v and %v", list, err, one.ID, two.ID)
		}
		ctx = keyed(t.Context(), "key-of-a-word", "b2")
		for _, text := range []string{"内置一", "内置二"} {
			e := h.entry("word.add")
			e.Actor = authz.SystemActor("内置词表")
			if err := h.SaveWord(ctx, &publish.Word{Text: text, Kind: "typo"}, e); err != nil {
				t.Fatal(err)
			}
		}
		first := publish.Word{Text: "词", Kind: "typo"}
		again := first
		for _, w := range []*publish.Word{&first, &again} {
			if err := h.SaveWord(ctx, w, h.entry("word.add")); err != nil {
				t.Fatal(err)
			}
		}
		if list, err := h.Words(ctx); err != nil || len(list) != 3 || again.ID != first.ID {
			t.Errorf("words %+v, %v; %v and %v", list, err, first.ID, again.ID)
		}
	})
}

func TestPublishSlotsAndCalendar(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		a := h.account(2, "号")
		east, west := &publish.Slot{OrgID: 4, AccountID: a.ID, Weekday: 5, Minute: 510, Label: "早报"}, &publish.Slot{OrgID: 3, AccountID: a.ID, Weekday: 1, Minute: 0}
		for _, s := range []*publish.Slot{east, west} {
			if err := h.AddSlot(t.Context(), s, h.entry("slot.add")); err != nil {
				t.Fatal(err)
			}
		}
		twin := *east
		twin.ID = 0
		wantCode(t, h.AddSlot(t.Context(), &twin, h.entry("slot.add")), errs.Conflict)
		list, err := h.Slots(t.Context(), under("/1/2/"))
		if east.OrgPath = "/1/2/4/"; err != nil || len(list) != 1 || list[0] != *east {
			t.Fatalf("slots %+v, %v", list, err)
		}
		if list, err = h.Slots(t.Context(), everything()); err != nil || len(list) != 2 || list[0].ID != west.ID {
			t.Fatalf("slots %+v, %v", list, err)
		}
		if err := h.DeleteSlot(t.Context(), east.ID, h.entry("slot.delete")); err != nil {
			t.Fatal(err)
		}
		wantCode(t, h.DeleteSlot(t.Context(), east.ID, h.entry("slot.delete")), errs.NotFound)

		for _, token := range []string{"first", "second"} {
			if err := h.SaveCalendarToken(t.Context(), 900, token); err != nil {
				t.Fatal(err)
			}
		}
		if owner, err := h.CalendarOwner(t.Context(), "second"); err != nil || owner != 900 {
			t.Fatalf("owner %v, %v", owner, err)
		}
		for _, token := range []string{"first", "", "SECOND"} {
			_, err := h.CalendarOwner(t.Context(), token)
			wantCode(t, err, errs.NotFound)
		}
	})
}
