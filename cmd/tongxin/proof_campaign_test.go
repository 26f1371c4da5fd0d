//go:build proof

package main

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
	"tongxin/internal/testkit"
	"tongxin/notify"
	"tongxin/storage"
	"tongxin/wechat/sandbox"
)

// TestCampaignOnce is the proof behind "nobody gets a message twice": the
// shipped binary, killed with `kill -9` while it writes inboxes and while it
// sends, against a platform that fails in every way it knows. Everyone in the
// audience has one inbox row, and nobody was reached twice.
func TestCampaignOnce(t *testing.T) {
	binary := buildBinary(t)
	seed := proofSeed(t)
	t.Run("SQLite with one node", func(t *testing.T) { proveCampaign(t, binary, "", 1, seed) })
	t.Run("MariaDB with two nodes", func(t *testing.T) { proveCampaign(t, binary, testkit.MySQL(t), 2, seed) })
}

// Figures of a run.
const (
	proofPeople    = 12_000
	proofRate      = 900
	fanKills       = 2
	proofSendKills = 5
)

func proveCampaign(t *testing.T, binary, dsn string, nodes int, seed uint64) {
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 2))
	b, err := newBench(dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.close(); err != nil {
			t.Error(err)
		}
	})
	h := newProofHouse(t, binary, b, seed, newTraps())
	if err := h.box.PutAccount(benchMini()); err != nil {
		t.Fatal(err)
	}
	if err := h.box.SetFaults(messageFaults()); err != nil {
		t.Fatal(err)
	}
	id, err := b.startedCampaign(t.Context(), proofPeople, proofRate)
	if err != nil {
		t.Fatal(err)
	}
	h.look = h.open(t, true)
	env := append(miniEnviron("http://replaced.invalid")[1:], pace{lease: 5 * time.Second, poll: time.Second, settle: 4 * time.Second, timeout: time.Second}.environ()...)
	for _, cluster := range clusterEnviron(t, nodes) {
		h.startNode(t, append(cluster, env...))
	}
	kill := func(why string) {
		h.nodes[random.IntN(len(h.nodes))].kill(why)
	}
	// In the middle of the fan-out: rows are there, and not all of them.
	for k := range fanKills {
		most := (k + 1) * proofPeople / (fanKills + 1)
		h.quickly(t, "some inboxes are written", func() bool { return h.count(t, "inbox", id, "") >= int64(most/2) })
		for _, n := range h.nodes { // whichever of them is at it
			n.kill("in the fan-out")
		}
	}
	h.until(t, time.Minute, "messages flow", func() (bool, string) {
		n := h.count(t, "sends", id, "sent")
		return n > 200, fmt.Sprint(n, " sent")
	})
	for range proofSendKills {
		before := h.count(t, "sends", id, "sent")
		kill("while sending")
		h.until(t, time.Minute, "it goes on", func() (bool, string) {
			n := h.count(t, "sends", id, "sent")
			return n > before+150 || h.count(t, "sends", id, "waiting") == 0, fmt.Sprint(n, " sent")
		})
	}
	h.until(t, 2*time.Minute, "the campaign is done", func() (bool, string) {
		state, err := storage.One(t.Context(), h.look, storage.ScanString, nil, `SELECT state FROM campaigns WHERE id = ?`, id)
		return err == nil && state == string(notify.Done), fmt.Sprintf("%s, %d waiting, %d sending, %v", state, h.count(t, "sends", id, "waiting"), h.count(t, "sends", id, "sending"), err)
	})
	h.stopNodes(t)
	h.judgeCampaign(t, id)
}

// messageFaults is a platform on a bad day: some answers are lost after the
// effect, some calls before it, some are refused.
func messageFaults() sandbox.Faults {
	const path = "/cgi-bin/message/subscribe/send"
	f := sandbox.Faults{LatencyMS: 5, JitterMS: 20, HangMS: 1500}
	for kind, p := range map[string]float64{
		sandbox.CloseAfter: 0.01, sandbox.GatewayAfter: 0.01, sandbox.BusyAfter: 0.005, sandbox.GarbageAfter: 0.005, sandbox.CloseBefore: 0.01, sandbox.HangAfter: 0.001,
	} {
		f.Rules = append(f.Rules, sandbox.Rule{Path: path, Kind: kind, Probability: p})
	}
	f.Rules = append(f.Rules, sandbox.Rule{Path: path, Kind: sandbox.ErrCode, Code: 45011, Probability: 0.002},
		sandbox.Rule{Path: path, Kind: sandbox.ErrCode, Code: 40003, Probability: 0.005})
	return f
}

