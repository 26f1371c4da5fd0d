package main

import (
	"path/filepath"
	"strings"
	"testing"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/ids"
	"tongxin/internal/seal"
	"tongxin/internal/trail"
	"tongxin/member"
	"tongxin/staff"
	"tongxin/storage"
)

// value is a setting of the place.
func (p *place) value(name string) string {
	for _, kv := range p.env {
		if v, ok := strings.CutPrefix(kv, "TONGXIN_"+name+"="); ok {
			return v
		}
	}
	return ""
}

// putMember stores one member whose phone is sealed under box.
func putMember(t *testing.T, p *place, box *seal.Box) ids.ID {
	t.Helper()
	db, err := storage.Open(t.Context(), storage.Options{DSN: filepath.Join(p.value("DATA"), "tongxin.db"), AuditKey: box.Derive("audit"), Clock: clock.System{}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	e := trail.Entry{Actor: authz.SystemActor("test"), Action: "test", Object: "test"}
	org := &staff.Org{ID: db.IDs().New(), Kind: staff.Branch, Name: "支部", ShortName: "支部", Version: 1}
	org.Path = "/" + org.ID.String() + "/"
	if _, err := storage.NewStaff(db).CreateOrg(t.Context(), org, e); err != nil {
		t.Fatal(err)
	}
	m := &member.Member{ID: db.IDs().New(), OrgID: org.ID, Name: "某人", Kind: member.Full, State: member.Active, Version: 1}
	if m.SealedPhone, err = box.Seal([]byte("19900000001"), member.PhoneUse(m.ID)); err != nil {
		t.Fatal(err)
	}
	m.PhoneIndex = box.BlindIndex(member.PhonePurpose, "19900000001")
	if _, err := storage.NewMembers(db).Create(t.Context(), member.Write{Member: m}, e); err != nil {
		t.Fatal(err)
	}
	return m.ID
}

// A house changes its master secret and its algorithm: rotate-keys goes through
// everything, the old secret may go, and members are found as before.
func TestRotateKeys(t *testing.T) {
	p := newPlace(t)
	tongxin(t, p.env, "migrate").want(t, 0)
	old := p.value("SECRET_KEY")
	box, err := boxOf(old, "")
	if err != nil {
		t.Fatal(err)
	}
	id := putMember(t, p, box)
	next := strings.Repeat("n", seal.MinSecret)
	env := append(p.without("SECRET_KEY"), "TONGXIN_SECRET_KEY="+next, "TONGXIN_SEAL=sm4")
	tongxin(t, env, "rotate-keys").want(t, 1, "1 values could not be resealed").lacks(t, "19900000001")
	env = append(env, "TONGXIN_OLD_SECRET_KEYS="+old)
	tongxin(t, env, "rotate-keys").want(t, 0, "members.phone_sealed", "1 of 1 resealed")
	tongxin(t, env, "rotate-keys").want(t, 0, "0 of 1 resealed")

	now, err := boxOf(next, "")
	if err != nil {
		t.Fatal(err)
	}
	db, err := storage.Open(t.Context(), storage.Options{DSN: filepath.Join(p.value("DATA"), "tongxin.db"), ReadOnly: true, Clock: clock.System{}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	got, err := storage.NewMembers(db).Holders(t.Context(), member.Keys{Phone: now.BlindIndexes(member.PhonePurpose, "19900000001")})
	if err != nil || len(got) != 1 || got[0].ID != id || !strings.HasPrefix(got[0].SealedPhone, "s1.") {
		t.Fatalf("%v %v", got, err)
	}
	if plain, err := now.Open(got[0].SealedPhone, member.PhoneUse(id)); err != nil || string(plain) != "19900000001" {
		t.Fatal(err)
	}
	tongxin(t, append(p.without("SEAL"), "TONGXIN_SEAL=rot13"), "rotate-keys").want(t, 1, "SEAL")
}
