package feed

import (
	"context"
	"sync"
	"time"
)

// Round claims what is due and waits for the outcome: one turn of Run.
func (s *Service) Round(ctx context.Context) time.Duration {
	var busy sync.WaitGroup
	wait := s.claim(ctx, make(chan struct{}, workers), &busy)
	busy.Wait()
	return wait
}
