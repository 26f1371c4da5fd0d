package storage

import (
	"context"
	"database/sql"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/go-sql-driver/mysql"

	"tongxin/internal/errs"
)

// dialect is everything in which the two databases differ for this package.
type dialect interface {
	name() string
	lock() (unlock func() error, err error)
	openWriter() (*sql.DB, error)
	openReader() (*sql.DB, error)
	lanes() int
	begin() string    // starts a transaction that writes
	snapshot() string // starts a transaction that only reads, at one moment
	forUpdate() string
	prepares() bool // prepared statements pay; otherwise many rows a statement do
	upsert(keys, set []string) string
	retryable(err error) bool // the transaction is gone and may be run again
	tables(ctx context.Context, q Queryer) ([]string, error)
	columns(ctx context.Context, q rower, table string) ([]column, error)
	migrateLock() migrateLocker
	foreignKeys(on bool) string // checks them or not, for this connection
}

// column of a table, in words that are the same on both dialects.
type column struct {
	Name    string `json:"name"`
	Type    string `json:"type"` // lower case: "bigint", "varchar(200)"
	NotNull bool   `json:"not_null"`
	Key     bool   `json:"key"` // part of the primary key
}

// isMySQL tells the two kinds of DSN apart.
func isMySQL(dsn string) bool {
	return strings.HasPrefix(dsn, "mysql://") || strings.Contains(dsn, "@tcp(") || strings.Contains(dsn, "@unix(")
}

// dialectOf never puts the DSN into an error: it holds a password.
func dialectOf(opt Options) (dialect, error) {
	if opt.DSN == "" {
		return nil, errs.New(errs.Invalid, "没有设置数据库地址。")
	}
	if !isMySQL(opt.DSN) {
		path, err := filepath.Abs(opt.DSN)
		if err != nil {
			return nil, err
		}
		return &sqliteDialect{path: path, readers: opt.Readers}, nil
	}
	dsn := strings.TrimPrefix(opt.DSN, "mysql://")
	if dsn != opt.DSN && !strings.Contains(dsn, "(") {
		u, err := url.Parse(opt.DSN)
		if err != nil || u.Host == "" {
			return nil, errs.New(errs.Invalid, "数据库地址的格式不对，应为 mysql://用户:密码@主机:3306/库名。")
		}
		pass, _ := u.User.Password()
		cfg := mysql.NewConfig()
		cfg.User, cfg.Passwd, cfg.Net, cfg.Addr = u.User.Username(), pass, "tcp", u.Host
		if u.Port() == "" {
			cfg.Addr += ":3306"
		}
		cfg.DBName = strings.TrimPrefix(u.Path, "/")
		dsn = cfg.FormatDSN()
		if u.RawQuery != "" {
			dsn += "?" + u.RawQuery
			if strings.Count(dsn, "?") > 1 {
				dsn = strings.TrimSuffix(dsn, "?"+u.RawQuery) + "&" + u.RawQuery
			}
		}
	}
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil || cfg.DBName == "" {
		return nil, errs.New(errs.Invalid, "数据库地址的格式不对，应为 mysql://用户:密码@主机:3306/库名。")
	}
	return newMySQL(cfg, opt), nil
}
