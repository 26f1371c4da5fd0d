package storage_test

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"tongxin/internal/errs"
	"tongxin/internal/trail"
	"tongxin/storage"
	"tongxin/storage/storagetest"
)

func putSetting(name string) func(*storage.Tx) error {
	return func(tx *storage.Tx) error { return tx.SetSetting(name, "v", 0) }
}

func engineCount(t *testing.T, q storage.Queryer, sql string, args ...any) int64 {
	t.Helper()
	n, err := storage.One(t.Context(), q, storage.ScanInt64, errors.New("no row"), sql, args...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// hold occupies the only lane until release, so that what is written meanwhile
// meets in one batch.
func hold(t *testing.T, db *storage.DB) (release func()) {
	t.Helper()
	busy, free := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		err := db.Write(context.Background(), func(*storage.Tx) error { close(busy); <-free; return nil })
		if err != nil {
			t.Error(err)
		}
	})
	<-busy
	return func() { close(free); wg.Wait() }
}

func TestBatchIsolation(t *testing.T) {
	storagetest.EachOptions(t, storage.Options{Lanes: 1}, func(t *testing.T, db *storage.DB) {
		release := hold(t, db)
		mine := errs.New(errs.Conflict, "我的错误")
		results := make([]error, 32)
		var wg sync.WaitGroup
		for i := range results {
			wg.Go(func() {
				results[i] = db.Write(context.Background(), func(tx *storage.Tx) error {
					name := "n" + string(rune('A'+i))
					if err := putSetting(name)(tx); err != nil {
						return err
					}
					tx.Audit(trail.Entry{Action: "batch." + name})
					switch i {
					case 5:
						return mine
					case 9:
						panic("a bug")
					case 13: // a statement that fails, swallowed: the rest of the closure counts
						_, err := tx.Exec(`INSERT INTO settings (name, value, version) VALUES (?, '', 1)`, name)
						if !storage.Duplicate(err) {
							return errors.New("no duplicate")
						}
					}
					return nil
				})
			})
		}
		release()
		wg.Wait()
		for i, err := range results {
			switch {
			case i == 5 && !errors.Is(err, mine):
				t.Errorf("its own error: %v", err)
			case i == 9 && (!errs.Is(err, errs.Internal) || !strings.Contains(err.Error(), "a bug")):
				t.Errorf("panic: %v", err)
			case i != 5 && i != 9 && err != nil:
				t.Errorf("%d: %v", i, err)
			}
		}
		if n := engineCount(t, db, `SELECT COUNT(*) FROM settings`); n != 30 {
			t.Errorf("%d rows, want 30", n)
		}
		if n := engineCount(t, db, `SELECT COUNT(*) FROM settings WHERE name IN ('nF', 'nJ')`); n != 0 {
			t.Error("a failed caller left rows")
		}
		if n := engineCount(t, db, `SELECT COUNT(*) FROM audit WHERE action IN ('batch.nF', 'batch.nJ')`); n != 0 {
			t.Error("a failed caller left audit entries")
		}
		rep, err := db.VerifyAudit(t.Context())
		if err != nil || len(rep.Problems) > 0 || rep.Rows != 30 {
			t.Errorf("%+v %v", rep, err)
		}
	})
}

