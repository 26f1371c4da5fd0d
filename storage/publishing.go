package storage

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/publish"
)

// Sealer keeps secrets at rest. context names the row and is bound in: a value
// copied to another row does not open. internal/seal implements it.
type Sealer interface {
	Seal(plain []byte, context string) (string, error)
	Open(sealed, context string) ([]byte, error)
}

// Publishing implements publish.Store. Rows get the id that the domain gave
// them; a zero id is filled in. Safe for concurrent use.
//
// Lock order on MySQL: posts, then deliveries, then everything else.
type Publishing struct {
	db    *DB
	seal  Sealer
	claim sync.Mutex // one Claim at a time in a process; see Claim
}

var _ publish.Store = (*Publishing)(nil)

// NewPublishing makes the store of posts, deliveries, accounts and media.
func NewPublishing(db *DB, seal Sealer) *Publishing {
	return &Publishing{db: db, seal: seal}
}

// fill gives a new row its id, before the transaction that may run twice.
func (s *Publishing) fill(id *ids.ID) {
	if *id == 0 {
		*id = s.db.IDs().New()
	}
}

// moment scans stored milliseconds into a time.
type moment struct{ t *time.Time }

func (m moment) Scan(v any) error {
	switch v := v.(type) {
	case int64:
		*m.t = FromMillis(v)
		return nil
	case []byte:
		n, err := strconv.ParseInt(string(v), 10, 64)
		*m.t = FromMillis(n)
		return err
	}
	return fmt.Errorf("storage: %T is not a stored time", v)
}

// jsonText carries a value in a text column: it is an argument and a place to
// scan into (with a pointer in V).
type jsonText struct{ V any }

func (j jsonText) Value() (driver.Value, error) {
	b, err := json.Marshal(j.V)
	return string(b), err
}

func (j jsonText) Scan(v any) error {
	switch v := v.(type) {
	case string:
		return json.Unmarshal([]byte(v), j.V)
	case []byte:
		return json.Unmarshal(v, j.V)
	}
	return fmt.Errorf("storage: %T is not stored JSON", v)
}

// containing is a LIKE pattern, with ESCAPE '!', for text that contains q. The
// column is to be wrapped in LOWER, since only SQLite's LIKE ignores case.
func containing(q string) string {
	return "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(strings.ToLower(q)) + "%"
}

// padded repeats the last value up to a power of two: lists of every length
// would each be a statement of their own to prepare and keep.
func padded[T any](values []T) []T {
	n := len(values)
	if n == 0 {
		return values
	}
	size := 1
	for size < n {
		size *= 2
	}
	out := append(make([]T, 0, size), values...)
	for len(out) < size {
		out = append(out, values[n-1])
	}
	return out
}

// filter collects conditions joined by AND.
type filter struct {
	where []string
	args  []any
}

func (f *filter) add(where string, args ...any) {
	f.where = append(f.where, where)
	f.args = append(f.args, args...)
}

func (f *filter) String() string { return strings.Join(f.where, " AND ") }

// stale is the answer to a write that found another version.
func stale(thing string) error {
	return errs.New(errs.Stale, "这个%s刚刚被修改过，请刷新后再操作。", thing)
}

// staleOrMissing tells why a compare-and-swap matched no row of table.
func staleOrMissing(tx *Tx, table string, id ids.ID, thing string) error {
	_, err := One(tx.Ctx, tx, ScanInt64, errs.Missing(thing), "SELECT 1 FROM "+table+" WHERE id = ?", id)
	if err != nil {
		return err
	}
	return stale(thing)
}

// swap is a compare-and-swap UPDATE or DELETE of one row of table.
func swap(tx *Tx, table string, id ids.ID, thing, q string, args ...any) error {
	res, err := tx.Exec(q, args...)
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err != nil || n > 0 {
		return err
	}
	return staleOrMissing(tx, table, id, thing)
}

// maxList is how many values one IN list holds.
const maxList = 256

// chunks cuts a list so that no statement has too many arguments.
func chunks[T any](values []T) [][]T {
	return slices.Collect(slices.Chunk(values, maxList))
}
