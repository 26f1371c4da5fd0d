package storage

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"tongxin/internal/errs"
)

type sqliteDialect struct {
	path    string
	readers int
}

func (d *sqliteDialect) name() string      { return "sqlite" }
func (d *sqliteDialect) lanes() int        { return 1 }
func (d *sqliteDialect) begin() string     { return "BEGIN IMMEDIATE" }
func (d *sqliteDialect) snapshot() string  { return "BEGIN" }
func (d *sqliteDialect) forUpdate() string { return "" }
func (d *sqliteDialect) prepares() bool    { return true }

// lock takes <path>.lock for the life of the process, so that two programs
// never own one file: each would believe it is the only writer.
func (d *sqliteDialect) lock() (func() error, error) {
	if err := os.MkdirAll(filepath.Dir(d.path), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(d.path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f); err != nil {
		return nil, errors.Join(errs.Wrap(err, errs.Conflict, "数据库文件正被另一个程序使用，请先停止它再启动。"), f.Close())
	}
	return f.Close, nil
}

// dsn sets busy_timeout before anything else, since the other pragmas may wait.
func (d *sqliteDialect) dsn(pragmas ...string) string {
	q := url.Values{"_pragma": append([]string{"busy_timeout(10000)", "foreign_keys(1)", "temp_store(2)"}, pragmas...)}
	path := filepath.ToSlash(d.path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return "file://" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

func (d *sqliteDialect) open(conns int, pragmas ...string) (*sql.DB, error) {
	c, err := sqlite.NewConnector(d.dsn(pragmas...))
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

// openWriter: FULL makes a commit durable when it returns. A checkpoint every
// 4,000 pages (16 MB) keeps its cost small beside the commits.
func (d *sqliteDialect) openWriter() (*sql.DB, error) {
	return d.open(2, "journal_mode(WAL)", "synchronous(FULL)", "wal_autocheckpoint(4000)", "cache_size(-8000)")
}

func (d *sqliteDialect) openReader() (*sql.DB, error) {
	n := d.readers
	if n <= 0 {
		n = 4
	}
	if _, err := os.Stat(d.path); err != nil {
		return nil, errs.Wrap(err, errs.NotFound, "没有找到数据库文件，请先启动一次服务或检查数据目录。")
	}
	return d.open(n, "query_only(1)")
}

func (d *sqliteDialect) upsert(keys, set []string) string {
	var b strings.Builder
	b.WriteString(" ON CONFLICT (" + strings.Join(keys, ", ") + ") DO UPDATE SET ")
	for i, c := range set {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(c + " = excluded." + c)
	}
	return b.String()
}

func (d *sqliteDialect) retryable(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return true
	}
	return false
}

func (d *sqliteDialect) tables(ctx context.Context, q Queryer) ([]string, error) {
	return All(ctx, q, ScanString,
		`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name`)
}

func (d *sqliteDialect) columns(ctx context.Context, q rower, table string) ([]column, error) {
	rows, err := q.QueryContext(ctx, `SELECT name, LOWER(type), "notnull", pk FROM pragma_table_info(?) ORDER BY cid`, table)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(r Scanner) (c column, err error) {
		var pk int
		err = r.Scan(&c.Name, &c.Type, &c.NotNull, &pk)
		c.Key = pk > 0
		return c, err
	})
}

func (d *sqliteDialect) migrateLock() migrateLocker { return nil } // the file lock is held

func (d *sqliteDialect) foreignKeys(on bool) string {
	if on {
		return "PRAGMA foreign_keys = ON"
	}
	return "PRAGMA foreign_keys = OFF"
}
