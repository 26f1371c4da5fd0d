package notify

import (
	"context"
	"runtime/debug"
	"sync"
	"time"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
)

// Timing of sending. The zero value of a field means its default.
type Timing struct {
	// Lease is how long a node owns what it claimed; a message is sent within a
	// quarter of it, or not at all.
	Lease time.Duration // default 90 s
	// Retry is the first pause after a refusal that may pass; further ones double.
	Retry time.Duration // default 5 s
	// TokenRetry is the pause while a person must mend keys.
	TokenRetry time.Duration // default 10 min
}

func (t Timing) withDefaults() Timing {
	for _, v := range []struct {
		p *time.Duration
		d time.Duration
	}{{&t.Lease, 90 * time.Second}, {&t.Retry, 5 * time.Second}, {&t.TokenRetry, 10 * time.Minute}} {
		if *v.p <= 0 {
			*v.p = v.d
		}
	}
	return t
}

// Limits of one node.
const (
	maxInFlight = 1024 // messages claimed and not settled
	maxStore    = 1024 // results in one transaction
	fanStep     = 5000 // inbox rows in one transaction
	maxTries    = 8    // of one message against refusals that may pass
	idlePause   = 15 * time.Second
	storeEvery  = 40 * time.Millisecond
)

// turns lets campaigns take their turns.
type turns struct{ next int }

// Nudge makes Run look at once.
func (s *Service) Nudge() {
	select {
	case s.nudges <- struct{}{}:
	default:
	}
}

func (s *Service) wakeAll() {
	s.Nudge()
	if s.Wake != nil {
		s.Wake()
	}
}

// Run writes inboxes and sends messages until ctx ends. Messages under way are
// finished, claimed ones that were not sent are given back.
func (s *Service) Run(ctx context.Context) {
	fan := make(chan struct{}, 1)
	var wg sync.WaitGroup
	wg.Go(func() { s.fanLoop(ctx, fan) })
	if s.Pusher != nil {
		wg.Go(func() { s.draftPosts(ctx) })
	}
	s.sendLoop(ctx, fan)
	wg.Wait()
}

// pause waits for d, a wake-up or the end; false at the end.
func pause(ctx context.Context, wake <-chan struct{}, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-wake:
	case <-t.C:
	}
	return ctx.Err() == nil
}

// fanLoop writes the inboxes of started campaigns.
func (s *Service) fanLoop(ctx context.Context, wake <-chan struct{}) {
	for {
		more, err := s.fanOne(ctx)
		if err != nil && ctx.Err() == nil {
			s.Log.Warn("notify: fan-out", "err", err)
		}
		if more && err == nil {
			continue
		}
		d := idlePause
		if err != nil {
			d = time.Second
		}
		if !pause(ctx, wake, d) {
			return
		}
	}
}

// WriteInboxes writes the inboxes of every started campaign at once, for those
// who cannot wait for Run: the demonstration before it is served.
func (s *Service) WriteInboxes(ctx context.Context) error {
	for {
		found, err := s.fanOne(ctx)
		if err != nil || !found {
			return err
		}
	}
}

// fanOne writes the inboxes of one campaign. A node that dies leaves a lease
// that ends, and the next one goes on after the last row that is there.
func (s *Service) fanOne(ctx context.Context) (found bool, err error) {
	if ctx.Err() != nil {
		return false, nil
	}
	now := s.Clock.Now()
	c, err := s.Store.ClaimFanOut(ctx, s.Owner, now, now.Add(s.Timing.Lease))
	if err != nil || c == nil {
		return false, err
	}
	set, err := s.Store.Settings(ctx)
	if err != nil {
		return true, err
	}
	way := set.way(c.Kind, c.Push)
	if s.Pusher == nil {
		way = nil
	}
	began := s.Clock.Now()
	for {
		done, err := s.Store.FanOut(ctx, c, way, s.Owner, s.Clock.Now().Add(s.Timing.Lease), fanStep)
		if errs.Is(err, errs.Stale) { // cancelled, or another node took over
			return true, nil
		}
		if err != nil {
			return true, err
		}
		if done {
			s.Log.Info("notify: inboxes written", "campaign", c.ID, "ms", s.Clock.Now().Sub(began).Milliseconds())
			s.Nudge()
			return true, nil
		}
		if ctx.Err() != nil {
			return true, nil
		}
	}
}

// guard keeps one message from ending the program.
func (s *Service) guard(what string, id ids.ID) {
	if cause := recover(); cause != nil {
		s.Log.Error("notify: panic", "in", what, "campaign", id, "panic", cause, "stack", string(debug.Stack()))
	}
}
