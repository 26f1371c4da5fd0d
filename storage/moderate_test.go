package storage_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
	"tongxin/moderate"
	"tongxin/storage"
	"tongxin/storage/storagetest"
)

// desk is a store of handed-in texts on the tree of newCrew.
type desk struct {
	*roster
	mo  *storage.Moderation
	now time.Time
}

func newDesk(t *testing.T, db *storage.DB) *desk {
	return &desk{roster: newRoster(t, db), mo: storage.NewModeration(db), now: clock.Cut(time.Now())}
}

func (d *desk) item(org string, object ids.ID, revision int64) *moderate.Item {
	return &moderate.Item{
		ID: d.db.IDs().New(), OrgID: d.orgs[org].ID, Kind: "answer", ObjectID: object, Revision: revision, Media: moderate.Text, Scene: moderate.Comment,
		State: moderate.Waiting, Hold: moderate.Asking, Sealed: "sealed", NextAt: d.now, CreatedAt: d.now, Version: 1,
	}
}

func (d *desk) add(it *moderate.Item) *moderate.Item {
	d.t.Helper()
	got, fresh, err := d.mo.Add(d.t.Context(), it)
	ok(d.t, err)
	if !fresh {
		d.t.Fatal("there already")
	}
	return got
}

func (d *desk) stored(id ids.ID) *moderate.Item {
	d.t.Helper()
	it, err := d.mo.Item(d.t.Context(), id)
	ok(d.t, err)
	return it
}

func TestModerationItems(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		d := newDesk(t, db)
		ctx := t.Context()
		author := d.person("root/a", "1")
		author.StaffID = d.roster.add("zhang", "root").ID
		w := d.put(author)
		_, err := d.m.Create(ctx, w, w.Entry)
		ok(t, err)
		first := d.item("root/a", 7, 1)
		first.AuthorID, first.Ref, first.Scene = author.ID, "ref", moderate.Profile
		got := d.add(first)
		if got.OrgPath != d.orgs["root/a"].Path || got.AuthorName != author.Name || got.AuthorStaff != author.StaffID || got.Sealed != "sealed" ||
			got.Ref != "ref" || got.Scene != moderate.Profile || !got.NextAt.Equal(d.now) || got.Trace != "" || got.State != moderate.Waiting || got.Version != 1 {
			t.Fatalf("%+v", got)
		}
		again := d.item("root/a", 7, 1)
		stands, fresh, err := d.mo.Add(ctx, again)
		if err != nil || fresh || stands.ID != first.ID {
			t.Fatalf("the same revision twice: %v %v %v", stands, fresh, err)
		}
		_, err = d.mo.Item(ctx, 1)
		code(t, err, errs.NotFound)

		// A later revision replaces what is undecided, and nothing else.
		second := d.add(d.item("root/a", 7, 2))
		if d.stored(first.ID).State != moderate.Replaced || !d.stored(first.ID).NextAt.IsZero() || d.stored(first.ID).Version != 2 {
			t.Fatalf("%+v", d.stored(first.ID))
		}
		second.State, second.By, second.Version = moderate.Passed, moderate.ByWeChat, 2
		ok(t, d.mo.Save(ctx, second, 1, nil))
		late := d.add(d.item("root/a", 7, 0))
		if late.State != moderate.Replaced || d.stored(second.ID).State != moderate.Passed {
			t.Fatal("a revision that came late counts")
		}

		st, err := d.mo.Standing(ctx, "answer", []ids.ID{7, 8})
		ok(t, err)
		if len(st) != 1 || !st[7].Shown(2) || st[7].Shown(1) || st[7].Shown(3) {
			t.Fatalf("%+v", st)
		}
		if st, err = d.mo.Standing(ctx, "other", []ids.ID{7}); err != nil || len(st) != 0 {
			t.Fatal(st, err)
		}

		// Save is a compare-and-swap, with the entry or without it.
		second.Version = 3
		e := entry("moderate.refuse")
		code(t, d.mo.Save(ctx, second, 1, &e), errs.Stale)
		second.Trace, second.Hold, second.Label, second.Reason, second.Tries, second.DecidedBy, second.DecidedAt = "trace", moderate.Unsure, 20001, "理由", 3, "谁", d.now
		ok(t, d.mo.Save(ctx, second, 2, &e))
		got, err = d.mo.Traced(ctx, "trace")
		ok(t, err)
		if got.ID != second.ID || got.Label != 20001 || got.Reason != "理由" || got.Tries != 3 || got.DecidedBy != "谁" || !got.DecidedAt.Equal(d.now) || got.Hold != moderate.Unsure {
			t.Fatalf("%+v", got)
		}
		_, err = d.mo.Traced(ctx, "#"+first.ID.String()+"x")
		code(t, err, errs.NotFound)
		code(t, d.mo.Told(ctx, second.ID, 2, time.Time{}), errs.Stale)
		ok(t, d.mo.Told(ctx, second.ID, 3, d.now.Add(time.Hour)))
		if got := d.stored(second.ID); !got.NextAt.Equal(d.now.Add(time.Hour)) || got.Version != 3 {
			t.Fatalf("%+v", got)
		}
	})
}

