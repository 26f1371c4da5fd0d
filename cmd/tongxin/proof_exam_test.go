//go:build proof

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tongxin/internal/clock"
	"tongxin/internal/testkit"
	"tongxin/storage"
)

// TestNoAnswerIsLost kills the real program with kill -9 in the middle of
// starts, answers and submits. What was acknowledged is there afterwards, with
// the answer of that very seq; nothing is there twice.
func TestNoAnswerIsLost(t *testing.T) {
	binary := buildBinary(t)
	for _, db := range []string{"sqlite", "mysql"} {
		t.Run(db, func(t *testing.T) {
			dsn := ""
			if db == "mysql" {
				dsn = testkit.MySQL(t)
			}
			b, err := newBench(dsn)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.RemoveAll(b.dir) })
			(&examProof{t: t, binary: binary, bench: b, rnd: rand.New(rand.NewPCG(3, 5))}).run()
		})
	}
}

const (
	proofPlayers   = 120
	proofQuestions = 12
)

// examProof is one house, its players, and what they were told.
type examProof struct {
	t      *testing.T
	binary string
	bench  *bench
	rnd    *rand.Rand
	x      *examRun
	port   int
	acks   atomic.Int64
}

func (h *examProof) run() {
	var err error
	if h.port, err = freePort(); err != nil {
		h.t.Fatal(err)
	}
	paper, tokens, err := h.bench.examHouse(h.t.Context(), h.port, proofPlayers, proofQuestions)
	if err != nil {
		h.t.Fatal(err)
	}
	h.x = &examRun{paper: paper, addr: "127.0.0.1:" + strconv.Itoa(h.port)}
	for _, token := range tokens {
		h.x.players = append(h.x.players, &player{wire: newWire(h.x.addr), head: "Authorization: Bearer " + token + "\r\n"})
	}
	h.life(proofPlayers/2, h.begin)
	for range 6 {
		h.life(300+h.rnd.IntN(1200), h.save)
	}
	h.life(proofPlayers/2, h.submit)
	end := h.launch()
	h.check()
	if err := end.Process.Signal(os.Interrupt); err != nil {
		h.t.Fatal(err)
	}
	if err := end.Wait(); err != nil {
		h.t.Fatal(err)
	}
	h.count()
}

// launch starts the program and waits until it is ready.
func (h *examProof) launch() *exec.Cmd {
	h.t.Helper()
	cmd := exec.Command(h.binary, "serve")
	cmd.Env, cmd.Stderr = append(os.Environ(), h.bench.environ(h.port)...), os.Stderr
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	ctx, cancel := context.WithTimeout(h.t.Context(), time.Minute)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+h.x.addr+"/readyz", nil)
		if err != nil {
			h.t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return cmd
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			_ = cmd.Process.Kill()
			h.t.Fatal("the program did not become ready")
		}
	}
}

// life runs call for players in turn until so many were acknowledged, and then
// kills the program in the middle of the others.
func (h *examProof) life(acks int, call func(*player) (int, error)) {
	h.t.Helper()
	cmd := h.launch()
	h.acks.Store(0)
	killed := make(chan struct{})
	var once sync.Once
	enough := func() { once.Do(func() { close(killed) }) }
	var wg sync.WaitGroup
	const workers = 24
	for w := range workers {
		wg.Go(func() {
			for i := w; ; i += workers {
				p := h.x.players[i%proofPlayers]
				status, err := call(p)
				if err != nil {
					select {
					case <-killed: // the program is gone
					default:
						h.t.Errorf("before the program was killed: %v", err)
						enough()
					}
					return
				}
				if status != http.StatusOK {
					h.t.Errorf("a call was answered with %d: %s", status, p.wire.body)
					enough()
					return
				}
				if h.acks.Add(1) >= int64(acks) {
					enough()
				}
			}
		})
	}
	<-killed
	if err := cmd.Process.Kill(); err != nil { // SIGKILL
		h.t.Error(err)
	}
	_ = cmd.Wait() // killed
	wg.Wait()
	for _, p := range h.x.players {
		p.wire.close()
	}
}

