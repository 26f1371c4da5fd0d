package publish

import (
	"context"
	"sync"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
)

// Bounds of the queue.
const (
	// idleLook is how often the queue looks without any wake-up: other nodes'
	// work, clocks that were set, and rows that a dead process left.
	idleLook = 15 * time.Second
	workers  = 128
	// maxSubmits bounds the submits under way at once. Each costs a person a look
	// when the process dies in the middle, so there are no more than a second of
	// a thousand posts needs at 50 ms a call.
	maxSubmits = 48
)

// Queue brings due deliveries to their platforms. The database is the queue of
// record; this loop only claims, works and stores. Any number of processes may
// run it on one database.
//
// No lock is held across an outside call or a store call.
type Queue struct {
	s       *Service
	owner   string
	actor   *authz.Actor
	wake    chan struct{}
	slots   chan struct{}
	submits chan struct{}
	wg      sync.WaitGroup
	uploads flights
	recent  recentLists
}

func newQueue(s *Service) *Queue {
	return &Queue{
		s: s, owner: s.IDs.New().String(), actor: authz.SystemActor("发布队列"),
		wake: make(chan struct{}, 1), slots: make(chan struct{}, workers), submits: make(chan struct{}, maxSubmits),
	}
}

// Nudge makes this process's loop look now; for wake-ups from other nodes.
func (q *Queue) Nudge() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// Wake makes every node look now.
func (q *Queue) Wake() {
	q.Nudge()
	if q.s.Config.Wake != nil {
		q.s.Config.Wake()
	}
}

// Run works until ctx ends, then waits for the deliveries in hand: each stops
// at its next stored step.
func (q *Queue) Run(ctx context.Context) {
	defer q.wg.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-q.wake:
		case <-timer.C:
		}
		timer.Reset(q.round(ctx))
	}
}

// round claims and starts everything that is due, and returns when to look again.
func (q *Queue) round(ctx context.Context) time.Duration {
	for ctx.Err() == nil {
		free := cap(q.slots) - len(q.slots)
		if free == 0 {
			return time.Second // a finishing worker wakes the loop sooner
		}
		now := q.s.Clock.Now()
		claimed, err := q.s.Store.Claim(ctx, q.owner, now, now.Add(q.s.Timing.Lease), free)
		if err != nil {
			if ctx.Err() == nil { // else it is only the end
				q.s.Log.Error("queue: claim failed", "err", err)
			}
			return idleLook
		}
		for _, d := range claimed {
			q.start(ctx, d)
		}
		if len(claimed) == 0 {
			return q.untilNext(ctx)
		}
	}
	return idleLook
}

func (q *Queue) untilNext(ctx context.Context) time.Duration {
	next, err := q.s.Store.NextDue(ctx)
	if err != nil {
		q.s.Log.Error("queue: reading the next due time failed", "err", err)
		return idleLook
	}
	if next.IsZero() {
		return idleLook
	}
	return min(max(next.Sub(q.s.Clock.Now()), time.Millisecond), idleLook)
}

func (q *Queue) start(ctx context.Context, d *Delivery) {
	q.slots <- struct{}{}
	q.wg.Add(1)
	go func() {
		defer func() {
			<-q.slots
			q.wg.Done()
			q.Nudge()
		}()
		w := worker{Queue: q, d: d}
		defer w.survive(context.WithoutCancel(ctx))
		// The work goes on over a shutdown until its next stored step: a call
		// that was cut off in the middle would only make its outcome unknown.
		if err := w.advance(context.WithoutCancel(ctx), ctx.Done()); err != nil && !errs.Is(err, errs.Stale) {
			q.s.Log.Error("queue: delivery stopped", "delivery", d.ID, "step", d.Step, "err", err)
		}
	}()
}

// flights lets one caller do a piece of work that others wait for: the same
// picture for the same account is uploaded once, also by a hundred workers.
type flights struct {
	mu sync.Mutex
	m  map[string]*flight
}

type flight struct {
	done chan struct{}
	ref  string
	err  error
}

func (f *flights) do(key string, work func() (string, error)) (string, error) {
	f.mu.Lock()
	if f.m == nil {
		f.m = map[string]*flight{}
	}
	if fl, ok := f.m[key]; ok {
		f.mu.Unlock()
		<-fl.done
		return fl.ref, fl.err
	}
	fl := &flight{done: make(chan struct{})}
	f.m[key] = fl
	f.mu.Unlock()
	fl.err = errs.New(errs.Internal, "处理中断，请稍后重试。") // what waiters read if work panics
	defer func() {
		f.mu.Lock()
		delete(f.m, key)
		f.mu.Unlock()
		close(fl.done)
	}()
	fl.ref, fl.err = work()
	return fl.ref, fl.err
}
