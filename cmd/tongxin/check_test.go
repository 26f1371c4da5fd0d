package main

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"
)

func TestCheck(t *testing.T) {
	p := newPlace(t)
	tongxin(t, p.env, "check").want(t, 1, "BAD  database") // nothing there, and nothing is made
	tongxin(t, p.env, "admin", "-org", "城关街道党工委", "-name", "李建国").want(t, 0)
	tongxin(t, p.env, "check").want(t, 0, "ok   settings", "complete for production", "ok   database", "ok   audit", "ok   pictures",
		"TONGXIN_SECRET_KEY=(set)").lacks(t, testSecret, "BAD")
	tongxin(t, p.without("PUBLIC_URL"), "check").want(t, 1, "BAD  settings", "TONGXIN_PUBLIC_URL must be set", "1 findings need attention")
	tongxin(t, p.without("SECRET_KEY"), "check").want(t, 1, "TONGXIN_SECRET_KEY is not set")
	other := strings.Repeat("another-secret-", 3)
	tongxin(t, append(p.without("SECRET_KEY"), "TONGXIN_SECRET_KEY="+other), "check").want(t, 1, "BAD  audit").lacks(t, other)
}

func TestCheckBesideARunningServer(t *testing.T) {
	p := newPlace(t)
	p.start(t, "serve")
	tongxin(t, p.env, "check").want(t, 0, "ok   database")
	tongxin(t, p.env, "migrate").want(t, 1) // a second writer is refused
}

func TestCheckFindsATamperedRow(t *testing.T) {
	p := newPlace(t)
	tongxin(t, p.env, "admin", "-org", "城关街道党工委", "-name", "李建国").want(t, 0)
	for _, change := range []string{
		`UPDATE audit SET actor_name = '王二' WHERE seq = 1`,
		`DELETE FROM audit WHERE seq = 2`,
	} {
		alter(t, p, change)
		tongxin(t, p.env, "check").want(t, 1, "BAD  audit", "audit row", "need attention")
	}
}

// alter changes the database behind the program's back.
func alter(t *testing.T, p *place, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(p.dir, "tongxin.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	res, err := db.ExecContext(t.Context(), statement)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		t.Fatalf("%s changed %d rows (%v)", statement, n, err)
	}
}

// A changed secret: the earlier one stays in OLD_SECRET_KEYS.
func TestChangeOfSecret(t *testing.T) {
	p := newPlace(t)
	tongxin(t, p.env, "admin", "-org", "城关街道党工委", "-name", "李建国").want(t, 0)
	before := filepath.Join(t.TempDir(), "before.tar")
	tongxin(t, p.env, "backup", "-to", before).want(t, 0)

	fresh := strings.Repeat("a-new-secret-", 3)
	p.env = append(p.without("SECRET_KEY"), "TONGXIN_SECRET_KEY="+fresh, "TONGXIN_OLD_SECRET_KEYS= "+testSecret+" ,")
	tongxin(t, p.env, "check").want(t, 0, "ok   audit").lacks(t, fresh, testSecret)
	r := p.start(t, "serve")
	(&browser{t: t, url: p.url}).call("POST", "/session", map[string]string{"login": "admin", "password": "guess"}).want(401)
	r.stop(t)
	tongxin(t, p.env, "check").want(t, 0, "ok   audit")

	empty := newPlace(t)
	empty.env = append(empty.without("SECRET_KEY"), "TONGXIN_SECRET_KEY="+fresh)
	tongxin(t, empty.env, "restore", "-from", before).want(t, 1, "密钥与备份时不同")
	tongxin(t, append(empty.env, "TONGXIN_OLD_SECRET_KEYS="+testSecret), "restore", "-from", before).want(t, 0, "audit verified")
}
