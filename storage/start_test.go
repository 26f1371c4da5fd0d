package storage_test

import (
	"path/filepath"
	"testing"

	"tongxin/storage"
	"tongxin/storage/storagetest"
)

// BenchmarkStart: opening and migrating a SQLite database that is up to date,
// and closing it; a part of the second that a start may take.
func BenchmarkStart(b *testing.B) {
	opt := storage.Options{DSN: filepath.Join(b.TempDir(), "a.db")}
	if err := storagetest.Open(b, opt).Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		db, err := storage.Open(b.Context(), opt)
		if err == nil {
			err = db.Migrate(b.Context())
		}
		if err != nil {
			b.Fatal(err)
		}
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
