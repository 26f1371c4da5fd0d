package audit

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/trail"
)

// rows is a Store of functions.
type rows struct {
	all      []Row
	breakAt  int
	recorded []trail.Entry
	filter   Filter
}

func (r *rows) Rows(_ context.Context, f Filter, after Cursor, limit int) ([]Row, error) {
	r.filter = f
	start := int(after.Seq)
	if r.breakAt > 0 && start >= r.breakAt {
		return nil, errors.New("disk")
	}
	return r.all[start:min(len(r.all), start+limit)], nil
}

func (r *rows) Verify(context.Context) (Report, error) {
	return Report{Chains: 1, Rows: int64(len(r.all))}, nil
}

func (r *rows) Record(_ context.Context, e trail.Entry) error {
	r.recorded = append(r.recorded, e)
	return nil
}

func many(n int) *rows {
	r := &rows{}
	for i := range n {
		r.all = append(r.all, Row{Seq: int64(i + 1), At: time.UnixMilli(1_770_000_000_000), ActorName: "=HYPERLINK(\"x\")", UserAgent: "@SUM(1)", Detail: map[string]string{"a": "<b>"}})
	}
	return r
}

func auditor(path string) *authz.Actor {
	return &authz.Actor{ID: 1, Kind: authz.Staff, Grants: []authz.Grant{{Path: path, Rights: []authz.Right{Read}}}}
}

func export(t *testing.T, store *rows, format Format) (string, error) {
	t.Helper()
	s := New(store, clock.NewManual(time.UnixMilli(1_780_000_000_000)))
	write, err := s.Begin(t.Context(), auditor("/1/2/"), Filter{}, format)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = write(t.Context(), &out)
	return out.String(), err
}

func TestExportWalksEverything(t *testing.T) {
	store := many(1234)
	out, err := export(t, store, JSONLines)
	if err != nil || strings.Count(out, "\n") != 1234 {
		t.Fatal(strings.Count(out, "\n"), err)
	}
	var first Row
	if err := json.Unmarshal([]byte(out[:strings.Index(out, "\n")]), &first); err != nil || first.Detail["a"] != "<b>" {
		t.Fatal(err, first)
	}
	if len(store.recorded) != 1 || store.recorded[0].Action != "audit.export" {
		t.Fatalf("the export is not in the audit: %v", store.recorded)
	}
	if store.filter.Scope.All || store.filter.Scope.Paths[0] != "/1/2/" || store.filter.To.IsZero() {
		t.Fatalf("%+v", store.filter)
	}
}

func TestExportIsSafeInASpreadsheet(t *testing.T) {
	out, err := export(t, many(3), CSV)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(out, "\xef\xbb\xbf"))).ReadAll()
	if err != nil || len(lines) != 4 || !strings.HasPrefix(out, "\xef\xbb\xbf时间") {
		t.Fatal(err, lines)
	}
	for _, l := range lines {
		for _, cell := range l {
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
				t.Errorf("a cell is a formula: %q", cell)
			}
		}
	}
	if lines[1][0] != "2026-02-02 10:40:00.000" {
		t.Errorf("time %q", lines[1][0])
	}
}

func TestBrokenExportSaysSo(t *testing.T) {
	for _, f := range []Format{CSV, JSONLines} {
		store := many(1200)
		store.breakAt = 1000
		out, err := export(t, store, f)
		if err == nil || !strings.Contains(out[strings.LastIndex(strings.TrimSpace(out), "\n"):], "导出中断") {
			t.Errorf("%s: %v", f, err)
		}
	}
}

func TestWhoMayRead(t *testing.T) {
	s := New(many(1), clock.System{})
	for _, a := range []*authz.Actor{nil, {ID: 1}, {ID: 1, Grants: []authz.Grant{{Path: "/1/", Rights: []authz.Right{"post.read"}}}}} {
		if _, err := s.List(t.Context(), a, Filter{}, "", 0); !errs.Is(err, errs.Forbidden) {
			t.Fatal(err)
		}
		if _, err := s.Verify(t.Context(), a); !errs.Is(err, errs.Forbidden) {
			t.Fatal(err)
		}
		if _, err := s.Begin(t.Context(), a, Filter{}, CSV); !errs.Is(err, errs.Forbidden) {
			t.Fatal(err)
		}
	}
	if sc, err := scope(auditor("/1/")); err != nil || !sc.All {
		t.Fatal("a root auditor reads what belongs to no organisation, too")
	}
	if sc, err := scope(auditor("/1/2/")); err != nil || sc.All {
		t.Fatal("a branch auditor reads everything")
	}
}

// A cursor is text from outside: it is read or refused, never a panic.
func FuzzCursor(f *testing.F) {
	good, err := Cursor{At: time.UnixMilli(5), Chain: 1, Seq: 2}.text()
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{"", good, "e30", "bnVsbA", "%%", "W10"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := parseCursor(s)
		if err != nil && !errs.Is(err, errs.Invalid) {
			t.Fatal(err)
		}
		if err == nil && s != "" && c.At.IsZero() {
			t.Fatal("a cursor without a place")
		}
	})
}
