package publish

import (
	"context"
	"sync"
	"time"

	"tongxin/internal/ids"
)

// recentLists shares one reading of an account's published list between the
// deliveries that look for themselves in it: the platform allows about 90
// readings a day.
type recentLists struct {
	mu sync.Mutex
	m  map[ids.ID]*recentList
}

type recentList struct {
	turn     chan struct{} // holds one; taken over the readings of one account, never with recentLists.mu
	at       time.Time
	found    []Found
	complete bool // to the end of the platform's list
}

// maxPages bounds one reading: 20 articles a page.
const maxPages = 60

// list returns the articles back to since, from a reading no older than fresh.
// ctx bounds also the wait for others that read: nobody outlives a lease here.
func (r *recentLists) list(ctx context.Context, account ids.ID, now time.Time, fresh time.Duration, since time.Time,
	read func(ctx context.Context, offset int) ([]Found, bool, error),
) (found []Found, complete bool, err error) {
	l := r.of(account)
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return nil, false, ctx.Err()
	}
	if now.Sub(l.at) > fresh {
		l.found, l.complete = nil, false
	}
	for page := 0; !l.complete && !reaches(l.found, since) && page < maxPages; page++ {
		rows, more, err := read(ctx, len(l.found))
		if err != nil {
			return nil, false, err
		}
		if len(l.found) == 0 {
			l.at = now
		}
		l.found = append(l.found, rows...)
		l.complete = !more || len(rows) == 0
	}
	return append([]Found(nil), l.found...), l.complete || reaches(l.found, since), nil
}

func (r *recentLists) of(account ids.ID) *recentList {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.m == nil {
		r.m = map[ids.ID]*recentList{}
	}
	l, ok := r.m[account]
	if !ok {
		l = &recentList{turn: make(chan struct{}, 1)}
		r.m[account] = l
	}
	return l
}

func reaches(found []Found, since time.Time) bool {
	return len(found) > 0 && found[len(found)-1].Updated.Before(since)
}
