package storage_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"tongxin/audit"
	"tongxin/internal/authz"
	"tongxin/internal/call"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
	"tongxin/staff"
	"tongxin/storage"
	"tongxin/storage/storagetest"
)

// crew is a store with a tree root > a > b and root > c.
type crew struct {
	t    *testing.T
	db   *storage.DB
	s    *storage.Staff
	orgs map[string]*staff.Org
}

func newCrew(t *testing.T, db *storage.DB) *crew {
	c := &crew{t: t, db: db, s: storage.NewStaff(db), orgs: map[string]*staff.Org{}}
	for _, name := range []string{"root", "root/a", "root/a/b", "root/c"} {
		parent := name[:max(0, strings.LastIndex(name, "/"))]
		o := &staff.Org{ID: db.IDs().New(), Kind: staff.Branch, Name: name, ShortName: "x", Version: 1, UpdatedBy: "t"}
		o.Path = "/" + o.ID.String() + "/"
		if p := c.orgs[parent]; p != nil {
			o.ParentID, o.Path = p.ID, p.Path+o.ID.String()+"/"
		}
		_, err := c.s.CreateOrg(t.Context(), o, entry("org.create"))
		ok(t, err)
		c.orgs[name] = o
	}
	return c
}

func entry(action string) trail.Entry {
	return trail.Entry{Actor: authz.SystemActor("test"), Action: action, Object: "test"}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func code(t *testing.T, err error, want errs.Code) {
	t.Helper()
	if errs.CodeOf(err) != want {
		t.Fatalf("code %q, want %q: %v", errs.CodeOf(err), want, err)
	}
}

// add makes an active account with roles "role@org".
func (c *crew) add(login, org string, roles ...string) *staff.Account {
	c.t.Helper()
	a := &staff.Account{ID: c.db.IDs().New(), OrgID: c.orgs[org].ID, Login: login, Name: "姓名", State: staff.Active, Version: 1, SealedPhone: "sealed"}
	for _, r := range roles {
		role, at, _ := strings.Cut(r, "@")
		a.Roles = append(a.Roles, staff.RoleAt{Role: role, OrgID: c.orgs[at].ID})
	}
	id, fresh, err := c.s.CreateAccount(c.t.Context(), a, c.link(a.ID, staff.InviteLink), entry("account.create"))
	ok(c.t, err)
	if !fresh || id != a.ID {
		c.t.Fatal("not fresh")
	}
	return a
}

func (c *crew) link(account ids.ID, kind staff.LinkKind) staff.Link {
	id := c.db.IDs().New()
	return staff.Link{ID: id, Kind: kind, Hash: "hash-" + id.String(), AccountID: account, ExpiresAt: time.UnixMilli(9e12)}
}

func TestStaffOrgs(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		c := newCrew(t, db)
		ctx := t.Context()
		a, b, cc := c.orgs["root/a"], c.orgs["root/a/b"], c.orgs["root/c"]
		list, err := c.s.Orgs(ctx, authz.Scope{Paths: []string{a.Path}}, false)
		ok(t, err)
		if len(list) != 2 || list[0].ID != a.ID || list[1].ID != b.ID {
			t.Fatalf("scope of a: %v", list)
		}
		if none, err := c.s.Orgs(ctx, authz.Scope{}, true); err != nil || len(none) != 0 {
			t.Fatalf("the empty scope sees %v (%v)", none, err)
		}
		levels := 2
		a.Overrides, a.Version = staff.Overrides{ReviewLevels: &levels}, 2
		ok(t, c.s.SaveOrg(ctx, a, 1, entry("org.save")))
		code(t, c.s.SaveOrg(ctx, a, 1, entry("org.save")), errs.Stale)
		got, err := c.s.Org(ctx, a.ID)
		ok(t, err)
		if got.Overrides.ReviewLevels == nil || *got.Overrides.ReviewLevels != 2 || got.Overrides.ReviewHours != nil {
			t.Fatalf("settings %+v", got.Overrides)
		}
		_, err = c.s.Org(ctx, 12345)
		code(t, err, errs.NotFound)

		moved, old := *a, a.Path
		moved.ParentID, moved.Path, moved.Version = cc.ID, cc.Path+a.ID.String()+"/", 3
		code(t, c.s.MoveOrg(ctx, &moved, 2, old, "/wrong/", entry("org.move")), errs.Conflict)
		ok(t, c.s.MoveOrg(ctx, &moved, 2, old, cc.Path, entry("org.move")))
		code(t, c.s.MoveOrg(ctx, &moved, 2, old, cc.Path, entry("org.move")), errs.Stale)
		under, err := c.s.Orgs(ctx, authz.Scope{Paths: []string{cc.Path}}, false)
		ok(t, err)
		if len(under) != 3 || under[2].Path != cc.Path+a.ID.String()+"/"+b.ID.String()+"/" {
			t.Fatalf("after the move: %v", under)
		}
		if deep, err := c.s.Deepest(ctx, cc.Path); err != nil || deep != 4 {
			t.Fatalf("depth %d, want 4 (%v)", deep, err)
		}
		late := &staff.Org{ID: db.IDs().New(), ParentID: b.ID, Kind: staff.Group, Name: "late", Version: 1}
		late.Path = b.Path + late.ID.String() + "/" // where b stood before the move
		_, err = c.s.CreateOrg(ctx, late, entry("org.create"))
		code(t, err, errs.Conflict)
	})
}