func TestModerationLists(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		d := newDesk(t, db)
		ctx := t.Context()
		put := func(org string, object ids.ID, state moderate.State, hold moderate.Hold) *moderate.Item {
			it := d.add(d.item(org, object, 1))
			it.State, it.Hold, it.Version, it.NextAt = state, hold, 2, d.now.Add(time.Hour)
			ok(t, d.mo.Save(ctx, it, 1, nil))
			return it
		}
		a := put("root/a", 1, moderate.InReview, moderate.Unsure)
		b := put("root/a/b", 2, moderate.Waiting, moderate.Inactive)
		put("root/a", 3, moderate.Waiting, moderate.Down)
		put("root/c", 4, moderate.InReview, moderate.NoProgram)
		put("root/a", 5, moderate.Passed, "")
		in := authz.Scope{Paths: []string{d.orgs["root/a"].Path}}
		objects := func(f moderate.Filter, after ids.ID) string {
			rows, err := d.mo.Items(ctx, f, page.Request{Limit: 10, After: after})
			ok(t, err)
			var out string
			for _, r := range rows {
				out += r.ObjectID.String()
			}
			return out
		}
		for _, c := range []struct {
			want  string
			f     moderate.Filter
			after ids.ID
		}{
			{"5321", moderate.Filter{Scope: in}, 0},
			{"54321", moderate.Filter{Scope: authz.Scope{All: true}}, 0},
			{"", moderate.Filter{}, 0},
			{"21", moderate.Filter{Scope: in, State: moderate.AwaitsAny}, 0},
			{"32", moderate.Filter{Scope: in, State: moderate.Waiting}, 0},
			{"2", moderate.Filter{Scope: in, Under: d.orgs["root/a/b"].Path}, 0},
			{"", moderate.Filter{Scope: in, Under: d.orgs["root/c"].Path}, 0},
			{"", moderate.Filter{Scope: in, Kind: "other"}, 0},
			{"1", moderate.Filter{Scope: in}, b.ID},
			{"", moderate.Filter{Scope: in, Author: 9}, 0},
		} {
			if got := objects(c.f, c.after); got != c.want {
				t.Errorf("%+v: %q, want %q", c.f, got, c.want)
			}
		}
		for scope, want := range map[string]int{d.orgs["root/a"].Path: 2, d.orgs["root/c"].Path: 1, d.orgs["root"].Path: 3} {
			n, err := d.mo.Open(ctx, authz.Scope{Paths: []string{scope}})
			if err != nil || n != want {
				t.Errorf("%s: %d open, want %d (%v)", scope, n, want, err)
			}
		}
		n, err := d.mo.Open(ctx, authz.Scope{})
		if err != nil || n != 0 {
			t.Error("an empty scope sees", n, err)
		}

		// The author's visit makes due what waits for it, and nothing else.
		b = d.stored(b.ID)
		if n, err := d.mo.Visit(ctx, 77, d.now); n != 0 || err != nil {
			t.Fatal(n, err)
		}
		if n, err := d.mo.Visit(ctx, b.AuthorID, d.now); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if !d.stored(b.ID).NextAt.Equal(d.now) || d.stored(a.ID).NextAt.Equal(d.now) {
			t.Fatal("a visit moved the wrong item")
		}

		// Outcomes: the first stays. Old texts go, open ones stay.
		for _, s := range []moderate.Suggest{moderate.Risky, moderate.Pass} {
			ok(t, d.mo.AddOutcome(ctx, moderate.Outcome{Trace: "t", Suggest: s, Label: 5, Signed: true, At: d.now}))
		}
		o, err := d.mo.OutcomeOf(ctx, "t")
		ok(t, err)
		if o.Suggest != moderate.Risky || !o.Signed || o.Label != 5 {
			t.Fatalf("%+v", o)
		}
		erased, err := d.mo.Erase(ctx, d.now.Add(time.Hour), 10)
		if err != nil || erased != 1 {
			t.Fatal(erased, err)
		}
		_, err = d.mo.OutcomeOf(ctx, "t")
		code(t, err, errs.NotFound)
		if d.stored(a.ID).Sealed == "" {
			t.Fatal("the text of an open item is gone")
		}
		if erased, err = d.mo.Erase(ctx, d.now.Add(time.Hour), 10); err != nil || erased != 0 {
			t.Fatal(erased, err)
		}
	})
}

