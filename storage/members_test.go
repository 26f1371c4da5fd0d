package storage_test

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"

	"tongxin/internal/authz"
	"tongxin/internal/call"
	"tongxin/internal/errs"
	"tongxin/internal/page"
	"tongxin/internal/seal"
	"tongxin/member"
	"tongxin/publish"
	"tongxin/staff"
	"tongxin/storage"
	"tongxin/storage/storagetest"
)

// roster is a store of members on the tree of newCrew.
type roster struct {
	*crew
	m *storage.Members
}

func newRoster(t *testing.T, db *storage.DB) *roster {
	return &roster{crew: newCrew(t, db), m: storage.NewMembers(db)}
}

func (r *roster) person(org, phone string) *member.Member {
	m := &member.Member{
		ID: r.db.IDs().New(), OrgID: r.orgs[org].ID, Name: "姓名" + phone, Kind: member.Full, State: member.Active, Version: 1,
		Posts: []string{"secretary"}, JoinedAt: "2010-07-01", UpdatedBy: "t",
	}
	if phone != "" {
		m.SealedPhone, m.PhoneIndex = "sealed "+phone, "index "+phone
	}
	return m
}

func (r *roster) put(m *member.Member) member.Write {
	w := member.Write{Member: m, Entry: entry("member.create")}
	if m.PhoneIndex != "" {
		w.Keys.Phone = []string{m.PhoneIndex, "old " + m.PhoneIndex}
	}
	return w
}

func (r *roster) addMember(org, phone string) *member.Member {
	r.t.Helper()
	w := r.put(r.person(org, phone))
	id, err := r.m.Create(r.t.Context(), w, w.Entry)
	ok(r.t, err)
	if id != w.Member.ID {
		r.t.Fatal("another id")
	}
	return w.Member
}