func TestStaffAccounts(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		c := newCrew(t, db)
		ctx := t.Context()
		boss := c.add("boss", "root", "admin@root")
		zhang := c.add("zhang_san", "root/a/b", "editor@root/a", "reviewer1@root/a/b")
		c.add("zhangxsan", "root/c")
		_, _, err := c.s.CreateAccount(ctx, &staff.Account{ID: db.IDs().New(), OrgID: boss.OrgID, Login: "boss", State: staff.Invited}, c.link(1, staff.InviteLink), entry("x"))
		code(t, err, errs.Conflict)

		got, err := c.s.Account(ctx, zhang.ID)
		ok(t, err)
		if len(got.Roles) != 2 || got.Roles[0].Role != "editor" || got.Roles[0].Path != c.orgs["root/a"].Path || got.OrgPath != c.orgs["root/a/b"].Path {
			t.Fatalf("%+v", got)
		}
		find := func(f staff.AccountFilter, limit int) []staff.Account {
			list, err := c.s.Accounts(ctx, f, page.Request{Limit: limit})
			ok(t, err)
			return list
		}
		all := authz.Scope{All: true}
		if l := find(staff.AccountFilter{Scope: all, Query: "zhang_"}, 10); len(l) != 1 || l[0].ID != zhang.ID { // _ is no wildcard
			t.Fatalf("query: %d", len(l))
		}
		if l := find(staff.AccountFilter{Scope: authz.Scope{Paths: []string{c.orgs["root/a"].Path}}}, 10); len(l) != 1 || len(l[0].Roles) != 2 {
			t.Fatalf("scope: %d", len(l))
		}
		if l := find(staff.AccountFilter{Scope: all, Role: "admin"}, 10); len(l) != 1 {
			t.Fatalf("role: %d", len(l))
		}
		if l := find(staff.AccountFilter{Scope: all}, 2); len(l) != 3 {
			t.Fatalf("limit 2 reads one more: %d", len(l))
		}
		if l := find(staff.AccountFilter{}, 10); len(l) != 0 {
			t.Fatalf("no scope sees %d", len(l))
		}

		boss.Version = 2
		code(t, c.s.SetRoles(ctx, boss, 1, nil, entry("account.roles")), errs.Conflict)
		code(t, c.s.SetState(ctx, boss, 1, staff.Disabled, entry("account.disable")), errs.Conflict)
		code(t, c.s.Reset(ctx, boss, 1, c.link(boss.ID, staff.InviteLink), entry("account.reset")), errs.Conflict)
		if a, err := c.s.Account(ctx, boss.ID); err != nil || a.Version != 1 || a.State != staff.Active || len(a.Roles) != 1 {
			t.Fatalf("a refused change left something behind: %+v", a)
		}
		zhang.Version = 2
		ok(t, c.s.SetRoles(ctx, zhang, 1, []staff.RoleAt{{Role: "admin", OrgID: c.orgs["root"].ID}}, entry("account.roles")))
		ok(t, c.s.SetState(ctx, boss, 1, staff.Disabled, entry("account.disable")))
		code(t, c.s.SetState(ctx, boss, 1, staff.Active, entry("x")), errs.Stale)
	})
}

