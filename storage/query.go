package storage

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"tongxin/internal/authz"
)

// Queryer reads: *DB, *Tx and what Read hands out.
type Queryer interface {
	Query(ctx context.Context, q string, args ...any) (*sql.Rows, error)
}

// Scanner is one row, as *sql.Rows and *Row.
type Scanner interface{ Scan(dest ...any) error }

// rower is what database/sql's own types share.
type rower interface {
	QueryContext(ctx context.Context, q string, args ...any) (*sql.Rows, error)
}

// Row is the first row of a query.
type Row struct {
	rows *sql.Rows
	err  error
}

// Scan reads the row; sql.ErrNoRows when there is none.
func (r *Row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	defer r.rows.Close() //nolint:errcheck // Err tells what a close could
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return sql.ErrNoRows
	}
	if err := r.rows.Scan(dest...); err != nil {
		return err
	}
	return r.rows.Close()
}

// Query reads what is committed. The caller closes the rows; All and One do it.
func (db *DB) Query(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	s, err := db.stmts.get(ctx, q)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return db.readers.QueryContext(ctx, q, args...)
	}
	return s.QueryContext(ctx, args...)
}

// QueryRow reads one row of what is committed.
func (db *DB) QueryRow(ctx context.Context, q string, args ...any) *Row {
	rows, err := db.Query(ctx, q, args...)
	return &Row{rows: rows, err: err}
}

// Read runs fn on one moment of the database: several queries that must agree.
func (db *DB) Read(ctx context.Context, fn func(q Queryer) error) error {
	conn, err := db.readers.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // goes back to the pool
	if _, err := conn.ExecContext(ctx, db.dialect.snapshot()); err != nil {
		return err
	}
	err = fn(connQueryer{conn})
	if _, e := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK"); e != nil {
		// Never back into the pool with an open transaction.
		_ = conn.Raw(func(any) error { return badConn() })
		err = errors.Join(err, e)
	}
	return err
}

type connQueryer struct{ conn *sql.Conn }

func (c connQueryer) Query(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	return c.conn.QueryContext(ctx, q, args...)
}

// All reads every row of a query.
func All[T any](ctx context.Context, q Queryer, scan func(Scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return collect(rows, scan)
}

func collect[T any](rows *sql.Rows, scan func(Scanner) (T, error)) (out []T, err error) {
	defer rows.Close() //nolint:errcheck // closed below on success
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return out, rows.Close()
}

// One reads the first row of a query, or returns whenNone.
func One[T any](ctx context.Context, q Queryer, scan func(Scanner) (T, error), whenNone error, query string, args ...any) (T, error) {
	var zero T
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return zero, err
	}
	defer rows.Close() //nolint:errcheck // closed below on success
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return zero, err
		}
		return zero, whenNone
	}
	v, err := scan(rows)
	if err != nil {
		return zero, err
	}
	return v, rows.Close()
}

// ScanString is a scan function for queries of one text.
func ScanString(r Scanner) (s string, err error) {
	err = r.Scan(&s)
	return s, err
}

// ScanInt64 is a scan function for queries of one number.
func ScanInt64(r Scanner) (n int64, err error) {
	err = r.Scan(&n)
	return n, err
}

// Duplicate reports a clash with a primary or unique key.
func Duplicate(err error) bool {
	var me *mysql.MySQLError
	if errors.As(err, &me) {
		return me.Number == mysqlDuplicate
	}
	var se *sqlite.Error
	return errors.As(err, &se) &&
		(se.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY || se.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE)
}

// ScopeSQL is the condition that the path in col lies in the scope. It is a
// range and not a LIKE, so that an index on col serves it on both dialects:
// under "/12/57/" lies all text from "/12/57/" up to, not including, "/12/570",
// since '0' follows '/' in every bytewise order.
func ScopeSQL(col string, s authz.Scope) (where string, args []any) {
	if s.All {
		return "1=1", nil
	}
	var b strings.Builder
	for _, p := range s.Paths {
		if p == "" || p[len(p)-1] != '/' {
			continue // not a path: it covers nothing rather than too much
		}
		if b.Len() > 0 {
			b.WriteString(" OR ")
		}
		b.WriteString("(" + col + " >= ? AND " + col + " < ?)")
		args = append(args, p, p[:len(p)-1]+"0")
	}
	if b.Len() == 0 {
		return "1=0", nil
	}
	return "(" + b.String() + ")", args
}

// In is the list of a condition "col IN (?, ?)" with its arguments. An empty
// list matches nothing.
func In[T any](col string, values []T) (where string, args []any) {
	if len(values) == 0 {
		return "1=0", nil
	}
	for _, v := range values {
		args = append(args, v)
	}
	return col + " IN (" + marks(len(values)) + ")", args
}

func marks(n int) string { return strings.Repeat("?, ", n-1) + "?" }

// insertSQL is an INSERT of some rows.
func insertSQL(table string, cols []string, rows int) string {
	row := "(" + marks(len(cols)) + ")"
	return "INSERT INTO " + table + " (" + strings.Join(cols, ", ") + ") VALUES " +
		strings.Repeat(row+", ", rows-1) + row
}

// Millis is t as the database keeps it; 0 for the zero time.
func Millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// FromMillis is the UTC time of a stored moment; the zero time for 0.
func FromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
