//go:build !linux

package main

import (
	"context"
	"errors"
	"time"
)

// viewerPool needs Linux: thousands of sockets are read from few threads.
type viewerPool struct{}

// sums are the figures of a pool.
type sums struct{ received, all uint64 }

func newViewerPool(int, time.Time) (*viewerPool, error) {
	return nil, errors.New("load lecture runs on Linux only")
}

func (p *viewerPool) close()         {}
func (p *viewerPool) freeze()        {}
func (p *viewerPool) snapshot() sums { return sums{} }

func (p *viewerPool) join(context.Context, *lecture) (time.Duration, error) {
	return 0, errors.New("load lecture runs on Linux only")
}

func (s sums) since(sums) sums { return s }

func (s sums) figures(time.Duration) map[string]any { return nil }