// Two administrators disable each other at the same moment: one stays.
func TestStaffLastAdminUnderRace(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		c := newCrew(t, db)
		for round := range 5 {
			one := c.add(fmt.Sprint("one", round), "root", "admin@root")
			two := c.add(fmt.Sprint("two", round), "root", "admin@root")
			var wg sync.WaitGroup
			for _, a := range []*staff.Account{one, two} {
				wg.Go(func() {
					a.Version = 2
					if err := c.s.SetState(t.Context(), a, 1, staff.Disabled, entry("account.disable")); err != nil && !errs.Is(err, errs.Conflict) {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			list, err := c.s.Accounts(t.Context(), staff.AccountFilter{Scope: authz.Scope{All: true}, Role: "admin", State: staff.Active}, page.Request{Limit: 10})
			ok(t, err)
			if len(list) == 0 {
				t.Fatal("no administrator is left")
			}
			for i := range list[:len(list)-1] { // leave one for the next round
				a := list[i]
				a.Version++
				ok(t, c.s.SetState(t.Context(), &a, a.Version-1, staff.Disabled, entry("x")))
			}
		}
	})
}

func TestStaffCreateIsIdempotent(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		c := newCrew(t, db)
		ctx := call.With(t.Context(), call.Info{IdempotencyKey: "same-key", BodyHash: "h"})
		make := func() (ids.ID, bool) {
			a := &staff.Account{ID: db.IDs().New(), OrgID: c.orgs["root"].ID, Login: "new", State: staff.Invited, Version: 1}
			id, fresh, err := c.s.CreateAccount(ctx, a, c.link(a.ID, staff.InviteLink), entry("account.create"))
			ok(t, err)
			return id, fresh
		}
		first, fresh := make()
		again, repeated := make()
		if first != again || !fresh || repeated {
			t.Fatalf("%d %v, %d %v", first, fresh, again, repeated)
		}
	})
}

