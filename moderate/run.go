package moderate

import (
	"context"
	"time"

	"tongxin/internal/errs"
)

const (
	idleLook = 15 * time.Second // without any wake-up: other nodes' work, dead nodes' rows
	together = 8                // checks under way at once
)

// Nudge makes this node's loop look now; for wake-ups from other nodes too.
func (s *Service) Nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run works on what is due until ctx ends. Any number of nodes may run it.
func (s *Service) Run(ctx context.Context) {
	defer s.work.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-timer.C:
		}
		for ctx.Err() == nil && s.Round(ctx) > 0 {
		}
		timer.Reset(s.until(ctx))
	}
}

// Round claims what is due, works on it and returns how much it was.
func (s *Service) Round(ctx context.Context) int {
	now := s.cfg.Clock.Now()
	got, err := s.cfg.Store.Claim(ctx, s.owner, now, now.Add(lease), together)
	if err != nil {
		if ctx.Err() == nil {
			s.cfg.Log.Error("moderate: claim failed", "err", err)
		}
		return 0
	}
	for _, it := range got {
		s.work.Go(func() {
			ask, cancel := context.WithTimeout(context.WithoutCancel(ctx), lease/2)
			defer cancel()
			s.judge(ask, it)
		})
	}
	s.work.Wait()
	return len(got)
}

func (s *Service) until(ctx context.Context) time.Duration {
	next, err := s.cfg.Store.NextDue(ctx)
	if err != nil || next.IsZero() {
		return idleLook
	}
	return min(max(next.Sub(s.cfg.Clock.Now()), 10*time.Millisecond), idleLook)
}

// TakeOutcome takes WeChat's result of a picture. It is kept first, because it
// may come before the check's name is stored, and may come again. signed says
// that the message proved its sender: a pass that did not is left to people.
func (s *Service) TakeOutcome(ctx context.Context, o Outcome) error {
	if o.Trace == "" || len(o.Trace) > 64 {
		return nil // not one of ours
	}
	o.At = s.cfg.Clock.Now()
	if err := s.cfg.Store.AddOutcome(ctx, o); err != nil {
		return err
	}
	it, err := s.cfg.Store.Traced(ctx, o.Trace)
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	if err != nil || it.State != Waiting {
		return err
	}
	s.judge(ctx, it) // when another node decides it first, its version fences this one off
	return nil
}

// Sweep deletes the copies of texts whose time is over; objects stay in their
// domains.
func (s *Service) Sweep(ctx context.Context) error {
	before := s.cfg.Clock.Now().AddDate(0, 0, -s.rules.limit("keepDays"))
	for {
		n, err := s.cfg.Store.Erase(ctx, before, 200)
		if err != nil || n < 200 {
			return err
		}
	}
}
