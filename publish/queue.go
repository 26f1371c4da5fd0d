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
	// maxPosting bounds the posts on their way to a platform, maxFollowing the
	// looks at what became of them: looking must never take a due post's place.
	maxPosting   = 128
	maxFollowing = 32
	// maxSubmits bounds the submits under way at once. Each costs a person a look
	// when the process dies in the middle, so one account has no more (48) than
	// a second of a thousand posts needs at 50 ms a call.
	maxSubmits = 64
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
	lines   []line
	submits *places
	wg      sync.WaitGroup
	uploads flights
	recent  recentLists
}

// line is one kind of work and the places it has.
type line struct {
	states []DeliveryState
	places *places
}

func newQueue(s *Service) *Queue {
	return &Queue{
		s: s, owner: s.IDs.New().String(), actor: authz.SystemActor("发布队列"),
		wake: make(chan struct{}, 1), submits: newPlaces(maxSubmits),
		lines: []line{
			{[]DeliveryState{Waiting}, newPlaces(maxPosting)},
			{[]DeliveryState{Submitting, Submitted, Unknown, Cancelled, Published}, newPlaces(maxFollowing)},
		},
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
	next := idleLook
	for _, l := range q.lines {
		next = min(next, q.serve(ctx, l))
	}
	return next
}

// serve is round for one kind of work.
func (q *Queue) serve(ctx context.Context, l line) time.Duration {
	for ctx.Err() == nil {
		room, full := l.places.offer()
		if room == 0 {
			return time.Second // a finishing worker wakes the loop sooner
		}
		now, part := q.s.Clock.Now(), Part{States: l.states, Without: full}
		claimed, err := q.s.Store.Claim(ctx, q.owner, now, now.Add(q.s.Timing.Lease), part, room)
		if err != nil {
			if ctx.Err() == nil { // else it is only the end
				q.s.Log.Error("queue: claim failed", "err", err)
			}
			return idleLook
		}
		for _, d := range claimed {
			q.start(ctx, l.places, d)
		}
		if len(claimed) == 0 {
			return q.untilNext(ctx, part)
		}
	}
	return idleLook
}

func (q *Queue) untilNext(ctx context.Context, part Part) time.Duration {
	next, err := q.s.Store.NextDue(ctx, part)
	if err != nil {
		if ctx.Err() == nil {
			q.s.Log.Error("queue: reading the next due time failed", "err", err)
		}
		return idleLook
	}
	if next.IsZero() {
		return idleLook
	}
	return min(max(next.Sub(q.s.Clock.Now()), time.Millisecond), idleLook)
}

func (q *Queue) start(ctx context.Context, p *places, d *Delivery) {
	account := d.AccountID
	p.take(account)
	q.wg.Add(1)
	go func() {
		defer func() {
			p.leave(account)
			q.wg.Done()
			q.Nudge()
		}()
		w := worker{Queue: q, d: d}
		defer w.survive(context.WithoutCancel(ctx))
		// The work goes on over a shutdown until its next stored step: a call
		// that was cut off in the middle would only make its outcome unknown.
		_ = w.work(context.WithoutCancel(ctx), ctx.Done()) // logged and stored
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
