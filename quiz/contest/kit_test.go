package contest_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/quiz"
	"tongxin/quiz/contest"
	"tongxin/storage"
	"tongxin/storage/storagetest"
)

// bankOf is a bank of n single choices whose right option is the first.
type bankOf int

func (b bankOf) Contents(_ context.Context, refs []quiz.Ref) ([]quiz.Content, error) {
	out := make([]quiz.Content, len(refs))
	for i, r := range refs {
		if r.ID < 1 || int(r.ID) > int(b) {
			return nil, errs.Missing("题目")
		}
		out[i] = quiz.Content{
			Kind: quiz.Single, Stem: fmt.Sprintf("第 %d 题", r.ID), Topics: []string{"党章"}, Difficulty: 1, Explanation: "解析密文",
			Options: []quiz.Option{{Text: "甲", Right: true}, {Text: "乙"}, {Text: "丙"}, {Text: "丁"}},
		}
	}
	return out, nil
}

func (b bankOf) Pool(_ context.Context, q quiz.DrawQuery) ([]quiz.Ref, error) {
	if q.Kind == quiz.Short {
		return nil, nil
	}
	return refs(int(b)), nil
}

func refs(n int) []quiz.Ref {
	out := make([]quiz.Ref, n)
	for i := range out {
		out[i] = quiz.Ref{ID: ids.ID(i + 1), Revision: 1}
	}
	return out
}

// house is a service on a database, with a tree of organisations.
type house struct {
	t     *testing.T
	db    *storage.DB
	store *storage.Contests
	svc   *contest.Service
	orgs  map[string]contest.Org
	host  *authz.Actor
	stop  context.CancelFunc
	over  chan struct{}
}

func plain(md string) string { return md }