// Eight claimers, each row once; who lost the lease cannot store.
func TestModerationClaims(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		d := newDesk(t, db)
		ctx := t.Context()
		for i := range 20 {
			d.add(d.item("root/a", ids.ID(i+1), 1))
		}
		stores := []*storage.Moderation{d.mo, storage.NewModeration(db)} // two processes' locks
		var mu sync.Mutex
		seen := map[ids.ID]string{}
		var first *moderate.Item
		var wg sync.WaitGroup
		until := d.now.Add(time.Minute)
		for n := range 8 {
			wg.Go(func() {
				owner := fmt.Sprint("node", n)
				for {
					got, err := stores[n%2].Claim(ctx, owner, d.now, until, 3)
					if err != nil {
						t.Error(err)
					}
					if len(got) == 0 {
						return
					}
					mu.Lock()
					for _, it := range got {
						if seen[it.ID] != "" || it.LeaseOwner != owner || it.Version != 2 {
							t.Errorf("%s got %+v, which %q has", owner, it, seen[it.ID])
						}
						seen[it.ID] = owner
						first = it
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if len(seen) != 20 {
			t.Fatalf("%d of 20 claimed", len(seen))
		}
		next, err := d.mo.NextDue(ctx)
		if err != nil || !next.Equal(until) {
			t.Fatal(next, err)
		}
		later, err := d.mo.Claim(ctx, "late", until, until.Add(time.Minute), 100)
		if err != nil || len(later) != 20 {
			t.Fatal(len(later), err)
		}
		first.State, first.Version = moderate.Passed, 3
		e := trail.Entry{Action: "moderate.pass", Object: "moderation", ID: first.ID}
		code(t, d.mo.Save(ctx, first, 2, &e), errs.Stale)
		if d.stored(first.ID).State != moderate.Waiting {
			t.Fatal("a late worker stored")
		}
	})
}

// Two revisions handed in at the same moment: one of them stays open, the later.
func TestModerationRevisionsRace(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		d := newDesk(t, db)
		for round := range 10 {
			object := ids.ID(100 + round)
			var wg sync.WaitGroup
			for rev := int64(1); rev <= 6; rev++ {
				wg.Go(func() {
					if _, _, err := d.mo.Add(t.Context(), d.item("root/a", object, (rev+1)/2)); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			rows, err := d.mo.Items(t.Context(), moderate.Filter{Scope: authz.Scope{All: true}}, page.Request{Limit: 200})
			ok(t, err)
			n := 0
			for _, r := range rows {
				if r.ObjectID != object {
					continue
				}
				n++
				if (r.State == moderate.Waiting) != (r.Revision == 3) {
					t.Errorf("revision %d is %s", r.Revision, r.State)
				}
			}
			if n != 3 {
				t.Errorf("%d items of three revisions", n)
			}
		}
	})
}