func TestMembers(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		r := newRoster(t, db)
		ctx := t.Context()
		a, c := r.addMember("root/a", "1"), r.addMember("root/c", "2")
		b := r.person("root/a/b", "3")
		b.Kind, b.BirthDate, b.GroupID, b.Note, b.SealedID, b.IDIndex = member.Probationary, "1990-01-01", r.orgs["root/a/b"].ID, "备注", "sealed id", "id index"
		w := r.put(b)
		_, err := r.m.Create(ctx, w, w.Entry)
		ok(t, err)
		got, err := r.m.Member(ctx, b.ID)
		ok(t, err)
		if got.OrgPath != r.orgs["root/a/b"].Path || got.GroupName != "root/a/b" || got.Kind != member.Probationary || len(got.Posts) != 1 ||
			got.SealedID != "sealed id" || got.JoinedAt != "2010-07-01" || got.Note != "备注" || got.StaffName != "" {
			t.Fatalf("%+v", got)
		}
		names := func(f member.Filter) string {
			list, err := r.m.Members(ctx, f, page.Request{Limit: 10})
			ok(t, err)
			var out []string
			for _, m := range list {
				out = append(out, strings.TrimPrefix(m.Name, "姓名"))
			}
			return strings.Join(out, "")
		}
		all, under := authz.Scope{All: true}, authz.Scope{Paths: []string{r.orgs["root/a"].Path}}
		for want, f := range map[string]member.Filter{
			"123": {Scope: all}, "13": {Scope: under}, "": {}, "3": {Scope: under, Kind: member.Probationary}, "2": {Scope: all, Query: "名2"},
			"1": {Scope: under, Keys: member.Keys{Phone: []string{"index 1", "index 2"}}},
		} {
			if got := names(f); got != want {
				t.Errorf("%+v: %q, want %q", f, got, want)
			}
		}
		if got := names(member.Filter{Scope: under, Under: r.orgs["root/c"].Path}); got != "" {
			t.Errorf("an organisation outside the scope shows %q", got)
		}
		if got := names(member.Filter{Scope: all, Post: "youth"}) + names(member.Filter{Scope: all, Query: "%"}) + names(member.Filter{Scope: all, State: member.Left}); got != "" {
			t.Errorf("found %q", got)
		}
		first, err := r.m.Members(ctx, member.Filter{Scope: all}, page.Request{Limit: 2})
		ok(t, err)
		rest, err := r.m.Members(ctx, member.Filter{Scope: all}, page.Request{Limit: 2, After: first[1].ID})
		ok(t, err)
		if len(first) != 3 || len(rest) != 1 || rest[0].ID != first[2].ID {
			t.Fatal("pages")
		}
		held, err := r.m.Holders(ctx, member.Keys{Phone: []string{"index 1", "index 3", "nobody"}, ID: []string{"id index"}})
		ok(t, err)
		if len(held) != 2 {
			t.Fatalf("holders %v", held)
		}
		counts, err := r.m.Counts(ctx, under)
		ok(t, err)
		if len(counts) != 2 || counts[0].All != 1 || counts[0].Full != 1 || counts[1].All != 1 || counts[1].Full != 0 {
			t.Fatalf("%+v", counts)
		}
		prob, err := r.m.Probation(ctx, authz.Scope{Paths: []string{r.orgs["root/c"].Path}}, 10)
		ok(t, err)
		if len(prob) != 0 {
			t.Fatalf("a foreign probation: %v", prob)
		}
		// Versions, and numbers of others.
		a.Version, a.Name = 2, "改名"
		ok(t, r.m.Save(ctx, member.Write{Member: a, Expect: 1}, entry("member.save")))
		code(t, r.m.Save(ctx, member.Write{Member: a, Expect: 1}, entry("member.save")), errs.Stale)
		ghost := r.person("root/a", "")
		code(t, r.m.Save(ctx, member.Write{Member: ghost, Expect: 1}, entry("member.save")), errs.NotFound)
		_, err = r.m.Member(ctx, ghost.ID)
		code(t, err, errs.NotFound)
		for _, phone := range []string{"2"} {
			w := r.put(r.person("root/a", phone))
			_, err := r.m.Create(ctx, w, w.Entry)
			code(t, err, errs.Conflict)
			w.Keys = member.Keys{} // the unique key decides without the look
			_, err = r.m.Create(ctx, w, w.Entry)
			code(t, err, errs.Conflict)
			if strings.Contains(err.Error(), "index") {
				t.Error("the error shows a blind index")
			}
		}
		c.Version, c.State, c.LeftAt = 2, member.Left, "2020-01-01"
		ok(t, r.m.Save(ctx, member.Write{Member: c, Expect: 1}, entry("member.leave")))
		r.addMember("root/a", "2") // free again
		for by, want := range map[member.Date]int{"2019-12-31": 0, "2020-01-01": 1} {
			list, err := r.m.Expired(ctx, []member.State{member.Left}, by, 10)
			ok(t, err)
			if len(list) != want {
				t.Errorf("left by %s: %d", by, len(list))
			}
		}
		staffer := r.add("zhang", "root")
		for i, want := range []errs.Code{"", errs.Conflict} {
			m := r.person("root/a", fmt.Sprint("staff", i))
			m.StaffID = staffer.ID
			w := r.put(m)
			_, err := r.m.Create(ctx, w, w.Entry)
			code(t, err, want)
		}
	})
}

func TestMemberImportIsAllOrNothing(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		r := newRoster(t, db)
		ctx := t.Context()
		old := r.addMember("root/a", "1")
		old.Version, old.Name = 2, "改名"
		list := []member.Write{{Member: old, Expect: 1, Entry: entry("member.save")}, r.put(r.person("root/a", "2")), r.put(r.person("root/a", "2"))}
		code(t, r.m.Import(ctx, list, entry("member.import")), errs.Conflict)
		if got, err := r.m.Members(ctx, member.Filter{Scope: authz.Scope{All: true}}, page.Request{Limit: 10}); err != nil || len(got) != 1 || got[0].Name == "改名" {
			t.Fatalf("%v %v", got, err)
		}
		ok(t, r.m.Import(ctx, list[:2], entry("member.import")))
		code(t, r.m.Import(ctx, list[:1], entry("member.import")), errs.Stale)
	})
}

