package storage_test

import (
	"strings"
	"testing"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/seal"
	"tongxin/publish"
	"tongxin/storage"
)

func TestPublishAccounts(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		a, other := h.account(4, "支部号"), h.account(20, "港口号")
		got, err := h.Account(t.Context(), a.ID)
		if err != nil || got.Secrets != a.Secrets || !got.HasKeys || got.OrgPath != "/1/2/4/" || got.Limits != a.Limits || got.Version != 1 || got.Paused {
			t.Fatalf("got %+v, %v", got, err)
		}
		byApp, err := h.AccountByApp(t.Context(), publish.WeChat, a.AppID)
		if err != nil || byApp.ID != a.ID || byApp.Secrets != a.Secrets {
			t.Fatalf("by app %+v, %v", byApp, err)
		}
		for platform, app := range map[string]string{publish.Feed: a.AppID, publish.WeChat: ""} {
			_, err = h.AccountByApp(t.Context(), platform, app)
			wantCode(t, err, errs.NotFound)
		}
		list, err := h.ListAccounts(t.Context(), under("/1/2/"))
		if err != nil || len(list) != 1 || list[0].ID != a.ID || !list[0].HasKeys || list[0].Secrets != (publish.Secrets{}) {
			t.Fatalf("list %+v, %v", list, err)
		}
		if list, err = h.ListAccounts(t.Context(), under()); err != nil || len(list) != 0 {
			t.Fatalf("without a scope: %+v, %v", list, err)
		}

		health := publish.Health{At: h.clock.Now(), OK: true, Checks: []publish.Check{{Name: "quota", OK: true, Left: 3}}, LastSuccess: h.clock.Now()}
		if err := h.SaveHealth(t.Context(), a.ID, health); err != nil {
			t.Fatal(err)
		}
		wantCode(t, h.SaveHealth(t.Context(), 5, health), errs.NotFound)
		got.Name, got.Paused, got.Note, got.Secrets.AppSecret = "新名", true, "权限不足", "rotated"
		got.Health = publish.Health{}
		if err := h.SaveAccount(t.Context(), got, 1, h.entry("account.save")); err != nil || got.Version != 2 {
			t.Fatalf("v%d, %v", got.Version, err)
		}
		wantCode(t, h.SaveAccount(t.Context(), got, 1, h.entry("account.save")), errs.Stale)
		again, err := h.Account(t.Context(), a.ID)
		if err != nil || again.Name != "新名" || !again.Paused || again.Secrets.AppSecret != "rotated" || !again.Health.OK || again.Health.Checks[0].Left != 3 || again.Version != 2 {
			t.Fatalf("got %+v, %v", again, err)
		}
		again.AppID = other.AppID
		wantCode(t, h.SaveAccount(t.Context(), again, 2, h.entry("account.save")), errs.Conflict)
		twin := *other
		twin.ID = 0
		_, err = h.CreateAccount(t.Context(), &twin, h.entry("account.twin"))
		wantCode(t, err, errs.Conflict)
		missing := *other
		missing.ID, missing.AppID = 5, "wx5"
		wantCode(t, h.SaveAccount(t.Context(), &missing, 1, h.entry("account.save")), errs.NotFound)
		_, err = h.Account(t.Context(), 5)
		wantCode(t, err, errs.NotFound)
		if h.audits("account.create") != 2 || h.audits("account.save") != 1 || h.audits("account.twin") != 0 {
			t.Fatal("audit rows do not match the writes")
		}
	})
}

// Several feeds have no application id; one key makes one account.
func TestPublishFeedAccounts(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		var made [8]ids.ID
		together(len(made), func(i int) {
			a := &publish.Account{OrgID: 2, Platform: publish.Feed, Name: "网站", Kind: "feed", Mode: publish.ModePublish, Version: 1}
			id, err := h.CreateAccount(keyed(t.Context(), "feed", "x"), a, h.entry("account.create"))
			if err != nil {
				t.Error(err)
			}
			made[i] = id
		})
		for _, id := range made {
			if id == 0 || id != made[0] {
				t.Fatalf("one key made %v", made)
			}
		}
		second := &publish.Account{OrgID: 2, Platform: publish.Feed, Name: "网站二", Version: 1}
		if _, err := h.CreateAccount(t.Context(), second, h.entry("account.create")); err != nil {
			t.Fatal(err)
		}
		if n := h.count(`SELECT COUNT(*) FROM platform_accounts`); n != 2 {
			t.Fatalf("%d accounts", n)
		}
		if got, err := h.Account(t.Context(), second.ID); err != nil || got.HasKeys {
			t.Fatalf("got %+v, %v", got, err)
		}
	})
}

