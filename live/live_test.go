package live_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"log/slog"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/signed"
	"tongxin/internal/trail"
	"tongxin/live"
	"tongxin/staff"
	"tongxin/storage"
	"tongxin/storage/storagetest"
)

// house is a service on a real database with a committee and two branches.
type house struct {
	t          *testing.T
	s          *live.Service
	cfg        live.Config
	clock      *clock.Manual
	db         *storage.DB
	root, a, b live.Org
}

func newHouse(t *testing.T) *house {
	clk := clock.NewManual(time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC))
	db := storagetest.Open(t, storage.Options{DSN: filepath.Join(t.TempDir(), "t.db"), Clock: clk, Lease: 24 * time.Hour})
	h := &house{t: t, clock: clk, db: db}
	orgs, st := map[ids.ID]live.Org{}, storage.NewStaff(db)
	add := func(name string, parent live.Org) live.Org {
		o := &staff.Org{ID: db.IDs().New(), ParentID: parent.ID, Kind: staff.Branch, Name: name, ShortName: name, Version: 1, UpdatedBy: "t"}
		o.Path = "/" + strings.Trim(parent.Path+o.ID.String(), "/") + "/"
		_, err := st.CreateOrg(t.Context(), o, trail.Entry{Actor: authz.SystemActor("test"), Action: "org.create", Object: "org"})
		h.ok(err)
		orgs[o.ID] = live.Org{ID: o.ID, Name: name, Path: o.Path}
		return orgs[o.ID]
	}
	h.root = add("党委", live.Org{})
	h.a, h.b = add("一支部", h.root), add("二支部", h.root)
	h.cfg = live.Config{
		Store: storage.NewLive(db), Signer: signed.New([]byte("key"), "seat", clk), Clock: clk, IDs: db.IDs(), Random: rand.Reader,
		Log: slog.New(slog.DiscardHandler), Node: "n1", Media: true,
		Org: func(_ context.Context, id ids.ID) (live.Org, error) {
			if o, ok := orgs[id]; ok {
				return o, nil
			}
			return live.Org{}, errs.Missing("组织")
		},
	}
	h.s = live.New(h.cfg)
	return h
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
		h.t.Fatalf("code %q, want %q: %v", errs.CodeOf(err), want, err)
	}
}

func actor(kind authz.Kind, id int, o live.Org, right authz.Right) *authz.Actor {
	return &authz.Actor{
		ID: ids.ID(id), Kind: kind, Name: "党员" + strconv.Itoa(id),
		Grants: []authz.Grant{{OrgID: o.ID, Path: o.Path, Rights: []authz.Right{right}}},
	}
}

func host(o live.Org) *authz.Actor           { return actor(authz.Staff, 1, o, live.Host) }
func viewer(id int, o live.Org) *authz.Actor { return actor(authz.Member, id, o, live.Watch) }

func (h *house) input(o live.Org) live.Input {
	return live.Input{OrgID: o.ID, Title: " 专题党课 ", Speaker: "李老师", StartsAt: h.clock.Now().Add(time.Hour), Agenda: []string{"导学", " ", "讨论"}}
}

func (h *house) open(o live.Org) *live.Room {
	h.t.Helper()
	r, err := h.s.Create(h.t.Context(), host(o), h.input(o))
	h.ok(err)
	r, err = h.s.Open(h.t.Context(), host(o), r.ID)
	h.ok(err)
	return r
}

