package notify_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/notify"
	"tongxin/storage"
	"tongxin/storage/storagetest"
)

// house is the domain over a real database: root with the branches a and b, a
// group in a, and members in both.
type house struct {
	t     *testing.T
	db    *storage.DB
	store *storage.Notify
	orgs  map[string]notify.Org
	push  *pusher
	svc   *notify.Service
}

// pusher answers as the test says and counts.
type pusher struct {
	mu     sync.Mutex
	answer func(m notify.Message, n int) error // n counts from 1, for each openid
	got    map[string]int                      // by openid
	sent   map[string]int                      // accepted, or perhaps accepted
	last   notify.Message
}

func (p *pusher) Push(_ context.Context, m notify.Message) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got[m.OpenID]++
	p.last = m
	var err error
	if p.answer != nil {
		err = p.answer(m, p.got[m.OpenID])
	}
	if err == nil {
		p.sent[m.OpenID]++
	}
	return fmt.Sprint("msg-", m.OpenID), err
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, db: storagetest.SQLite(t), orgs: map[string]notify.Org{}, push: &pusher{got: map[string]int{}, sent: map[string]int{}}}
	h.store = storage.NewNotify(h.db)
	for _, x := range []struct{ name, parent string }{{"root", ""}, {"a", "root"}, {"b", "root"}, {"group", "a"}} {
		o := notify.Org{ID: h.db.IDs().New(), Name: x.name, Branch: x.parent == "root", Group: x.name == "group"}
		o.Path = h.orgs[x.parent].Path
		if o.Path == "" {
			o.Path = "/"
		}
		o.Path += o.ID.String() + "/"
		h.exec(`INSERT INTO orgs (id, parent_id, path, kind, name, short_name, settings, archived_at, version, created_at, updated_at, updated_by)
			VALUES (?, ?, ?, 'branch', ?, '', '{}', 0, 1, 0, 0, '')`, o.ID, h.orgs[x.parent].ID, o.Path, o.Name)
		h.orgs[x.name] = o
	}
	h.svc = h.node("node")
	return h
}

// node is the domain as one process runs it.
func (h *house) node(owner string) *notify.Service {
	svc, err := notify.New(notify.Config{
		Store: h.store, Clock: clock.System{}, IDs: h.db.IDs(), Log: slog.New(slog.DiscardHandler), Owner: owner, Pusher: h.push,
		Org: func(_ context.Context, id ids.ID) (notify.Org, error) {
			for _, o := range h.orgs {
				if o.ID == id {
					return o, nil
				}
			}
			return notify.Org{}, errs.Missing("组织")
		},
		Render: func(text string) (string, string, error) { return "<p>" + text + "</p>", text, nil },
		Timing: notify.Timing{Lease: 4 * time.Second, Retry: time.Millisecond, TokenRetry: 10 * time.Millisecond},
	})
	h.ok(err)
	return svc
}

// exec writes rows of other domains, which this one only reads.
func (h *house) exec(q string, args ...any) {
	h.t.Helper()
	h.ok(h.db.Write(h.t.Context(), func(tx *storage.Tx) error {
		_, err := tx.Exec(q, args...)
		return err
	}))
}

func (h *house) ok(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) code(err error, want errs.Code) {
	h.t.Helper()
	if errs.CodeOf(err) != want {
		h.t.Errorf("code %q, want %q: %v", errs.CodeOf(err), want, err)
	}
}

func (h *house) person(branch, name string) *authz.Actor {
	h.t.Helper()
	o := h.orgs[branch]
	id := h.db.IDs().New()
	h.exec(`INSERT INTO members (id, org_id, group_id, name, kind, posts, gender, birth_date, joined_at, full_at, extended_to, state, left_at, left_why,
		note, phone_sealed, phone_index, phone_key, id_sealed, id_index, id_key, staff_id, staff_key, purged_at, version, created_at, updated_at, updated_by)
		VALUES (?, ?, 0, ?, 'full', '[]', '', '', '', '', '', 'active', '', '', '', '', '', ?, '', '', ?, 0, ?, 0, 1, 0, 0, '')`,
		id, o.ID, name, "#"+id.String(), "#"+id.String(), "#"+id.String())
	return &authz.Actor{ID: id, Kind: authz.Member, Name: name, Grants: []authz.Grant{{Role: "member", OrgID: o.ID, Path: o.Path, Rights: []authz.Right{notify.Receive}}}}
}

func (h *house) secretary(org string) *authz.Actor {
	o := h.orgs[org]
	return &authz.Actor{ID: h.db.IDs().New(), Kind: authz.Staff, Name: "书记" + org, Grants: []authz.Grant{{Role: "secretary", OrgID: o.ID, Path: o.Path, Rights: []authz.Right{notify.Send}}}}
}

// reachable binds every member and grants one message, and sets up a template.
func (h *house) reachable(rate float64) {
	h.t.Helper()
	h.ok(h.store.SeedReach(h.t.Context(), "mini", "o-", "t1"))
	_, err := h.svc.SaveSettings(h.t.Context(), authz.SystemActor("test"), 0, notify.Settings{
		Templates: []notify.Template{{
			Channel: notify.Mini, AppID: "mini", ID: "t1", Title: "通知提醒", Page: "pages/notice?id={id}",
			Fields: []notify.Field{{Key: "thing1", Source: "title"}, {Key: "time2", Source: "time"}},
		}},
		Rates: []notify.Rate{{AppID: "mini", PerSecond: rate}},
	})
	h.ok(err)
}

func (h *house) input(org string) notify.Input {
	return notify.Input{
		OrgID: h.orgs[org].ID, Title: "关于召开支部党员大会的通知", Body: "请按时参加。", Push: true,
		Audience: notify.Audience{Orgs: []ids.ID{h.orgs[org].ID}}, Ask: &notify.Ask{Options: []string{"能参加", "请假"}},
	}
}

func (h *house) send(actor *authz.Actor, in notify.Input) *notify.Campaign {
	h.t.Helper()
	c, err := h.svc.Create(h.t.Context(), actor, in)
	h.ok(err)
	c, err = h.svc.Act(h.t.Context(), actor, c.ID, c.Version, notify.Start)
	h.ok(err)
	return c
}

// run lets nodes work until cond, and stops them.
func (h *house) run(what string, cond func() bool, nodes ...*notify.Service) {
	h.t.Helper()
	ctx, cancel := context.WithCancel(h.t.Context())
	var wg sync.WaitGroup
	for _, n := range nodes {
		wg.Go(func() { n.Run(ctx) })
	}
	defer func() { cancel(); wg.Wait() }()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for limit := time.Now().Add(30 * time.Second); !cond(); <-tick.C {
		if time.Now().After(limit) {
			h.t.Fatalf("never: %s", what)
		}
	}
}

func (h *house) state(id ids.ID) notify.State {
	h.t.Helper()
	c, err := h.store.Campaign(h.t.Context(), id)
	h.ok(err)
	return c.State
}

func (h *house) progress(id ids.ID) map[string]int {
	h.t.Helper()
	p, err := h.store.Progress(h.t.Context(), id)
	h.ok(err)
	return p.ByState
}

func long(n int) string { return strings.Repeat("长", n) }
