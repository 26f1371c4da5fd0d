package storage

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// MySQL error numbers; the same on MariaDB and TiDB.
const (
	mysqlDuplicate   = 1062
	mysqlLockTimeout = 1205
	mysqlDeadlock    = 1213
	tidbWriteClash   = 9007
)

type mysqlDialect struct {
	cfg   *mysql.Config
	nLane int
	nRead int
}

// newMySQL forces what the SQL text relies on: affected rows count matched
// rows (compare-and-swap), one round trip a statement, bytewise text, UTC.
func newMySQL(cfg *mysql.Config, opt Options) *mysqlDialect {
	cfg.ParseTime = false
	cfg.ClientFoundRows = true
	cfg.InterpolateParams = true
	cfg.MultiStatements = false
	cfg.Collation = "utf8mb4_bin"
	cfg.Loc = time.UTC
	cfg.Logger = driverLog{opt.Log}
	if cfg.Timeout == 0 {
		cfg.Timeout = 10 * time.Second
	}
	if cfg.ReadTimeout == 0 {
		cfg.ReadTimeout = time.Minute
	}
	if cfg.WriteTimeout == 0 {
		cfg.WriteTimeout = time.Minute
	}
	if cfg.Params == nil {
		cfg.Params = map[string]string{}
	}
	cfg.Params["sql_mode"] = "'STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'"
	cfg.Params["time_zone"] = "'+00:00'"
	cfg.Params["innodb_lock_wait_timeout"] = "10"
	d := &mysqlDialect{cfg: cfg, nLane: 8, nRead: 16}
	if opt.Lanes > 0 {
		d.nLane = min(opt.Lanes, lanesPerNode)
	}
	if opt.Readers > 0 {
		d.nRead = opt.Readers
	}
	return d
}

func (d *mysqlDialect) name() string                { return "mysql" }
func (d *mysqlDialect) lock() (func() error, error) { return func() error { return nil }, nil }
func (d *mysqlDialect) lanes() int                  { return d.nLane }
func (d *mysqlDialect) begin() string               { return "START TRANSACTION" }
func (d *mysqlDialect) forUpdate() string           { return " FOR UPDATE" }
func (d *mysqlDialect) prepares() bool              { return false }

// snapshot must see one moment, whatever the session's isolation is: the
// connector of the readers sets REPEATABLE READ.
func (d *mysqlDialect) snapshot() string { return "START TRANSACTION WITH CONSISTENT SNAPSHOT" }

// driverLog keeps the driver's notes on broken connections out of standard
// error. They come back as errors too.
type driverLog struct{ log *slog.Logger }

func (l driverLog) Print(v ...any) { l.log.Debug("mysql driver", "note", fmt.Sprint(v...)) }

// leveled sets the isolation level on each new connection. The variable that a
// DSN could set has another name on MySQL 8 than on MariaDB before 11.1.
type leveled struct {
	driver.Connector
	level string
}

func (l leveled) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := l.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	ex, ok := conn.(driver.ExecerContext)
	if !ok {
		return nil, errors.Join(errors.New("storage: the MySQL driver cannot execute directly"), conn.Close())
	}
	if _, err := ex.ExecContext(ctx, "SET SESSION TRANSACTION ISOLATION LEVEL "+l.level, nil); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

func (d *mysqlDialect) open(conns int, level string) (*sql.DB, error) {
	c, err := mysql.NewConnector(d.cfg)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(leveled{c, level})
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return db, nil
}

// openWriter has connections for the lanes, the lease and a migration.
func (d *mysqlDialect) openWriter() (*sql.DB, error) { return d.open(d.nLane+3, "READ COMMITTED") }

// openReader: a single SELECT sees what is committed at either level, so the
// stricter one costs nothing and gives Read its one moment.
func (d *mysqlDialect) openReader() (*sql.DB, error) { return d.open(d.nRead, "REPEATABLE READ") }

func (d *mysqlDialect) upsert(_, set []string) string {
	var b strings.Builder
	b.WriteString(" ON DUPLICATE KEY UPDATE ")
	for i, c := range set {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(c + " = VALUES(" + c + ")")
	}
	return b.String()
}

func (d *mysqlDialect) retryable(err error) bool {
	var e *mysql.MySQLError
	if errors.As(err, &e) {
		return e.Number == mysqlDeadlock || e.Number == mysqlLockTimeout || e.Number == tidbWriteClash
	}
	var ne net.Error
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, sql.ErrConnDone) || errors.As(err, &ne)
}

func (d *mysqlDialect) tables(ctx context.Context, q Queryer) ([]string, error) {
	return All(ctx, q, ScanString, `SELECT table_name FROM information_schema.tables
		WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' ORDER BY table_name`)
}

func (d *mysqlDialect) columns(ctx context.Context, q rower, table string) ([]column, error) {
	rows, err := q.QueryContext(ctx, `SELECT column_name, LOWER(column_type), is_nullable = 'NO', column_key = 'PRI'
		FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ? ORDER BY ordinal_position`, table)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(r Scanner) (c column, err error) {
		err = r.Scan(&c.Name, &c.Type, &c.NotNull, &c.Key)
		// MySQL tells a display width that MySQL 8.0.19 dropped: bigint(20).
		if i := strings.IndexByte(c.Type, '('); i > 0 && strings.HasSuffix(c.Type[:i], "int") {
			c.Type = c.Type[:i]
		}
		return c, err
	})
}

func (d *mysqlDialect) migrateLock() migrateLocker { return mysqlLocker{} }

func (d *mysqlDialect) foreignKeys(on bool) string {
	if on {
		return "SET foreign_key_checks = 1"
	}
	return "SET foreign_key_checks = 0"
}
