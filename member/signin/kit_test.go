package signin_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"testing"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/seal"
	"tongxin/member"
	"tongxin/member/signin"
	"tongxin/storage"
	"tongxin/storage/storagetest"
)

// people is WeChat as far as the domain knows it: who a code belongs to. The
// client itself is proved against the sandbox.
type people struct {
	mini, web map[string]signin.Identity
	phones    map[string]string
}

func (p people) Mini(_ context.Context, code string) (signin.Identity, error) {
	return known(p.mini, code)
}

func (p people) Web(_ context.Context, code string) (signin.Identity, error) {
	return known(p.web, code)
}

func (p people) Phone(_ context.Context, code string) (string, error) { return known(p.phones, code) }

func (p people) WebURL(_ context.Context, back, state string) (string, error) {
	return "https://wx.test/?back=" + back + "&state=" + state, nil
}

func known[T any](m map[string]T, code string) (T, error) {
	v, ok := m[code]
	if !ok {
		return v, errs.New(errs.Unauthorized, "微信授权已过期或已用过，请返回后重试。")
	}
	return v, nil
}

// house is the real roster and sign-in on a real database.
type house struct {
	t       *testing.T
	db      *storage.DB
	clock   *clock.Manual
	members *member.Service
	svc     *signin.Service
	wx      people
	system  *authz.Actor
	branch  ids.ID
	changes int
	stolen  int // sessions that ended for two holders
}

func newHouse(t *testing.T, db *storage.DB, c *clock.Manual) *house {
	t.Helper()
	h := &house{t: t, db: db, clock: c, system: authz.SystemActor("test"), wx: people{map[string]signin.Identity{}, map[string]signin.Identity{}, map[string]string{}}}
	box, err := seal.New("k1", map[string][]byte{"k1": bytes.Repeat([]byte{7}, seal.MinSecret)})
	h.check(err)
	top := h.org("党工委", "committee", member.Org{})
	branch := h.org("第一党支部", "branch", top)
	h.branch = branch.ID
	h.members, err = member.New(member.Config{
		Store: storage.NewMembers(db), Sealer: box, Clock: c, IDs: db.IDs(),
		Orgs: func(context.Context) ([]member.Org, error) {
			return []member.Org{top, branch}, nil
		},
		Staff:    func(context.Context, ids.ID) (member.Person, error) { return member.Person{}, errs.Missing("账号") },
		OnChange: func() { h.svc.Forget() },
	})
	h.check(err)
	h.svc = signin.New(signin.Config{
		Store: storage.NewSignIn(db), Roster: h.members, WeChat: h.wx, Clock: c, IDs: db.IDs(), Random: rand.Reader,
		Keys: [][]byte{box.Derive("member-token")}, Rights: []authz.Right{"quiz.take"}, MiniAppID: "mini", OnChange: func() { h.changes++ },
		OnStolen: func(context.Context, *signin.Live) { h.stolen++ },
	})
	return h
}

func (h *house) org(name, kind string, above member.Org) member.Org {
	h.t.Helper()
	id := h.db.IDs().New()
	base := above.Path
	if base == "" {
		base = "/"
	}
	o := member.Org{ID: id, ParentID: above.ID, Path: base + id.String() + "/", Branch: kind == "branch", Name: name, Short: name}
	h.check(h.db.Write(h.t.Context(), func(tx *storage.Tx) error {
		_, err := tx.Exec(`INSERT INTO orgs (id, parent_id, path, kind, name, short_name, settings, archived_at, version, created_at, updated_at, updated_by)
			VALUES (?, ?, ?, ?, ?, ?, '{}', 0, 1, 0, 0, '')`, o.ID, o.ParentID, o.Path, kind, name, name)
		return err
	}))
	return o
}

func start() *clock.Manual {
	return clock.NewManual(time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC))
}

func sqliteHouse(t *testing.T) *house {
	t.Helper()
	c := start()
	return newHouse(t, storagetest.Open(t, storage.Options{DSN: t.TempDir() + "/test.db", Clock: c}), c)
}

func (h *house) check(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) member(name, phone string) *member.Member {
	h.t.Helper()
	m, err := h.members.Create(h.t.Context(), h.system, member.Input{OrgID: h.branch, Name: name, Kind: member.Full, Phone: phone})
	h.check(err)
	return m
}

func (h *house) byLink(m *member.Member) signin.Outcome {
	h.t.Helper()
	token, err := h.svc.IssueLink(h.t.Context(), m.ID, time.Hour)
	h.check(err)
	out, err := h.svc.ByLink(h.t.Context(), token, signin.Device{Client: signin.Mini, Name: "手机"})
	h.check(err)
	if _, err := h.svc.ByLink(h.t.Context(), token, signin.Device{Client: signin.Mini}); !errs.Is(err, errs.Unauthorized) {
		h.t.Errorf("a link worked twice: %v", err)
	}
	return out
}

func (h *house) good(access string) bool {
	h.t.Helper()
	l, err := h.svc.Resolve(h.t.Context(), access)
	h.check(err)
	return l != nil
}

func (h *house) want(err error, code errs.Code) {
	h.t.Helper()
	if !errs.Is(err, code) {
		h.t.Fatalf("got %v, want %s", err, code)
	}
}
