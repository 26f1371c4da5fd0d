// Package storagetest opens fresh databases for tests, one of each dialect, so
// that every store is proved by one suite on both.
package storagetest

import (
	"path/filepath"
	"testing"

	"tongxin/internal/testkit"
	"tongxin/storage"
)

// Each runs fn once on a new SQLite file and once on a new database of a real
// MariaDB, as subtests "sqlite" and "mysql".
func Each(t *testing.T, fn func(t *testing.T, db *storage.DB)) {
	t.Helper()
	EachOptions(t, storage.Options{}, fn)
}

// EachOptions is Each with a clock, a log or other options; DSN is set here.
func EachOptions(t *testing.T, opt storage.Options, fn func(t *testing.T, db *storage.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		opt.DSN = filepath.Join(t.TempDir(), "test.db")
		fn(t, Open(t, opt))
	})
	t.Run("mysql", func(t *testing.T) {
		opt.DSN = pooledMySQL(t)
		fn(t, Open(t, opt))
	})
}

// EachDSN runs fn on the address of an empty database of each dialect, without
// tables.
func EachDSN(t *testing.T, fn func(t *testing.T, dsn string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { fn(t, filepath.Join(t.TempDir(), "test.db")) })
	t.Run("mysql", func(t *testing.T) { fn(t, testkit.MySQL(t)) })
}

// SQLite opens a new SQLite database: for tests of domains, which need a store
// and not its proof.
func SQLite(t testing.TB) *storage.DB {
	t.Helper()
	return Open(t, storage.Options{DSN: filepath.Join(t.TempDir(), "test.db")})
}

// Open opens and migrates, and closes after the test.
func Open(t testing.TB, opt storage.Options) *storage.DB {
	t.Helper()
	if opt.AuditKey == nil {
		opt.AuditKey = []byte("audit key of the tests")
	}
	db, err := storage.Open(t.Context(), opt)
	if err != nil {
		t.Fatalf("open %s: %v", t.Name(), err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatalf("migrate: %v", err)
	}
	return db
}
