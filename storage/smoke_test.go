package storage_test

import (
	"testing"

	"tongxin/storage"
	"tongxin/storage/storagetest"
)

func TestSettings(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		err := db.Write(t.Context(), func(tx *storage.Tx) error { return tx.SetSetting("a", "值", 0) })
		if err != nil {
			t.Fatal(err)
		}
		v, n, err := db.Setting(t.Context(), "a")
		if err != nil || v != "值" || n != 1 {
			t.Fatal(v, n, err)
		}
	})
}
