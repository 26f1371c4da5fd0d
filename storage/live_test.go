package storage_test

import (
	"testing"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/live"
	"tongxin/storage"
	"tongxin/storage/storagetest"
)

// hall is a store of rooms on the tree of newCrew.
type hall struct {
	*crew
	s     *storage.Live
	clock *clock.Manual
}

func eachHall(t *testing.T, fn func(t *testing.T, h *hall)) {
	clk := clock.NewManual(time.Now())
	storagetest.EachOptions(t, storage.Options{Clock: clk, Lease: 24 * time.Hour}, func(t *testing.T, db *storage.DB) {
		fn(t, &hall{crew: newCrew(t, db), s: storage.NewLive(db), clock: clk})
	})
}

func (h *hall) room(org string, state live.State, code string) *live.Room {
	h.t.Helper()
	r := &live.Room{
		ID: h.db.IDs().New(), OrgID: h.orgs[org].ID, Kind: live.Lecture, State: state, Title: "讲座", Speaker: "主讲", Agenda: []string{"一", "二"}, Code: code,
		StartsAt: h.clock.Now().Add(time.Hour), OpenedAt: h.clock.Now(), CreatedAt: h.clock.Now(), CreatedBy: "t", Version: 1,
	}
	id, err := h.s.Create(h.t.Context(), r, entry("live.create"))
	ok(h.t, err)
	if id != r.ID {
		h.t.Fatal("another id")
	}
	return r
}

func (h *hall) enter(r *live.Room, person int, role live.Role) error {
	return h.s.Enter(h.t.Context(), r.ID, live.Person{ID: ids.ID(person), Name: "党员", OrgID: r.OrgID, OrgName: "支部", Role: role})
}

func (h *hall) sit(r *live.Room, person int, node string) ids.ID {
	h.t.Helper()
	id, now := h.db.IDs().New(), h.clock.Now()
	ok(h.t, h.s.Sit(h.t.Context(), []live.Seat{{ID: id, RoomID: r.ID, PersonID: ids.ID(person), Node: node, JoinedAt: now, SeenAt: now}}))
	return id
}

func TestLiveRooms(t *testing.T) {
	eachHall(t, func(t *testing.T, h *hall) {
		ctx := t.Context()
		r := h.room("root/a", live.Planned, "ABCDEF")
		got, err := h.s.Room(ctx, r.ID)
		ok(t, err)
		if got.OrgPath != h.orgs["root/a"].Path || len(got.Agenda) != 2 || got.Agenda[1] != "二" || !got.StartsAt.Equal(r.StartsAt) || !got.EndedAt.IsZero() || got.Present != 0 {
			t.Fatalf("%+v", got)
		}
		twin := *r
		twin.ID = h.db.IDs().New()
		_, err = h.s.Create(ctx, &twin, entry("live.create"))
		code(t, err, errs.Conflict)
		found, err := h.s.ByCode(ctx, "ABCDEF")
		ok(t, err)
		if found.ID != r.ID {
			t.Fatal("another room")
		}
		list := func(f live.Filter, want int) {
			t.Helper()
			got, err := h.s.Rooms(ctx, f, page.Request{Limit: 10})
			ok(t, err)
			if len(got) != want {
				t.Fatalf("%+v: %d rooms, want %d", f, len(got), want)
			}
		}
		h.room("root/c", live.Open, "GHJKMN")
		list(live.Filter{Scope: authz.Scope{All: true}}, 2)
		list(live.Filter{Scope: authz.Scope{Paths: []string{h.orgs["root/a"].Path}}}, 1)
		list(live.Filter{}, 0)
		list(live.Filter{Member: true}, 0)
		list(live.Filter{Member: true, Orgs: []ids.ID{h.orgs["root"].ID, h.orgs["root/c"].ID}}, 1)
		list(live.Filter{Scope: authz.Scope{All: true}, States: []live.State{live.Open}}, 1)

		r.Title, r.Version = "改名", 2
		ok(t, h.s.Save(ctx, r, 1, entry("live.save")))
		code(t, h.s.Save(ctx, r, 1, entry("live.save")), errs.Stale)
		r.State, r.EndedAt, r.Version = live.Ended, h.clock.Now(), 3
		ok(t, h.s.Save(ctx, r, 2, entry("live.end")))
		for _, no := range []string{"ABCDEF", "", "#" + r.ID.String()} {
			_, err = h.s.ByCode(ctx, no)
			code(t, err, errs.NotFound)
		}
		code(t, h.s.Delete(ctx, r.ID, 3, entry("live.delete")), errs.Stale) // it was opened
		again := h.room("root/a", live.Planned, "ABCDEF")                   // the code is free again
		ok(t, h.s.Delete(ctx, again.ID, 1, entry("live.delete")))
		_, err = h.s.Room(ctx, again.ID)
		code(t, err, errs.NotFound)
	})
}

