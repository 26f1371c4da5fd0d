package publish

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
)

// Pace and bounds of reminding.
const (
	remindEvery = 30 * time.Second
	remindPause = 500 * time.Millisecond // after a change: what comes together is told together
	remindBatch = 500
	// remindBack is how far the first look after a start goes back; later looks
	// go back to the one before and a little more, for commits that were slow
	// and clocks that differ between nodes.
	remindBack    = 48 * time.Hour
	remindOverlap = 5 * time.Minute
	// remindAgain is when an occasion is looked at again although this process
	// told of it: somebody may have come to hold the right since.
	remindAgain = 10 * time.Minute
)

// reminders is what one process remembers so that an idle look costs little.
// The truth is in the notices' unique key: forgetting costs time only.
type reminders struct {
	wake chan struct{}
	mu   sync.Mutex
	told map[string]time.Time // occasion → when
	last time.Time            // start of the last look that found everything
}

func newReminders() *reminders {
	return &reminders{wake: make(chan struct{}, 1), told: map[string]time.Time{}}
}

// remindSoon makes this process look for occasions shortly.
func (s *Service) remindSoon() {
	select {
	case s.reminders.wake <- struct{}{}:
	default:
	}
}

// RunReminders looks for occasions every half minute, and soon after a change
// in this process, until ctx ends. Every node may run it.
func (s *Service) RunReminders(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	soon := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.reminders.wake:
			if !soon {
				soon = true
				timer.Reset(remindPause)
			}
			continue
		case <-timer.C:
		}
		soon = false
		if err := s.Remind(ctx); err != nil && ctx.Err() == nil {
			s.Log.Warn("reminders: a look failed", "err", err)
		}
		timer.Reset(remindEvery)
	}
}

// Remind looks at posts, deliveries and accounts as they are and stores the
// notices that follow. It may be called at any time, anywhere, any number of
// times: each person gets one notice of an occasion. What can be told is told
// even when a part of the look fails.
func (s *Service) Remind(ctx context.Context) error {
	now := s.Clock.Now()
	l := &look{s: s, ctx: ctx, now: now, since: s.reminders.since(now), holders: map[holding][]ids.ID{}}
	err := errors.Join(l.inReview(), l.decided(), l.open(), l.ended(), l.unwell())
	if _, addErr := s.Store.AddNotices(ctx, l.out); addErr != nil {
		return errors.Join(err, addErr)
	}
	s.reminders.keep(l.told, now, err == nil)
	return err
}

func (r *reminders) since(now time.Time) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last.IsZero() {
		return now.Add(-remindBack)
	}
	if r.last.After(now) { // the clock was set back
		return now.Add(-remindOverlap)
	}
	return r.last.Add(-remindOverlap)
}

func (r *reminders) knows(occasion string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, ok := r.told[occasion]
	return ok && now.Sub(at) < remindAgain
}

func (r *reminders) keep(told []string, now time.Time, whole bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for occasion, at := range r.told {
		if now.Sub(at) >= remindAgain {
			delete(r.told, occasion)
		}
	}
	for _, occasion := range told {
		r.told[occasion] = now
	}
	if whole {
		r.last = now
	}
}

type holding struct {
	right authz.Right
	path  string
}

// look is one search for occasions.
type look struct {
	s       *Service
	ctx     context.Context //nolint:containedctx // it lives as long as the call of Remind
	now     time.Time
	since   time.Time
	holders map[holding][]ids.ID
	out     []Notice
	told    []string
}

// fresh reports an occasion that is not too old and that this process has not
// told of lately.
func (l *look) fresh(occasion string, began time.Time) bool {
	return l.now.Sub(began) < NoticeAge*2/3 && !l.s.reminders.knows(occasion, l.now)
}

// tell gives each of the people the notice once. memo is the occasion as fresh
// was asked about it, err that of finding the people.
func (l *look) tell(memo string, n Notice, people []ids.ID, err error) error {
	if err != nil {
		return err
	}
	l.told = append(l.told, memo)
	n.At = l.now
	for _, who := range people {
		n.ID, n.AccountID = l.s.IDs.New(), who
		l.out = append(l.out, n)
	}
	return nil
}

// holding lists who holds the right on the organisation; one query for each
// right and organisation in one look.
func (l *look) holding(right authz.Right, path string) ([]ids.ID, error) {
	key := holding{right, path}
	if got, ok := l.holders[key]; ok || l.s.Config.Holders == nil {
		return got, nil
	}
	list, err := l.s.Config.Holders(l.ctx, right, path)
	if err != nil {
		return nil, err
	}
	out := make([]ids.ID, 0, len(list))
	for _, h := range list {
		out = append(out, h.ID)
	}
	l.holders[key] = out
	return out, nil
}

// readers leaves of some people those who may still read the posts of the
// organisation.
func (l *look) readers(path string, people ...ids.ID) ([]ids.ID, error) {
	may, err := l.holding(PostRead, path)
	return slices.DeleteFunc(unique(people), func(id ids.ID) bool { return !slices.Contains(may, id) }), err
}

// planners are the author and whoever may plan posts of the organisation.
func (l *look) planners(path string, author ids.ID) ([]ids.ID, error) {
	own, err := l.readers(path, author)
	if err != nil {
		return nil, err
	}
	plan, err := l.holding(PostSchedule, path)
	return unique(slices.Concat(own, plan)), err
}

func unique(list []ids.ID) []ids.ID {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}

// each reads a list in batches and stops at the first error.
func each[T any](page func(last T) ([]T, error), fn func(T) error) error {
	var last T
	for {
		rows, err := page(last)
		if err != nil {
			return err
		}
		for _, v := range rows {
			if err := fn(v); err != nil {
				return err
			}
			last = v
		}
		if len(rows) < remindBatch {
			return nil
		}
	}
}

func occasion(kind NoticeKind, parts ...string) string {
	return string(kind) + ":" + strings.Join(parts, ":")
}
