package storage_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"tongxin/storage"
	"tongxin/storage/storagetest"
)

const victimEnv = "TONGXIN_TEST_VICTIM"

// TestKill: a process writes from 16 goroutines and says which writes returned;
// it is killed in the middle. Everything it said is there, the audit holds, and
// nothing is half there.
func TestKill(t *testing.T) {
	if dsn := os.Getenv(victimEnv); dsn != "" {
		victim(t, dsn)
		return
	}
	storagetest.EachDSN(t, func(t *testing.T, dsn string) {
		opt := storage.Options{DSN: dsn, AuditKey: []byte("audit key of the tests"), Name: "after"}
		if err := storagetest.Open(t, opt).Close(); err != nil {
			t.Fatal(err)
		}
		for round := range 3 {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKill$", "-test.count=1")
			cmd.Env = append(os.Environ(), victimEnv+"="+dsn, "TONGXIN_TEST_ROUND="+strconv.Itoa(round))
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			var said []string
			lines := bufio.NewScanner(out)
			for lines.Scan() {
				name, ok := strings.CutPrefix(lines.Text(), "wrote ")
				if !ok {
					continue
				}
				if said = append(said, name); len(said) == 500+200*round {
					if err := cmd.Process.Kill(); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := cmd.Wait(); err == nil || len(said) < 500 {
				t.Fatalf("the victim ended by itself after %d writes: %v", len(said), err)
			}
			db := storagetest.Open(t, opt)
			for _, name := range said {
				if n := engineCount(t, db, `SELECT COUNT(*) FROM settings WHERE name = ?`, name); n != 1 {
					t.Fatalf("acknowledged and lost: %s", name)
				}
			}
			rows := engineCount(t, db, `SELECT COUNT(*) FROM settings`)
			rep, err := db.VerifyAudit(t.Context())
			if err != nil || len(rep.Problems) > 0 || rep.Rows != rows {
				t.Errorf("%d rows, audit %+v %v", rows, rep, err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func victim(t *testing.T, dsn string) {
	db, err := storage.Open(t.Context(), storage.Options{DSN: dsn, AuditKey: []byte("audit key of the tests"), Name: "victim"})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for g := range 16 {
		wg.Go(func() {
			for i := 0; ; i++ {
				name := fmt.Sprintf("%s-%d-%d", filepath.Base(os.Getenv("TONGXIN_TEST_ROUND")), g, i)
				err := db.Write(context.Background(), func(tx *storage.Tx) error {
					tx.Audit(auditEntry(i))
					return tx.SetSetting(name, "v", 0)
				})
				if err != nil {
					t.Error(err)
					return
				}
				fmt.Println("wrote " + name)
			}
		})
	}
	wg.Wait()
}
