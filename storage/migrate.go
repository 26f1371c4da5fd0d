package storage

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"tongxin/internal/errs"
)

// The migrations only grow: a file that was released never changes, and
// testdata/schema holds what each leaves behind.
//
//go:embed migrations/*.sql
var migrations embed.FS

type migrateLocker = lock.SessionLocker

// Migrate brings the tables up to date and starts writing. Replicas may call it
// at once: one migrates and the others wait.
func (db *DB) Migrate(ctx context.Context) error {
	if db.opt.ReadOnly {
		return errs.New(errs.Invalid, "数据库以只读方式打开，不能升级表结构。")
	}
	if err := db.migrateTo(ctx, 0); err != nil {
		return err
	}
	return db.start(ctx)
}

// migrateTo goes to a version; 0 is the newest.
func (db *DB) migrateTo(ctx context.Context, version int64) error {
	p, pool, err := db.migrator(ctx)
	if err != nil {
		return err
	}
	defer pool.Close() //nolint:errcheck // nothing is open in it any more
	if l := db.dialect.migrateLock(); l != nil {
		unlock, err := lockMigration(ctx, l, pool)
		if err != nil {
			return errs.Wrap(err, errs.Internal, "数据库表结构升级失败，请查看日志。")
		}
		defer unlock()
	}
	if version == 0 {
		_, err = p.Up(ctx)
	} else {
		_, err = p.UpTo(ctx, version)
	}
	if err != nil {
		return errs.Wrap(err, errs.Internal, "数据库表结构升级失败，请查看日志。")
	}
	return nil
}

// lockMigration holds the lock around all of goose, which by itself creates and
// looks at its table before it locks. A table without rows was left by a process
// that ended in between: goose takes it for a broken one.
func lockMigration(ctx context.Context, l migrateLocker, pool *sql.DB) (unlock func(), err error) {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if err := l.SessionLock(ctx, conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	// Closing the pool ends the session and with it the lock in any case.
	unlock = func() {
		_ = l.SessionUnlock(context.WithoutCancel(ctx), conn)
		_ = conn.Close()
	}
	var tables, rows int
	err = conn.QueryRowContext(ctx, `SELECT COUNT(*) FROM information_schema.tables
		WHERE table_schema = DATABASE() AND table_name = 'schema_version'`).Scan(&tables)
	if err == nil && tables == 1 {
		if err = conn.QueryRowContext(ctx, `SELECT COUNT(*) FROM schema_version`).Scan(&rows); err == nil && rows == 0 {
			_, err = conn.ExecContext(ctx, `DROP TABLE schema_version`)
		}
	}
	if err != nil {
		unlock()
		return nil, err
	}
	return unlock, nil
}

// migrator has a pool of its own: the lanes keep their connections.
func (db *DB) migrator(ctx context.Context) (*goose.Provider, *sql.DB, error) {
	pool, err := db.dialect.openWriter()
	if err != nil {
		return nil, nil, err
	}
	opts := []goose.ProviderOption{
		goose.WithDisableGlobalRegistry(true), goose.WithTableName("schema_version"),
		goose.WithSlog(slog.New(slog.DiscardHandler)),
	}
	kind := goose.DialectSQLite3
	if db.dialect.migrateLock() != nil {
		kind = goose.DialectMySQL
		// Tables inherit bytewise comparison from the database.
		if _, err := pool.ExecContext(ctx, "ALTER DATABASE CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"); err != nil {
			return nil, nil, errors.Join(fmt.Errorf("storage: set the character set of the database: %w", err), pool.Close())
		}
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, nil, errors.Join(err, pool.Close())
	}
	p, err := goose.NewProvider(kind, pool, files, opts...)
	if err != nil {
		return nil, nil, errors.Join(err, pool.Close())
	}
	return p, pool, nil
}

// SchemaVersion is the migration the tables are at, and the newest there is.
func (db *DB) SchemaVersion(ctx context.Context) (current, newest int64, err error) {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return 0, 0, err
	}
	for _, name := range names {
		v, err := goose.NumericComponent(name)
		if err != nil {
			return 0, 0, err
		}
		newest = max(newest, v)
	}
	cols, err := db.dialect.columns(ctx, db.readers, "schema_version")
	if err != nil || len(cols) == 0 {
		return 0, newest, err
	}
	err = db.QueryRow(ctx, `SELECT MAX(version_id) FROM schema_version`).Scan(&current)
	return current, newest, err
}

// mysqlLocker holds a named lock of the server while one replica migrates. The
// name carries the database, since such locks span the server.
type mysqlLocker struct{}

const migrateWait = 2 * time.Minute

func (mysqlLocker) SessionLock(ctx context.Context, conn *sql.Conn) error {
	var got sql.NullInt64
	err := conn.QueryRowContext(ctx, `SELECT GET_LOCK(MD5(CONCAT('tongxin migrate ', DATABASE())), ?)`, int(migrateWait/time.Second)).Scan(&got)
	if err == nil && got.Int64 != 1 {
		err = errors.New("storage: another replica has been migrating for too long")
	}
	return err
}

func (mysqlLocker) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	var got sql.NullInt64
	err := conn.QueryRowContext(ctx, `SELECT RELEASE_LOCK(MD5(CONCAT('tongxin migrate ', DATABASE())))`).Scan(&got)
	if err == nil && got.Int64 != 1 {
		err = errors.New("storage: the lock of the migration was lost")
	}
	return err
}
