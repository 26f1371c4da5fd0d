package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tongxin/internal/errs"
	"tongxin/storage/blob"
)

// Restore reads a backup into an empty place: a SQLite file that must not exist
// or a MySQL database without tables, and an empty blob store (nil: the backup
// must hold no files). The database appears under its name only when every hash
// and count was verified, the tables were brought up to date, and the audit was
// proved with opt.AuditKey; after a failure nothing stays. A chain that was
// broken already when the backup was made is reported in Manifest.Audit and
// does not stop a restore.
func Restore(ctx context.Context, r io.Reader, opt Options, blobs blob.Store) (m Manifest, err error) {
	opt.ReadOnly = false
	target := opt.DSN
	if !isMySQL(opt.DSN) {
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if _, err := os.Lstat(target + suffix); !errors.Is(err, os.ErrNotExist) {
				return m, errs.New(errs.Conflict, "恢复目标已有数据库文件，请先移走它，或指定一个空目录。")
			}
		}
		opt.DSN += ".restoring"
		if err := removeSQLite(opt.DSN); err != nil { // of a restore that died
			return m, err
		}
	}
	s, err := newRestoreSink(ctx, opt, blobs)
	if err != nil {
		return m, err
	}
	if m, err = readBackup(ctx, r, s.db.keys, s); err == nil {
		err = s.finish(ctx, m)
	}
	if err != nil {
		// Cleaning up goes on when the caller gave up.
		return m, errors.Join(err, s.undo(context.WithoutCancel(ctx)))
	}
	if err := s.db.Close(); err != nil {
		return m, err
	}
	if isMySQL(target) {
		return m, nil
	}
	return m, errors.Join(publishFile(opt.DSN, target), removeSQLite(opt.DSN))
}

// publishFile gives the finished file its name, durably. Closing the database
// has emptied its log into it.
func publishFile(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(to))
	if err != nil {
		return err
	}
	if err := dir.Sync(); err != nil && filepath.Separator == '/' { // Windows cannot sync a directory
		return errors.Join(err, dir.Close())
	}
	return dir.Close()
}

