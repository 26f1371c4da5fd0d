//go:build proof

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"tongxin/internal/testkit"
	"tongxin/publish"
	"tongxin/storage"
	"tongxin/wechat/sandbox"
)

// TestExactlyOnce is the proof behind "exactly once": the shipped binary in
// processes of its own, against a platform that fails in every way it knows,
// killed with `kill -9` at every named step and at random moments. No submit is
// accepted twice, no post is lost, and what was unknown is resolved by reading.
//
// TONGXIN_PROOF_SEED repeats the choices of a run; the timing of the processes
// remains the machine's.
func TestExactlyOnce(t *testing.T) {
	binary := buildBinary(t)
	seed := proofSeed(t)
	t.Run("SQLite with one node", func(t *testing.T) { proveMany(t, binary, "", 1, seed) })
	t.Run("MariaDB with two nodes", func(t *testing.T) { proveMany(t, binary, testkit.MySQL(t), 2, seed) })
	t.Run("each step", func(t *testing.T) { proveSteps(t, binary) })
}

func proofSeed(t *testing.T) uint64 {
	text := os.Getenv("TONGXIN_PROOF_SEED")
	if text == "" {
		return uint64(time.Now().UnixNano())
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("TONGXIN_PROOF_SEED: %v", err)
	}
	return seed
}

// Figures of the big run.
const (
	manyPosts = 1000
	manyMass  = 20 // mass-sent beside them
	manyHand  = 20 // left as drafts beside them
)

func manyPace() pace {
	return pace{lease: 5 * time.Second, poll: 1200 * time.Millisecond, settle: 8 * time.Second, timeout: time.Second}
}

// manyFaults is a platform on its worst day. Submits fail in every way that
// leaves their outcome open, and in some that do not.
func manyFaults() sandbox.Faults {
	const submit, mass, draft, list, look, get = "/cgi-bin/freepublish/submit", "/cgi-bin/message/mass/sendall", "/cgi-bin/draft/add",
		"/cgi-bin/freepublish/batchget", "/cgi-bin/draft/get", "/cgi-bin/freepublish/get"
	f := sandbox.Faults{LatencyMS: 5, JitterMS: 20, HangMS: 1500, LoseEvents: 0.15, DuplicateEvents: 0.1, DelayEventsMS: 200, PublishIDAs: "mixed"}
	for _, path := range []string{submit, mass} {
		for kind, p := range map[string]float64{
			sandbox.CloseAfter: 0.04, sandbox.GatewayAfter: 0.03, sandbox.GarbageAfter: 0.02, sandbox.BusyAfter: 0.02, sandbox.HangAfter: 0.02,
			sandbox.CloseBefore: 0.02, sandbox.GatewayBefore: 0.02, sandbox.BusyBefore: 0.02, sandbox.HangBefore: 0.01,
		} {
			f.Rules = append(f.Rules, sandbox.Rule{Path: path, Kind: kind, Probability: p})
		}
		f.Rules = append(f.Rules, sandbox.Rule{Path: path, Kind: sandbox.ErrCode, Code: 53503, Probability: 0.01})
	}
	for _, path := range []string{draft, list, look, get, "/cgi-bin/media/uploadimg", "/cgi-bin/material/add_material", "/cgi-bin/stable_token"} {
		f.Rules = append(f.Rules, sandbox.Rule{Path: path, Kind: sandbox.CloseAfter, Probability: 0.02},
			sandbox.Rule{Path: path, Kind: sandbox.GatewayBefore, Probability: 0.02})
	}
	return f
}

