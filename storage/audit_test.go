package storage_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/call"
	"tongxin/internal/clock"
	"tongxin/internal/trail"
	"tongxin/storage"
	"tongxin/storage/storagetest"
)

func auditEntry(i int) trail.Entry {
	return trail.Entry{
		Actor: &authz.Actor{ID: 7, Kind: authz.Staff, Name: "王编辑"}, Action: "post.edit", Object: "post",
		ID: 99, OrgID: 12, OrgPath: "/1/12/", Detail: map[string]string{"title": fmt.Sprint("第", i, "稿"), "b": "x"},
	}
}

// TestAuditTampering: what a person with the database, but without the key, can
// do to a chain of ten rows, and what the verification says.
func TestAuditTampering(t *testing.T) {
	storagetest.EachOptions(t, storage.Options{Lanes: 1}, func(t *testing.T, db *storage.DB) {
		for i := range 10 {
			if err := db.Record(t.Context(), auditEntry(i)); err != nil {
				t.Fatal(err)
			}
		}
		verify := func() string {
			t.Helper()
			rep, err := db.VerifyAudit(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var out []string
			for _, p := range rep.Problems {
				if !strings.Contains(p.String(), fmt.Sprint("audit row ", p.Seq, " of chain ", p.Chain, " ")) {
					t.Errorf("unreadable: %s", p)
				}
				out = append(out, fmt.Sprint(p.Kind, " ", p.Seq))
			}
			return strings.Join(out, ", ")
		}
		if got := verify(); got != "" {
			t.Fatalf("untouched: %s", got)
		}
		const copyRow = `INSERT INTO audit SELECT chain, %s, at, actor_id, actor_kind, actor_name, action, object, object_id, org_id,
			org_path, result, addr, user_agent, request_id, detail, prev, hash FROM audit WHERE seq = %s`
		for _, c := range []struct {
			name, want string
			do, undo   []string
		}{
			{"alter a text", "altered 4", []string{`UPDATE audit SET actor_name = '李编辑' WHERE seq = 4`}, []string{`UPDATE audit SET actor_name = '王编辑' WHERE seq = 4`}},
			{"alter a time", "altered 1", []string{`UPDATE audit SET at = at + 1 WHERE seq = 1`}, []string{`UPDATE audit SET at = at - 1 WHERE seq = 1`}},
			{"move text between columns", "altered 2", []string{`UPDATE audit SET action = 'post.editpost', object = '' WHERE seq = 2`}, []string{`UPDATE audit SET action = 'post.edit', object = 'post' WHERE seq = 2`}},
			{"delete in the middle", "missing 5", []string{`UPDATE audit SET seq = 1005 WHERE seq = 5`}, []string{`UPDATE audit SET seq = 5 WHERE seq = 1005`}},
			{
				"delete and close the gap", "altered 5",
				[]string{`UPDATE audit SET seq = 1005 WHERE seq = 5`, `UPDATE audit SET seq = 5 WHERE seq = 6`},
				[]string{`UPDATE audit SET seq = 6 WHERE seq = 5`, `UPDATE audit SET seq = 5 WHERE seq = 1005`},
			},
			{"insert at the end", "inserted 11", []string{fmt.Sprintf(copyRow, "11", "10")}, []string{`DELETE FROM audit WHERE seq = 11`}},
			{
				"swap", "altered 2",
				[]string{`UPDATE audit SET seq = 1000 WHERE seq = 2`, `UPDATE audit SET seq = 2 WHERE seq = 3`, `UPDATE audit SET seq = 3 WHERE seq = 1000`},
				[]string{`UPDATE audit SET seq = 1000 WHERE seq = 3`, `UPDATE audit SET seq = 3 WHERE seq = 2`, `UPDATE audit SET seq = 2 WHERE seq = 1000`},
			},
			{"head set back", "inserted 10", []string{`UPDATE audit_heads SET seq = seq - 1`}, []string{`UPDATE audit_heads SET seq = seq + 1`}},
			{"truncate", "truncated 9", []string{`DELETE FROM audit WHERE seq > 8`}, nil},
			{"truncate and set the head back", "head 8", []string{`UPDATE audit_heads SET seq = 8, hash = (SELECT hash FROM audit WHERE seq = 8)`}, nil},
			{"remove the head", "inserted 1", []string{`DELETE FROM audit_heads`}, nil},
		} {
			change := func(statements []string) {
				t.Helper()
				err := db.Write(t.Context(), func(tx *storage.Tx) error {
					for _, s := range statements {
						if _, err := tx.Exec(s); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					t.Fatalf("%s: %v", c.name, err)
				}
			}
			change(c.do)
			if got := verify(); got != c.want {
				t.Errorf("%s: %q, want %q", c.name, got, c.want)
			}
			change(c.undo)
		}
	})
}

func TestAuditOtherKey(t *testing.T) {
	storagetest.EachDSN(t, func(t *testing.T, dsn string) {
		db := storagetest.Open(t, storage.Options{DSN: dsn, AuditKey: []byte("one")})
		if err := db.Record(t.Context(), auditEntry(1)); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		db = storagetest.Open(t, storage.Options{DSN: dsn, AuditKey: []byte("two")})
		if rep, err := db.VerifyAudit(t.Context()); err != nil || len(rep.Problems) != 1 {
			t.Errorf("%+v %v", rep, err)
		}
	})
}

// TestAuditAcrossSecrets: after the secret changed, earlier rows stay proved
// with the earlier key at hand, the chain goes on under the new one, and the
// earlier key cannot forge what comes after.
func TestAuditAcrossSecrets(t *testing.T) {
	storagetest.EachDSN(t, func(t *testing.T, dsn string) {
		one, two, three := []byte("one"), []byte("two"), []byte("three")
		problems := func(key []byte, old ...[]byte) int {
			t.Helper()
			db := storagetest.Open(t, storage.Options{DSN: dsn, AuditKey: key, OldAuditKeys: old, Lanes: 1})
			rep, err := db.VerifyAudit(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			return len(rep.Problems)
		}
		write := func(key []byte, old ...[]byte) {
			t.Helper()
			db := storagetest.Open(t, storage.Options{DSN: dsn, AuditKey: key, OldAuditKeys: old, Lanes: 1})
			if err := db.Record(t.Context(), auditEntry(1), auditEntry(2)); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}
		write(one)
		if n := problems(two, one); n != 0 {
			t.Errorf("%d problems before the first row under the new key", n)
		}
		write(two, one)
		write(three, two, one)
		if n := problems(three, two, one); n != 0 {
			t.Errorf("%d problems after two changes", n)
		}
		if problems(three, two) == 0 || problems(three) == 0 || problems(one, two, three) == 0 {
			t.Error("proved without a key, or backwards")
		}
		write(one) // as a thief of the first secret would
		if problems(three, two, one) == 0 {
			t.Error("a row under an earlier key is taken after one under a newer")
		}
	})
}

// TestAuditWhileWriting: the proof holds beside running writers, and the chains
// go on after a restart.
func TestAuditWhileWriting(t *testing.T) {
	storagetest.EachDSN(t, func(t *testing.T, dsn string) {
		const callers, each = 16, 20
		for round := range int64(2) {
			db := storagetest.Open(t, storage.Options{DSN: dsn})
			var wg sync.WaitGroup
			for range callers {
				wg.Go(func() {
					for i := range each {
						if err := db.Record(t.Context(), auditEntry(i), auditEntry(i)); err != nil {
							t.Error(err)
						}
					}
				})
			}
			for range 5 {
				if rep, err := db.VerifyAudit(t.Context()); err != nil || len(rep.Problems) > 0 {
					t.Errorf("%+v %v", rep, err)
				}
			}
			wg.Wait()
			rep, err := db.VerifyAudit(t.Context())
			if err != nil || len(rep.Problems) > 0 || rep.Rows != (round+1)*callers*each*2 {
				t.Errorf("%+v %v", rep, err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestAuditRows(t *testing.T) {
	start := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	c := clock.NewManual(start)
	storagetest.EachOptions(t, storage.Options{Clock: c, Lanes: 3}, func(t *testing.T, db *storage.DB) {
		ctx := call.With(t.Context(), call.Info{RequestID: "req-1", Addr: "192.0.2.1", UserAgent: strings.Repeat("长", 100)})
		for i := range 20 {
			e := auditEntry(i)
			e.Action, e.OrgPath = []string{"post.edit", "post.submit", "signin.password", "postal.x"}[i%4], []string{"/1/12/", "/1/123/"}[i%2]
			e.Detail["long"] = strings.Repeat("字", 400)
			if i == 19 {
				e = trail.Entry{Action: "house", Result: trail.Denied}
			}
			if err := db.Record(ctx, e); err != nil {
				t.Fatal(err)
			}
			if i%3 == 0 {
				c.Add(time.Second)
			}
		}
		all := authz.Scope{All: true}
		read := func(f storage.AuditFilter) []storage.AuditRow {
			t.Helper()
			var out []storage.AuditRow
			for after := (storage.AuditCursor{}); ; {
				rows, err := db.AuditRows(ctx, f, after, 3)
				if err != nil {
					t.Fatal(err)
				}
				if out = append(out, rows...); len(rows) < 3 {
					return out
				}
				after = rows[2].Cursor()
			}
		}
		first := read(storage.AuditFilter{Scope: all})[0]
		if first.Action != "house" || first.Result != "denied" || first.ActorID != 0 || first.Detail != "{}" {
			t.Errorf("%+v", first)
		}
		rows := read(storage.AuditFilter{Scope: all, Action: "post.edit"})
		r := rows[0]
		if r.ActorName != "王编辑" || r.ActorKind != "staff" || r.Result != "ok" || r.Addr != "192.0.2.1" || r.RequestID != "req-1" ||
			len(r.UserAgent) > 200 || len(r.Detail) > 600 || !strings.Contains(r.Detail, "字") || r.At.Before(start.AddDate(0, 0, -1)) {
			t.Errorf("%+v", r)
		}
		for name, want := range map[string]struct {
			f storage.AuditFilter
			n int
		}{
			"nobody":      {storage.AuditFilter{}, 0},
			"all":         {storage.AuditFilter{Scope: all}, 20},
			"subtree":     {storage.AuditFilter{Scope: authz.Scope{Paths: []string{"/1/12/"}}}, 10},
			"not a path":  {storage.AuditFilter{Scope: authz.Scope{Paths: []string{"/1"}}}, 0},
			"prefix":      {storage.AuditFilter{Scope: all, Action: "post."}, 10},
			"denied":      {storage.AuditFilter{Scope: all, Result: "denied"}, 1},
			"actor":       {storage.AuditFilter{Scope: all, ActorID: 7, ActorKind: "staff"}, 19},
			"nobody else": {storage.AuditFilter{Scope: all, ActorID: 8}, 0},
			"object":      {storage.AuditFilter{Scope: all, Object: "post", ObjectID: 99}, 19},
			"before":      {storage.AuditFilter{Scope: all, To: r.At.AddDate(-1, 0, 0)}, 0},
		} {
			got := read(want.f)
			if len(got) != want.n {
				t.Errorf("%s: %d rows, want %d", name, len(got), want.n)
			}
			if !slices.IsSortedFunc(got, func(a, b storage.AuditRow) int { return b.At.Compare(a.At) }) {
				t.Errorf("%s: not newest first", name)
			}
			seen := map[[2]int64]bool{}
			for _, r := range got {
				if seen[[2]int64{r.Chain, r.Seq}] {
					t.Errorf("%s: a row twice", name)
				}
				seen[[2]int64{r.Chain, r.Seq}] = true
			}
		}
	})
}

// TestAuditBounds: no entry, however long or broken, makes a change fail.
func TestAuditBounds(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		long := strings.Repeat("很长", 500) + "\xff\xfe\x00"
		ctx := call.With(context.Background(), call.Info{RequestID: long, Addr: long, UserAgent: long})
		err := db.Record(ctx, trail.Entry{
			Actor:  &authz.Actor{Name: long, Kind: authz.Kind(long)},
			Action: long, Object: long, OrgPath: long, Result: trail.Result(long), Detail: map[string]string{long: long, "": "\xff"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if rep, err := db.VerifyAudit(t.Context()); err != nil || len(rep.Problems) > 0 || rep.Rows != 1 {
			t.Errorf("%+v %v", rep, err)
		}
	})
}