func removeSQLite(path string) error {
	for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// restoreSink loads a backup through one connection that checks no foreign
// keys while it loads: tables come in the order of their names.
type restoreSink struct {
	db    *DB
	blobs blob.Store
	conn  *sql.Conn
	put   []string // files stored so far
}

func newRestoreSink(ctx context.Context, opt Options, blobs blob.Store) (*restoreSink, error) {
	if blobs != nil {
		full := errs.New(errs.Conflict, "恢复目标的文件目录不是空的，请指定一个空目录。")
		if err := blobs.Walk(ctx, func(blob.Info) error { return full }); err != nil {
			return nil, err
		}
	}
	db, err := Open(ctx, opt)
	if err != nil {
		return nil, err
	}
	tables, err := db.dialect.tables(ctx, db)
	if err == nil && len(tables) > 0 {
		err = errs.New(errs.Conflict, "恢复目标的数据库不是空的，请指定一个空库。")
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &restoreSink{db: db, blobs: blobs}, nil
}

func (s *restoreSink) begin(ctx context.Context, m Manifest) error {
	_, newest, err := s.db.SchemaVersion(ctx)
	if err != nil {
		return err
	}
	if m.Schema > newest || m.Schema < 1 {
		return errs.New(errs.Unsupported, "备份来自更新的程序版本，请先升级程序再恢复。")
	}
	if err := s.db.migrateTo(ctx, m.Schema); err != nil {
		return err
	}
	if s.conn, err = s.db.writers.Conn(ctx); err != nil {
		return err
	}
	return s.exec(ctx, s.db.dialect.foreignKeys(false))
}

func (s *restoreSink) exec(ctx context.Context, q string, args ...any) error {
	_, err := s.conn.ExecContext(ctx, q, args...)
	return err
}

// Limits of one INSERT and of one transaction while loading.
const (
	restoreRows  = 50
	restoreBytes = 1 << 20
	restoreEvery = 200 // statements a commit
)

func (s *restoreSink) table(ctx context.Context, name string, head tableHead) (row func([]any) error, end func() error, err error) {
	cols, err := s.db.dialect.columns(ctx, s.conn, name)
	if err != nil {
		return nil, nil, err
	}
	known := make([]string, len(cols))
	for i, c := range cols {
		known[i] = c.Name
	}
	if !slices.Equal(known, head.Columns) {
		return nil, nil, broken(fmt.Errorf("table %s has other columns than version says", name))
	}
	if err := s.exec(ctx, s.db.dialect.begin()); err != nil {
		return nil, nil, err
	}
	if err := s.exec(ctx, "DELETE FROM "+name); err != nil { // rows that migrations put in
		return nil, nil, err
	}
	var args []any
	rows, size, statements := 0, 0, 0
	flush := func() error {
		if rows == 0 {
			return nil
		}
		err := s.exec(ctx, insertSQL(name, head.Columns, rows), args...)
		args, rows, size = args[:0], 0, 0
		if statements++; err == nil && statements%restoreEvery == 0 {
			if err = s.exec(ctx, "COMMIT"); err == nil {
				err = s.exec(ctx, s.db.dialect.begin())
			}
		}
		return err
	}
	row = func(values []any) error {
		args, rows = append(args, values...), rows+1
		for _, v := range values {
			size += 16
			if t, ok := v.(string); ok {
				size += len(t)
			} else if b, ok := v.([]byte); ok {
				size += len(b)
			}
		}
		if rows < restoreRows && size < restoreBytes {
			return nil
		}
		return flush()
	}
	return row, func() error {
		if err := flush(); err != nil {
			return err
		}
		return s.exec(ctx, "COMMIT")
	}, nil
}

func (s *restoreSink) blob(ctx context.Context, hash string, size int64, r io.Reader) error {
	if s.blobs == nil {
		return errs.New(errs.Invalid, "备份中有文件，但没有指定恢复文件的目录。")
	}
	got, _, err := s.blobs.Put(ctx, r, max(size, 1))
	if err == nil {
		s.put = append(s.put, got)
	}
	return err
}

// finish proves what was loaded and brings the tables up to date.
func (s *restoreSink) finish(ctx context.Context, m Manifest) error {
	for _, e := range m.Entries {
		table, ok := strings.CutPrefix(strings.TrimSuffix(e.Name, ".jsonl.gz"), backupTables)
		if !ok {
			continue
		}
		n, err := One(ctx, connQueryer{s.conn}, ScanInt64, sql.ErrNoRows, "SELECT COUNT(*) FROM "+table)
		if err == nil && n != e.Rows {
			err = broken(fmt.Errorf("table %s has %d rows, want %d", table, n, e.Rows))
		}
		if err != nil {
			return err
		}
	}
	if err := s.integrity(ctx); err != nil {
		return err
	}
	if err := errors.Join(s.exec(ctx, s.db.dialect.foreignKeys(true)), s.conn.Close()); err != nil {
		return err
	}
	s.conn = nil
	rep, err := s.db.VerifyAudit(ctx)
	if err != nil {
		return err
	}
	if rep.Rows != m.Audit.Rows || !slices.Equal(rep.Problems, m.Audit.Problems) {
		return broken(errors.New("the audit differs from that of the backup"))
	}
	return s.db.Migrate(ctx)
}

// integrity asks SQLite to check its file; MySQL checks its pages itself.
func (s *restoreSink) integrity(ctx context.Context) error {
	if s.db.Dialect() != "sqlite" {
		return nil
	}
	said, err := All(ctx, connQueryer{s.conn}, ScanString, "PRAGMA integrity_check")
	if err == nil && !slices.Equal(said, []string{"ok"}) {
		err = broken(errors.New("integrity_check: " + strings.Join(said, "; ")))
	}
	if err != nil {
		return err
	}
	orphans, err := All(ctx, connQueryer{s.conn}, func(r Scanner) (t string, err error) {
		var row, parent, key any
		err = r.Scan(&t, &row, &parent, &key)
		return t, err
	}, "PRAGMA foreign_key_check")
	if err == nil && len(orphans) > 0 {
		err = broken(fmt.Errorf("rows of %s point nowhere", orphans[0]))
	}
	return err
}

// undo leaves the target as empty as it was.
func (s *restoreSink) undo(ctx context.Context) (err error) {
	for _, hash := range s.put {
		err = errors.Join(err, s.blobs.Delete(ctx, hash))
	}
	if s.conn != nil {
		_ = s.conn.Raw(func(any) error { return badConn() }) // with its open transaction
		_ = s.conn.Close()
	}
	if s.db.Dialect() == "mysql" {
		err = errors.Join(err, s.dropTables(ctx))
	}
	err = errors.Join(err, s.db.Close())
	if d, ok := s.db.dialect.(*sqliteDialect); ok {
		err = errors.Join(err, removeSQLite(d.path))
	}
	return err
}

func (s *restoreSink) dropTables(ctx context.Context) error {
	tables, err := s.db.dialect.tables(ctx, s.db)
	if err != nil {
		return err
	}
	conn, err := s.db.writers.Conn(ctx)
	if err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, s.db.dialect.foreignKeys(false))
	for _, t := range tables {
		if err == nil {
			_, err = conn.ExecContext(ctx, "DROP TABLE "+t)
		}
	}
	_ = conn.Raw(func(any) error { return badConn() }) // never back into the pool without its checks
	_ = conn.Close()
	return err
}