func TestStaffSignIn(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		c := newCrew(t, db)
		ctx := t.Context()
		a := c.add("zhang", "root")
		if none, err := c.s.Credentials(ctx, "nobody"); err != nil || none.ID != 0 {
			t.Fatalf("%+v %v", none, err)
		}
		cr, err := c.s.Credentials(ctx, "zhang")
		ok(t, err)
		cr.Hash, cr.History, cr.TOTP, cr.Recovery = "hash", []string{"old"}, "sealed", []string{"r1", "r2"}
		ok(t, c.s.SaveCredentials(ctx, cr, entry("x")))
		code(t, c.s.SaveCredentials(ctx, cr, entry("x")), errs.Conflict)
		cr, err = c.s.CredentialsOf(ctx, a.ID)
		ok(t, err)
		if cr.Hash != "hash" || len(cr.History) != 1 || len(cr.Recovery) != 2 || cr.OrgPath == "" {
			t.Fatalf("%+v", cr)
		}

		// One code, one link and one ticket open one session, whoever is faster.
		l := c.link(a.ID, staff.TicketLink)
		ok(t, c.s.AddLink(ctx, l, 0, entry("x")))
		found, err := c.s.Link(ctx, staff.TicketLink, l.Hash)
		ok(t, err)
		_, err = c.s.Link(ctx, staff.InviteLink, l.Hash)
		code(t, err, errs.NotFound)
		spent := c.link(a.ID, staff.SignInLink)
		ok(t, c.s.AddLink(ctx, spent, 0, entry("x")))
		ok(t, c.s.AddLink(ctx, c.link(a.ID, staff.TicketLink), spent.ID, entry("x")))
		code(t, c.s.AddLink(ctx, c.link(a.ID, staff.TicketLink), spent.ID, entry("x")), errs.Conflict)
		count := func(_ int, f staff.Failure) staff.Failure {
			f.Tries++
			return f
		}
		ok(t, c.s.NoteFailures(ctx, []string{"n1", "n2"}, count, entry("x")))
		var tries sync.WaitGroup
		for range 20 {
			tries.Go(func() {
				if err := c.s.NoteFailures(ctx, []string{"n1"}, count, entry("x")); err != nil {
					t.Error(err)
				}
			})
		}
		tries.Wait()
		if f, err := c.s.Failures(ctx, []string{"n1"}); err != nil || f[0].Tries != 21 {
			t.Fatalf("21 tries at once were counted as %v (%v)", f, err)
		}
		next := cr
		next.TOTPStep = 77
		var wg sync.WaitGroup
		opened := make(chan error, 8)
		for i := range 8 {
			wg.Go(func() {
				x := staff.Session{ID: db.IDs().New(), AccountID: a.ID, CreatedAt: time.UnixMilli(1000), SeenAt: time.UnixMilli(1000), ExpiresAt: time.UnixMilli(9e12)}
				opened <- c.s.StartSession(ctx, staff.Start{Session: x, Hash: fmt.Sprint("token", i), Clear: []string{"n1"}, Link: found.ID, Creds: &next}, entry("signin"))
			})
		}
		wg.Wait()
		close(opened)
		good := 0
		for err := range opened {
			if err == nil {
				good++
			} else {
				code(t, err, errs.Conflict)
			}
		}
		list, err := c.s.Sessions(ctx, a.ID)
		ok(t, err)
		if good != 1 || len(list) != 1 {
			t.Fatalf("%d sign-ins succeeded, %d sessions", good, len(list))
		}
		if f, err := c.s.Failures(ctx, []string{"n1", "n2"}); err != nil || len(f) != 1 || f[0].Name != "n2" {
			t.Fatalf("failures %v %v", f, err)
		}
		ok(t, c.s.TouchSession(ctx, list[0].ID, time.UnixMilli(5000)))
		ok(t, c.s.TouchSession(ctx, list[0].ID, time.UnixMilli(4000))) // never back
		list, err = c.s.Sessions(ctx, a.ID)
		ok(t, err)
		if list[0].SeenAt.UnixMilli() != 5000 {
			t.Fatalf("seen %v", list[0].SeenAt)
		}
		cr, err = c.s.CredentialsOf(ctx, a.ID)
		ok(t, err)
		ok(t, c.s.SetPassword(ctx, cr, 0, list[0].ID, entry("x")))
		if list, err = c.s.Sessions(ctx, a.ID); err != nil || len(list) != 1 {
			t.Fatal("the session that changed the password ended")
		}
		if n, err := c.s.EndSessions(ctx, a.ID+1, list[0].ID, entry("x")); err != nil || n != 0 {
			t.Fatal("somebody else's session was ended")
		}
		if n, err := c.s.EndSessions(ctx, a.ID, 0, entry("x")); err != nil || n != 1 {
			t.Fatal(n, err)
		}
		_, _, err = c.s.Session(ctx, "token0")
		code(t, err, errs.NotFound)
	})
}

