package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	"tongxin/internal/errs"
)

const (
	maxBatch     = 64 // callers in one commit
	lanesPerNode = 64 // audit chains of a node: chain = node*64 + lane
	maxTries     = 12 // of one caller against deadlocks and lost connections
	maxStmts     = 512
	maxIdemKey   = 128
)

// Life of a job. Whoever moves it out of waiting owns it: the caller that gave
// up, or the lane.
const (
	waiting int32 = iota
	running
	dropped
)

type job struct {
	ctx   context.Context
	fn    func(*Tx) error
	state atomic.Int32
	done  chan error // 1 place: the lane never waits for a caller
	tx    Tx
}

type inTx struct{}

// Write runs fn in a transaction and returns after the commit is durable. Many
// callers share one commit; each learns only its own result, and an error or a
// panic of fn undoes only what fn did.
//
// fn may run more than once (deadlock, lost connection), so it does nothing but
// database work through its Tx and sets the variables it captures anew on every
// run. It must not call Write. A ctx that ends before fn starts drops the call;
// after that it is carried through. An errs.Unavailable means that nothing was
// written, or, when the connection died in the commit itself, that nobody can
// tell: read before trying again.
func (db *DB) Write(ctx context.Context, fn func(tx *Tx) error) error {
	if ctx.Value(inTx{}) != nil {
		return errs.Wrap(errors.New("storage: Write inside Write"), errs.Internal, "系统内部出错，请稍后再试。")
	}
	db.mu.RLock()
	if db.closed || !db.started {
		db.mu.RUnlock()
		return errs.New(errs.Unavailable, "服务正在停止或尚未就绪，请稍后再试。")
	}
	db.inflight.Add(1)
	db.mu.RUnlock()
	defer db.inflight.Done()

	j := &job{ctx: ctx, fn: fn, done: make(chan error, 1)}
	select {
	case db.queue <- j:
	case <-ctx.Done():
		return gaveUp(ctx)
	}
	select {
	case err := <-j.done:
		return err
	case <-ctx.Done():
	}
	if j.state.CompareAndSwap(waiting, dropped) {
		return gaveUp(ctx)
	}
	return <-j.done
}

func gaveUp(ctx context.Context) error {
	return errs.Wrap(context.Cause(ctx), errs.Unavailable, "请求已取消，内容没有保存，请重试。")
}

func errLost() error {
	return errs.New(errs.Unavailable, "这台服务器失去了写入资格，请稍后再试。")
}

// lane is one writing connection and its goroutine. Nothing in it is shared.
type lane struct {
	db      *DB
	chain   int64
	head    chainHead
	conn    *sql.Conn
	stmts   map[string]*sql.Stmt
	current []*job // what the goroutine is answering
	last    int    // size of the batch before
	sealer  *sealer
	inserts [maxBatch + 1]string // INSERT of so many audit rows
}

func (l *lane) loop() {
	clean := false
	defer func() {
		if clean {
			return
		}
		// fn ended the goroutine (runtime.Goexit, as t.FailNow does): answer who
		// waits and go on in a new one.
		l.drop()
		l.answer(l.current, internal(errors.New("storage: the closure ended the lane's goroutine")))
		l.db.lanes.Go(l.loop)
	}()
	batch := make([]*job, 0, maxBatch)
	for {
		j, ok := <-l.db.queue
		if !ok {
			break
		}
		batch = l.gather(append(batch[:0], j))
		l.serve(batch)
		l.last = len(batch)
		clear(batch)
	}
	l.drop()
	clean = true
}

// gather takes who waits already. The callers of the last commit were woken a
// moment ago and usually come back at once: giving them the processor a few
// times keeps batches full, where taking the first would halve them.
func (l *lane) gather(batch []*job) []*job {
	for yields := 0; len(batch) < maxBatch; {
		select {
		case j, ok := <-l.db.queue:
			if !ok {
				return batch
			}
			batch = append(batch, j)
		default:
			if yields++; len(batch) >= l.last || yields > 3 {
				return batch
			}
			runtime.Gosched()
		}
	}
	return batch
}

func (l *lane) serve(batch []*job) {
	live := batch[:0]
	for _, j := range batch {
		if j.ctx.Err() == nil && j.state.CompareAndSwap(waiting, running) {
			live = append(live, j)
		} else if j.state.CompareAndSwap(waiting, dropped) {
			j.done <- gaveUp(j.ctx)
		}
	}
	if len(live) == 0 {
		return
	}
	l.current = live // until everybody is answered
	if len(live) > 1 {
		retry := l.attempt(live)
		if retry == nil {
			l.current = nil
			return
		}
		l.db.log.Debug("storage: batch runs again one by one", "callers", len(live), "cause", retry)
	}
	for i, j := range live {
		l.current = live[i:]
		l.alone(j)
	}
	l.current = nil
}

