package storage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	goflag "flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"

	"tongxin/internal/testkit"
)

// update writes testdata/schema anew: only for migrations not yet released.
//
//nolint:gochecknoglobals // a flag of the test
var update = goflag.Bool("update", false, "write testdata/schema for the migrations as they are")

func openDSN(t *testing.T, dsn string) *DB {
	t.Helper()
	db, err := Open(t.Context(), Options{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func bothDialects(t *testing.T) map[string]string {
	return map[string]string{"sqlite": filepath.Join(t.TempDir(), "s.db"), "mysql": testkit.MySQL(t)}
}

// dump lists every column and every index, one a line.
func dump(t *testing.T, db *DB) []string {
	t.Helper()
	ctx := t.Context()
	tables, err := db.dialect.tables(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, table := range slices.DeleteFunc(tables, func(s string) bool { return s == "schema_version" }) {
		cols, err := db.dialect.columns(ctx, db.readers, table)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cols {
			line := fmt.Sprintf("%s.%s %s", table, c.Name, c.Type)
			if c.NotNull {
				line += " not null"
			}
			if c.Key {
				line += " key"
			}
			out = append(out, line)
		}
		indexes, err := indexes(ctx, db, table)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, indexes...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func indexes(ctx context.Context, db *DB, table string) ([]string, error) {
	query := `SELECT i.name, CASE WHEN i."unique" = 1 THEN 'unique' ELSE 'index' END, c.name
		FROM pragma_index_list(?) AS i, pragma_index_info(i.name) AS c WHERE i.origin <> 'pk' ORDER BY i.name, c.seqno`
	if db.Dialect() == "mysql" {
		query = `SELECT index_name, CASE WHEN non_unique = 0 THEN 'unique' ELSE 'index' END, column_name FROM information_schema.statistics
			WHERE table_schema = DATABASE() AND table_name = ? AND index_name <> 'PRIMARY' ORDER BY index_name, seq_in_index`
	}
	rows, err := All(ctx, db, func(s Scanner) (r [3]string, err error) {
		err = s.Scan(&r[0], &r[1], &r[2])
		return r, err
	}, query, table)
	var out []string
	for i := 0; i < len(rows); {
		j, cols := i, []string(nil)
		for ; j < len(rows) && rows[j][0] == rows[i][0]; j++ {
			cols = append(cols, rows[j][2])
		}
		out = append(out, fmt.Sprintf("%s %s (%s)", table, rows[i][1], strings.Join(cols, ", ")))
		i = j
	}
	return out, err
}

func migrationFiles(t *testing.T) map[int64]string {
	t.Helper()
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	out := map[int64]string{}
	for _, name := range names {
		v, err := goose.NumericComponent(name)
		if err != nil {
			t.Fatal(err)
		}
		out[v] = name
	}
	return out
}

// TestSchema: a database brought up step by step equals a fresh one, each step
// leaves what testdata says (so that nobody edits a released migration), and
// both dialects have the same tables.
func TestSchema(t *testing.T) {
	files := migrationFiles(t)
	dumps := map[string][]string{}
	for name, dsn := range bothDialects(t) {
		stepped := openDSN(t, dsn)
		for v := int64(1); v <= int64(len(files)); v++ {
			if err := stepped.migrateTo(t.Context(), v); err != nil {
				t.Fatalf("%s: migration %d: %v", name, v, err)
			}
			if name == "sqlite" {
				compareSnapshot(t, v, files[v], dump(t, stepped))
			}
		}
		current, newest, err := stepped.SchemaVersion(t.Context())
		if err != nil || current != newest || newest != int64(len(files)) {
			t.Errorf("%s: version %d of %d: %v", name, current, newest, err)
		}
		dumps[name] = dump(t, stepped)
		noRows(t, stepped)
	}
	fresh := openDSN(t, filepath.Join(t.TempDir(), "fresh.db"))
	if err := fresh.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := dump(t, fresh); !slices.Equal(got, dumps["sqlite"]) {
		t.Errorf("fresh and upgraded differ:\n%s", strings.Join(got, "\n"))
	}
	for _, line := range dumps["sqlite"] {
		if !slices.Contains(dumps["mysql"], line) {
			t.Errorf("only on SQLite: %s", line)
		}
	}
	for _, line := range dumps["mysql"] {
		// MySQL adds an index of its own for a foreign key.
		if !slices.Contains(dumps["sqlite"], line) && !strings.Contains(line, " index (") {
			t.Errorf("only on MySQL: %s", line)
		}
	}
}

// noRows: storagetest empties tables between tests instead of making them anew.
func noRows(t *testing.T, db *DB) {
	t.Helper()
	tables, err := db.dialect.tables(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		n, err := One(t.Context(), db, ScanInt64, nil, "SELECT COUNT(*) FROM "+table)
		if err != nil || n != 0 && !skipped(table) {
			t.Errorf("%s holds %d rows that a migration made: %v", table, n, err)
		}
	}
}

func compareSnapshot(t *testing.T, v int64, file string, got []string) {
	t.Helper()
	data, err := migrations.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	text := filepath.Base(file) + " " + hex.EncodeToString(sum[:]) + "\n" + strings.Join(got, "\n") + "\n"
	path := filepath.Join("testdata", "schema", fmt.Sprintf("%05d.txt", v))
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil { //nolint:gosec // a file of the repository
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil || string(want) != text {
		t.Errorf("migration %s is not what %s says. A released migration never changes: add a new one. If it was not released, run go test ./storage -run TestSchema -update (%v)", file, path, err)
	}
}

// TestTypes: every column can travel in a backup, and text compares by bytes.
func TestTypes(t *testing.T) {
	for name, dsn := range bothDialects(t) {
		db := openDSN(t, dsn)
		if err := db.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		tables, err := db.dialect.tables(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range tables {
			if skipped(table) {
				continue
			}
			cols, err := db.dialect.columns(t.Context(), db.readers, table)
			if err != nil {
				t.Fatal(err)
			}
			keys := 0
			for _, c := range cols {
				if _, err := c.kind(); err != nil {
					t.Errorf("%s: %s: %v", name, table, err)
				}
				if c.Key {
					keys++
				}
				if !tableName(c.Name) || !tableName(table) {
					t.Errorf("%s.%s: a backup takes lower-case names only", table, c.Name)
				}
			}
			if keys == 0 {
				t.Errorf("%s: table %s has no primary key", name, table)
			}
		}
		if name == "mysql" {
			odd, err := All(t.Context(), db, ScanString, `SELECT CONCAT(table_name, '.', column_name) FROM information_schema.columns
				WHERE table_schema = DATABASE() AND collation_name <> 'utf8mb4_bin' AND table_name <> 'schema_version'`)
			if err != nil || len(odd) > 0 {
				t.Errorf("other collations: %v %v", odd, err)
			}
		}
	}
}

// TestSQLText: what one dialect refuses or, worse, understands otherwise is in
// no SQL text. || is a logical OR on MySQL.
func TestSQLText(t *testing.T) {
	verbs := regexp.MustCompile(`(?is)^\s*(SELECT|INSERT|UPDATE|DELETE|WITH|REPLACE)\s|\s(FROM|WHERE|VALUES)\s`)
	never := regexp.MustCompile(`(?i)\|\||\bRETURNING\b|\bSKIP\s+LOCKED\b|\bAUTO_?INCREMENT\b|\bON\s+CONFLICT\b|\bON\s+DUPLICATE\b|\bILIKE\b|\bGLOB\b|^\s*REPLACE\s|\bOR\s+IGNORE\b|\bINSERT\s+IGNORE\b|\bdatetime\(|\bstrftime\(`)
	check := func(where, text string) {
		if m := never.FindString(text); m != "" {
			t.Errorf("%s: %q in SQL text", where, m)
		}
	}
	for _, file := range migrationFiles(t) {
		data, err := migrations.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		check(file, string(data))
	}
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	for _, name := range sources {
		if strings.HasSuffix(name, "_test.go") || name == "sqlite.go" || name == "mysql.go" {
			continue
		}
		f, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING && verbs.MatchString(strings.Trim(lit.Value, "`\"")) {
				check(set.Position(lit.Pos()).String(), strings.Trim(lit.Value, "`\""))
			}
			return true
		})
	}
}
