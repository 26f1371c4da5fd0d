package contest

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"tongxin/internal/ids"
)

// saveBatch is how many answers go into one transaction, and gatherFor how long
// the first of them waits for others: a flush of the disk costs more than that.
const (
	saveBatch = 512
	gatherFor = 10 * time.Millisecond
)

// saving is an answer on its way to the disk, with who waits for word of it.
type saving struct {
	given      Given
	node, conn string
}

// batch is what became of some answers.
type batch struct {
	list []saving
	err  error
}

// saver stores a room's answers: what arrives while one transaction runs goes
// into the next. Neither side waits for the other.
type saver struct {
	store RoomStore
	id    ids.ID
	fence int64
	log   *slog.Logger

	mu     sync.Mutex
	queue  []saving
	done   []batch
	closed bool
	work   chan struct{} // 1 place: there is something to store
	wake   chan struct{} // 1 place: there are results
}

func newSaver(store RoomStore, id ids.ID, fence int64, log *slog.Logger) *saver {
	return &saver{store: store, id: id, fence: fence, log: log, work: make(chan struct{}, 1), wake: make(chan struct{}, 1)}
}

func poke(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

func (s *saver) add(a saving) {
	s.mu.Lock()
	s.queue = append(s.queue, a)
	s.mu.Unlock()
	poke(s.work)
}

// close lets run end once everything is stored.
func (s *saver) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	poke(s.work)
}

func (s *saver) results() []batch {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.done
	s.done = nil
	return out
}

func (s *saver) next() (list []saving, end bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(len(s.queue), saveBatch)
	list = append(list, s.queue[:n]...)
	s.queue = append(s.queue[:0], s.queue[n:]...)
	return list, n == 0 && s.closed
}

func (s *saver) run(ctx context.Context) {
	pause := time.NewTimer(time.Hour)
	defer pause.Stop()
	for {
		list, end := s.next()
		if end {
			return
		}
		if len(list) == 0 {
			<-s.work
			pause.Reset(gatherFor)
			<-pause.C
			continue
		}
		err := s.save(ctx, list)
		s.mu.Lock()
		s.done = append(s.done, batch{list, err})
		s.mu.Unlock()
		poke(s.wake)
	}
}

// save stores a batch and puts into it what stands.
func (s *saver) save(ctx context.Context, list []saving) error {
	given := make([]Given, len(list))
	for i, a := range list {
		given[i] = a.given
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
	defer cancel()
	stand, err := s.store.SaveAnswers(ctx, s.id, s.fence, given)
	if err != nil {
		s.log.Warn("contest: answers not stored", "contest", s.id, "answers", len(list), "err", err)
		return err
	}
	for i := range stand {
		list[i].given = stand[i]
	}
	return nil
}
