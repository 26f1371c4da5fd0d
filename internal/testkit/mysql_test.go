package testkit

import (
	"database/sql"
	"strings"
	"testing"
)

// TestMissing: who lacks the server is told what to install.
func TestMissing(t *testing.T) {
	_, err := lookup("a-daemon-nobody-has")
	if err == nil || !strings.Contains(err.Error(), "mariadb-server-core") || !strings.Contains(err.Error(), MySQLEnv) {
		t.Error(err)
	}
}

func TestMySQL(t *testing.T) {
	a, b := MySQL(t), MySQL(t)
	if a == b {
		t.Error("two tests would share a database")
	}
	db, err := sql.Open("mysql", a)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // a test's connection
	var n int
	err = db.QueryRow(`SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()`).Scan(&n)
	if err != nil || n != 0 {
		t.Errorf("%d tables: %v", n, err)
	}
}
