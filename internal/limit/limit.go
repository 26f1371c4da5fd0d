// Package limit is token buckets for many keys in bounded memory. It decides
// by the clock it is given and never sleeps; what a key means is the caller's.
package limit

import (
	"hash/maphash"
	"sync"
	"time"

	"tongxin/internal/clock"
)

// shards keeps lock waits short; a power of two.
const shards = 32

// Rate is what one key may do: Burst at once, PerSecond in the long run.
// A zero PerSecond switches the limit off.
type Rate struct {
	PerSecond float64
	Burst     float64
}

// Per is n events per span, all of which may come at once.
func Per(n int, span time.Duration) Rate {
	return Rate{PerSecond: float64(n) / span.Seconds(), Burst: float64(n)}
}

// Buckets holds one bucket per key. Safe for concurrent use.
type Buckets struct {
	rate  Rate
	clock clock.Clock
	seed  maphash.Seed
	max   int // keys per shard
	shard [shards]shard
}

type shard struct {
	mu   sync.Mutex
	keys map[string]*bucket
}

type bucket struct {
	tokens float64
	at     time.Time
}

// New makes buckets for about maxKeys keys (at least one per shard). When a
// shard is full, keys that have nothing to remember are dropped, then any: a
// flood of new keys can make a key forget its debt but never grow the memory.
func New(c clock.Clock, rate Rate, maxKeys int) *Buckets {
	b := &Buckets{rate: rate, clock: c, seed: maphash.MakeSeed(), max: max(1, maxKeys/shards)}
	for i := range b.shard {
		b.shard[i].keys = map[string]*bucket{}
	}
	return b
}

// Allow takes one token of key. When there is none it reports how long until
// the next, rounded up to a millisecond.
func (b *Buckets) Allow(key string) (ok bool, wait time.Duration) {
	if b == nil || b.rate.PerSecond <= 0 {
		return true, 0
	}
	now := b.clock.Now()
	s := &b.shard[maphash.String(b.seed, key)%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.keys[key]
	if k == nil {
		if len(s.keys) >= b.max {
			s.makeRoom(b.rate, now)
		}
		k = &bucket{tokens: b.rate.Burst, at: now}
		s.keys[key] = k
	}
	k.fill(b.rate, now)
	if k.tokens >= 1 {
		k.tokens--
		return true, 0
	}
	wait = time.Duration((1 - k.tokens) / b.rate.PerSecond * float64(time.Second))
	return false, wait.Truncate(time.Millisecond) + time.Millisecond
}

// Keys is how many keys are remembered, for metrics and tests.
func (b *Buckets) Keys() int {
	n := 0
	for i := range b.shard {
		b.shard[i].mu.Lock()
		n += len(b.shard[i].keys)
		b.shard[i].mu.Unlock()
	}
	return n
}

func (k *bucket) fill(r Rate, now time.Time) {
	if d := now.Sub(k.at); d > 0 { // a clock that steps back gives nothing and takes nothing
		k.tokens = min(r.Burst, k.tokens+d.Seconds()*r.PerSecond)
		k.at = now
	}
}

// makeRoom looks at a few keys only, so that no caller waits for a sweep.
func (s *shard) makeRoom(r Rate, now time.Time) {
	seen, last := 0, ""
	for key, k := range s.keys {
		k.fill(r, now)
		if k.tokens >= r.Burst {
			delete(s.keys, key)
			return
		}
		if last, seen = key, seen+1; seen == 8 {
			break
		}
	}
	delete(s.keys, last)
}
