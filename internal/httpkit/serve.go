package httpkit

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Serve answers on ln until ctx ends, then stops accepting, lets running
// requests finish for at most DrainTimeout and returns. local may be nil; it
// serves Local. Both listeners are closed on return.
func (k *Kit) Serve(ctx context.Context, ln, local net.Listener) error {
	if err := k.Verify(); err != nil {
		return fmt.Errorf("httpkit: route table: %w", err)
	}
	failed := make(chan error, 2)
	go func() { failed <- k.app.Listener(ln) }()
	side := &http.Server{Handler: k.Local(), ReadHeaderTimeout: 5 * time.Second}
	if local != nil {
		go func() { failed <- side.Serve(local) }()
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	return errors.Join(err, k.stop(ctx, side))
}

func (k *Kit) stop(ctx context.Context, side *http.Server) error {
	k.stopping.Store(true)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), k.cfg.DrainTimeout)
	defer cancel()
	err := k.app.ShutdownWithContext(ctx)
	k.cut() // whoever is still running has had its time
	if e := side.Close(); e != nil {
		err = errors.Join(err, e)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		k.cfg.Log.Warn("requests were cut off by the shutdown", "after", k.cfg.DrainTimeout)
		return nil
	}
	return err
}

// Stopping reports that a shutdown has begun: long-lived connections close.
func (k *Kit) Stopping() bool { return k.stopping.Load() }