func TestMemberCreateOnce(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		r := newRoster(t, db)
		ctx := call.With(t.Context(), call.Info{IdempotencyKey: "key", BodyHash: "h"})
		var made sync.Map
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				w := r.put(r.person("root/a", "1"))
				id, err := r.m.Create(ctx, w, w.Entry)
				if err != nil {
					t.Error(err)
				}
				made.Store(id, true)
			})
		}
		wg.Wait()
		n := 0
		made.Range(func(any, any) bool { n++; return true })
		if n != 1 {
			t.Fatalf("%d members", n)
		}
	})
}

func TestMemberRequests(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		r := newRoster(t, db)
		ctx := t.Context()
		a := r.addMember("root/a", "1")
		q := &member.Request{ID: db.IDs().New(), MemberID: a.ID, Kind: member.Deletion, State: member.Open, SealedText: "sealed", CreatedBy: "t", Version: 1}
		_, err := r.m.CreateRequest(ctx, q, entry("member.request"))
		ok(t, err)
		list := func(f member.RequestFilter) int {
			rows, err := r.m.Requests(ctx, f, page.Request{Limit: 10})
			ok(t, err)
			return len(rows)
		}
		in, out := authz.Scope{Paths: []string{r.orgs["root/a"].Path}}, authz.Scope{Paths: []string{r.orgs["root/c"].Path}}
		if list(member.RequestFilter{Scope: in}) != 1 || list(member.RequestFilter{Scope: out}) != 0 || list(member.RequestFilter{}) != 0 ||
			list(member.RequestFilter{Scope: in, State: member.Done}) != 0 || list(member.RequestFilter{Scope: in, Member: 5}) != 0 {
			t.Fatal("filters")
		}
		a.Version, a.SealedPhone, a.PhoneIndex = 2, "", ""
		w := &member.Write{Member: a, Expect: 7, Entry: entry("member.erase")}
		q.State, q.Version = member.Done, 2
		code(t, r.m.Decide(ctx, q, 1, w, entry("member.decide")), errs.Stale)
		if got, err := r.m.Request(ctx, q.ID); err != nil || got.State != member.Open {
			t.Fatal("half a decision stands", err)
		}
		w.Expect = 1
		ok(t, r.m.Decide(ctx, q, 1, w, entry("member.decide")))
		code(t, r.m.Decide(ctx, q, 1, nil, entry("member.decide")), errs.Stale)
		got, err := r.m.Member(ctx, a.ID)
		ok(t, err)
		if got.SealedPhone != "" {
			t.Fatal("the number stands")
		}
	})
}

