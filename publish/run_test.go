package publish_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"tongxin/internal/ids"
	"tongxin/publish"
)

// fleet is several running queues on one database, and a signal after each
// stored step.
type fleet struct {
	*house
	nodes  []*publish.Service
	stored chan struct{}
}

func newFleet(t *testing.T, n int) *fleet {
	h, hk := hookedHouse(t)
	f := &fleet{house: h, stored: make(chan struct{}, 1)}
	hk.after = func(*publish.Delivery) {
		select {
		case f.stored <- struct{}{}:
		default:
		}
	}
	for range n {
		f.nodes = append(f.nodes, h.service(func(c *publish.Config) { c.Wake = f.nudge }))
	}
	h.Service = f.nodes[0]
	return f
}

// nudge wakes every node, as the bus between them does.
func (f *fleet) nudge() {
	for _, n := range f.nodes {
		n.Queue().Nudge()
	}
}

// run starts the queues; the returned function stops them and waits.
func (f *fleet) run() (stop func()) {
	ctx, cancel := context.WithCancel(f.ctx)
	var wg sync.WaitGroup
	for _, n := range f.nodes {
		wg.Go(func() { n.Queue().Run(ctx) })
	}
	return func() {
		cancel()
		wg.Wait()
	}
}

// until waits for the condition, looking after each stored step.
func (f *fleet) until(what string, ok func() bool) {
	f.t.Helper()
	limit := time.After(30 * time.Second) // only a broken queue gets there
	for !ok() {
		select {
		case <-f.stored:
		case <-limit:
			f.t.Fatalf("never: %s", what)
		}
	}
}

func (f *fleet) all(posts []ids.ID, state publish.DeliveryState) func() bool {
	return func() bool {
		for _, id := range posts {
			for _, d := range f.get(id).Deliveries {
				if d.State != state {
					return false
				}
			}
		}
		return true
	}
}

func TestTwoQueuesShareTheWork(t *testing.T) {
	f := newFleet(t, 2)
	b := f.newAccount(1, "第二个号", publish.ModePublish)
	var posts []ids.ID
	for i := range 15 {
		posts = append(posts, f.queued(fmt.Sprint("文", i), time.Hour, f.account, b).ID)
	}
	stop := f.run()
	defer stop()
	f.clock.Add(55 * time.Minute)
	f.nudge()
	f.until("drafts", func() bool { return f.sim.inBox() == 30 })
	if n := f.sim.count("submit"); n != 0 {
		t.Fatalf("%d submits before the time", n)
	}
	f.clock.Add(5 * time.Minute)
	f.nudge()
	f.until("submitted", f.all(posts, publish.Submitted))
	f.clock.Add(time.Minute)
	f.nudge()
	f.until("published", f.all(posts, publish.Published))
	for _, id := range posts {
		for _, d := range f.get(id).Deliveries {
			if n := f.sim.accepted(d.ID); n != 1 {
				t.Errorf("%d submits", n)
			}
		}
	}
	if f.sim.count("submit") != 30 || f.sim.count("draft") != 30 || f.sim.count("result") != 30 {
		t.Errorf("%d submits, %d drafts, %d polls", f.sim.count("submit"), f.sim.count("draft"), f.sim.count("result"))
	}
}

// The same picture for the same account is uploaded once, however many of one
// process's workers want it at the same time.
func TestWorkersShareAnUpload(t *testing.T) {
	f := newFleet(t, 1)
	var posts []ids.ID
	for i := range 12 {
		posts = append(posts, f.queued(fmt.Sprint("文", i), 0).ID)
	}
	stop := f.run()
	defer stop()
	f.nudge()
	f.until("submitted", f.all(posts, publish.Submitted))
	if n := f.sim.count("cover"); n != 1 {
		t.Fatalf("%d uploads", n)
	}
}

// A queue that is told to stop ends after the submit in hand is stored.
func TestStopWaitsForTheStepInHand(t *testing.T) {
	f := newFleet(t, 1)
	reached, release := make(chan struct{}), make(chan struct{})
	f.sim.before = func(call string) {
		if call == "submit" {
			close(reached)
			<-release
		}
	}
	q := f.queued("文", 0)
	stop := f.run()
	f.nudge()
	<-reached
	stopped := make(chan struct{})
	go func() {
		stop()
		close(stopped)
	}()
	select {
	case <-stopped:
		t.Fatal("stopped in the middle of a submit")
	default:
	}
	close(release)
	<-stopped
	if d := f.wantState(q.ID, publish.Submitted); d.Receipt.PublishID == "" {
		t.Fatalf("%+v", d)
	}
}

// A new post, a cancellation and a mended account wake the loop without a look
// by the clock.
func TestLoopIsWoken(t *testing.T) {
	f := newFleet(t, 2)
	stop := f.run()
	defer stop()
	a := f.queued("文", 0)
	f.until("submitted", f.all([]ids.ID{a.ID}, publish.Submitted))
	must(t, f.TakeEvent(f.ctx, f.sim.event(0)))
	f.wantState(a.ID, publish.Published)

	b := f.queued("文二", 5*time.Minute)
	f.until("a draft", func() bool { return f.sim.inBox() == 1 && f.sole(b.ID).LeaseOwner == "" })
	_, err := f.Service.Cancel(f.ctx, f.planner, b.ID)
	must(t, err)
	f.until("a clean box", func() bool { return f.sim.inBox() == 0 })
}
