package storage_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/call"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/seal"
	"tongxin/internal/trail"
	"tongxin/publish"
	"tongxin/storage"
	"tongxin/storage/storagetest"
)

// house is a small tree of organisations with the store under test.
//
//	/1/        root
//	/1/2/      east    /1/2/4/ east's branch
//	/1/20/     harbour (its path begins like east's, without lying under it)
//	/1/3/      west
type house struct {
	*storage.Publishing
	t     *testing.T
	db    *storage.DB
	clock *clock.Manual
	actor *authz.Actor
}

func pubStart() time.Time { return time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC) }

func eachHouse(t *testing.T, fn func(t *testing.T, h *house)) {
	t.Helper()
	c := newManual()
	storagetest.EachOptions(t, storage.Options{Clock: c}, func(t *testing.T, db *storage.DB) { fn(t, newHouse(t, db, c)) })
}

// newManual is the clock of a house.
func newManual() *clock.Manual { return clock.NewManual(pubStart()) }

func newHouse(t *testing.T, db *storage.DB, c *clock.Manual) *house {
	t.Helper()
	h := &house{
		t: t, db: db, clock: c, Publishing: storage.NewPublishing(db, pubBox(t)),
		actor: &authz.Actor{ID: 900, Kind: authz.Staff, Name: "王编辑"},
	}
	for _, o := range []struct {
		id, parent ids.ID
		path, name string
	}{{1, 0, "/1/", "市委"}, {2, 1, "/1/2/", "东区"}, {3, 1, "/1/3/", "西区"}, {4, 2, "/1/2/4/", "东区一支部"}, {20, 1, "/1/20/", "港口"}} {
		h.org(o.id, o.parent, o.path, o.name)
	}
	return h
}

func pubBox(t *testing.T) *seal.Box {
	t.Helper()
	box, err := seal.New("k1", map[string][]byte{"k1": []byte(strings.Repeat("m", 32))})
	if err != nil {
		t.Fatal(err)
	}
	return box
}

// org inserts an organisation and leaves its other columns empty, whatever the
// staff tables keep besides.
func (h *house) org(id, parent ids.ID, path, name string) {
	h.t.Helper()
	rows, err := h.db.Query(h.t.Context(), `SELECT * FROM orgs WHERE id = 0`)
	if err != nil {
		h.t.Fatal(err)
	}
	types, err := rows.ColumnTypes()
	if err != nil {
		h.t.Fatal(err)
	}
	if err := rows.Close(); err != nil {
		h.t.Fatal(err)
	}
	var cols, marks []string
	var args []any
	for _, c := range types {
		cols, marks = append(cols, c.Name()), append(marks, "?")
		switch {
		case c.Name() == "id":
			args = append(args, id)
		case c.Name() == "parent_id":
			args = append(args, parent)
		case c.Name() == "path":
			args = append(args, path)
		case c.Name() == "name":
			args = append(args, name)
		case strings.Contains(c.DatabaseTypeName(), "INT"):
			args = append(args, 0)
		default:
			args = append(args, "")
		}
	}
	h.exec("INSERT INTO orgs ("+strings.Join(cols, ", ")+") VALUES ("+strings.Join(marks, ", ")+")", args...)
}

