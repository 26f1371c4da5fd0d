package contest_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"tongxin/internal/ids"
	"tongxin/internal/testkit"
	"tongxin/quiz/contest"
	"tongxin/storage"
	"tongxin/storage/bus"
	"tongxin/storage/storagetest"
)

// cut is a node's way to the others and to the database, which a test may cut:
// what a node that died or hangs looks like from outside.
type cut struct{ off atomic.Bool }

var errCut = errors.New("cut off by the test")

type cutBus struct {
	*bus.Bus
	*cut
}

func (b cutBus) Publish(subject string, data []byte) error {
	if b.off.Load() {
		return nil // lost on the way
	}
	return b.Bus.Publish(subject, data)
}

func (b cutBus) Subscribe(subject string, fn func([]byte)) (func(), error) {
	return b.Bus.Subscribe(subject, func(d []byte) {
		if !b.off.Load() {
			fn(d)
		}
	})
}

type cutStore struct {
	contest.Store
	*cut
}

func (s cutStore) Renew(ctx context.Context, id ids.ID, l contest.Lease, until time.Duration) error {
	if s.off.Load() {
		return errCut
	}
	return s.Store.Renew(ctx, id, l, until)
}

// pair is two nodes on one MariaDB with a real bus between them.
func pair(t *testing.T) (one, two *house, cutOne *cut) {
	t.Helper()
	const secret = "a secret of the cluster"
	open := func(cfg bus.Config) *bus.Bus {
		b, err := bus.Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.Close)
		return b
	}
	b1 := open(bus.Config{Name: "a", ClusterListen: "127.0.0.1:0", Secret: secret})
	b2 := open(bus.Config{Name: "b", ClusterListen: "127.0.0.1:0", Secret: secret, Routes: []string{b1.ClusterAddr()}})
	dsn := testkit.MySQL(t)
	db1 := storagetest.Open(t, storage.Options{DSN: dsn})
	db2 := storagetest.Open(t, storage.Options{DSN: dsn})
	orgs := orgsIn(t, db1)
	cutOne = &cut{}
	one = newHouse(t, db1, orgs, func(c *contest.Config) {
		c.Bus, c.Store = cutBus{b1, cutOne}, cutStore{storage.NewContests(db1), cutOne}
	})
	two = newHouse(t, db2, orgs, func(c *contest.Config) { c.Bus = b2 })
	two.host = one.host
	return one, two, cutOne
}

func TestTwoNodesPlayOneContest(t *testing.T) {
	one, two, _ := pair(t)
	c := one.opened(contest.Input{Seconds: 30, Questions: refs(3), Early: true})
	a := one.join(c, 1, "root/a")
	a.of("welcome", -1)
	b := two.join(c, 2, "root/b")
	b.of("welcome", -1)
	two.do(c, contest.Start) // the host is where the contest is not
	qa, qb := a.of("question", 1), b.of("question", 1)
	if qa["endsAt"] != qb["endsAt"] {
		t.Fatalf("two ends of one question: %v, %v", qa["endsAt"], qb["endsAt"])
	}
	right := rightOption(c.Seed, 1)
	b.answer(1, right)
	b.of("ack", 1)
	a.answer(1, (right+1)%4)
	a.of("ack", 1)
	if f := b.of("board", 1); f.num("of") != 2 || f.num("me", "rank") != 1 || f.num("me", "score") < 500 {
		t.Fatalf("%v", f)
	}
	if f := a.of("board", 1); f.num("me", "rank") != 2 || f.num("me", "score") != 0 {
		t.Fatalf("%v", f)
	}
	score := b.of("board", 1).num("me", "score")
	seen := 7
	if _, err := two.svc.Command(t.Context(), two.host, c.ID, contest.Command{Verb: contest.Next, Seen: &seen}); err == nil {
		t.Fatal("a command about another question was done")
	}

	// The owner stops as an operator stops it: its players come to the other node.
	two.do(c, contest.Next)
	a.of("question", 2)
	b.of("question", 2)
	b.answer(2, rightOption(c.Seed, 2))
	b.of("ack", 2)
	one.end()
	<-a.done
	if a.code != contest.CloseRestart {
		t.Fatalf("closed with %d", a.code)
	}
	a2 := two.join(c, 1, "root/a")
	a2.of("question", 2)
	a2.answer(2, rightOption(c.Seed, 2))
	a2.of("ack", 2)
	if f := b.of("board", 2); f.num("me", "score") < score+500 || f.num("of") != 2 {
		t.Fatalf("%v", f)
	}
	two.do(c, contest.Next)
	b.of("question", 3)
	two.do(c, contest.End)
	a2.of("finished", -1)
	out, err := two.svc.Results(t.Context(), two.host, c.ID)
	if err != nil || len(out.Places) != 2 || out.Places[0].Right != 2 || out.Places[1].Right != 1 {
		t.Fatalf("%+v %v", out, err)
	}
}

func TestTheLossOfTheOwnerCostsNoAnswer(t *testing.T) {
	one, two, off := pair(t)
	c := one.opened(contest.Input{Seconds: 60, Questions: refs(2)})
	a := one.join(c, 1, "root/a")
	a.of("welcome", -1)
	b := two.join(c, 2, "root/b")
	b.of("welcome", -1)
	one.do(c, contest.Start)
	b.of("question", 1)
	a.of("question", 1)
	a.answer(1, rightOption(c.Seed, 1))
	a.of("ack", 1)
	owner, err := two.store.Contest(t.Context(), c.ID)
	if err != nil {
		t.Fatal(err)
	}

	off.off.Store(true) // node one neither hears nor is heard, and cannot renew
	b.answer(1, rightOption(c.Seed, 1))
	b.wait("a second welcome", func(frame) bool { return count(b, "welcome") >= 2 }) // by the new owner, without connecting again
	b.answer(1, rightOption(c.Seed, 1))                                              // not acknowledged: said again
	b.of("ack", 1)
	now, err := two.store.Contest(t.Context(), c.ID)
	if err != nil || now.Lease.Fence <= owner.Lease.Fence || now.Lease.Owner == owner.Lease.Owner {
		t.Fatalf("%+v was %+v: %v", now.Lease, owner.Lease, err)
	}
	if !now.EndsAt.After(owner.EndsAt) {
		t.Fatal("the time in which nobody ran the contest was not given back")
	}

	// The old owner still believes in itself: what it writes is refused.
	before := len(a.all())
	late := one.phone()
	in, err := one.svc.Join(t.Context(), one.member(3, "root/a"), c.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := late.dial(in); err != nil {
		t.Fatal(err)
	}
	late.of("question", 1)
	late.answer(1, 0)
	if f := late.wait("an answer", func(f frame) bool { return f.kind() == "ack" || f.kind() == "refused" }); f.kind() == "ack" {
		t.Fatalf("a deposed owner acknowledged: %v (%d frames before)", f, before)
	}
	off.off.Store(false) // it hears again, and learns of the new owner
	late.wait("welcome of the new owner", func(frame) bool { return count(late, "welcome") >= 2 })
	late.answer(1, 0)
	late.of("ack", 1)
	two.do(c, contest.Skip)
	a.of("skipped", 1)
	two.do(c, contest.Next)
	a.of("question", 2)
	players, _, err := two.store.Results(t.Context(), c.ID)
	if err != nil || len(players) != 3 {
		t.Fatalf("%v %v", players, err)
	}
}

func count(p *phone, kind string) int {
	n := 0
	for _, f := range p.all() {
		if f.kind() == kind {
			n++
		}
	}
	return n
}
