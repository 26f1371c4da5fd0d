package publish

import (
	"context"
	"slices"
	"sync"
	"time"

	"tongxin/internal/ids"
	"tongxin/publish/render"
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
	found    []listed
	complete bool // to the end of the platform's list
}

// listed is a published article with the fingerprints of its texts instead of
// them: a reading is kept, and may hold a thousand articles.
type listed struct {
	Found
	prints []imprint
}

// imprint is the fingerprint of a text, if the platform showed one.
type imprint struct {
	shown bool
	sum   uint64
}

func newListed(f Found) listed {
	l := listed{Found: f, prints: make([]imprint, len(f.Texts))}
	for i, text := range f.Texts {
		if text != "" {
			l.prints[i] = imprint{true, render.SimHash(wording(text))}
		}
	}
	l.Texts = nil
	return l
}

// maxPages bounds one reading: 20 articles a page.
const maxPages = 60

// list returns the articles back to since, from a reading no older than fresh.
// ctx bounds also the wait for others that read: nobody outlives a lease here.
func (r *recentLists) list(ctx context.Context, account ids.ID, now time.Time, fresh time.Duration, since time.Time,
	read func(ctx context.Context, offset int) ([]Found, bool, error),
) (found []listed, complete bool, err error) {
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
		for _, f := range rows {
			l.found = append(l.found, newListed(f))
		}
		l.complete = !more || len(rows) == 0
	}
	return slices.Clone(l.found), l.complete || reaches(l.found, since), nil
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

func reaches(found []listed, since time.Time) bool {
	return len(found) > 0 && found[len(found)-1].Updated.Before(since)
}