func (h *house) exec(q string, args ...any) {
	h.t.Helper()
	err := h.db.Write(h.t.Context(), func(tx *storage.Tx) error {
		_, err := tx.Exec(q, args...)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) count(q string, args ...any) int64 {
	h.t.Helper()
	var n int64
	if err := h.db.QueryRow(h.t.Context(), q, args...).Scan(&n); err != nil {
		h.t.Fatal(err)
	}
	return n
}

// audits counts the audit rows of an action.
func (h *house) audits(action string) int64 {
	h.t.Helper()
	return h.count(`SELECT COUNT(*) FROM audit WHERE action = ?`, action)
}

func (h *house) entry(action string) trail.Entry {
	return trail.Entry{Actor: h.actor, Action: action, Object: "post", OrgID: 2, OrgPath: "/1/2/"}
}

func pubContent(title string) publish.Content {
	return publish.Content{Articles: []publish.Article{{Kind: publish.News, Title: title, Format: "html", Body: "<p>" + title + "</p>"}}}
}

// draft is a new post that is not stored.
func (h *house) draft(org ids.ID, c publish.Content) *publish.Post {
	now := h.clock.Now()
	return &publish.Post{
		ID: h.db.IDs().New(), OrgID: org, Title: c.Title(), State: publish.Draft, Version: 1, Hash: c.Hash(), Content: c,
		AuthorID: h.actor.ID, AuthorName: h.actor.Name, Editors: []ids.ID{h.actor.ID}, CreatedAt: now, UpdatedAt: now, UpdatedBy: h.actor.Name,
	}
}

func (h *house) post(org ids.ID, title string) *publish.Post {
	h.t.Helper()
	return h.postOf(org, pubContent(title))
}

func (h *house) postOf(org ids.ID, c publish.Content) *publish.Post {
	h.t.Helper()
	p := h.draft(org, c)
	id, err := h.CreatePost(h.t.Context(), p, h.entry("post.create"))
	if err != nil || id != p.ID {
		h.t.Fatalf("create: %v, %v", id, err)
	}
	return h.load(id)
}

func (h *house) load(id ids.ID) *publish.Post {
	h.t.Helper()
	p, err := h.Post(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

func (h *house) account(org ids.ID, name string) *publish.Account {
	h.t.Helper()
	id := h.db.IDs().New()
	a := &publish.Account{
		ID: id, OrgID: org, Platform: publish.WeChat, Name: name, Kind: "service", Mode: publish.ModePublish,
		AppID: "wx" + id.String(), Limits: publish.DefaultLimits(), Version: 1, Created: h.clock.Now(),
		Secrets: publish.Secrets{AppSecret: "app-secret-of-" + name, Token: "token", AESKey: "aes"},
	}
	if _, err := h.CreateAccount(h.t.Context(), a, h.entry("account.create")); err != nil {
		h.t.Fatal(err)
	}
	return a
}

// waiting is a delivery that is due now and not stored.
func (h *house) waiting(p *publish.Post, a *publish.Account) *publish.Delivery {
	now := h.clock.Now()
	return &publish.Delivery{
		ID: h.db.IDs().New(), PostID: p.ID, AccountID: a.ID, Mode: publish.ModePublish, State: publish.Waiting, Hash: p.Hash,
		PostVersion: p.Version, DueAt: now, NextAt: now, Version: 1,
	}
}

// queue approves a post and gives it one delivery per account.
func (h *house) queue(p *publish.Post, accounts ...*publish.Account) []*publish.Delivery {
	h.t.Helper()
	var ds []*publish.Delivery
	for _, a := range accounts {
		ds = append(ds, h.waiting(p, a))
	}
	next := h.step(p, publish.Queued)
	next.ApprovedHash = p.Hash
	h.commit(publish.Change{Post: next, Expect: p.Version, Add: ds})
	*p = *next
	return ds
}

// step is the post one version later.
func (h *house) step(p *publish.Post, state publish.PostState) *publish.Post {
	next := *p
	next.State, next.Version, next.UpdatedAt, next.UpdatedBy = state, p.Version+1, h.clock.Now(), h.actor.Name
	return &next
}

func (h *house) commit(c publish.Change) {
	h.t.Helper()
	if c.Entry.Action == "" {
		c.Entry = h.entry("post.commit")
	}
	if err := h.Commit(h.t.Context(), c); err != nil {
		h.t.Fatal(err)
	}
}

// edit is a change to new content.
func (h *house) edit(p *publish.Post, c publish.Content, auto bool) publish.Change {
	next := h.step(p, publish.Draft)
	next.Content, next.Hash, next.Title = c, c.Hash(), c.Title()
	return publish.Change{
		Post: next, Expect: p.Version, Fingerprint: 1 << 63, Entry: h.entry("post.edit"),
		Revision: &publish.Revision{
			PostID: p.ID, Version: next.Version, Hash: next.Hash, Title: next.Title, Content: c, Auto: auto,
			AuthorName: h.actor.Name, At: next.UpdatedAt,
		},
	}
}

func (h *house) delivery(id ids.ID) *publish.Delivery {
	h.t.Helper()
	d, err := h.Delivery(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return d
}

func (h *house) take(owner string, limit int) []*publish.Delivery {
	h.t.Helper()
	now := h.clock.Now()
	got, err := h.Claim(h.t.Context(), owner, now, now.Add(time.Minute), publish.Part{}, limit)
	if err != nil {
		h.t.Fatal(err)
	}
	return got
}

func (h *house) save(d *publish.Delivery, note string) {
	h.t.Helper()
	if err := h.SaveDelivery(h.t.Context(), d, d.Version, note, nil); err != nil {
		h.t.Fatal(err)
	}
}

func under(paths ...string) authz.Scope { return authz.Scope{Paths: paths} }

func everything() authz.Scope { return authz.Scope{All: true} }

func first(n int) page.Request { return page.Request{Limit: n} }

func wantCode(t *testing.T, err error, code errs.Code) {
	t.Helper()
	if errs.CodeOf(err) != code {
		t.Fatalf("got %q (%v), want %q", errs.CodeOf(err), err, code)
	}
}

// together runs fn n times at once and waits; each learns its number.
func together(n int, fn func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			fn(i)
		})
	}
	close(start)
	wg.Wait()
}

// titles of a page, in order.
func titles(rows []publish.Summary) string {
	var out []string
	for _, p := range rows {
		out = append(out, p.Title)
	}
	return strings.Join(out, " ")
}

// keyed is a request with an idempotency key.
func keyed(ctx context.Context, key, body string) context.Context {
	return call.With(ctx, call.Info{IdempotencyKey: key, BodyHash: body})
}

func hash64(c string) string { return strings.Repeat(c, 64) }

func assetRef(hash string) string { return fmt.Sprintf(`<p><img src="asset:%s" alt="x"></p>`, hash) }
