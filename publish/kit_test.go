package publish_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/seal"
	"tongxin/internal/trail"
	"tongxin/publish"
	"tongxin/storage"
	"tongxin/storage/blob"
	"tongxin/storage/storagetest"
)

// house is the service over a real SQLite file and a simulated platform.
//
//	/1/      root: three levels of review
//	/1/2/    east: two levels, three days each
//	/1/3/    west: no review
type house struct {
	*publish.Service
	t       testing.TB
	ctx     context.Context
	db      *storage.DB
	store   *storage.Publishing
	clock   *clock.Manual
	sim     *simulator
	orgs    map[ids.ID]publish.Org
	actors  map[ids.ID]*authz.Actor
	cover   string
	account *publish.Account // wechat account of the root

	root, editor, editor2, reader, planner, stranger *authz.Actor
	judges                                           [4]*authz.Actor // reviewers of all levels
}

// start is a Monday, 16:00 in Shanghai.
func start() time.Time { return time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC) }

type option func(*publish.Config)

func withStore(wrap func(publish.Store) publish.Store) option {
	return func(c *publish.Config) { c.Store = wrap(c.Store) }
}

func newHouse(t testing.TB, opts ...option) *house {
	t.Helper()
	c := clock.NewManual(start())
	db := storagetest.Open(t, storage.Options{DSN: t.TempDir() + "/test.db", Clock: c})
	box, err := seal.New("k1", map[string][]byte{"k1": []byte(strings.Repeat("m", 32))})
	must(t, err)
	h := &house{
		t: t, ctx: t.Context(), db: db, store: storage.NewPublishing(db, box), clock: c, sim: newSimulator(c),
		orgs: map[ids.ID]publish.Org{}, actors: map[ids.ID]*authz.Actor{},
	}
	h.org(publish.Org{ID: 1, Path: "/1/", Name: "市委", ReviewLevels: 3})
	h.org(publish.Org{ID: 2, Path: "/1/2/", Name: "东区", ReviewLevels: 2, ReviewTime: 72 * time.Hour})
	h.org(publish.Org{ID: 3, Path: "/1/3/", Name: "西区"})
	h.people()
	h.Service = h.service(opts...)
	h.cover = h.upload(3, 900, 383)
	h.account = h.newAccount(1, "市委公众号", publish.ModePublish)
	return h
}

// service is another process on the same database.
func (h *house) service(opts ...option) *publish.Service {
	h.t.Helper()
	if h.Service != nil {
		return newService(h.t, apply(h.Config, opts))
	}
	blobs, err := blob.NewDir(h.t.TempDir(), h.clock.Now())
	must(h.t, err)
	n := 0
	return newService(h.t, apply(publish.Config{
		Store: h.store, Blobs: blobsOf{blobs}, Platforms: map[string]publish.Platform{publish.WeChat: h.sim},
		Org: func(_ context.Context, id ids.ID) (publish.Org, error) {
			o, ok := h.orgs[id]
			if !ok {
				return o, errs.Missing("组织")
			}
			return o, nil
		},
		Actor: func(_ context.Context, id ids.ID) (*authz.Actor, error) {
			a, ok := h.actors[id]
			if !ok {
				return nil, errs.Missing("人员")
			}
			return a, nil
		},
		Clock: h.clock, IDs: h.db.IDs(), Log: slog.New(slog.DiscardHandler),
		Token: func() string { n++; return "token" + strconv.Itoa(n) },
	}, opts))
}

// blobsOf narrows the files to what the domain asks for.
type blobsOf struct{ *blob.Dir }

func (b blobsOf) Open(ctx context.Context, hash string) (io.ReadCloser, int64, error) {
	return b.Dir.Open(ctx, hash)
}

func newService(t testing.TB, c publish.Config) *publish.Service {
	t.Helper()
	s, err := publish.New(c)
	must(t, err)
	return s
}

func apply(c publish.Config, opts []option) publish.Config {
	for _, o := range opts {
		o(&c)
	}
	return c
}