func TestPlan(t *testing.T) {
	h, ctx := newHouse(t), t.Context()
	r, err := h.s.Create(ctx, host(h.a), h.input(h.a))
	h.ok(err)
	if r.Title != "专题党课" || !slices.Equal(r.Agenda, []string{"导学", "讨论"}) || r.State != live.Planned || len(r.Code) != live.CodeLength || strings.ContainsAny(r.Code, "01ILO") {
		t.Fatalf("%+v", r)
	}
	for field, spoil := range map[string]func(*live.Input){
		"title":    func(in *live.Input) { in.Title = " " },
		"speaker":  func(in *live.Input) { in.Speaker = strings.Repeat("长", 61) },
		"startsAt": func(in *live.Input) { in.StartsAt = time.Time{} },
		"most":     func(in *live.Input) { in.Most = 5001 },
		"agenda":   func(in *live.Input) { in.Agenda = []string{strings.Repeat("长", 101)} },
	} {
		in := h.input(h.a)
		spoil(&in)
		_, err := h.s.Create(ctx, host(h.a), in)
		if h.code(err, errs.Invalid); !strings.Contains(err.Error(), field+":") {
			t.Errorf("%s: %v", field, err)
		}
	}
	in := h.input(h.b)
	_, err = h.s.Save(ctx, host(h.root), r.ID, 1, in)
	h.code(err, errs.Invalid) // another organisation
	in = h.input(h.a)
	in.Title = "改名"
	_, err = h.s.Save(ctx, host(h.a), r.ID, 7, in)
	h.code(err, errs.Stale)
	r, err = h.s.Save(ctx, host(h.a), r.ID, 1, in)
	h.ok(err)
	_, err = h.s.End(ctx, host(h.a), r.ID)
	h.code(err, errs.Conflict)
	r, err = h.s.Open(ctx, host(h.a), r.ID)
	h.ok(err)
	_, err = h.s.Open(ctx, host(h.a), r.ID)
	h.code(err, errs.Conflict)
	_, err = h.s.Save(ctx, host(h.a), r.ID, r.Version, in)
	h.code(err, errs.Conflict)
	h.code(h.s.Delete(ctx, host(h.a), r.ID, r.Version), errs.Conflict)
	r, err = h.s.End(ctx, host(h.a), r.ID)
	h.ok(err)
	if r.State != live.Ended || !r.EndedAt.Equal(h.clock.Now()) {
		t.Fatalf("%+v", r)
	}
	_, err = h.s.Publish(ctx, host(h.a), r.ID, false)
	h.code(err, errs.Conflict)

	off := h.cfg
	off.Media = false
	r, err = h.s.Create(ctx, host(h.a), in)
	h.ok(err)
	_, err = live.New(off).Open(ctx, host(h.a), r.ID)
	h.code(err, errs.Conflict)
	h.ok(h.s.Delete(ctx, host(h.a), r.ID, 1))
}

