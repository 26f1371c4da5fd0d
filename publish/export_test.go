package publish

import (
	"context"
)

// Turn claims one due delivery and works on it in the calling goroutine, so
// that a test decides the order of everything. false: nothing was due.
func (q *Queue) Turn(ctx context.Context) (bool, error) {
	now := q.s.Clock.Now()
	got, err := q.s.Store.Claim(ctx, q.owner, now, now.Add(q.s.Timing.Lease), Part{}, 1)
	if err != nil || len(got) == 0 {
		return false, err
	}
	w := worker{Queue: q, d: got[0]}
	return true, w.work(ctx, ctx.Done())
}

// StoppedTurn is Turn of a process that is told to shut down in the middle.
func (q *Queue) StoppedTurn(ctx context.Context) error {
	now := q.s.Clock.Now()
	got, err := q.s.Store.Claim(ctx, q.owner, now, now.Add(q.s.Timing.Lease), Part{}, 1)
	if err != nil {
		return err
	}
	stop := make(chan struct{})
	close(stop)
	for _, d := range got {
		w := worker{Queue: q, d: d}
		if err := w.advance(ctx, stop); err != nil {
			return err
		}
	}
	return nil
}

// Forgive is Health.forgive, for tests.
func (h *Health) Forgive(mode Mode) { h.forgive(mode) }