func TestPublishSecretsAreSealed(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		a, b := h.account(2, "甲"), h.account(2, "乙")
		raw := func(id ids.ID) (s string) {
			t.Helper()
			if err := h.db.QueryRow(t.Context(), `SELECT secrets FROM platform_accounts WHERE id = ?`, id).Scan(&s); err != nil {
				t.Fatal(err)
			}
			return s
		}
		stored := raw(a.ID)
		for _, plain := range []string{"app-secret", "appSecret", "token", "aes"} {
			if strings.Contains(stored, plain) {
				t.Errorf("the table shows %q: %s", plain, stored)
			}
		}
		if stored == raw(b.ID) || stored == "" {
			t.Error("two accounts are sealed alike")
		}
		// A sealed value copied to another account does not open.
		h.exec(`UPDATE platform_accounts SET secrets = ? WHERE id = ?`, stored, b.ID)
		_, err := h.Account(t.Context(), b.ID)
		wantCode(t, err, errs.Internal)
		// Under another master secret the list still works, without secrets.
		wrong, err := seal.New("k1", map[string][]byte{"k1": []byte(strings.Repeat("x", 32))})
		if err != nil {
			t.Fatal(err)
		}
		blind := storage.NewPublishing(h.db, wrong)
		_, err = blind.Account(t.Context(), a.ID)
		wantCode(t, err, errs.Internal)
		if strings.Contains(err.Error(), "app-secret") {
			t.Error("the error tells the secret")
		}
		if list, err := blind.ListAccounts(t.Context(), everything()); err != nil || len(list) != 2 {
			t.Errorf("list %v, %v", list, err)
		}
	})
}

func TestPublishDeleteAccount(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		used, idle := h.account(2, "用过"), h.account(2, "没用过")
		h.queue(h.post(2, "甲"), used)
		wantCode(t, h.DeleteAccount(t.Context(), used.ID, 1, h.entry("account.delete")), errs.Conflict)
		wantCode(t, h.DeleteAccount(t.Context(), idle.ID, 2, h.entry("account.delete")), errs.Stale)
		if err := h.SaveUpload(t.Context(), idle.ID, "k", "r"); err != nil {
			t.Fatal(err)
		}
		if err := h.AddSlot(t.Context(), &publish.Slot{OrgID: 2, AccountID: idle.ID, Weekday: 1, Minute: 60}, h.entry("slot.add")); err != nil {
			t.Fatal(err)
		}
		if err := h.DeleteAccount(t.Context(), idle.ID, 1, h.entry("account.delete")); err != nil {
			t.Fatal(err)
		}
		wantCode(t, h.DeleteAccount(t.Context(), idle.ID, 1, h.entry("account.delete")), errs.NotFound)
		if h.count(`SELECT COUNT(*) FROM uploads`)+h.count(`SELECT COUNT(*) FROM slots`) != 0 || h.audits("account.delete") != 1 {
			t.Fatal("something of the account is left")
		}
		// A delivery for an account that is gone is refused, whole.
		p := h.post(2, "乙")
		c := publish.Change{Post: h.step(p, publish.Queued), Expect: 1, Add: []*publish.Delivery{h.waiting(p, used), h.waiting(p, idle)}}
		wantCode(t, h.Commit(t.Context(), c), errs.NotFound)
		if h.load(p.ID).State != publish.Draft || h.count(`SELECT COUNT(*) FROM deliveries`) != 1 {
			t.Fatal("half of the change was stored")
		}
	})
}

func TestPublishWakeAccount(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		a, b := h.account(2, "甲"), h.account(2, "乙")
		ds := h.queue(h.post(2, "p"), a, a, a, a, b)
		later, earlier := h.clock.Now().Add(time.Hour), h.clock.Now().Add(-time.Hour)
		put := func(i int, state publish.DeliveryState, next time.Time) *publish.Delivery {
			d := h.delivery(ds[i].ID)
			d.State, d.NextAt = state, next
			h.save(d, "")
			return d
		}
		put(0, publish.Waiting, later)
		put(1, publish.Unknown, later)
		put(2, publish.Submitted, later)
		put(3, publish.Waiting, earlier)
		put(4, publish.Waiting, later)
		if err := h.WakeAccount(t.Context(), a.ID, h.clock.Now(), publish.Waiting); err != nil {
			t.Fatal(err)
		}
		if got := h.delivery(ds[1].ID); !got.NextAt.Equal(later) {
			t.Error("an unknown delivery was woken with the waiting ones")
		}
		if err := h.WakeAccount(t.Context(), a.ID, h.clock.Now(), publish.Unknown); err != nil {
			t.Fatal(err)
		}
		for i, want := range []time.Time{h.clock.Now(), h.clock.Now(), later, earlier, later} {
			if got := h.delivery(ds[i].ID); !got.NextAt.Equal(want) || got.Version != 2 {
				t.Errorf("delivery %d: next %v v%d, want %v", i, got.NextAt, got.Version, want)
			}
		}
	})
}

func TestPublishLastSuccess(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		a, b, foreign := h.account(2, "甲"), h.account(2, "乙"), h.account(3, "别处")
		ds := h.queue(h.post(2, "p"), a, a, b)
		other := h.queue(h.post(3, "q"), foreign)
		publish1 := func(id ids.ID, article string, at time.Time) {
			d := h.delivery(id)
			d.State, d.ArticleID, d.DoneAt, d.NextAt = publish.Published, article, at, time.Time{}
			h.save(d, "")
		}
		early, late := h.clock.Now(), h.clock.Now().Add(time.Hour)
		publish1(ds[0].ID, "one", early)
		publish1(ds[1].ID, "two", late)
		publish1(other[0].ID, "three", late)
		got, err := h.LastSuccess(t.Context(), authz.Scope{Paths: []string{"/1/2/"}})
		if err != nil || len(got) != 1 || !got[a.ID].Equal(late) {
			t.Fatalf("got %v, %v; want only %v at %v (not %v, not %v)", got, err, a.ID, late, b.ID, foreign.ID)
		}
	})
}