func TestLiveDoor(t *testing.T) {
	eachHall(t, func(t *testing.T, h *hall) {
		ctx := t.Context()
		code(t, h.enter(h.room("root", live.Planned, "AAAAAA"), 1, live.RoleHost), errs.Conflict)
		code(t, h.enter(h.room("root", live.Ended, "BBBBBB"), 1, live.RoleMember), errs.Conflict)
		code(t, h.enter(&live.Room{ID: 7}, 1, live.RoleMember), errs.NotFound)
		r := h.room("root", live.Open, "CCCCCC")
		ok(t, h.enter(r, 1, live.RoleMember))
		ok(t, h.enter(r, 1, live.RoleMember))
		_, _, err := h.s.Standing(ctx, r.ID, 2)
		code(t, err, errs.NotFound)

		r.Locked, r.Version = true, 2
		ok(t, h.s.Save(ctx, r, 1, entry("live.lock")))
		code(t, h.enter(r, 2, live.RoleMember), errs.Conflict)
		ok(t, h.enter(r, 1, live.RoleMember)) // was there before
		ok(t, h.enter(r, 9, live.RoleHost))

		r.Locked, r.Most, r.Version = false, 1, 3
		ok(t, h.s.Save(ctx, r, 2, entry("live.save")))
		first, second := h.sit(r, 1, "n1"), h.sit(r, 1, "n1")
		ok(t, h.enter(r, 1, live.RoleMember)) // counts once, and not against oneself
		code(t, h.enter(r, 2, live.RoleMember), errs.Conflict)
		got, err := h.s.Room(ctx, r.ID)
		ok(t, err)
		if got.Present != 1 {
			t.Fatal(got.Present)
		}

		bad, err := h.s.Refused(ctx, []ids.ID{first, second})
		ok(t, err)
		if len(bad) != 0 {
			t.Fatal(bad)
		}
		h.clock.Add(time.Minute)
		code(t, h.s.Remove(ctx, r.ID, 5, entry("live.remove")), errs.NotFound)
		ok(t, h.s.Remove(ctx, r.ID, 1, entry("live.remove")))
		bad, err = h.s.Refused(ctx, []ids.ID{first, second})
		ok(t, err)
		if len(bad) != 2 {
			t.Fatal(bad)
		}
		state, removed, err := h.s.Standing(ctx, r.ID, 1)
		ok(t, err)
		if state != live.Open || !removed {
			t.Fatal(state, removed)
		}
		code(t, h.enter(r, 1, live.RoleMember), errs.Forbidden)
		ok(t, h.enter(r, 2, live.RoleMember)) // there is room again
		people, seats, err := h.s.People(ctx, r.ID)
		ok(t, err)
		if len(people) != 3 || len(seats) != 2 || people[0].RemovedAt.IsZero() || !seats[0].LeftAt.Equal(h.clock.Now()) {
			t.Fatalf("%+v %+v", people, seats)
		}
	})
}

func TestLiveSeats(t *testing.T) {
	eachHall(t, func(t *testing.T, h *hall) {
		ctx := t.Context()
		r := h.room("root", live.Open, "ABCDEF")
		ok(t, h.enter(r, 1, live.RoleMember))
		begin := h.clock.Now()
		left, lost, kept := h.sit(r, 1, "n1"), h.sit(r, 1, "n2"), h.sit(r, 1, "n1")
		h.clock.Add(10 * time.Second)
		ok(t, h.s.Stand(ctx, []ids.ID{left}, h.clock.Now()))
		h.clock.Add(2 * time.Minute)
		ok(t, h.s.Stand(ctx, []ids.ID{left}, h.clock.Now())) // stays as it was
		ok(t, h.s.Seen(ctx, "n1", h.clock.Now()))
		ok(t, h.s.Expire(ctx, h.clock.Now().Add(-time.Minute)))
		_, seats, err := h.s.People(ctx, r.ID)
		ok(t, err)
		want := map[ids.ID]time.Time{left: begin.Add(10 * time.Second), lost: begin, kept: {}}
		for _, s := range seats {
			if !s.LeftAt.Equal(want[s.ID]) {
				t.Errorf("%+v, want left at %v", s, want[s.ID])
			}
		}
		r.State, r.EndedAt, r.Version = live.Ended, h.clock.Now().Add(time.Second), 2
		ok(t, h.s.Save(ctx, r, 1, entry("live.end")))
		_, seats, err = h.s.People(ctx, r.ID)
		ok(t, err)
		if last := seats[len(seats)-1]; last.ID != kept || !last.LeftAt.Equal(r.EndedAt) {
			t.Fatalf("%+v", seats)
		}
		bad, err := h.s.Refused(ctx, []ids.ID{kept})
		ok(t, err)
		if len(bad) != 1 {
			t.Fatal("a room that ended keeps its people")
		}
	})
}