// A rotation: everything opens before, during and after; indexes find under the
// new key; a second run finds nothing to do; then the old key may go.
func TestRotate(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		r := newRoster(t, db)
		ctx := t.Context()
		k1, k2 := bytes.Repeat([]byte{1}, seal.MinSecret), bytes.Repeat([]byte{2}, seal.MinSecret)
		before, err := seal.New("k1", map[string][]byte{"k1": k1})
		ok(t, err)
		both, err := seal.New("k2", map[string][]byte{"k1": k1, "k2": k2})
		ok(t, err)
		both, err = both.Using(seal.SM4)
		ok(t, err)
		var people []*member.Member
		for i := range 250 { // more than a batch
			m := r.person("root/a", fmt.Sprint(i))
			m.SealedPhone, err = before.Seal([]byte(fmt.Sprint(i)), member.PhoneUse(m.ID))
			ok(t, err)
			m.PhoneIndex = before.BlindIndex(member.PhonePurpose, fmt.Sprint(i))
			if i == 0 {
				m.State = member.Left
			}
			w := member.Write{Member: m, Entry: entry("x")}
			_, err := r.m.Create(ctx, w, w.Entry)
			ok(t, err)
			people = append(people, m)
		}
		accounts := storage.NewPublishing(db, before)
		app := &publish.Account{
			ID: db.IDs().New(), OrgID: r.orgs["root"].ID, Platform: publish.WeChat, Name: "号", AppID: "wx1",
			Secrets: publish.Secrets{AppSecret: "app secret"}, Version: 1,
		}
		_, err = accounts.CreateAccount(ctx, app, entry("x"))
		ok(t, err)
		boss := &staff.Account{ID: db.IDs().New(), OrgID: r.orgs["root"].ID, Login: "boss", Name: "x", State: staff.Active, Version: 1}
		boss.SealedPhone, err = before.Seal([]byte("boss phone"), staff.PhoneUse(boss.ID))
		ok(t, err)
		_, _, err = r.s.CreateAccount(ctx, boss, r.link(boss.ID, staff.InviteLink), entry("x"))
		ok(t, err)
		c, err := r.s.CredentialsOf(ctx, boss.ID)
		ok(t, err)
		c.TOTP, err = before.Seal([]byte("boss totp"), staff.TotpUse(boss.ID))
		ok(t, err)
		ok(t, r.s.SaveCredentials(ctx, c, entry("x")))
		run := func() map[string]storage.Rotated {
			out := map[string]storage.Rotated{}
			ok(t, db.Rotate(ctx, both, func(d storage.Rotated) { out[d.Column] = d }))
			return out
		}
		first := run()
		if d := first["members.phone_sealed"]; d.Looked != 250 || d.Resealed != 250 || d.Remaining != 0 || len(first) != 9 {
			t.Fatalf("%+v", first)
		}
		if d := run()["members.phone_sealed"]; d.Resealed != 0 || d.Looked != 250 {
			t.Fatalf("the second run: %+v", d)
		}
		after, err := seal.New("k2", map[string][]byte{"k2": k2})
		ok(t, err)
		for i, m := range people {
			got, err := r.m.Member(ctx, m.ID)
			ok(t, err)
			plain, err := after.Open(got.SealedPhone, member.PhoneUse(m.ID))
			if err != nil || string(plain) != fmt.Sprint(i) || got.PhoneIndex != after.BlindIndex(member.PhonePurpose, fmt.Sprint(i)) || got.Version != 1 {
				t.Fatalf("%d: %q %v", i, plain, err)
			}
		}
		opened, err := storage.NewPublishing(db, after).Account(ctx, app.ID)
		if err != nil || opened.Secrets.AppSecret != "app secret" {
			t.Fatalf("the secrets of an account: %v", err)
		}
		creds, err := r.s.CredentialsOf(ctx, boss.ID)
		ok(t, err)
		person, err := r.s.Account(ctx, boss.ID)
		ok(t, err)
		for sealed, use := range map[string]string{creds.TOTP: staff.TotpUse(boss.ID), person.SealedPhone: staff.PhoneUse(boss.ID)} {
			if plain, err := after.Open(sealed, use); err != nil || !strings.HasPrefix(string(plain), "boss ") {
				t.Fatalf("%s: %v", use, err)
			}
		}
		// The unique key moved along, and only for active members.
		for i, want := range map[int]errs.Code{0: "", 1: errs.Conflict} {
			m := r.person("root/a", "")
			m.PhoneIndex = after.BlindIndex(member.PhonePurpose, fmt.Sprint(i))
			_, err := r.m.Create(ctx, member.Write{Member: m}, entry("x"))
			code(t, err, want)
		}
		// What no key opens is named and does not stop the rest.
		bad := r.person("root/a", "bad")
		_, err = r.m.Create(ctx, member.Write{Member: bad}, entry("x"))
		ok(t, err)
		if d := run()["members.phone_sealed"]; d.Remaining != 1 || !strings.Contains(strings.Join(d.Problems, ""), bad.ID.String()) || strings.Contains(d.Problems[0], "sealed bad") {
			t.Fatalf("%+v", d)
		}
	})
}
