package storage_test

import (
	"context"
	"testing"

	"tongxin/internal/authz"
	"tongxin/internal/trail"
	"tongxin/storage"
	"tongxin/storage/storagetest"
)

// BenchmarkWrite: one INSERT and one audit entry a caller, 64 callers at once,
// every commit durable.
func BenchmarkWrite(b *testing.B) {
	db := storagetest.SQLite(b)
	actor := &authz.Actor{ID: 7, Kind: authz.Staff, Name: "编辑"}
	b.SetParallelism(32) // of 2 processors: 64
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			id := db.IDs().New()
			err := db.Write(context.Background(), func(tx *storage.Tx) error {
				tx.Audit(trail.Entry{Actor: actor, Action: "bench.write", Object: "bench", ID: id, OrgPath: "/1/2/"})
				_, err := tx.Exec(`INSERT INTO idempotency (actor_kind, actor_id, idem_key, body_hash, object_id, created_at)
					VALUES (?, ?, ?, ?, ?, ?)`, "staff", 7, id.String(), "hash", id, storage.Millis(tx.Now))
				return err
			})
			if err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "callers/s")
}
