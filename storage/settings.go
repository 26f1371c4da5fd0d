package storage

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"tongxin/internal/errs"
)

// Setting reads a stored value; version 0 and "" when it was never set.
func (db *DB) Setting(ctx context.Context, name string) (value string, version int64, err error) {
	err = db.QueryRow(ctx, `SELECT value, version FROM settings WHERE name = ?`, name).Scan(&value, &version)
	if errors.Is(err, sql.ErrNoRows) {
		return "", 0, nil
	}
	return value, version, err
}

// SetSetting stores a value over the version that was read, 0 for a new one.
// errs.Stale when somebody else was faster.
func (tx *Tx) SetSetting(name, value string, version int64) error {
	stale := errs.New(errs.Stale, "设置已被其他人修改，请刷新后重试。")
	if version == 0 {
		fresh, err := tx.Insert(`INSERT INTO settings (name, value, version) VALUES (?, ?, 1)`, name, value)
		if err == nil && !fresh {
			return stale
		}
		return err
	}
	res, err := tx.Exec(`UPDATE settings SET value = ?, version = version + 1 WHERE name = ? AND version = ?`, value, name, version)
	return tx.MustAffect(res, err, stale)
}

// IdempotencyKept is how long a key is remembered.
const IdempotencyKept = 48 * time.Hour

// Sweep forgets the idempotency keys made before a moment, usually now less
// IdempotencyKept, and tells how many.
func (db *DB) Sweep(ctx context.Context, before time.Time) (n int64, err error) {
	err = db.Write(ctx, func(tx *Tx) error {
		res, err := tx.Exec(`DELETE FROM idempotency WHERE created_at < ?`, Millis(before))
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	return n, err
}