// alone runs one caller until it has a result.
func (l *lane) alone(j *job) {
	var err error
	for try := range maxTries {
		if err = l.attempt([]*job{j}); err == nil {
			return
		}
		// Lanes that deadlocked must not meet again in step: each waits its own time.
		pause := time.Duration(try*try+1) * time.Duration(2+l.chain%lanesPerNode) * time.Millisecond
		time.Sleep(min(pause, 500*time.Millisecond))
	}
	l.answer([]*job{j}, errs.Wrap(err, errs.Unavailable, "系统繁忙，内容没有保存，请稍后再试。"))
}

// attempt runs the jobs in one transaction and answers them. An error means
// that nothing was committed, nobody was answered, and the jobs may run again.
func (l *lane) attempt(jobs []*job) (retry error) {
	bg := context.Background()
	if l.db.gone.Load() {
		l.answer(jobs, errLost())
		return nil
	}
	if err := l.exec(l.db.dialect.begin()); err != nil {
		l.drop()
		return err
	}
	now := l.db.clock.Now()
	results := make([]error, len(jobs))
	for i, j := range jobs {
		j.tx = Tx{Ctx: context.WithValue(context.WithoutCancel(j.ctx), inTx{}, true), Now: now, lane: l}
		results[i] = l.call(j, len(jobs) > 1)
		// A deadlock may also show while rows are read, after the statement itself
		// went well: then only the caller's error tells of it.
		if j.tx.broken == nil && results[i] != nil && l.db.dialect.retryable(results[i]) {
			j.tx.broken = results[i]
		}
		if j.tx.broken != nil {
			l.rollback()
			return j.tx.broken
		}
	}
	if len(jobs) == 1 && results[0] != nil {
		l.rollback()
		l.answer(jobs, results[0])
		return nil
	}
	head, err := l.flush(bg, now, jobs, results)
	if err != nil {
		l.rollback()
		if len(jobs) > 1 || l.db.dialect.retryable(err) {
			return err
		}
		l.answer(jobs, internal(err))
		return nil
	}
	if l.db.expired() {
		l.rollback()
		l.db.lose()
		l.answer(jobs, errLost())
		return nil
	}
	if err := l.exec("COMMIT"); err != nil {
		l.rollback()
		l.drop()
		err = errs.Wrap(err, errs.Unavailable, "保存时数据库中断，无法确认是否已保存，请刷新后核对。")
		for i := range results {
			if results[i] == nil {
				results[i] = err
			}
		}
	} else {
		l.head = head
	}
	for i, j := range jobs {
		j.done <- results[i]
	}
	return nil
}

// call runs one closure; shared puts it into a savepoint, so that its failure
// stays its own.
func (l *lane) call(j *job, shared bool) (err error) {
	if shared {
		if err := l.exec("SAVEPOINT caller"); err != nil {
			j.tx.broken = err
			return err
		}
	}
	err = j.tx.run(j.fn)
	if !shared || j.tx.broken != nil {
		return err
	}
	end := "RELEASE SAVEPOINT caller"
	if err != nil {
		end = "ROLLBACK TO SAVEPOINT caller"
	}
	if e := l.exec(end); e != nil {
		j.tx.broken = e // the database ended the whole transaction
	}
	return err
}

// run calls fn, turns a panic into an error, and closes rows that fn left open:
// they would block the connection.
func (tx *Tx) run(fn func(*Tx) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = internal(fmt.Errorf("storage: panic in a transaction: %v\n%s", r, debug.Stack()))
			tx.lane.db.log.Error("panic in a transaction", "panic", r, "stack", string(debug.Stack()))
		}
		tx.done = true
		if tx.rows != nil {
			if e := tx.rows.Close(); e != nil && err == nil {
				err = e
			}
		}
	}()
	return fn(tx)
}

func (l *lane) answer(jobs []*job, err error) {
	for _, j := range jobs {
		select {
		case j.done <- err:
		default: // answered already
		}
	}
}

func internal(err error) error {
	return errs.Wrap(err, errs.Internal, "系统内部出错，请稍后再试。")
}

// rollback ends a transaction that failed. A connection that cannot even roll
// back is thrown away. The chain's head in memory may be ahead: read it again.
func (l *lane) rollback() {
	l.head = chainHead{}
	if l.conn == nil {
		return
	}
	if err := l.exec("ROLLBACK"); err != nil {
		l.drop()
	}
}

// drop closes the connection; the next statement opens a new one.
func (l *lane) drop() {
	l.head = chainHead{}
	if l.conn == nil {
		return
	}
	for q, s := range l.stmts {
		_ = s.Close() // the connection goes anyway
		delete(l.stmts, q)
	}
	conn := l.conn
	l.conn = nil
	// ErrBadConn makes the pool close the connection instead of keeping it with
	// an open transaction.
	_ = conn.Raw(func(any) error { return badConn() })
	_ = conn.Close()
}