// orgsIn makes a tree: root, root/a, root/b, and other beside it.
func orgsIn(t *testing.T, db *storage.DB) map[string]contest.Org {
	t.Helper()
	out := map[string]contest.Org{}
	for _, name := range []string{"root", "root/a", "root/b", "other"} {
		o := contest.Org{ID: db.IDs().New(), Name: name}
		o.Path = "/" + o.ID.String() + "/"
		if len(name) > 4 && name[:4] == "root" {
			o.Path = out["root"].Path + o.ID.String() + "/"
		}
		err := db.Write(t.Context(), func(tx *storage.Tx) error {
			_, err := tx.Exec(`INSERT INTO orgs (id, parent_id, path, kind, name, short_name, settings, archived_at, version, created_at, updated_at, updated_by)
				VALUES (?, 0, ?, 'branch', ?, '', '{}', 0, 1, 0, 0, '')`, o.ID, o.Path, o.Name)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		out[name] = o
	}
	return out
}

// newHouse starts a node. change may alter its configuration.
func newHouse(t *testing.T, db *storage.DB, orgs map[string]contest.Org, change func(*contest.Config)) *house {
	t.Helper()
	h := &house{t: t, db: db, store: storage.NewContests(db), orgs: orgs, over: make(chan struct{})}
	cfg := contest.Config{
		Store: h.store, Bank: bankOf(60), HTML: plain, Clock: clock.System{}, IDs: db.IDs(), Random: rand.Reader, Node: "n" + db.IDs().New().String(),
		Alone: db.Dialect() == "sqlite", Lease: 3 * time.Second, PerMember: 3, Log: slog.New(slog.NewTextHandler(logTo{t}, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Org: func(_ context.Context, id ids.ID) (contest.Org, error) {
			for _, o := range orgs {
				if o.ID == id {
					return o, nil
				}
			}
			return contest.Org{}, errs.Missing("组织")
		},
	}
	if change != nil {
		change(&cfg)
	}
	svc, err := contest.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	h.svc = svc
	h.host = actor(authz.Staff, db.IDs().New(), "主持人", orgs["root"], contest.Host)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	h.stop = cancel
	go func() {
		defer close(h.over)
		svc.Hub().Run(ctx)
	}()
	t.Cleanup(h.end)
	return h
}

// end stops the node as an operator does.
func (h *house) end() {
	h.stop()
	<-h.over
}

type logTo struct{ t *testing.T }

func (l logTo) Write(b []byte) (int, error) {
	l.t.Logf("%s", b)
	return len(b), nil
}

func actor(kind authz.Kind, id ids.ID, name string, o contest.Org, right authz.Right) *authz.Actor {
	return &authz.Actor{ID: id, Kind: kind, Name: name, Grants: []authz.Grant{{OrgID: o.ID, Path: o.Path, Rights: []authz.Right{right}}}}
}

func (h *house) member(n int, org string) *authz.Actor {
	return actor(authz.Member, ids.ID(1000+n), fmt.Sprintf("党员%d", n), h.orgs[org], contest.Play)
}

// opened makes a contest that is open for members.
func (h *house) opened(in contest.Input) *contest.Contest {
	h.t.Helper()
	if in.OrgID == 0 {
		in.OrgID = h.orgs["root"].ID
	}
	if in.Title == "" {
		in.Title = "知识竞赛"
	}
	if in.Mode == "" {
		in.Mode = contest.Solo
	}
	if in.Seconds == 0 {
		in.Seconds = 10
	}
	if in.Questions == nil && in.Draw == nil {
		in.Questions = refs(3)
	}
	c, err := h.svc.Create(h.t.Context(), h.host, in)
	if err != nil {
		h.t.Fatal(err)
	}
	if c, err = h.svc.Open(h.t.Context(), h.host, c.ID); err != nil {
		h.t.Fatal(err)
	}
	return c
}

func (h *house) do(c *contest.Contest, verb contest.Verb) *contest.Contest {
	h.t.Helper()
	now, err := h.svc.Command(h.t.Context(), h.host, c.ID, contest.Command{Verb: verb})
	if err != nil {
		h.t.Fatalf("%s: %v", verb, err)
	}
	return now
}

// frame is a frame of the server, decoded.
type frame map[string]any

func (f frame) kind() string { s, _ := f["type"].(string); return s }

func (f frame) num(path ...string) int {
	var v any = map[string]any(f)
	for _, p := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return -1
		}
		v = m[p]
	}
	n, ok := v.(float64)
	if !ok {
		return -1
	}
	return int(n)
}

// phone is a connected client in memory: what contest.Socket asks for, with the
// other end beside it.
type phone struct {
	t    *testing.T
	h    *house
	in   chan []byte
	mu   sync.Mutex
	got  []frame
	raw  []string
	news chan struct{}
	shut chan struct{}
	once sync.Once
	code int
	hold chan struct{} // not nil: writing waits for it
	done chan struct{}
}

func (p *phone) Read() ([]byte, error) {
	select {
	case b := <-p.in:
		return b, nil
	case <-p.shut:
		return nil, io.EOF
	}
}

func (p *phone) Write(frames [][]byte) error {
	for _, b := range frames {
		if err := p.one(b); err != nil {
			return err
		}
	}
	return nil
}

func (p *phone) one(b []byte) error {
	if p.hold != nil {
		select {
		case <-p.hold:
		case <-p.shut:
			return io.ErrClosedPipe
		}
	}
	var f frame
	if err := json.Unmarshal(b, &f); err != nil {
		return errors.Join(errors.New("not JSON: "+string(b)), err)
	}
	p.mu.Lock()
	p.got, p.raw = append(p.got, f), append(p.raw, string(b))
	p.mu.Unlock()
	select {
	case p.news <- struct{}{}:
	default:
	}
	return nil
}

func (p *phone) Ping() error { return nil }

func (p *phone) Close(code int, _ string) {
	p.once.Do(func() {
		p.mu.Lock()
		p.code = code
		p.mu.Unlock()
		close(p.shut)
	})
}

// connect uses a ticket up.
func (h *house) connect(in *contest.Entrance) *phone {
	h.t.Helper()
	p := h.phone()
	if err := p.dial(in); err != nil {
		h.t.Fatal(err)
	}
	return p
}

func (h *house) phone() *phone {
	return &phone{t: h.t, h: h, in: make(chan []byte, 64), news: make(chan struct{}, 1), shut: make(chan struct{}), done: make(chan struct{})}
}

func (p *phone) dial(in *contest.Entrance) error {
	e, err := p.h.svc.Hub().Admit(p.t.Context(), in.Ticket, "192.0.2.1")
	if err != nil {
		return err
	}
	go func() {
		defer close(p.done)
		e.Serve(p)
	}()
	p.t.Cleanup(func() { p.hang() })
	return nil
}

// hang ends the connection and waits until the node knows.
func (p *phone) hang() {
	p.Close(0, "")
	<-p.done
}

func (h *house) join(c *contest.Contest, n int, org string) *phone {
	h.t.Helper()
	in, err := h.svc.Join(h.t.Context(), h.member(n, org), c.ID, "")
	if err != nil {
		h.t.Fatal(err)
	}
	return h.connect(in)
}

func (p *phone) say(format string, args ...any) { p.in <- fmt.Appendf(nil, format, args...) }

// answer gives the shown option.
func (p *phone) answer(n, option int) {
	p.say(`{"type":"answer","n":%d,"answer":{"choice":[%d]}}`, n, option)
}

// all is what came so far.
func (p *phone) all() []frame {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]frame(nil), p.got...)
}

// wait returns the first frame after skip for which ok holds.
func (p *phone) wait(what string, ok func(frame) bool) frame {
	p.t.Helper()
	limit := time.NewTimer(time.Minute)
	defer limit.Stop()
	for {
		for _, f := range p.all() {
			if ok(f) {
				return f
			}
		}
		select {
		case <-p.news:
		case <-limit.C:
			p.t.Fatalf("%s never came; got %v", what, p.kinds())
		}
	}
}

// of waits for a frame of a kind about question n; n < 0: any.
func (p *phone) of(kind string, n int) frame {
	p.t.Helper()
	return p.wait(fmt.Sprintf("%s %d", kind, n), func(f frame) bool { return f.kind() == kind && (n < 0 || f.num("n") == n) })
}

func (p *phone) kinds() []string {
	var out []string
	for _, f := range p.all() {
		k := f.kind()
		if n := f.num("n"); n >= 0 {
			k += fmt.Sprint(n)
		}
		out = append(out, k)
	}
	return out
}

// rightOption is the shown position of the right option of question n.
func rightOption(seed int64, n int) int {
	list, _ := bankOf(60).Contents(context.Background(), refs(1))
	s := quiz.NewShuffle(&list[0], uint64(seed), n, true)
	return s.Outward(&list[0], list[0].Right()).Choice[0]
}

// bubble runs fn with time of its own and a SQLite node.
func bubble(t *testing.T, fn func(t *testing.T, h *house)) {
	synctest.Test(t, func(t *testing.T) {
		db := storagetest.SQLite(t)
		fn(t, newHouse(t, db, orgsIn(t, db), nil))
	})
}
