package moderate_test

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/seal"
	"tongxin/moderate"
	"tongxin/storage"
	"tongxin/storage/storagetest"
)

// fake is a checker of functions.
type fake struct {
	text    func(moderate.Ask) (moderate.Answer, error)
	picture func(moderate.Ask) (string, error)
}

func (f fake) CheckText(_ context.Context, a moderate.Ask) (moderate.Answer, error) { return f.text(a) }

func (f fake) CheckPicture(_ context.Context, a moderate.Ask) (string, error) { return f.picture(a) }

// house is the content check on a real database, with a committee over the
// branches 东 and 西, and a checker that tests steer.
type house struct {
	t     testing.TB
	db    *storage.DB
	store *storage.Moderation
	clock *clock.Manual
	box   *seal.Box
	svc   *moderate.Service
	log   *bytes.Buffer
	write slog.Handler             // to log; one for all nodes, which keeps their lines apart
	orgs  map[string]moderate.Item // OrgID and OrgPath only

	mu    sync.Mutex
	check fake
	asked []moderate.Ask
	told  []moderate.Decision
	// deaf makes the domain behind the objects fail.
	deaf bool
	// meanwhile runs before the domain takes a verdict.
	meanwhile func(moderate.Decision)
}

func open(t testing.TB) *house {
	t.Helper()
	h := &house{t: t, clock: clock.NewManual(time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)), orgs: map[string]moderate.Item{}, log: &bytes.Buffer{}}
	h.write = slog.NewTextHandler(h.log, nil)
	h.db = storagetest.Open(t, storage.Options{DSN: t.TempDir() + "/test.db", Clock: h.clock})
	h.store = storage.NewModeration(h.db)
	var err error
	h.box, err = seal.New("k1", map[string][]byte{"k1": bytes.Repeat([]byte{7}, seal.MinSecret)})
	ok(t, err)
	for _, name := range []string{"党委", "东", "西"} {
		id, base := h.db.IDs().New(), "/"
		if name != "党委" {
			base = h.orgs["党委"].OrgPath
		}
		o := moderate.Item{OrgID: id, OrgPath: base + id.String() + "/"}
		ok(t, h.db.Write(context.Background(), func(tx *storage.Tx) error {
			_, err := tx.Exec(`INSERT INTO orgs (id, parent_id, path, kind, name, short_name, settings, archived_at, version, created_at, updated_at, updated_by)
				VALUES (?, 0, ?, 'branch', ?, ?, '{}', 0, 1, 0, 0, 't')`, o.OrgID, o.OrgPath, name, name)
			return err
		}))
		h.orgs[name] = o
	}
	h.says(moderate.Pass, 100)
	h.svc = h.node()
	return h
}

// node is one more process on the same database.
func (h *house) node() *moderate.Service {
	svc, err := moderate.New(moderate.Config{
		Store: storage.NewModeration(h.db), Sealer: h.box, Clock: h.clock, IDs: h.db.IDs(), Log: slog.New(h.write),
		Checker: fake{
			text: func(a moderate.Ask) (moderate.Answer, error) {
				h.mu.Lock()
				h.asked = append(h.asked, a)
				fn := h.check.text
				h.mu.Unlock()
				return fn(a)
			},
			picture: func(a moderate.Ask) (string, error) {
				h.mu.Lock()
				h.asked = append(h.asked, a)
				fn := h.check.picture
				h.mu.Unlock()
				return fn(a)
			},
		},
		Words: func(_ context.Context, text string) ([]string, error) {
			if bytes.Contains([]byte(text), []byte("坏词")) {
				return []string{"坏词"}, nil
			}
			return nil, nil
		},
		OrgPath: func(_ context.Context, id ids.ID) (string, error) {
			for _, o := range h.orgs {
				if o.OrgID == id {
					return o.OrgPath, nil
				}
			}
			return "", errs.Missing("组织")
		},
		PictureURL: func(_ context.Context, ref string) (string, error) { return "https://example.com/pictures/" + ref, nil },
	})
	ok(h.t, err)
	svc.OnDecided(moderate.Kind{Name: "answer", Label: "通知回复"}, func(_ context.Context, d moderate.Decision) error {
		if h.meanwhile != nil {
			h.meanwhile(d)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.deaf {
			return errs.New(errs.Unavailable, "忙")
		}
		h.told = append(h.told, d)
		return nil
	})
	return svc
}

// says makes WeChat answer every text so.
func (h *house) says(s moderate.Suggest, label int) {
	h.set(func(moderate.Ask) (moderate.Answer, error) { return moderate.Answer{Suggest: s, Label: label}, nil })
}

// fails makes WeChat check nothing, for a reason.
func (h *house) fails(why moderate.Hold) {
	h.set(func(moderate.Ask) (moderate.Answer, error) { return moderate.Answer{}, &moderate.Trouble{Why: why} })
}

func (h *house) set(fn func(moderate.Ask) (moderate.Answer, error)) {
	h.mu.Lock()
	h.check.text = fn
	h.mu.Unlock()
}

func (h *house) words(object ids.ID, revision int64, text string) moderate.Words {
	return moderate.Words{Kind: "answer", ObjectID: object, Revision: revision, OrgID: h.orgs["东"].OrgID, Author: 9, Scene: moderate.Comment, Text: text}
}

func (h *house) hand(object ids.ID, revision int64, text string) moderate.Receipt {
	h.t.Helper()
	r, err := h.svc.Text(context.Background(), h.words(object, revision, text))
	ok(h.t, err)
	return r
}

func (h *house) item(id ids.ID) *moderate.Item {
	h.t.Helper()
	it, err := h.store.Item(context.Background(), id)
	ok(h.t, err)
	return it
}

// run works until nothing is due.
func (h *house) run() {
	for h.svc.Round(context.Background()) > 0 {
	}
}

func (h *house) last() moderate.Decision {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.told) == 0 {
		return moderate.Decision{}
	}
	return h.told[len(h.told)-1]
}

func (h *house) reviewer(org string) *authz.Actor {
	o := h.orgs[org]
	return &authz.Actor{ID: h.db.IDs().New(), Kind: authz.Staff, Name: org + "审核人", Grants: []authz.Grant{
		{Role: "editor", OrgID: o.OrgID, Path: o.OrgPath, Rights: []authz.Right{moderate.Review}},
	}}
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func code(t testing.TB, err error, want errs.Code) {
	t.Helper()
	if errs.CodeOf(err) != want {
		t.Fatalf("code %q, want %q: %v", errs.CodeOf(err), want, err)
	}
}
