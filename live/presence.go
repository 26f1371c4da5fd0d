package live

import (
	"context"
	"time"

	"tongxin/internal/ids"
)

const (
	// PulseEvery is how often a node says who is connected: intervals are that
	// exact, and a removed person is disconnected after at most that long.
	PulseEvery = 2 * time.Second
	// seenEvery is how often a node proves its seats to the store.
	seenEvery = 20 * time.Second
	// lostAfter is how long a seat stands without a proof.
	lostAfter = 90 * time.Second
)

// Connected is one connection that the media core holds on this node.
type Connected struct {
	Session string // unlike any other
	Bearer  string // what it came in with
}

// taken is a seat of this node.
type taken struct {
	seat ids.ID // none: the bearer is no pass of ours
}

// Pulse takes who is connected on this node now: it opens and closes seats, and
// returns the sessions that must be ended, because their room has ended or their
// person was removed. Called every PulseEvery, and once with nobody at the end.
func (s *Service) Pulse(ctx context.Context, list []Connected) (end []string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.cfg.Clock.Now()
	here := make(map[string]bool, len(list))
	fresh := map[string]taken{}
	var sit []Seat
	for _, c := range list {
		here[c.Session] = true
		if _, known := s.taken[c.Session]; known {
			continue
		}
		var t taken
		if it, ok := s.read(c.Bearer); ok {
			t.seat = s.cfg.IDs.New()
			sit = append(sit, Seat{ID: t.seat, RoomID: it.room, PersonID: it.person, Node: s.cfg.Node, JoinedAt: now, SeenAt: now})
		}
		fresh[c.Session] = t
	}
	var stand []ids.ID
	for session, t := range s.taken {
		if !here[session] && t.seat != 0 {
			stand = append(stand, t.seat)
		}
	}
	// What the store refuses is tried again at the next pulse.
	if len(sit) > 0 {
		if err := s.cfg.Store.Sit(ctx, sit); err != nil {
			return nil, err
		}
	}
	for session, t := range fresh {
		s.taken[session] = t
	}
	if len(stand) > 0 {
		if err := s.cfg.Store.Stand(ctx, stand, now); err != nil {
			return nil, err
		}
	}
	for session := range s.taken {
		if !here[session] {
			delete(s.taken, session)
		}
	}
	if now.Sub(s.seen) >= seenEvery {
		if err := s.prove(ctx, now); err != nil {
			return nil, err
		}
	}
	return s.refused(ctx)
}

// prove tells the store that the seats of this node are taken, and closes those
// of nodes that are gone.
func (s *Service) prove(ctx context.Context, now time.Time) error {
	if len(s.taken) > 0 {
		if err := s.cfg.Store.Seen(ctx, s.cfg.Node, now); err != nil {
			return err
		}
	}
	s.seen = now
	return s.cfg.Store.Expire(ctx, now.Add(-lostAfter))
}

func (s *Service) refused(ctx context.Context) ([]string, error) {
	by := make(map[ids.ID]string, len(s.taken))
	seats := make([]ids.ID, 0, len(s.taken))
	for session, t := range s.taken {
		if t.seat != 0 {
			by[t.seat] = session
			seats = append(seats, t.seat)
		}
	}
	if len(seats) == 0 {
		return nil, nil
	}
	bad, err := s.cfg.Store.Refused(ctx, seats)
	end := make([]string, 0, len(bad))
	for _, id := range bad {
		end = append(end, by[id])
	}
	return end, err
}
