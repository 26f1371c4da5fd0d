package storage_test

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/storage"
	"tongxin/storage/storagetest"
)

// TestScopeSQL: the database finds exactly the paths that the scope covers,
// among paths that look alike.
func TestScopeSQL(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		var paths []string
		for _, a := range []string{"1", "2", "12", "120", "9"} {
			paths = append(paths, "/"+a+"/")
			for _, b := range []string{"1", "10", "2", "99"} {
				paths = append(paths, "/"+a+"/"+b+"/", "/"+a+"/"+b+"/5/", "/"+a+b+"/")
			}
		}
		err := db.Write(t.Context(), func(tx *storage.Tx) error {
			for i, p := range paths {
				if _, err := tx.Exec(`INSERT INTO settings (name, value, version) VALUES (?, '', ?)`, p+"#"+fmt.Sprint(i), i); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		rapid.Check(t, func(rt *rapid.T) {
			s := authz.Scope{
				All:   rapid.IntRange(0, 9).Draw(rt, "all") == 0,
				Paths: rapid.SliceOfN(rapid.SampledFrom(append([]string{"/", "", "/1", "%", "/_/"}, paths...)), 0, 4).Draw(rt, "paths"),
			}
			where, args := storage.ScopeSQL("name", s)
			got := engineCount(t, db, `SELECT COUNT(*) FROM settings WHERE `+where, args...)
			want := int64(0)
			kept := s
			kept.Paths = nil
			for _, p := range s.Paths { // what is no path covers nothing
				if strings.HasSuffix(p, "/") && p != "/_/" {
					kept.Paths = append(kept.Paths, p)
				}
			}
			for _, p := range paths {
				if kept.Covers(p) {
					want++
				}
			}
			if got != want {
				rt.Fatalf("%+v: %d rows, want %d", s, got, want)
			}
		})
	})
}

// TestTextCompares: keys are compared by bytes on both dialects.
func TestTextCompares(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		names := []string{"Z", "a", "A", "á", "中", "𠀀", "ａ", "ß", "ss", "a'b\\c\"d", "50%_"}
		for _, n := range names {
			if err := db.Write(t.Context(), putSetting(n)); err != nil {
				t.Errorf("%q: %v", n, err)
			}
		}
		got, err := storage.All(t.Context(), db, storage.ScanString, `SELECT name FROM settings ORDER BY name`)
		if err != nil || strings.Join(got, " ") != "50%_ A Z a a'b\\c\"d ss ß á 中 ａ 𠀀" {
			t.Errorf("%q %v", got, err)
		}
		in, args := storage.In("name", names[:3])
		if n := engineCount(t, db, `SELECT COUNT(*) FROM settings WHERE `+in, args...); n != 3 {
			t.Errorf("IN: %d", n)
		}
		in, args = storage.In("name", []string(nil))
		if n := engineCount(t, db, `SELECT COUNT(*) FROM settings WHERE `+in, args...); n != 0 {
			t.Errorf("IN nothing: %d", n)
		}
	})
}

func TestReading(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		gone := errs.Missing("设置")
		const query = `SELECT version FROM settings WHERE name = ?`
		if _, err := storage.One(t.Context(), db, storage.ScanInt64, gone, query, "x"); !errors.Is(err, gone) {
			t.Error(err)
		}
		var n int64
		if err := db.QueryRow(t.Context(), query, "x").Scan(&n); !errors.Is(err, sql.ErrNoRows) {
			t.Error(err)
		}
		if rows, err := storage.All(t.Context(), db, storage.ScanInt64, query, "x"); err != nil || len(rows) != 0 {
			t.Error(rows, err)
		}
		if _, err := storage.All(t.Context(), db, storage.ScanInt64, `SELECT nonsense FROM nowhere`); err == nil {
			t.Error("nonsense read")
		}
		// One moment: what is written during a Read stays out of it.
		err := db.Read(t.Context(), func(q storage.Queryer) error {
			before := engineCount(t, q, `SELECT COUNT(*) FROM settings`)
			if err := db.Write(t.Context(), putSetting("meanwhile")); err != nil {
				return err
			}
			if after := engineCount(t, q, `SELECT COUNT(*) FROM settings`); after != before {
				t.Errorf("%d rows, then %d", before, after)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		if n := engineCount(t, db, `SELECT COUNT(*) FROM settings`); n != 1 {
			t.Errorf("%d rows", n)
		}
		// A transaction sees its own writes; ids travel both ways.
		id, back := db.IDs().New(), ids.ID(0)
		err = db.Write(t.Context(), func(tx *storage.Tx) error {
			if _, err := tx.Exec(`UPDATE settings SET version = ?`, id); err != nil {
				return err
			}
			return tx.QueryRow(tx.Ctx, query, "meanwhile").Scan(&back)
		})
		if err != nil || back != id {
			t.Error(id, back, err)
		}
	})
}

func TestMillis(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		ms := rapid.Int64Range(1, 1<<42).Draw(rt, "ms")
		if got := storage.FromMillis(ms); storage.Millis(got) != ms || got.Location() != time.UTC {
			rt.Fatal(ms, got)
		}
	})
	if storage.Millis(time.Time{}) != 0 || !storage.FromMillis(0).IsZero() {
		t.Error("none is not 0")
	}
}
