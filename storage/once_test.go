package storage_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/call"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/storage"
	"tongxin/storage/storagetest"
)

func TestOnce(t *testing.T) {
	c := clock.NewManual(time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC))
	storagetest.EachOptions(t, storage.Options{Clock: c}, func(t *testing.T, db *storage.DB) {
		once := func(actor *authz.Actor, key, body string, fail error) (id, made ids.ID, existed bool, err error) {
			made = db.IDs().New()
			ctx := call.With(t.Context(), call.Info{IdempotencyKey: key, BodyHash: body})
			err = db.Write(ctx, func(tx *storage.Tx) (err error) {
				if id, existed, err = tx.Once(actor, made); err != nil {
					return err
				}
				return fail
			})
			return id, made, existed, err
		}
		staff, member := &authz.Actor{ID: 1, Kind: authz.Staff}, &authz.Actor{ID: 1, Kind: authz.Member}
		for range 2 { // no key: always new
			if id, made, existed, err := once(staff, "", "x", nil); id != made || existed || err != nil {
				t.Error(id, made, existed, err)
			}
		}
		failed := errors.New("the rest failed")
		if _, _, _, err := once(staff, "k", "x", failed); !errors.Is(err, failed) {
			t.Error(err)
		}
		first, made, existed, err := once(staff, "k", "x", nil) // the failed call left no trace
		if first != made || existed || err != nil {
			t.Error(first, made, existed, err)
		}
		if id, _, existed, err := once(staff, "k", "x", nil); id != first || !existed || err != nil {
			t.Error("again:", id, existed, err)
		}
		if _, _, _, err := once(staff, "k", "y", nil); !errs.Is(err, errs.Conflict) {
			t.Error("another body:", err)
		}
		for _, other := range []*authz.Actor{member, {ID: 2, Kind: authz.Staff}, nil} {
			if id, made, existed, err := once(other, "k", "x", nil); id != made || existed || err != nil {
				t.Error("another actor:", id, made, existed, err)
			}
		}
		if _, _, _, err := once(staff, string(make([]byte, 200)), "x", nil); !errs.Is(err, errs.Invalid) {
			t.Error("a long key:", err)
		}
		if n, err := db.Sweep(t.Context(), c.Now().Add(-storage.IdempotencyKept)); n != 0 || err != nil {
			t.Error("swept too early:", n, err)
		}
		c.Add(storage.IdempotencyKept + time.Second)
		if n, err := db.Sweep(t.Context(), c.Now().Add(-storage.IdempotencyKept)); n != 4 || err != nil {
			t.Error("swept:", n, err)
		}
	})
}

func TestOnceRace(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx := call.With(t.Context(), call.Info{IdempotencyKey: "same", BodyHash: "x"})
		actor := &authz.Actor{ID: 1, Kind: authz.Staff}
		got := make([]ids.ID, 32)
		var fresh atomic.Int64
		var wg sync.WaitGroup
		for i := range got {
			wg.Go(func() {
				id, existed := db.IDs().New(), false
				err := db.Write(ctx, func(tx *storage.Tx) (err error) {
					got[i], existed, err = tx.Once(actor, id)
					return err
				})
				if err != nil {
					t.Error(err)
				} else if !existed {
					fresh.Add(1)
				}
			})
		}
		wg.Wait()
		for _, id := range got {
			if id != got[0] || id == 0 {
				t.Errorf("ids %v", got)
				break
			}
		}
		if fresh.Load() != 1 {
			t.Errorf("%d callers made it", fresh.Load())
		}
	})
}

func TestSettings(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		set := func(value string, version int64) error {
			return db.Write(t.Context(), func(tx *storage.Tx) error { return tx.SetSetting("a", value, version) })
		}
		if v, n, err := db.Setting(t.Context(), "a"); v != "" || n != 0 || err != nil {
			t.Error(v, n, err)
		}
		if err := set("一", 0); err != nil {
			t.Error(err)
		}
		if err := set("二", 0); !errs.Is(err, errs.Stale) {
			t.Error(err)
		}
		if err := set("二", 1); err != nil {
			t.Error(err)
		}
		if err := set("三", 1); !errs.Is(err, errs.Stale) {
			t.Error(err)
		}
		if v, n, err := db.Setting(t.Context(), "a"); v != "二" || n != 2 || err != nil {
			t.Error(v, n, err)
		}
		err := db.Write(t.Context(), func(tx *storage.Tx) error {
			for _, v := range []string{"x", "y"} {
				if err := tx.Upsert("settings", []string{"name"}, []string{"name", "value", "version"}, []string{"value"}, "up", v, 5); err != nil {
					return err
				}
			}
			return nil
		})
		if v, n, e := db.Setting(t.Context(), "up"); v != "y" || n != 5 || err != nil || e != nil {
			t.Error(v, n, err, e)
		}
	})
}