// startedCampaign fills the database and starts a notice to everyone, before
// any node runs.
func (b *bench) startedCampaign(ctx context.Context, people int, rate float64) (ids.ID, error) {
	set, err := b.settings(1)
	if err != nil {
		return 0, err
	}
	p, err := build(ctx, set, slog.New(slog.DiscardHandler), options{publicURL: *set.publicURL})
	if err != nil {
		return 0, err
	}
	defer p.Close() //nolint:errcheck // the nodes show what is stored
	org, _, err := p.seedCrowd(ctx, people, rate)
	if err != nil {
		return 0, err
	}
	return p.notify.Announce(ctx, authz.SystemActor("proof"), "proof", notify.Input{
		OrgID: org, Title: "关于召开全体党员大会的通知", Body: "请按时参加。", Place: "党群服务中心", Push: true, Audience: notify.Audience{Orgs: []ids.ID{org}},
	})
}

func (h *proofHouse) count(t *testing.T, table string, id ids.ID, state string) int64 {
	t.Helper()
	q, args := `SELECT COUNT(*) FROM `+table+` WHERE campaign_id = ?`, []any{id}
	if state != "" {
		q, args = q+` AND state = ?`, append(args, state)
	}
	n, err := storage.One(t.Context(), h.look, storage.ScanInt64, nil, q, args...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// quickly is until for things that pass soon.
func (h *proofHouse) quickly(t *testing.T, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for limit := time.Now().Add(time.Minute); !cond(); <-tick.C {
		if time.Now().After(limit) {
			t.Fatal("never: ", what)
		}
	}
}

func (h *proofHouse) judgeCampaign(t *testing.T, id ids.ID) {
	t.Helper()
	if n := h.count(t, "inbox", id, ""); n != proofPeople {
		t.Errorf("%d of %d have the notice in the inbox", n, proofPeople)
	}
	type row struct {
		member ids.ID
		state  notify.SendState
	}
	rows, err := storage.All(t.Context(), h.look, func(r storage.Scanner) (x row, err error) {
		err = r.Scan(&x.member, &x.state)
		return x, err
	}, `SELECT member_id, state FROM sends WHERE campaign_id = ?`, id)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for who, n := range h.box.MessageCounts(benchMini().AppID) {
		got[who] += n
		if n > 1 {
			t.Errorf("%s was reached %d times", who, n)
		}
	}
	by, reachedUnknown := map[notify.SendState]int{}, 0
	for _, x := range rows {
		by[x.state]++
		n := got[sandbox.Crowd+x.member.String()+" pages/notice/index?id="+id.String()]
		switch {
		case x.state == notify.SendSent && n != 1, x.state == notify.SendFailed && n != 0:
			t.Errorf("member %d is %s and was reached %d times", x.member, x.state, n)
		case x.state == notify.SendUnknown && n == 1:
			reachedUnknown++
		}
	}
	if len(rows) != proofPeople || by[notify.SendWaiting]+by[notify.SendIntent] != 0 {
		t.Errorf("%d sends: %v", len(rows), by)
	}
	if by[notify.SendUnknown] == 0 || by[notify.SendSent] < proofPeople/2 {
		t.Errorf("%v: the run proves little", by)
	}
	left, err := storage.One(t.Context(), h.look, storage.ScanInt64, nil, `SELECT COUNT(*) FROM grants WHERE left_n < 0`)
	if err != nil || left != 0 {
		t.Errorf("%d balances below zero (%v)", left, err)
	}
	t.Logf("%d people, %v; of the unknown %d had it; kills: %s", proofPeople, by, reachedUnknown, &h.kills)
}