func TestLaneSurvives(t *testing.T) {
	storagetest.EachOptions(t, storage.Options{Lanes: 1}, func(t *testing.T, db *storage.DB) {
		for name, fn := range map[string]func(*storage.Tx) error{
			"panic":  func(*storage.Tx) error { panic("alone") },
			"goexit": func(*storage.Tx) error { runtime.Goexit(); return nil },
			"nested": func(tx *storage.Tx) error { return db.Write(tx.Ctx, putSetting("x")) },
		} {
			err := db.Write(t.Context(), func(tx *storage.Tx) error {
				if err := putSetting("kept by nobody")(tx); err != nil {
					return err
				}
				return fn(tx)
			})
			if !errs.Is(err, errs.Internal) {
				t.Errorf("%s: %v", name, err)
			}
		}
		var kept *storage.Tx
		err := db.Write(t.Context(), func(tx *storage.Tx) error {
			kept = tx
			const query = `SELECT 1 UNION SELECT 2`
			for range 3 { // rows that were closed are no hindrance
				if rows, err := storage.All(tx.Ctx, tx, storage.ScanInt64, query); err != nil || len(rows) != 2 {
					return errors.Join(errors.New("two rows"), err)
				}
			}
			if _, err := tx.Query(tx.Ctx, query); err != nil { // left open
				return err
			}
			if _, err := tx.Exec(`DELETE FROM settings`); err == nil {
				t.Error("a statement ran among open rows")
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		if _, err := kept.Exec(`DELETE FROM settings`); err == nil {
			t.Error("a transaction worked after its end")
		}
		if err := db.Write(t.Context(), putSetting("after")); err != nil {
			t.Error(err)
		}
		if n := engineCount(t, db, `SELECT COUNT(*) FROM settings`); n != 1 {
			t.Errorf("%d rows, want 1", n)
		}
	})
}

func TestCanceled(t *testing.T) {
	storagetest.EachOptions(t, storage.Options{Lanes: 1}, func(t *testing.T, db *storage.DB) {
		release := hold(t, db)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			done <- db.Write(ctx, func(*storage.Tx) error { t.Error("a dropped caller ran"); return nil })
		}()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) || !errs.Is(err, errs.Unavailable) {
			t.Errorf("dropped: %v", err)
		}
		release()
		// After it started it is carried through, and its result is told.
		ctx, cancel = context.WithCancel(t.Context())
		err := db.Write(ctx, func(tx *storage.Tx) error { cancel(); return putSetting("carried")(tx) })
		if err != nil {
			t.Errorf("started: %v", err)
		}
		if n := engineCount(t, db, `SELECT COUNT(*) FROM settings`); n != 1 {
			t.Errorf("%d rows, want 1", n)
		}
	})
}

// TestNoLostUpdate: 64 callers on one row, reading and then writing.
func TestNoLostUpdate(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		if err := db.Write(t.Context(), func(tx *storage.Tx) error { return tx.SetSetting("n", "0", 0) }); err != nil {
			t.Fatal(err)
		}
		const callers, rounds = 64, 5
		var swaps, stale atomic.Int64
		var wg sync.WaitGroup
		for range callers {
			wg.Go(func() {
				for range rounds {
					for {
						value, version, err := db.Setting(t.Context(), "n")
						if err == nil {
							err = db.Write(t.Context(), func(tx *storage.Tx) error { return tx.SetSetting("n", value+"1", version) })
						}
						if errs.Is(err, errs.Stale) {
							stale.Add(1)
							break
						}
						if err != nil {
							t.Error(err)
							return
						}
						// What Write returned for, a reader that starts now sees.
						if _, now, err := db.Setting(t.Context(), "n"); err != nil || now <= version {
							t.Errorf("wrote version %d, read %d: %v", version+1, now, err)
						}
						swaps.Add(1)
						break
					}
					err := db.Write(t.Context(), func(tx *storage.Tx) error {
						n := int64(0)
						err := tx.QueryRow(tx.Ctx, `SELECT lease_until FROM nodes WHERE id = 1000`+tx.ForUpdate()).Scan(&n)
						if err != nil {
							return err
						}
						_, err = tx.Exec(`UPDATE nodes SET lease_until = ? WHERE id = 1000`, n+1)
						return err
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
			if t.Failed() {
				break
			}
			if swaps.Load() == 0 && stale.Load() == 0 {
				err := db.Write(t.Context(), func(tx *storage.Tx) error {
					_, err := tx.Insert(`INSERT INTO nodes (id, name, epoch, lease_until, started_at) VALUES (1000, '', 0, 0, 0)`)
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		wg.Wait()
		value, version, err := db.Setting(t.Context(), "n")
		if err != nil || version != swaps.Load()+1 || len(value) != int(swaps.Load())+1 {
			t.Errorf("%d swaps (%d stale), version %d, %d digits: %v", swaps.Load(), stale.Load(), version, len(value), err)
		}
		if n := engineCount(t, db, `SELECT lease_until FROM nodes WHERE id = 1000`); n != callers*rounds {
			t.Errorf("%d of %d locked updates", n, callers*rounds)
		}
	})
}

// TestDeadlock: two callers take two rows in opposite order. MySQL ends one of
// them, which runs again; SQLite never lets them meet.
func TestDeadlock(t *testing.T) {
	db := storagetest.Open(t, storage.Options{DSN: mysqlDSN(t), Lanes: 2})
	for _, name := range []string{"a", "b"} {
		if err := db.Write(t.Context(), func(tx *storage.Tx) error { return tx.SetSetting(name, "", 0) }); err != nil {
			t.Fatal(err)
		}
	}
	var met sync.WaitGroup
	met.Add(2)
	var runs [2]atomic.Int64
	var wg sync.WaitGroup
	for i, order := range [][]string{{"a", "b"}, {"b", "a"}} {
		wg.Go(func() {
			err := db.Write(t.Context(), func(tx *storage.Tx) error {
				first := runs[i].Add(1) == 1
				tx.Audit(trail.Entry{Action: "deadlock"})
				for n, name := range order {
					if n == 1 && first {
						met.Done()
						met.Wait() // both hold their first row
					}
					if _, err := tx.Exec(`UPDATE settings SET version = version + 1 WHERE name = ?`, name); err != nil {
						return errs.Wrap(err, errs.Conflict, "closures may wrap what they meet")
					}
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := runs[0].Load() + runs[1].Load(); n < 3 {
		t.Errorf("%d runs: no deadlock happened", n)
	}
	if n := engineCount(t, db, `SELECT SUM(version) FROM settings`); n != 6 {
		t.Errorf("sum %d, want 6", n)
	}
	if rep, err := db.VerifyAudit(t.Context()); err != nil || rep.Rows != 2 || len(rep.Problems) > 0 {
		t.Errorf("%+v %v", rep, err)
	}
}

// TestLostConnection: the server ends the connection in the middle of a
// transaction; nothing was committed, so the caller runs again.
func TestLostConnection(t *testing.T) {
	db := storagetest.Open(t, storage.Options{DSN: mysqlDSN(t), Lanes: 1})
	runs := 0
	err := db.Write(t.Context(), func(tx *storage.Tx) error {
		if err := putSetting("once")(tx); err != nil {
			return err
		}
		if runs++; runs > 1 {
			return nil
		}
		var id int64
		if err := tx.QueryRow(tx.Ctx, `SELECT CONNECTION_ID()`).Scan(&id); err != nil {
			return err
		}
		rows, err := db.Query(t.Context(), `KILL ?`, id)
		if err != nil {
			return err
		}
		if err := rows.Close(); err != nil {
			return err
		}
		_, err = tx.Exec(`UPDATE settings SET value = 'x'`)
		return err
	})
	if err != nil || runs != 2 {
		t.Errorf("%d runs: %v", runs, err)
	}
	if n := engineCount(t, db, `SELECT COUNT(*) FROM settings WHERE value = 'v'`); n != 1 {
		t.Errorf("%d rows", n)
	}
}

func TestCloseDrains(t *testing.T) {
	storagetest.EachDSN(t, func(t *testing.T, dsn string) {
		opt := storage.Options{DSN: dsn, Lanes: 1, AuditKey: []byte("k")}
		db := storagetest.Open(t, opt)
		release := hold(t, db)
		var wg sync.WaitGroup
		entered := make(chan struct{})
		wg.Go(func() {
			close(entered)
			if err := db.Write(context.Background(), putSetting("late")); err != nil && !errs.Is(err, errs.Unavailable) {
				t.Error(err)
			}
		})
		<-entered
		wg.Go(func() {
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
		release()
		wg.Wait()
		if err := db.Write(context.Background(), putSetting("closed")); !errs.Is(err, errs.Unavailable) {
			t.Errorf("after Close: %v", err)
		}
		if err := storagetest.Open(t, opt).Write(t.Context(), putSetting("again")); err != nil {
			t.Error(err)
		}
	})
}

func TestOneOwner(t *testing.T) {
	opt := storage.Options{DSN: filepath.Join(t.TempDir(), "数据 库?.db"), AuditKey: []byte("k")}
	db := storagetest.Open(t, opt)
	if _, err := storage.Open(t.Context(), opt); !errs.Is(err, errs.Conflict) {
		t.Errorf("a second owner: %v", err)
	}
	if err := db.Write(t.Context(), putSetting("a")); err != nil {
		t.Fatal(err)
	}
	opt.ReadOnly = true
	ro, err := storage.Open(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	defer ro.Close() //nolint:errcheck // read only
	if n := engineCount(t, ro, `SELECT COUNT(*) FROM settings`); n != 1 {
		t.Errorf("%d rows", n)
	}
	if err := ro.Write(t.Context(), putSetting("b")); !errs.Is(err, errs.Unavailable) {
		t.Errorf("write on read-only: %v", err)
	}
	if err := ro.Migrate(t.Context()); !errs.Is(err, errs.Invalid) {
		t.Errorf("migrate on read-only: %v", err)
	}
	rows, err := ro.Query(t.Context(), `DELETE FROM settings`)
	if err == nil {
		rows.Next()
		err = errors.Join(rows.Err(), rows.Close())
	}
	if err == nil {
		t.Error("a reader deleted")
	}
}

func TestBadAddress(t *testing.T) {
	for _, dsn := range []string{"", "mysql://", "mysql://root:hidden@127.0.0.1:1/", "root:hidden@tcp(127.0.0.1:1", "mysql://root:hidden@127.0.0.1:1/db"} {
		db, err := storage.Open(t.Context(), storage.Options{DSN: dsn})
		if err == nil {
			err = errors.Join(errors.New("opened"), db.Close())
		}
		if code := errs.CodeOf(err); code != errs.Invalid && code != errs.Unavailable || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%q: %v", dsn, err)
		}
	}
}
