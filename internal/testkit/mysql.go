// Package testkit holds what tests of several packages need: a real MariaDB.
// Only tests import it.
package testkit

import (
	"bufio"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

// MySQLEnv names a server that is already running, as a DSN of a user who may
// create databases ("root@unix(/run/mysqld.sock)/"). With it no test binary
// starts a server of its own.
const MySQLEnv = "TONGXIN_TEST_MYSQL"

// startTimeout is for a slow machine under load; a server is up in 2–4 s.
const startTimeout = 2 * time.Minute

// server is shared by the tests of one binary. It is the one package-level
// value here: a server a test costs seconds, and a binary has no other place
// that outlives its tests.
//
//nolint:gochecknoglobals // see above
var server = sync.OnceValues(startMariaDB)

// MySQL returns the DSN of a new, empty database on a real server and drops it
// after the test. A machine without MariaDB fails the test: a suite that skips
// a dialect proves nothing about it.
func MySQL(t testing.TB) string {
	t.Helper()
	dsn, name, admin := create(t)
	t.Cleanup(func() {
		defer admin.Close() //nolint:errcheck // a test's connection
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if _, err := admin.ExecContext(ctx, "DROP DATABASE "+name); err != nil {
			t.Errorf("testkit: drop the database: %v", err)
		}
	})
	return dsn
}

// KeptMySQL returns a new database that stays until the server of this test
// binary ends: for a helper that uses it for one test after another. ok is
// false on a server of somebody else, on which nothing may stay.
func KeptMySQL(t testing.TB) (dsn string, ok bool) {
	t.Helper()
	if os.Getenv(MySQLEnv) != "" {
		return "", false
	}
	dsn, _, admin := create(t)
	return dsn, admin.Close() == nil
}

func create(t testing.TB) (dsn, name string, admin *sql.DB) {
	t.Helper()
	base := os.Getenv(MySQLEnv)
	if base == "" {
		var err error
		if base, err = server(); err != nil {
			t.Fatalf("testkit: %v", err)
		}
	}
	cfg, err := mysql.ParseDSN(base)
	if err != nil {
		t.Fatalf("testkit: %s is not a DSN", MySQLEnv)
	}
	if admin, err = sql.Open("mysql", cfg.FormatDSN()); err != nil {
		t.Fatalf("testkit: %v", err)
	}
	name = "t_" + strings.ToLower(rand.Text()[:16])
	if _, err := admin.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatalf("testkit: create a database: %v", err)
	}
	cfg.DBName = name
	return cfg.FormatDSN(), name, admin
}

// supervise runs the server until standard input closes, which the kernel does
// when the test binary ends in any way, and then removes its files. By then
// nobody reads its standard error: a word of the shell about the killed server
// would end it before the last step, and so would a Ctrl-C for the whole group.
const supervise = `"$@" & pid=$!; trap '' INT TERM HUP PIPE; exec 2>/dev/null; read -r _; kill -9 $pid; wait $pid; rm -rf "$DIR"`

// startMariaDB makes a data directory and starts a server on a unix socket in
// it. It runs as in production except that it never waits for the disk: tests
// kill our program, not the machine, and a hundred tables a test cost seconds.
func startMariaDB() (string, error) {
	daemon, err := lookup("mariadbd")
	if err != nil {
		return "", err
	}
	install, err := lookup("mariadb-install-db")
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "tongxin-mariadb-")
	if err != nil {
		return "", err
	}
	as := []string{"--no-defaults", "--datadir=" + filepath.Join(dir, "data")}
	if me, err := user.Current(); err == nil && me.Uid == "0" {
		as = append(as, "--user=root") // the daemon refuses root unless told
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, install, append(as, "--auth-root-authentication-method=normal", "--skip-test-db", "--force")...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", errors.Join(fmt.Errorf("mariadb-install-db: %w\n%s", err, out), os.RemoveAll(dir))
	}
	socket := filepath.Join(dir, "s")
	args := append(as, "--socket="+socket, "--pid-file="+filepath.Join(dir, "pid"), "--skip-networking", "--skip-grant-tables=0",
		"--skip-name-resolve", "--skip-log-bin", "--performance-schema=0", "--max-connections=600", "--table-open-cache=1000",
		"--innodb-buffer-pool-size=48M", "--innodb-log-file-size=48M", "--innodb-flush-method=nosync", "--sync-frm=0")
	// Not bound to the context: it outlives this call.
	run := exec.Command("sh", append([]string{"-c", supervise, "sh", daemon}, args...)...) //nolint:noctx // see above
	run.Env = append(os.Environ(), "DIR="+dir)
	if _, err = run.StdinPipe(); err != nil {
		return "", err
	}
	log, err := run.StderrPipe()
	if err != nil {
		return "", err
	}
	if err := run.Start(); err != nil {
		return "", err
	}
	if err := ready(log); err != nil {
		return "", err
	}
	// Waiting keeps the other end of its standard input reachable: collected as
	// garbage it would close and stop the server in the middle of the tests.
	go func() { _ = run.Wait() }()
	return "root@unix(" + socket + ")/", nil
}

// ready reads the server's log until it says that it accepts connections, and
// keeps reading so that the pipe never fills.
func ready(log io.Reader) error {
	up := make(chan error, 1)
	go func() {
		var tail []string
		lines := bufio.NewScanner(log)
		for lines.Scan() {
			if tail = append(tail, lines.Text()); strings.Contains(lines.Text(), "ready for connections") {
				up <- nil
				_, _ = io.Copy(io.Discard, log)
				return
			}
		}
		up <- errors.New("mariadbd ended:\n" + strings.Join(tail, "\n"))
	}()
	select {
	case err := <-up:
		return err
	case <-time.After(startTimeout):
		return errors.New("mariadbd did not start in " + startTimeout.String())
	}
}

// lookup also looks where Debian puts daemons, which the PATH of a user lacks.
func lookup(name string) (string, error) {
	for _, p := range []string{name, "/usr/sbin/" + name, "/usr/libexec/" + name, "/usr/local/sbin/" + name} {
		if found, err := exec.LookPath(p); err == nil {
			return found, nil
		}
	}
	return "", fmt.Errorf("%s not found: install the package mariadb-server-core (Debian: apt-get install mariadb-server-core mariadb-client-core), or set %s to a running server", name, MySQLEnv)
}