// begin starts the attempt of a player, again and again under the same key.
func (h *examProof) begin(p *player) (int, error) {
	status, body, err := p.wire.do("POST", "/api/member/v1/papers/"+h.x.paper+"/attempts", p.head+"Idempotency-Key: "+p.head[len(p.head)-20:len(p.head)-2]+"\r\n", nil)
	if err != nil || status != http.StatusOK {
		return status, err
	}
	before := p.attempt
	p.kinds = nil
	if err := p.read(body); err != nil {
		return 0, err
	}
	if before != "" && p.attempt != before {
		h.t.Errorf("one member got two attempts: %s and %s", before, p.attempt)
	}
	return status, nil
}

func choiceOf(n int, seq int64) int64 { return (seq + int64(n)) % 4 }

// save answers the next question of a player; seq is one more than what was
// acknowledged, so a try whose answer never came is repeated with the same seq.
func (h *examProof) save(p *player) (int, error) {
	if p.attempt == "" {
		return h.begin(p)
	}
	n := p.next % len(p.seq)
	seq := p.seq[n] + 1
	body := fmt.Appendf(nil, `{"seq":%d,"answer":{"choice":[%d]}}`, seq, choiceOf(n, seq))
	status, _, err := p.wire.do("PUT", "/api/member/v1/attempts/"+p.attempt+"/answers/"+strconv.Itoa(n+1), p.head, body)
	if err == nil && status == http.StatusOK {
		p.seq[n]++
		p.next++
	}
	return status, err
}

func (h *examProof) submit(p *player) (int, error) {
	if p.attempt == "" {
		return h.begin(p)
	}
	status, _, err := p.wire.do("POST", "/api/member/v1/attempts/"+p.attempt+"/submit", p.head, nil)
	return status, err
}

// check reads what is stored and submits everybody, twice.
func (h *examProof) check() {
	acked := 0
	for _, p := range h.x.players {
		if p.attempt == "" {
			continue
		}
		status, body, err := p.wire.do("GET", "/api/member/v1/attempts/"+p.attempt, p.head, nil)
		if err != nil || status != http.StatusOK {
			h.t.Fatalf("attempt: %d %v", status, err)
		}
		var sheet struct {
			Questions []struct {
				N      int
				Seq    int64
				Answer *struct{ Choice []int64 }
			}
		}
		if err := json.Unmarshal(body, &sheet); err != nil {
			h.t.Fatal(err)
		}
		for i, q := range sheet.Questions {
			acked += int(p.seq[i])
			if q.Seq < p.seq[i] || q.Seq > p.seq[i]+1 {
				h.t.Errorf("question %d of %s: acknowledged %d, stored %d", q.N, p.attempt, p.seq[i], q.Seq)
			}
			if q.Seq > 0 && (q.Answer == nil || len(q.Answer.Choice) != 1 || q.Answer.Choice[0] != choiceOf(i, q.Seq)) {
				h.t.Errorf("question %d of %s: the answer of seq %d is another one: %+v", q.N, p.attempt, q.Seq, q.Answer)
			}
		}
		for range 2 {
			if status, err := h.submit(p); err != nil || status != http.StatusOK {
				h.t.Errorf("submit: %d %v", status, err)
			}
		}
	}
	h.t.Logf("%d answers acknowledged over the kills", acked)
}

// count looks for anything that is there twice.
func (h *examProof) count() {
	set, err := h.bench.settings(1)
	if err != nil {
		h.t.Fatal(err)
	}
	box, err := boxOf(h.bench.secret, "")
	if err != nil {
		h.t.Fatal(err)
	}
	db, err := storage.Open(context.WithoutCancel(h.t.Context()), storage.Options{DSN: *set.db, Clock: clock.System{}, AuditKey: box.Derive("audit"), ReadOnly: true})
	if err != nil {
		h.t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // only read
	for q, want := range map[string]int64{
		`SELECT COUNT(*) FROM quiz_attempts`:                                              proofPlayers,
		`SELECT COUNT(*) FROM quiz_attempts WHERE state = 'graded'`:                       proofPlayers,
		`SELECT COUNT(*) FROM quiz_marks`:                                                 proofPlayers * proofQuestions,
		`SELECT COUNT(*) FROM (SELECT member_id FROM quiz_attempts GROUP BY member_id) m`: proofPlayers,
		`SELECT COUNT(*) FROM audit WHERE action IN ('attempt.submit', 'attempt.expire')`: proofPlayers,
	} {
		n, err := storage.One(context.Background(), db, storage.ScanInt64, nil, q)
		if err != nil || n != want {
			h.t.Errorf("%s: %d, want %d (%v)", q, n, want, err)
		}
	}
}