// proveMany brings a thousand posts through kills and faults.
func proveMany(t *testing.T, binary, dsn string, nodes int, seed uint64) {
	began := time.Now()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	b, err := newBench(dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.close(); err != nil {
			t.Error(err)
		}
	})
	h := newProofHouse(t, binary, b, seed, everyStep(random))
	posts, due, err := b.planProof(t.Context(), manyPosts, manyMass, manyHand, 12*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	h.posts = posts
	h.look = h.open(t, true)
	h.sameSecond(t, due)
	planned := time.Since(began)
	if err := h.box.SetFaults(manyFaults()); err != nil {
		t.Fatal(err)
	}
	for _, env := range clusterEnviron(t, nodes) {
		h.startNode(t, append(manyPace().environ(), env...))
	}
	h.harm(t, random)
	harmed := time.Since(began)
	if err := h.box.SetFaults(sandbox.Faults{LatencyMS: 5}); err != nil {
		t.Fatal(err)
	}
	_, open := h.left(t, publish.Submitted, publish.Unknown)
	h.until(t, 2*time.Minute, "every post is settled", func() (bool, string) {
		n, text := h.left(t, publish.Waiting, publish.Submitting, publish.Submitted, publish.Unknown)
		return n == 0, text
	})
	settled := time.Since(began)
	h.quiet(t)
	h.stopNodes(t)
	v := h.judge(t)
	t.Logf("%d posts, accepted %d, twice %d; published %d, failed with reason %d, by hand %d; unknown %d on the way, %d left (mass sends)",
		v.posts, v.accepted, v.twice, v.published, v.failed, v.byHand, v.unknownSeen, v.unknown)
	t.Logf("open when the faults ended: %s; audit rows %d; kills: %s", open, v.auditRows, &h.kills)
	t.Logf("planned in %.1f s, faults until %.1f s, settled at %.1f s, seed %d", planned.Seconds(), harmed.Seconds(), settled.Seconds(), seed)
	// A kill takes up to 128 posts with it whose intent is stored and whose call
	// had not left: they end as failed. Enough must have got through.
	if v.published < manyPosts/10 {
		t.Errorf("only %d posts were published: the run proves little", v.published)
	}
	if v.unknownSeen == 0 {
		t.Error("no submit's outcome was unknown: the run proves little")
	}
}

// sameSecond makes sure that all posts are due together.
func (h *proofHouse) sameSecond(t *testing.T, due time.Time) {
	t.Helper()
	n, err := storage.One(t.Context(), h.look, storage.ScanInt64, nil, `SELECT COUNT(*) FROM deliveries WHERE due_at = ?`, storage.Millis(due))
	if err != nil || int(n) != len(h.posts) {
		t.Fatalf("%d of %d posts are due at %v (%v): planning took too long", n, len(h.posts), due, err)
	}
}

// clusterEnviron lets several nodes meet each other on a bus.
func clusterEnviron(t *testing.T, nodes int) [][]string {
	t.Helper()
	out := make([][]string, nodes)
	if nodes == 1 {
		return out
	}
	meet := make([]string, nodes)
	for i := range meet {
		port, err := freePort()
		if err != nil {
			t.Fatal(err)
		}
		meet[i] = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	}
	for i := range out {
		out[i] = []string{"TONGXIN_NATS_CLUSTER=" + meet[i], "TONGXIN_NATS_ROUTES=nats://" + meet[(i+1)%nodes], "TONGXIN_DB_LANES=4", "TONGXIN_DB_READERS=8"}
	}
	return out
}

// randomKills is how many kills at random moments a run has at least.
const randomKills = 6

// harm kills at every trap and at random moments, and spoils tokens, until all
// traps sprang and nothing waits to be submitted.
func (h *proofHouse) harm(t *testing.T, random *rand.Rand) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		for h.pause(ctx, random, 1500, 4500) {
			h.nodes[random.IntN(len(h.nodes))].kill("at random")
			if random.IntN(2) == 0 {
				h.box.InvalidateTokens(benchApp().AppID, false)
			}
		}
	})
	defer func() { cancel(); wg.Wait() }()
	h.until(t, 2*time.Minute, "every step was hit and every post submitted", func() (bool, string) {
		n, text := h.left(t, publish.Waiting, publish.Submitting)
		traps := h.traps.waiting()
		return n == 0 && len(traps) == 0 && h.kills.of("at random") >= randomKills, fmt.Sprintf("%s; not hit: %v; kills: %s", text, traps, &h.kills)
	})
}