func (h *house) people() {
	all := []authz.Right{
		publish.PostRead, publish.PostWrite, publish.PostSchedule, publish.PostRetract, publish.MediaRead, publish.MediaWrite,
		publish.AccountRead, publish.AccountManage,
	}
	write := []authz.Right{publish.PostRead, publish.PostWrite, publish.MediaRead, publish.MediaWrite}
	h.root = h.person(100, "管理员", "/1/", all...)
	h.editor = h.person(101, "王编辑", "/1/", write...)
	h.editor2 = h.person(102, "赵编辑", "/1/", write...)
	h.reader = h.person(103, "读者", "/1/", publish.PostRead)
	h.planner = h.person(104, "排期员", "/1/", publish.PostRead, publish.PostSchedule, publish.AccountRead, publish.PostRetract)
	h.stranger = h.person(105, "外人", "/1/9/", all...)
	for i := range h.judges {
		h.judges[i] = h.person(ids.ID(110+i), "审核员"+strconv.Itoa(i), "/1/", publish.PostRead, publish.PostWrite, publish.MediaRead,
			publish.ReviewRight(1), publish.ReviewRight(2), publish.ReviewRight(3))
	}
}

func (h *house) person(id ids.ID, name, path string, rights ...authz.Right) *authz.Actor {
	a := &authz.Actor{ID: id, Kind: authz.Staff, Name: name, Grants: []authz.Grant{{Path: path, Rights: rights}}}
	h.actors[id] = a
	return a
}

// org keeps an organisation and inserts its row, its other columns empty,
// whatever the staff tables keep besides.
func (h *house) org(o publish.Org) {
	h.t.Helper()
	h.orgs[o.ID] = o
	rows, err := h.db.Query(h.ctx, `SELECT * FROM orgs WHERE id = 0`)
	must(h.t, err)
	types, err := rows.ColumnTypes()
	must(h.t, errors.Join(err, rows.Err(), rows.Close()))
	var cols, marks []string
	var args []any
	for _, c := range types {
		cols, marks = append(cols, c.Name()), append(marks, "?")
		switch {
		case c.Name() == "id":
			args = append(args, o.ID)
		case c.Name() == "path":
			args = append(args, o.Path)
		case c.Name() == "name":
			args = append(args, o.Name)
		case strings.Contains(c.DatabaseTypeName(), "INT"):
			args = append(args, 0)
		default:
			args = append(args, "")
		}
	}
	must(h.t, h.db.Write(h.ctx, func(tx *storage.Tx) error {
		_, err := tx.Exec("INSERT INTO orgs ("+strings.Join(cols, ", ")+") VALUES ("+strings.Join(marks, ", ")+")", args...)
		return err
	}))
}

// upload puts a plain picture into the library.
func (h *house) upload(shade uint8, w, ht int) string {
	h.t.Helper()
	img := image.NewPaletted(image.Rect(0, 0, w, ht), color.Palette{color.Gray{Y: shade}})
	var buf bytes.Buffer
	must(h.t, png.Encode(&buf, img))
	a, err := h.UploadMedia(h.ctx, h.root, publish.MediaUpload{OrgID: 1, Name: "图.png", Alt: "图", Data: buf.Bytes()})
	must(h.t, err)
	return a.Hash
}

func (h *house) newAccount(org ids.ID, name string, mode publish.Mode) *publish.Account {
	h.t.Helper()
	id := h.db.IDs().New()
	a := &publish.Account{
		ID: id, OrgID: org, OrgPath: h.orgs[org].Path, Platform: publish.WeChat, Name: name, Kind: "service", Mode: mode,
		AppID: fmt.Sprintf("wx%016x", int64(id)), Limits: publish.DefaultLimits(), Version: 1, Created: h.clock.Now(),
		Secrets: publish.Secrets{AppSecret: "fedcba9876543210fedcba9876543210", Token: "callbacktoken"},
	}
	_, err := h.store.CreateAccount(h.ctx, a, h.entry("account.create"))
	must(h.t, err)
	return a
}

func (h *house) content(title string) publish.Content {
	return publish.Content{Articles: []publish.Article{{
		Kind: publish.News, Title: title, Format: "html",
		Body: "<p>" + title + "，全体党员认真学习。</p>", Cover: publish.Cover{Asset: h.cover},
	}}}
}

// draft is a new post of the editor.
func (h *house) draft(org ids.ID, title string) *publish.Post {
	h.t.Helper()
	p, err := h.Create(h.ctx, h.editor, org, h.content(title))
	must(h.t, err)
	return p
}

// approved is a post that passed its whole chain.
func (h *house) approved(org ids.ID, title string) *publish.Post {
	h.t.Helper()
	return h.approve(h.draft(org, title))
}

func (h *house) approve(p *publish.Post) *publish.Post {
	h.t.Helper()
	p, err := h.Submit(h.ctx, h.editor, p.ID, p.Version)
	must(h.t, err)
	for p.State == publish.InReview {
		p = h.pass(h.judges[p.Level], p)
	}
	if p.State != publish.Approved || p.ApprovedHash != p.Hash {
		h.t.Fatalf("approved: %+v", p)
	}
	return p
}