// TestStaffOldPassword: a sign-in that was judged by the old password must not
// outlive the change that ends all sessions.
func TestStaffOldPassword(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		c := newCrew(t, db)
		a := c.add("zhang", "root")
		judged, err := c.s.CredentialsOf(t.Context(), a.ID)
		ok(t, err)
		start := func(token string) error {
			x := staff.Session{ID: db.IDs().New(), AccountID: a.ID, ExpiresAt: time.UnixMilli(9e12)}
			return c.s.StartSession(t.Context(), staff.Start{Session: x, Hash: token, Judged: &judged}, entry("signin"))
		}
		ok(t, start("t1"))
		changed := judged
		changed.Hash = "new"
		ok(t, c.s.SetPassword(t.Context(), changed, 0, 0, entry("x")))
		code(t, start("t2"), errs.Conflict)
		list, err := c.s.Sessions(t.Context(), a.ID)
		ok(t, err)
		if len(list) != 0 {
			t.Errorf("%d sessions outlived the password", len(list))
		}
	})
}

func TestStaffResetAndSweep(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		c := newCrew(t, db)
		ctx := t.Context()
		a := c.add("zhang", "root")
		cr, err := c.s.CredentialsOf(ctx, a.ID)
		ok(t, err)
		cr.Hash, cr.TOTP = "hash", "sealed"
		ok(t, c.s.SetPassword(ctx, cr, 0, 0, entry("x")))
		open := func(token string, expires int64) {
			x := staff.Session{ID: db.IDs().New(), AccountID: a.ID, ExpiresAt: time.UnixMilli(expires)}
			ok(t, c.s.StartSession(ctx, staff.Start{Session: x, Hash: token}, entry("x")))
		}
		open("t1", 9e12)
		l, before := c.link(a.ID, staff.InviteLink), c.link(a.ID, staff.SignInLink)
		ok(t, c.s.AddLink(ctx, before, 0, entry("x")))
		a.Version = 2
		ok(t, c.s.Reset(ctx, a, 1, l, entry("account.reset")))
		cr, err = c.s.CredentialsOf(ctx, a.ID)
		ok(t, err)
		if cr.Hash != "" || cr.TOTP != "" || cr.State != staff.Invited || len(cr.History) != 1 {
			t.Fatalf("%+v", cr)
		}
		_, err = c.s.Link(ctx, staff.SignInLink, before.Hash)
		code(t, err, errs.NotFound)
		_, _, err = c.s.Session(ctx, "t1")
		code(t, err, errs.NotFound)
		ok(t, c.s.SetPassword(ctx, cr, l.ID, 0, entry("account.accept")))
		cr, err = c.s.CredentialsOf(ctx, a.ID)
		ok(t, err)
		if cr.State != staff.Active {
			t.Fatal("accepting did not make the account active")
		}
		code(t, c.s.SetPassword(ctx, cr, l.ID, 0, entry("account.accept")), errs.Conflict)

		open("old", 1000)
		open("new", 9e12)
		n, err := c.s.Sweep(ctx, time.UnixMilli(2000))
		ok(t, err)
		if n != 1 {
			t.Fatalf("swept %d, want the one session that is over", n)
		}
	})
}

func TestStaffChangesAreAudited(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		c := newCrew(t, db)
		c.add("zhang", "root")
		c.add("zhang2", "root", "admin@root")
		rows, err := storage.NewAudit(db).Rows(context.Background(), audit.Filter{Scope: authz.Scope{All: true}}, audit.Cursor{}, 100)
		ok(t, err)
		if len(rows) != 6 || rows[0].Action != "account.create" || rows[0].Hash == "" || len(rows[0].Detail) != 0 {
			t.Fatalf("%d rows: %+v", len(rows), rows)
		}
		rep, err := storage.NewAudit(db).Verify(t.Context())
		ok(t, err)
		if rep.Rows != 6 || len(rep.Problems) != 0 {
			t.Fatalf("%+v", rep)
		}
	})
}
