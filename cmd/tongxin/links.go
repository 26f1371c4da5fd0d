package main

import (
	"context"
	"net/http"
	"sync"
	"time"

	"tongxin/internal/clock"
	"tongxin/internal/outbound"
)

// linkProbe finds links that do not open. It asks only public addresses, keeps
// an answer for an hour, and calls a link dead only on a clear word (404, 410,
// no such host): an editor must not be stopped by somebody's slow server.
type linkProbe struct {
	clock clock.Clock
	http  *http.Client
	mu    sync.Mutex
	known map[string]probed
}

type probed struct {
	at   time.Time
	dead bool
}

// Bounds of one probe.
const (
	probeLinks = 40 // of one post
	probeKeep  = time.Hour
	probeTime  = 5 * time.Second
	probeMax   = 10_000 // remembered
)

func newLinkProbe(c clock.Clock, allowPrivate bool) *linkProbe {
	return &linkProbe{clock: c, http: outbound.Client(probeTime, allowPrivate), known: map[string]probed{}}
}

func (p *linkProbe) dead(ctx context.Context, urls []string) []string {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	urls = urls[:min(len(urls), probeLinks)]
	found := make([]bool, len(urls))
	var wg sync.WaitGroup
	for i, u := range urls {
		wg.Go(func() { found[i] = p.one(ctx, u) })
	}
	wg.Wait()
	var out []string
	for i, u := range urls {
		if found[i] {
			out = append(out, u)
		}
	}
	return out
}

func (p *linkProbe) one(ctx context.Context, url string) bool {
	now := p.clock.Now()
	p.mu.Lock()
	k, ok := p.known[url]
	p.mu.Unlock()
	if ok && now.Sub(k.at) < probeKeep {
		return k.dead
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return true // not an address at all
	}
	res, err := p.http.Do(req)
	if err != nil {
		return false // unreachable from here says nothing about readers' networks
	}
	dead := res.StatusCode == http.StatusNotFound || res.StatusCode == http.StatusGone
	if err := res.Body.Close(); err != nil {
		return dead
	}
	p.mu.Lock()
	if len(p.known) >= probeMax {
		clear(p.known)
	}
	p.known[url] = probed{now, dead}
	p.mu.Unlock()
	return dead
}