func (h *house) pass(judge *authz.Actor, p *publish.Post) *publish.Post {
	h.t.Helper()
	p, err := h.Decide(h.ctx, judge, p.ID, publish.Verdict{Level: p.Level, Decision: publish.Pass, Hash: p.Hash})
	must(h.t, err)
	return p
}

// queued is an approved post of west (no review) that is due after a while.
func (h *house) queued(title string, after time.Duration, accounts ...*publish.Account) *publish.Detail {
	h.t.Helper()
	return h.schedule(h.approved(3, title), after, "", accounts...)
}

func (h *house) schedule(p *publish.Post, after time.Duration, mode publish.Mode, accounts ...*publish.Account) *publish.Detail {
	h.t.Helper()
	if len(accounts) == 0 {
		accounts = []*publish.Account{h.account}
	}
	var targets []publish.Target
	for _, a := range accounts {
		targets = append(targets, publish.Target{AccountID: a.ID, Mode: mode})
	}
	d, err := h.Schedule(h.ctx, h.planner, p.ID, p.Version, h.clock.Now().Add(after), targets)
	must(h.t, err)
	return d
}

func (h *house) get(id ids.ID) *publish.Detail {
	h.t.Helper()
	d, err := h.Get(h.ctx, h.root, id)
	must(h.t, err)
	return d
}

// sole is the only delivery of a post.
func (h *house) sole(id ids.ID) publish.Delivery {
	h.t.Helper()
	d := h.get(id)
	if len(d.Deliveries) != 1 {
		h.t.Fatalf("%d deliveries", len(d.Deliveries))
	}
	return d.Deliveries[0]
}

// drain works on everything that is due now, one step after the other.
func (h *house) drain() {
	h.t.Helper()
	h.drainBy(h.Queue())
}

func (h *house) drainBy(q *publish.Queue) {
	h.t.Helper()
	for range 500 {
		worked, err := q.Turn(h.ctx)
		must(h.t, err)
		if !worked {
			return
		}
	}
	h.t.Fatal("the queue does not come to rest")
}

// pass time in steps of the queue's own due times, working at each.
func (h *house) after(d time.Duration) {
	h.t.Helper()
	end := h.clock.Now().Add(d)
	for range 2000 {
		h.drain()
		next, err := h.store.NextDue(h.ctx, publish.Part{})
		must(h.t, err)
		if next.IsZero() || next.After(end) {
			h.clock.Add(end.Sub(h.clock.Now()))
			h.drain()
			return
		}
		h.clock.Add(max(next.Sub(h.clock.Now()), time.Millisecond))
	}
	h.t.Fatal("the queue looks without end")
}

func (h *house) wantState(id ids.ID, want publish.DeliveryState) publish.Delivery {
	h.t.Helper()
	d := h.sole(id)
	if d.State != want {
		h.t.Fatalf("delivery is %s (%s), want %s", d.State, d.Note, want)
	}
	return d
}

// timeline of a delivery, as a person reads it.
func (h *house) timeline(id ids.ID) string {
	h.t.Helper()
	d, err := h.Service.Delivery(h.ctx, h.root, id)
	must(h.t, err)
	var out []string
	for _, e := range d.Events {
		out = append(out, e.Note)
	}
	return strings.Join(out, "\n")
}

func (h *house) audits(action string) int {
	h.t.Helper()
	var n int
	must(h.t, h.db.QueryRow(h.ctx, `SELECT COUNT(*) FROM audit WHERE action = ?`, action).Scan(&n))
	return n
}

func (h *house) entry(action string) trail.Entry {
	return trail.Entry{Actor: h.root, Action: action, Object: "account", OrgID: 1, OrgPath: "/1/"}
}

func first(n int) page.Request { return page.Request{Limit: n} }

// failer is what a test and a property have in common.
type failer interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func must(t failer, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want(t failer, err error, code errs.Code) *errs.Error {
	t.Helper()
	if errs.CodeOf(err) != code {
		t.Fatalf("got %q (%v), want %q", errs.CodeOf(err), err, code)
	}
	var e *errs.Error
	errors.As(err, &e)
	return e
}

func has(t failer, text, part string) {
	t.Helper()
	if !strings.Contains(text, part) {
		t.Fatalf("%q does not hold %q", text, part)
	}
}
