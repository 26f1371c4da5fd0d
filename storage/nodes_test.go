package storage_test

import (
	"database/sql"
	"errors"
	"sync"
	"testing"
	"time"

	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/storage"
	"tongxin/storage/storagetest"
)

func TestSQLiteNode(t *testing.T) {
	db := storagetest.SQLite(t)
	if db.Node() != 0 {
		t.Errorf("node %d", db.Node())
	}
	if n := engineCount(t, db, `SELECT COUNT(*) FROM nodes`); n != 0 {
		t.Errorf("%d leases on SQLite", n)
	}
}

// TestNodeRace: replicas that start at once migrate once and take slots of
// their own, so their ids never meet.
func TestNodeRace(t *testing.T) {
	opt := storage.Options{DSN: mysqlDSN(t), Lanes: 2, Readers: 2, Name: "replica", AuditKey: []byte("k")}
	const replicas = 6
	dbs := make([]*storage.DB, replicas)
	var wg sync.WaitGroup
	for i := range dbs {
		wg.Go(func() {
			db, err := storage.Open(t.Context(), opt)
			if err == nil {
				dbs[i] = db
				err = db.Migrate(t.Context())
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	defer func() {
		for _, db := range dbs {
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		}
	}()
	if t.Failed() {
		t.FailNow()
	}
	nodes, made := map[int]bool{}, map[ids.ID]bool{}
	for _, db := range dbs {
		nodes[db.Node()] = true
		for range 1000 {
			made[db.IDs().New()] = true
		}
		if err := db.Record(t.Context(), auditEntry(1)); err != nil {
			t.Error(err)
		}
	}
	if len(nodes) != replicas || len(made) != replicas*1000 {
		t.Errorf("%d slots, %d ids", len(nodes), len(made))
	}
	if rep, err := dbs[0].VerifyAudit(t.Context()); err != nil || rep.Rows != replicas || len(rep.Problems) > 0 {
		t.Errorf("%+v %v", rep, err)
	}
}

func TestSlotReuse(t *testing.T) {
	dsn := mysqlDSN(t)
	c := clock.NewManual(time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC))
	opt := storage.Options{DSN: dsn, Lanes: 1, Readers: 2, Clock: c, Lease: time.Hour}
	a, b := storagetest.Open(t, opt), storagetest.Open(t, opt)
	if a.Node() != 0 || b.Node() != 1 {
		t.Fatalf("nodes %d %d", a.Node(), b.Node())
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	again := storagetest.Open(t, opt) // given back
	if again.Node() != 0 {
		t.Errorf("node %d", again.Node())
	}
	late := opt
	late.Clock = clock.NewManual(c.Now().Add(2 * time.Hour))
	taker := storagetest.Open(t, late) // b and again look dead by now
	if taker.Node() != 0 {
		t.Errorf("node %d", taker.Node())
	}
}

// TestLostSlot: a process whose slot another took stops writing for good, even
// before its next renewal, as soon as it touches its audit chain.
func TestLostSlot(t *testing.T) {
	dsn := mysqlDSN(t)
	db := storagetest.Open(t, storage.Options{DSN: dsn, Lanes: 1, Lease: 600 * time.Millisecond, AuditKey: []byte("k")})
	if err := db.Write(t.Context(), putSetting("held")); err != nil {
		t.Fatal(err)
	}
	other, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close() //nolint:errcheck // a test's connection
	if _, err := other.ExecContext(t.Context(), `UPDATE nodes SET epoch = epoch + 1 WHERE id = ?`, db.Node()); err != nil {
		t.Fatal(err)
	}
	<-db.Lost() // the next renewal finds out
	for name, err := range map[string]error{"write": db.Write(t.Context(), putSetting("lost")), "ping": db.Ping(t.Context())} {
		if !errs.Is(err, errs.Unavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := engineCount(t, db, `SELECT COUNT(*) FROM settings`); n != 1 {
		t.Errorf("%d rows", n)
	}
}

// TestForkedChain: two processes that both believe they own a slot cannot fork
// its audit chain.
func TestForkedChain(t *testing.T) {
	storagetest.EachOptions(t, storage.Options{Lanes: 1}, func(t *testing.T, db *storage.DB) {
		if err := db.Record(t.Context(), auditEntry(1)); err != nil {
			t.Fatal(err)
		}
		// Another process moved the head; this lane remembers the old one.
		err := db.Write(t.Context(), func(tx *storage.Tx) error {
			_, err := tx.Exec(`UPDATE audit_heads SET seq = 7`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		err = db.Write(t.Context(), func(tx *storage.Tx) error {
			tx.Audit(auditEntry(2))
			return putSetting("forked")(tx)
		})
		if !errs.Is(err, errs.Internal) {
			t.Errorf("forked: %v", err)
		}
		if n := engineCount(t, db, `SELECT COUNT(*) FROM settings`); n != 0 {
			t.Error("the change stayed without its audit entry")
		}
		if err := errors.Join(db.Ping(t.Context())); err != nil {
			t.Error(err)
		}
	})
}

// TestMigrationCutShort: goose makes its table and its first row in two steps
// on MySQL; a process that ends in between must not bar the next.
func TestMigrationCutShort(t *testing.T) {
	dsn := mysqlDSN(t)
	raw, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close() //nolint:errcheck // only a test's
	if _, err := raw.Exec(`CREATE TABLE schema_version (
		id serial NOT NULL, version_id bigint NOT NULL, is_applied boolean NOT NULL,
		tstamp timestamp NULL default now(), PRIMARY KEY(id))`); err != nil {
		t.Fatal(err)
	}
	db, err := storage.Open(t.Context(), storage.Options{DSN: dsn, Lanes: 2, Readers: 2, Name: "replica", AuditKey: []byte("k")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // only a test's
	if err := db.Migrate(t.Context()); err != nil {
		t.Error(err)
	}
}
