package storage

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
)

// slot is this process's number among the nodes of one database. It makes ids
// unique and owns lanesPerNode audit chains.
type slot struct {
	id     int
	epoch  int64
	leased bool
	until  atomic.Int64 // unix nanoseconds on this process's own clock
	stop   chan struct{}
	wg     sync.WaitGroup
}

type nodeRow struct {
	id, epoch, until int64
	name             string
}

func scanNode(s Scanner) (n nodeRow, err error) {
	err = s.Scan(&n.id, &n.name, &n.epoch, &n.until)
	return n, err
}

// claim takes a slot. SQLite has one process, which the file lock guards, and
// it always has slot 0.
func (db *DB) claim(ctx context.Context) error {
	if db.dialect.lanes() == 1 && db.dialect.name() == "sqlite" {
		return nil
	}
	for range ids.MaxNode + 1 {
		won, err := db.tryClaim(ctx)
		if err != nil {
			return err
		}
		if won {
			db.slot.leased, db.slot.stop = true, make(chan struct{})
			db.slot.wg.Go(db.keep)
			return nil
		}
	}
	return errs.New(errs.Unavailable, "没有空闲的节点编号，请检查是否有过多服务进程连接到同一个数据库。")
}

// tryClaim takes a slot that was given back or whose lease ran out, the lowest
// first, else a new one. It reports false when another process was faster.
func (db *DB) tryClaim(ctx context.Context) (bool, error) {
	start := time.Now()
	rows, err := All(ctx, db, scanNode, `SELECT id, name, epoch, lease_until FROM nodes ORDER BY id`)
	if err != nil {
		return false, err
	}
	now := db.clock.Now()
	name, until := clip(db.opt.Name, 200), Millis(now.Add(db.opt.Lease))
	next := int64(0)
	for _, r := range rows {
		if next == r.id {
			next++
		}
		if r.until > Millis(now) {
			continue
		}
		res, err := db.writers.ExecContext(ctx, `UPDATE nodes SET name = ?, epoch = ?, lease_until = ?, started_at = ?
			WHERE id = ? AND epoch = ?`, name, r.epoch+1, until, Millis(now), r.id, r.epoch)
		if err != nil {
			return false, err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return false, err
		}
		db.slot.id, db.slot.epoch = int(r.id), r.epoch+1
		db.extend(start)
		return true, nil
	}
	if next > ids.MaxNode {
		return false, nil
	}
	_, err = db.writers.ExecContext(ctx, `INSERT INTO nodes (id, name, epoch, lease_until, started_at) VALUES (?, ?, 1, ?, ?)`,
		next, name, until, Millis(now))
	if Duplicate(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	db.slot.id, db.slot.epoch = int(next), 1
	db.extend(start)
	return true, nil
}

// extend notes a lease won by a statement sent at start. Measured from before
// the statement, so this process always stops before another may start.
func (db *DB) extend(start time.Time) { db.slot.until.Store(start.Add(db.opt.Lease).UnixNano()) }

// expired reports that the lease ran out without a renewal: commit nothing more.
func (db *DB) expired() bool {
	return db.slot.leased && time.Now().UnixNano() >= db.slot.until.Load()
}

// keep renews the lease until Close, or until it is lost.
func (db *DB) keep() {
	tick := time.NewTicker(db.opt.Lease / 3)
	defer tick.Stop()
	for {
		select {
		case <-db.slot.stop:
			return
		case <-tick.C:
		}
		start := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), db.opt.Lease/3)
		held, err := db.renew(ctx)
		cancel()
		switch {
		case err == nil && held:
			db.extend(start)
			continue
		case err == nil:
			db.log.Error("node slot was taken by another process", "slot", db.slot.id)
		case !db.expired():
			db.log.Warn("node slot not renewed, trying again", "slot", db.slot.id, "cause", err)
			continue
		default:
			db.log.Error("node slot ran out before it could be renewed", "slot", db.slot.id, "cause", err)
		}
		db.lose()
		return
	}
}

func (db *DB) renew(ctx context.Context) (held bool, err error) {
	res, err := db.writers.ExecContext(ctx, `UPDATE nodes SET lease_until = ? WHERE id = ? AND epoch = ?`,
		Millis(db.clock.Now().Add(db.opt.Lease)), db.slot.id, db.slot.epoch)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

// lose stops all writing for good.
func (db *DB) lose() {
	if db.gone.CompareAndSwap(false, true) {
		close(db.lost)
	}
}

// release gives the slot back at Close.
func (db *DB) release() error {
	if !db.slot.leased {
		return nil
	}
	close(db.slot.stop)
	db.slot.wg.Wait()
	if db.gone.Load() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, err := db.writers.ExecContext(ctx, `UPDATE nodes SET lease_until = 0 WHERE id = ? AND epoch = ?`, db.slot.id, db.slot.epoch)
	return errors.Join(err)
}