// pause waits a random time, in milliseconds; false when ctx ended.
func (h *proofHouse) pause(ctx context.Context, random *rand.Rand, least, most int) bool {
	timer := time.NewTimer(time.Duration(least+random.IntN(most-least)) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// proveSteps kills a single node at the first call of one step, before or after
// its effect, and looks what becomes of a few posts.
func proveSteps(t *testing.T, binary string) {
	const few = 20
	origin, err := newBench("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := origin.close(); err != nil {
			t.Error(err)
		}
	})
	posts, _, err := origin.planProof(t.Context(), few, 0, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("group", func(t *testing.T) {
		for i, step := range proofSteps() {
			for _, after := range []bool{false, true} {
				tr := &trap{step: step, after: after, at: 1}
				t.Run(tr.name(), func(t *testing.T) {
					t.Parallel()
					dir := filepath.Join(t.TempDir(), "data")
					if err := os.CopyFS(dir, os.DirFS(origin.dir)); err != nil {
						t.Fatal(err)
					}
					b := &bench{dir: dir, secret: origin.secret}
					proveStep(t, newProofHouse(t, binary, b, uint64(i), newTraps(tr)), posts, tr)
				})
			}
		}
	})
}

func proveStep(t *testing.T, h *proofHouse, posts []proofPost, tr *trap) {
	h.posts = posts
	h.look = h.open(t, true)
	if err := h.box.SetFaults(stepFaults(tr)); err != nil {
		t.Fatal(err)
	}
	h.startNode(t, pace{lease: 5 * time.Second, poll: time.Second, settle: 4 * time.Second, timeout: 700 * time.Millisecond}.environ())
	h.until(t, time.Minute, "the step was hit and every post is settled", func() (bool, string) {
		n, text := h.left(t, publish.Waiting, publish.Submitting, publish.Submitted, publish.Unknown)
		return n == 0 && len(h.traps.waiting()) == 0, fmt.Sprintf("%s; not hit: %v", text, h.traps.waiting())
	})
	h.quiet(t)
	h.stopNodes(t)
	v := h.judge(t)
	if h.kills.of(tr.name()) != 1 || h.nodes[0].starts != 2 {
		t.Errorf("killed %s, started %d times; want one kill and two starts", &h.kills, h.nodes[0].starts)
	}
	// What dies before any submit is repeated and published; what dies around
	// one may be found not to have been accepted.
	if strings.HasPrefix(tr.step.name, "token") || strings.HasPrefix(tr.step.name, "upload") {
		if v.failed != 0 || v.unknownSeen != 0 {
			t.Errorf("%d failed and %d were unknown after a kill before every submit", v.failed, v.unknownSeen)
		}
	}
	t.Logf("%d posts: published %d, failed with reason %d, by hand %d, unknown on the way %d", v.posts, v.published, v.failed, v.byHand, v.unknownSeen)
}

// stepFaults brings about the calls that a platform in good health never sees.
func stepFaults(tr *trap) sandbox.Faults {
	f := sandbox.Faults{LatencyMS: 5}
	switch tr.step.path {
	case "/cgi-bin/freepublish/get": // asked when no event came
		f.LoseEvents = 1
	case "/cgi-bin/freepublish/batchget", "/cgi-bin/draft/get": // read when a submit's outcome is unknown
		f.LoseEvents = 1
		f.Rules = []sandbox.Rule{
			{Path: "/cgi-bin/freepublish/submit", Kind: sandbox.CloseAfter, Next: 2},
			{Path: "/cgi-bin/freepublish/submit", Kind: sandbox.CloseBefore, Next: 2},
		}
	}
	return f
}
