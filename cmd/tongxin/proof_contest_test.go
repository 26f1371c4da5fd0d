//go:build proof

package main

import (
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"tongxin/internal/testkit"
)

// arenaNode is one process of the product on the shared database.
type arenaNode struct {
	cmd *exec.Cmd
	ch  *child
}

func startArenaNode(t *testing.T, binary string, b *bench, port int, name, cluster, route string) *arenaNode {
	t.Helper()
	cmd := exec.Command(binary, "serve")
	cmd.Env = append(proofEnviron(), b.environ(port)...)
	cmd.Env = append(cmd.Env, "TONGXIN_NODE="+name, "TONGXIN_NATS_CLUSTER="+cluster, "TONGXIN_NATS_ROUTES="+route, "TONGXIN_DATA="+filepath.Join(b.dir, name))
	log := newJournal("")
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	n := &arenaNode{cmd: cmd, ch: &child{cmd: cmd, url: "http://127.0.0.1:" + strconv.Itoa(port)}}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // one of them is dead
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s:\n%s", name, log)
		}
	})
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); ; <-tick.C {
		res, err := http.Get(n.ch.url + "/readyz")
		if err == nil {
			if err := res.Body.Close(); err != nil {
				t.Fatal(err)
			}
			if res.StatusCode == http.StatusOK {
				return n
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is not ready:\n%s", name, log)
		}
	}
}

// Two nodes on MariaDB, half of the players on each. The one that runs the
// contest is killed while answers arrive: no acknowledged answer may be missing
// afterwards, none may be there twice, and the players of the other node lose
// not even their connection.
func TestContestSurvivesTheKillOfItsOwner(t *testing.T) {
	const players, questions = 300, 3
	binary := buildBinary(t)
	b, err := newBench(testkit.MySQL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.close(); err != nil {
			t.Error(err)
		}
	})
	ports := make([]int, 4)
	for i := range ports {
		if ports[i], err = freePort(); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	a := &arena{bench: b, every: 18 * time.Second, limit: 12 * time.Second, rounds: map[int]*arenaRound{}}
	a.answer = a.overTime
	token, err := a.prepare(ctx, ports[0], players, questions)
	if err != nil {
		t.Fatal(err)
	}
	at := func(i int) string { return fmt.Sprintf("127.0.0.1:%d", ports[i]) }
	first := startArenaNode(t, binary, b, ports[0], "node1", at(2), at(3))
	other := startArenaNode(t, binary, b, ports[1], "node2", at(3), at(2))
	dial := func(url string, k int, list []*gamer) {
		t.Helper()
		var wg sync.WaitGroup
		failed := make([]error, len(list))
		for i, g := range list {
			wg.Go(func() { failed[i] = g.connect(url, g.tickets[k]) })
		}
		wg.Wait()
		if i := slices.IndexFunc(failed, func(err error) bool { return err != nil }); i >= 0 {
			t.Fatalf("player %d: %v", i, failed[i])
		}
	}
	half := a.players[:players/2]
	dial(first.ch.url, 0, half) // who comes first makes its node the owner
	dial(other.ch.url, 0, a.players[players/2:])
	a.ch = other.ch
	if a.host, err = signIn(other.ch, token, ""); err != nil {
		t.Fatal(err)
	}
	c := &cli{out: newJournal(""), err: newJournal("")}
	play := func(n int) error { return a.question(ctx, c, n, false, 0, nil) }
	if err := play(1); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- play(2) }()
	until(t, "a third of the answers is acknowledged", func() (thick bool) {
		a.note(2, func(r *arenaRound) { thick = len(r.acks) > players/3 })
		return thick
	})
	began := time.Now()
	if err := first.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for _, g := range half {
		g.ended()
	}
	dial(other.ch.url, 1, half)
	t.Logf("everybody was back %v after the kill", time.Since(began))
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := play(3); err != nil {
		t.Fatal(err)
	}
	if err := a.command("next"); err != nil {
		t.Fatal(err)
	}
	if err := a.farewell(); err != nil {
		t.Fatal(err)
	}
	figures, err := a.audit(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%v", figures)
	if figures["acknowledged"].(int) < questions*players*8/10 {
		t.Errorf("too few answers to prove anything: %v", figures)
	}
}
