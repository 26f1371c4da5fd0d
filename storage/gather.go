package storage

import (
	"context"
	"errors"
	"sync"

	"tongxin/internal/errs"
)

// gatherer joins callers that wait at the same time into one closure of one
// Write: for small facts of high volume, where a savepoint, an audit row and a
// statement for each caller would cost more than the fact. While one batch is
// on its way to the disk the next one gathers.
//
// run stores a whole batch and puts each caller's result into its item. It
// fails for all or for nobody, so what a single caller did wrong is a result
// and no error; like every closure it may run more than once.
type gatherer[T any] struct {
	db    *DB
	limit int // callers of one batch
	lanes int // batches on their way at once
	run   func(tx *Tx, batch []*T) error

	mu      sync.Mutex
	waiting []*gathered[T]
	running int
}

type gathered[T any] struct {
	item *T
	done chan error
}

// do returns after the batch with item is durable. A ctx that ends first leaves
// the caller without knowing: the batch is carried through.
func (g *gatherer[T]) do(ctx context.Context, item *T) error {
	if ctx.Value(inTx{}) != nil {
		return internal(errors.New("storage: a gathered write inside Write"))
	}
	w := &gathered[T]{item, make(chan error, 1)}
	g.mu.Lock()
	g.waiting = append(g.waiting, w)
	if g.running < g.lanes {
		g.running++
		go g.drain()
	}
	g.mu.Unlock()
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
		return errs.Wrap(context.Cause(ctx), errs.Unavailable, "请求已取消，不确定是否已保存，请重试。")
	}
}

func (g *gatherer[T]) drain() {
	for {
		batch := g.take()
		if batch == nil {
			return
		}
		items := make([]*T, len(batch))
		for i, w := range batch {
			items[i] = w.item
		}
		err := g.db.Write(context.Background(), func(tx *Tx) error { return g.run(tx, items) })
		for _, w := range batch {
			w.done <- err
		}
	}
}

// take hands out what waits, or ends the drain.
func (g *gatherer[T]) take() []*gathered[T] {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.waiting) == 0 {
		g.running--
		return nil
	}
	n := min(g.limit, len(g.waiting))
	batch := g.waiting[:n:n]
	g.waiting = g.waiting[n:]
	if len(g.waiting) == 0 {
		g.waiting = nil // lets go of the batches before
	}
	return batch
}

// powers splits n into powers of two, the largest first: statements of many
// rows come in few lengths, so that they stay prepared.
func powers(n, largest int) (out []int) {
	for size := largest; size > 0; size /= 2 {
		for ; n >= size; n -= size {
			out = append(out, size)
		}
	}
	return out
}

// insertRows inserts rows of the columns of cols, many a statement; suffix is
// what an upsert adds.
func (tx *Tx) insertRows(table string, cols []string, suffix string, rows [][]any) error {
	for _, n := range powers(len(rows), 64) {
		args := make([]any, 0, n*len(cols))
		for _, row := range rows[:n] {
			args = append(args, row...)
		}
		if _, err := tx.Exec(insertSQL(table, cols, n)+suffix, args...); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}
