//go:build proof

package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"tongxin/publish"
	"tongxin/storage"
	"tongxin/wechat/sandbox"
)

// verdict is what a run came to.
type verdict struct {
	posts, accepted, twice int
	published, failed      int
	unknown                int // left, mass sends only
	unknownSeen            int64
	byHand                 int
	auditRows              int64
}

// judge opens the database after the last process ended and holds every post
// against what the platform accepted and shows.
func (h *proofHouse) judge(t *testing.T) verdict {
	t.Helper()
	db := h.open(t, false)
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	v := verdict{posts: len(h.posts)}
	accepted := h.accepted(t, &v)
	shown, inBox := h.shown(t), h.inBox(t)
	articles := map[string]string{} // article id → title that claims it
	store := storage.NewPublishing(db, h.seals(t))
	for _, p := range h.posts {
		ds, err := store.DeliveriesOf(t.Context(), p.id)
		if err != nil {
			t.Fatal(err)
		}
		if len(ds) != 1 {
			t.Errorf("%s has %d deliveries, want 1: a post was lost or doubled", p.title, len(ds))
			continue
		}
		d, row := ds[0], accepted[p.title]
		v.count(t, p, &d, row)
		if row != nil && d.DraftID != row.MediaID {
			t.Errorf("%s: the platform accepted draft %s, the delivery names %s", p.title, row.MediaID, d.DraftID)
		}
		if d.State == publish.Published && p.mode == publish.ModePublish {
			if shown[d.ArticleID] != p.title {
				t.Errorf("%s is bound to article %q, which is %q", p.title, d.ArticleID, shown[d.ArticleID])
			}
			if other, taken := articles[d.ArticleID]; taken {
				t.Errorf("%s and %s claim the same article", p.title, other)
			}
			articles[d.ArticleID] = p.title
		}
		if d.State == publish.ByHand && !inBox[d.DraftID] {
			t.Errorf("%s waits for a person, but its draft is not in the box", p.title)
		}
	}
	h.judgeRecords(t, db, &v)
	return v
}

// count holds one delivery to the rules of its mode.
func (v *verdict) count(t *testing.T, p proofPost, d *publish.Delivery, row *sandbox.Accepted) {
	t.Helper()
	if p.mode == publish.ModeDraft {
		if d.State != publish.ByHand || d.Note == "" || row != nil || !d.SubmitAt.IsZero() {
			t.Errorf("%s is to be published by hand: %s %q, accepted %v", p.title, d.State, d.Note, row != nil)
		}
		v.byHand++
		return
	}
	switch d.State {
	case publish.Published:
		if v.published++; row == nil {
			t.Errorf("%s counts as published, but the platform accepted nothing", p.title)
		}
	case publish.Failed:
		if v.failed++; row != nil || d.Note == "" {
			t.Errorf("%s failed with the reason %q, accepted %v", p.title, d.Note, row != nil)
		}
	case publish.Unknown:
		if v.unknown++; p.mode != publish.ModeMass || d.Note == "" {
			t.Errorf("%s stays unknown: %q, accepted %v, draft %s", p.title, d.Note, row != nil, d.DraftID)
		}
	default:
		t.Errorf("%s ended in state %s, step %s: %q", p.title, d.State, d.Step, d.Note)
	}
}

// accepted reads the sandbox's ledger: the truth about submits.
func (h *proofHouse) accepted(t *testing.T, v *verdict) map[string]*sandbox.Accepted {
	t.Helper()
	ledger := h.box.Ledger(benchApp().AppID)
	titles, drafts := map[string]*sandbox.Accepted{}, map[string]bool{}
	for i := range ledger {
		row := &ledger[i]
		if titles[row.Title] != nil || drafts[row.MediaID] {
			v.twice++
			t.Errorf("%s was accepted twice: at %v and %v", row.Title, titles[row.Title], row)
		}
		titles[row.Title], drafts[row.MediaID] = row, true
	}
	v.accepted = len(ledger)
	return titles
}

// ask reads from the sandbox's control API.
func (h *proofHouse) ask(t *testing.T, path string, into any) {
	t.Helper()
	rec := httptest.NewRecorder()
	h.api.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/sandbox/api/"+path+"?appid="+benchApp().AppID, http.NoBody))
	if err := json.Unmarshal(rec.Body.Bytes(), into); err != nil || rec.Code != http.StatusOK {
		t.Fatalf("sandbox %s: %d %v", path, rec.Code, err)
	}
}

// shown are the articles that readers see: id → title.
func (h *proofHouse) shown(t *testing.T) map[string]string {
	t.Helper()
	var in struct {
		Articles []struct {
			ID    string `json:"article_id"`
			Cards []struct {
				Title string `json:"title"`
			} `json:"cards"`
		} `json:"articles"`
	}
	h.ask(t, "articles", &in)
	out := map[string]string{}
	for _, a := range in.Articles {
		out[a.ID] = a.Cards[0].Title
	}
	return out
}

func (h *proofHouse) inBox(t *testing.T) map[string]bool {
	t.Helper()
	var in struct {
		Drafts []struct {
			ID string `json:"media_id"`
		} `json:"drafts"`
	}
	h.ask(t, "drafts", &in)
	out := map[string]bool{}
	for _, d := range in.Drafts {
		out[d.ID] = true
	}
	return out
}

// judgeRecords checks what is stored beside the deliveries: every transaction
// was whole, whenever its process died.
func (h *proofHouse) judgeRecords(t *testing.T, db *storage.DB, v *verdict) {
	t.Helper()
	ctx := t.Context()
	rep, err := db.VerifyAudit(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range rep.Problems {
		t.Errorf("audit: %v", p)
	}
	v.auditRows = rep.Rows
	number := func(q string) int64 {
		n, err := storage.One(ctx, db, storage.ScanInt64, nil, q)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	v.unknownSeen = number(`SELECT COUNT(DISTINCT delivery_id) FROM delivery_events WHERE state = 'unknown'`)
	for action, want := range map[string]int{"delivery.published": v.published, "delivery.failed": v.failed, "delivery.by_hand": v.byHand} {
		if got := number(`SELECT COUNT(*) FROM audit WHERE action = '` + action + `'`); got != int64(want) {
			t.Errorf("%d audit rows of %s, %d deliveries", got, action, want)
		}
	}
	if n := number(`SELECT COUNT(*) FROM deliveries`); n != int64(v.posts) {
		t.Errorf("%d deliveries of %d posts", n, v.posts)
	}
	if n := number(`SELECT COUNT(*) FROM posts p WHERE p.state <> 'finished' AND NOT EXISTS
		(SELECT 1 FROM deliveries d WHERE d.post_id = p.id AND d.state IN ('unknown', 'by_hand'))`); n != 0 {
		t.Errorf("%d posts are not finished although their delivery is", n)
	}
	if n := number(`SELECT COUNT(*) FROM deliveries WHERE lease_until > 0 AND state IN ('published', 'failed', 'by_hand')`); n != 0 {
		t.Errorf("%d deliveries are over and still leased", n)
	}
}

// quiet waits until every node answers: an operator stops nodes that are up.
func (h *proofHouse) quiet(t *testing.T) {
	t.Helper()
	h.until(t, 30*time.Second, "every node is ready", func() (bool, string) {
		for _, n := range h.nodes {
			res, err := http.Get(n.url() + "/readyz")
			if err != nil {
				return false, err.Error()
			}
			if err := res.Body.Close(); err != nil || res.StatusCode != http.StatusOK {
				return false, n.name + " answers " + res.Status
			}
		}
		return true, ""
	})
}
