package storage

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/call"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/trail"
)

// Tx is the transaction of one Write. It is valid until its closure returns and
// belongs to one goroutine.
type Tx struct {
	Ctx context.Context // the caller's facts, without its deadline
	Now time.Time       // one moment for everything written

	lane   *lane
	rows   *sql.Rows // of the last query
	trail  []trail.Entry
	broken error // the database gave the whole transaction up
	done   bool
}

func (tx *Tx) check(err error) error {
	if err != nil && tx.lane.db.dialect.retryable(err) {
		tx.broken = err
	}
	return err
}

func (tx *Tx) usable() error {
	if tx.done {
		return errors.New("storage: transaction used after its closure returned")
	}
	if tx.rows != nil {
		// MySQL refuses a second statement on the connection; SQLite would mix up
		// the two when their text is the same. So neither allows it.
		if _, err := tx.rows.Columns(); err == nil {
			return errors.New("storage: the rows of the query before are still open")
		}
		tx.rows = nil
	}
	return tx.broken
}

// Exec runs one statement that changes rows.
func (tx *Tx) Exec(q string, args ...any) (sql.Result, error) {
	if err := tx.usable(); err != nil {
		return nil, err
	}
	res, err := tx.lane.execArgs(tx.Ctx, q, args)
	return res, tx.check(err)
}

// Query implements Queryer. The rows must be closed before the next statement
// (All and One do it). It ignores ctx for tx.Ctx: a caller that goes away
// must not break the transaction it shares with others.
func (tx *Tx) Query(_ context.Context, q string, args ...any) (*sql.Rows, error) {
	if err := tx.usable(); err != nil {
		return nil, err
	}
	rows, err := tx.lane.query(tx.Ctx, q, args)
	if tx.check(err) == nil {
		tx.rows = rows
	}
	return rows, err
}

// QueryRow reads one row; see Query for ctx.
func (tx *Tx) QueryRow(ctx context.Context, q string, args ...any) *Row {
	rows, err := tx.Query(ctx, q, args...)
	return &Row{rows: rows, err: err}
}

// MustAffect turns a compare-and-swap that matched no row into whenNone. Use it
// around Exec: tx.MustAffect(res, err, errs.New(errs.Stale, …)).
func (tx *Tx) MustAffect(res sql.Result, err, whenNone error) error {
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		return whenNone
	}
	return err
}

// Insert runs an INSERT of one row and reports whether it was new: false, and
// nothing changed, when a unique key exists already.
func (tx *Tx) Insert(q string, args ...any) (bool, error) {
	_, err := tx.Exec(q, args...)
	if Duplicate(err) {
		return false, nil
	}
	return err == nil, err
}

// Upsert inserts one row, or sets the columns of set on the row that has the
// same key. cols names the values in order; keys are the columns of the table's
// only unique key that may clash.
func (tx *Tx) Upsert(table string, keys, cols, set []string, args ...any) error {
	_, err := tx.Exec(insertSQL(table, cols, 1)+tx.lane.db.dialect.upsert(keys, set), args...)
	return err
}

// ForUpdate is the suffix of a SELECT whose rows this transaction will change
// by what it read: "" on SQLite, whose writer is alone.
func (tx *Tx) ForUpdate() string { return tx.lane.db.dialect.forUpdate() }

// Audit adds an entry to the audit chain in this transaction. Entries of a
// closure that fails are dropped with it: a refused try that must be kept needs
// DB.Record.
func (tx *Tx) Audit(e trail.Entry) { tx.trail = append(tx.trail, e) }

// Once makes a creating call idempotent. It returns newID and false when the
// call is new or has no key; the id made before and true when the same actor
// sent the same key with the same body: return that object instead of making
// one. The same key with another body is a Conflict.
func (tx *Tx) Once(actor *authz.Actor, newID ids.ID) (ids.ID, bool, error) {
	info := call.From(tx.Ctx)
	if info.IdempotencyKey == "" {
		return newID, false, nil
	}
	var kind string
	var who ids.ID
	if actor != nil {
		kind, who = string(actor.Kind), actor.ID
	}
	key := info.IdempotencyKey
	if len(key) > maxIdemKey {
		return 0, false, errs.New(errs.Invalid, "防重复提交的标识过长，请刷新页面后重试。")
	}
	fresh, err := tx.Insert(`INSERT INTO idempotency (actor_kind, actor_id, idem_key, body_hash, object_id, created_at)
		VALUES (?, ?, ?, ?, ?, ?)`, kind, who, key, info.BodyHash, newID, Millis(tx.Now))
	if err != nil || fresh {
		return newID, false, err
	}
	var hash string
	var id ids.ID
	err = tx.QueryRow(tx.Ctx, `SELECT body_hash, object_id FROM idempotency
		WHERE actor_kind = ? AND actor_id = ? AND idem_key = ?`, kind, who, key).Scan(&hash, (*int64)(&id))
	if err != nil {
		return 0, false, err
	}
	if hash != info.BodyHash {
		return 0, false, errs.New(errs.Conflict, "这个提交标识已用于另一份内容，请刷新页面后重新提交。")
	}
	return id, true, nil
}
