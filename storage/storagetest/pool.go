package storagetest

import (
	"database/sql"
	"errors"
	"sync"
	"testing"

	"tongxin/internal/testkit"
)

// pool keeps migrated MySQL databases between the tests of one binary: making
// a hundred tables and indexes costs a second or more, emptying them little.
//
//nolint:gochecknoglobals // it outlives a test on purpose
var pool struct {
	sync.Mutex
	free []string
}

// pooledMySQL returns the address of a database whose tables, if it has any,
// are empty. A test that fails keeps its database from the next.
func pooledMySQL(t *testing.T) string {
	t.Helper()
	pool.Lock()
	var dsn string
	if n := len(pool.free); n > 0 {
		dsn, pool.free = pool.free[n-1], pool.free[:n-1]
	}
	pool.Unlock()
	if dsn == "" {
		var ok bool
		if dsn, ok = testkit.KeptMySQL(t); !ok {
			return testkit.MySQL(t)
		}
	}
	t.Cleanup(func() {
		if t.Failed() {
			return
		}
		if err := empty(dsn); err != nil {
			t.Errorf("empty the database: %v", err)
			return
		}
		pool.Lock()
		pool.free = append(pool.free, dsn)
		pool.Unlock()
	})
	return dsn
}

// empty deletes all rows. Migrations insert none, which TestSchema holds.
func empty(dsn string) (err error) {
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1) // the setting below belongs to the connection
	rows, err := db.Query(`SELECT table_name FROM information_schema.tables
		WHERE table_schema = DATABASE() AND table_name <> 'schema_version'`)
	if err != nil {
		return err
	}
	var tables []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return errors.Join(err, rows.Close())
		}
		tables = append(tables, name)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	if _, err := db.Exec("SET foreign_key_checks = 0"); err != nil {
		return err
	}
	for _, name := range tables {
		if _, err := db.Exec("DELETE FROM " + name); err != nil {
			return err
		}
	}
	return nil
}