func TestOthersFindNothing(t *testing.T) {
	h, ctx := newHouse(t), t.Context()
	r := h.open(h.a)
	_, err := h.s.Create(ctx, host(h.b), h.input(h.a))
	h.code(err, errs.NotFound)
	for name, who := range map[string]*authz.Actor{"host of another branch": host(h.b), "member": viewer(5, h.a), "nobody": nil} {
		for what, fn := range map[string]func() error{
			"get":        func() error { _, err := h.s.Get(ctx, who, r.ID); return err },
			"save":       func() error { _, err := h.s.Save(ctx, who, r.ID, r.Version, h.input(h.a)); return err },
			"end":        func() error { _, err := h.s.End(ctx, who, r.ID); return err },
			"lock":       func() error { _, err := h.s.Lock(ctx, who, r.ID); return err },
			"unlock":     func() error { _, err := h.s.Unlock(ctx, who, r.ID); return err },
			"publish":    func() error { _, err := h.s.Publish(ctx, who, r.ID, true); return err },
			"remove":     func() error { return h.s.Remove(ctx, who, r.ID, 5) },
			"delete":     func() error { return h.s.Delete(ctx, who, r.ID, r.Version) },
			"attendance": func() error { _, err := h.s.Attendance(ctx, who, r.ID); return err },
			"sheet":      func() error { _, _, err := h.s.Sheet(ctx, who, r.ID); return err },
		} {
			if err := fn(); !errs.Is(err, errs.NotFound) {
				t.Errorf("%s by %s: %v", what, name, err)
			}
		}
		if who == nil {
			continue
		}
		list, err := h.s.List(ctx, who, nil, page.Request{Limit: 10})
		h.ok(err)
		if len(list.Items) != 0 {
			t.Errorf("the list shows %s %d lectures", name, len(list.Items))
		}
	}
	all, err := h.s.List(ctx, host(h.root), []live.State{live.Open}, page.Request{Limit: 10})
	h.ok(err)
	if len(all.Items) != 1 {
		t.Fatal("the committee does not see the branch's lecture")
	}
	// A branch's lecture is not meant for another branch; a committee's is for all.
	for name, fn := range map[string]func(ids.ID) error{
		"card": func(id ids.ID) error { _, err := h.s.Card(ctx, viewer(6, h.b), id); return err },
		"join": func(id ids.ID) error { _, err := h.s.Join(ctx, viewer(6, h.b), id); return err },
	} {
		if err := fn(r.ID); !errs.Is(err, errs.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
		h.ok(fn(h.open(h.root).ID))
	}
	cards, err := h.s.Cards(ctx, viewer(6, h.b), page.Request{Limit: 10})
	h.ok(err)
	if len(cards.Items) != 2 || slices.ContainsFunc(cards.Items, func(c live.Card) bool { return c.ID == r.ID }) {
		t.Fatalf("%+v", cards.Items)
	}
}

func TestDoor(t *testing.T) {
	h, ctx := newHouse(t), t.Context()
	r := h.open(h.a)
	room := r.ID.String()
	pass, err := h.s.Join(ctx, viewer(5, h.a), r.ID)
	h.ok(err)
	if pass.Path != "/whep/"+room || pass.Role != live.RoleMember {
		t.Fatalf("%+v", pass)
	}
	sends, err := h.s.Publish(ctx, host(h.a), r.ID, false)
	h.ok(err)
	h.ok(h.s.Admit(ctx, room, pass.Bearer, false))
	h.ok(h.s.Admit(ctx, room, sends.Bearer, true))
	h.ok(h.s.Admit(ctx, room, sends.Bearer, false))
	for name, err := range map[string]error{
		"a viewer who sends":  h.s.Admit(ctx, room, pass.Bearer, true),
		"another room":        h.s.Admit(ctx, h.open(h.a).ID.String(), pass.Bearer, false),
		"an altered pass":     h.s.Admit(ctx, room, "A"+pass.Bearer, false),
		"another's signature": h.s.Admit(ctx, room, signed.New([]byte("other"), "seat", h.clock).Token(room+":1:host:9999999999999", time.Hour), true),
		"nothing":             h.s.Admit(ctx, room, "", false),
	} {
		if !errs.Is(err, errs.Unauthorized) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// By code, in small letters and with spaces, from another branch.
	_, err = h.s.JoinByCode(ctx, viewer(6, h.b), "ZZZZZZ")
	h.code(err, errs.Invalid)
	guest, err := h.s.JoinByCode(ctx, viewer(6, h.b), strings.ToLower(r.Code[:3]+" "+r.Code[3:]))
	h.ok(err)
	if guest.Role != live.RoleGuest {
		t.Fatal(guest.Role)
	}
	_, err = h.s.Card(ctx, viewer(6, h.b), r.ID) // and can come back
	h.ok(err)
	_, err = h.s.JoinByCode(ctx, actor(authz.Staff, 8, h.a, live.Host), r.Code)
	h.code(err, errs.NotFound)

	h.ok(h.s.Remove(ctx, host(h.a), r.ID, 5))
	h.code(h.s.Admit(ctx, room, pass.Bearer, false), errs.Unauthorized)
	_, err = h.s.Join(ctx, viewer(5, h.a), r.ID)
	h.code(err, errs.Forbidden)

	_, err = h.s.Lock(ctx, host(h.a), r.ID)
	h.ok(err)
	_, err = h.s.Join(ctx, viewer(7, h.a), r.ID)
	h.code(err, errs.Conflict)
	_, err = h.s.Unlock(ctx, host(h.a), r.ID)
	h.ok(err)
	late, err := h.s.Join(ctx, viewer(7, h.a), r.ID)
	h.ok(err)
	h.clock.Add(live.PassLife)
	h.code(h.s.Admit(ctx, room, late.Bearer, false), errs.Unauthorized)
	again, err := h.s.Join(ctx, viewer(7, h.a), r.ID)
	h.ok(err)
	_, err = h.s.End(ctx, host(h.a), r.ID)
	h.ok(err)
	h.code(h.s.Admit(ctx, room, again.Bearer, false), errs.Unauthorized)
	_, err = h.s.Join(ctx, viewer(7, h.a), r.ID)
	h.code(err, errs.Conflict)
	for range 25 {
		_, err = h.s.JoinByCode(ctx, viewer(9, h.b), "ZZZZZZ")
	}
	h.code(err, errs.TooMany)
}

func TestPresenceAndAttendance(t *testing.T) {
	h, ctx := newHouse(t), t.Context()
	r := h.open(h.a)
	phone, err := h.s.Join(ctx, viewer(5, h.a), r.ID)
	h.ok(err)
	tablet, err := h.s.Join(ctx, viewer(5, h.a), r.ID)
	h.ok(err)
	other, err := h.s.Join(ctx, viewer(6, h.a), r.ID)
	h.ok(err)
	_, err = h.s.Join(ctx, viewer(7, h.a), r.ID) // never connects
	h.ok(err)
	pulse := func(list ...live.Connected) []string {
		t.Helper()
		end, err := h.s.Pulse(ctx, list)
		h.ok(err)
		return end
	}
	p, tb, o := live.Connected{Session: "p", Bearer: phone.Bearer}, live.Connected{Session: "t", Bearer: tablet.Bearer}, live.Connected{Session: "o", Bearer: other.Bearer}
	foreign := live.Connected{Session: "f", Bearer: "of an operator"}
	pulse(p, foreign)
	h.clock.Add(time.Minute)
	pulse(p, tb, o, foreign)
	h.clock.Add(time.Minute)
	pulse(tb, o, foreign) // the phone left
	h.clock.Add(time.Minute)
	if end := pulse(o, foreign); len(end) != 0 {
		t.Fatal("asked to end", end)
	}
	seconds := func() map[ids.ID]live.Attendee {
		t.Helper()
		got, err := h.s.Attendance(ctx, host(h.a), r.ID)
		h.ok(err)
		out := map[ids.ID]live.Attendee{}
		for _, a := range got.People {
			out[a.ID] = a
		}
		return out
	}
	got := seconds()
	if a := got[5]; a.Seconds != 180 || a.Times != 2 || a.Here || a.LastAt.IsZero() {
		t.Errorf("two devices: %+v", a)
	}
	if a := got[6]; a.Seconds != 120 || !a.Here || !a.LastAt.IsZero() {
		t.Errorf("still there: %+v", a)
	}
	if a := got[7]; a.Seconds != 0 || a.Times != 0 || !a.FirstAt.IsZero() {
		t.Errorf("never there: %+v", a)
	}
	h.ok(h.s.Remove(ctx, host(h.a), r.ID, 6))
	if end := pulse(o, foreign); !slices.Equal(end, []string{"o"}) {
		t.Fatal("who was removed stays:", end)
	}
	// Another node dies: its seats end at their last proof.
	cfg := h.cfg
	cfg.Node = "n2"
	dead := live.New(cfg)
	_, err = dead.Pulse(ctx, []live.Connected{p})
	h.ok(err)
	h.clock.Add(10 * time.Minute)
	pulse()
	if a := seconds()[5]; a.Here || a.Seconds != 180 {
		t.Errorf("a dead node's seat: %+v", a)
	}
	pulse(tb)
	h.clock.Add(30 * time.Second)
	_, err = h.s.End(ctx, host(h.a), r.ID)
	h.ok(err)
	h.clock.Add(time.Hour)
	if end := pulse(tb); !slices.Equal(end, []string{"t"}) {
		t.Fatal("a lecture that ended goes on:", end)
	}
	if a := seconds()[5]; a.Seconds != 210 || a.Here {
		t.Errorf("after the end: %+v", a)
	}
	name, body, err := h.s.Sheet(ctx, host(h.a), r.ID)
	h.ok(err)
	f, err := excelize.OpenReader(bytes.NewReader(body))
	h.ok(err)
	rows, err := f.GetRows("签到与学时")
	h.ok(err)
	h.ok(f.Close())
	if name != "专题党课-签到与学时.xlsx" || len(rows) != 4 || rows[1][0] != "党员5" || rows[1][1] != "一支部" || rows[1][3] != "2026-03-02 09:00:00" || rows[1][6] != "3" {
		t.Fatal(name, rows)
	}
}

// Learning time is the number of seconds that some interval covers, counted one
// by one, whatever the order and the overlaps.
func TestLearned(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zero := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
		at := func(s int) time.Time { return zero.Add(time.Duration(s) * time.Second) }
		from := rapid.IntRange(0, 100).Draw(t, "from")
		to := from + rapid.IntRange(0, 100).Draw(t, "length")
		var list []live.Interval
		covered := map[int]bool{}
		for range rapid.IntRange(0, 8).Draw(t, "n") {
			a := rapid.IntRange(-20, 220).Draw(t, "a")
			b := a + rapid.IntRange(-3, 60).Draw(t, "b")
			list = append(list, live.Interval{From: at(a), To: at(b)})
			for s := max(a, from); s < min(b, to); s++ {
				covered[s] = true
			}
		}
		before := slices.Clone(list)
		if got := live.Learned(list, at(from), at(to)); got != time.Duration(len(covered))*time.Second {
			t.Fatalf("%v of %v in [%d,%d), want %d", got, list, from, to, len(covered))
		}
		if !slices.Equal(list, before) {
			t.Fatal("the caller's list changed")
		}
	})
}
