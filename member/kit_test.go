package member_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/seal"
	"tongxin/member"
	"tongxin/storage"
	"tongxin/storage/storagetest"
)

// place is the roster on a real database with a committee over the branches
// east and west; east has a group.
type place struct {
	t     *testing.T
	db    *storage.DB
	clock *clock.Manual
	svc   *member.Service
	orgs  map[string]member.Org
	east  *authz.Actor // manages east
	west  *authz.Actor
	boss  *authz.Actor // manages all
}

func open(t *testing.T) *place {
	t.Helper()
	p := &place{t: t, clock: clock.NewManual(time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)), orgs: map[string]member.Org{}}
	p.db = storagetest.Open(t, storage.Options{DSN: t.TempDir() + "/test.db", Clock: p.clock})
	box, err := seal.New("k1", map[string][]byte{"k1": bytes.Repeat([]byte{7}, seal.MinSecret)})
	check(t, err)
	add := func(name, parent, kind string) {
		id, base := p.db.IDs().New(), p.orgs[parent]
		o := member.Org{ID: id, ParentID: base.ID, Path: base.Path + id.String() + "/", Branch: kind == "branch", Group: kind == "group", Name: name, Short: name}
		if parent == "" {
			o.Path = "/" + o.Path
		}
		check(t, p.db.Write(t.Context(), func(tx *storage.Tx) error {
			_, err := tx.Exec(`INSERT INTO orgs (id, parent_id, path, kind, name, short_name, settings, archived_at, version, created_at, updated_at, updated_by)
				VALUES (?, ?, ?, ?, ?, ?, '{}', 0, 1, 0, 0, 't')`, o.ID, o.ParentID, o.Path, kind, name, name)
			return err
		}))
		p.orgs[name] = o
	}
	add("党委", "", "committee")
	add("东支部", "党委", "branch")
	add("西支部", "党委", "branch")
	add("一组", "东支部", "group")
	p.svc, err = member.New(member.Config{
		Store: storage.NewMembers(p.db), Sealer: box, Clock: p.clock, IDs: p.db.IDs(),
		Orgs: func(context.Context) ([]member.Org, error) {
			return []member.Org{p.orgs["党委"], p.orgs["东支部"], p.orgs["西支部"], p.orgs["一组"]}, nil
		},
		Staff: func(context.Context, ids.ID) (member.Person, error) { return member.Person{}, errs.Missing("账号") },
	})
	check(t, err)
	p.east, p.west, p.boss = p.keeper("东支部"), p.keeper("西支部"), p.keeper("党委")
	return p
}

func (p *place) keeper(org string) *authz.Actor {
	o := p.orgs[org]
	return &authz.Actor{ID: p.db.IDs().New(), Kind: authz.Staff, Name: org + "管理人", Grants: []authz.Grant{
		{Role: "secretary", OrgID: o.ID, Path: o.Path, Rights: []authz.Right{member.Read, member.Manage, member.Reveal}},
	}}
}

// number makes a valid identity number of area 000000, which no place has.
func number(born string, n int) string {
	first := fmt.Sprintf("000000%s%03d", born, n)
	return first + string(member.CheckChar(first))
}

func (p *place) input(name, phone string) member.Input {
	return member.Input{OrgID: p.orgs["东支部"].ID, Name: name, Kind: member.Full, JoinedAt: "2010-07-01", FullAt: "2011-07-01", Phone: phone}
}

func (p *place) create(actor *authz.Actor, in member.Input) *member.Member {
	p.t.Helper()
	m, err := p.svc.Create(p.t.Context(), actor, in)
	check(p.t, err)
	return m
}

func check(t testing.TB, err error) {
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
