package storage

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"sync"
)

func badConn() error { return driver.ErrBadConn }

// connect gives the lane a connection when it has none.
func (l *lane) connect(ctx context.Context) error {
	if l.conn != nil {
		return nil
	}
	conn, err := l.db.writers.Conn(ctx)
	if err != nil {
		return err
	}
	l.conn = conn
	return nil
}

// stmt returns the prepared form of q, or nil where preparing does not pay or
// the table of statements is full (lists of varying length).
func (l *lane) stmt(ctx context.Context, q string) (*sql.Stmt, error) {
	if s, ok := l.stmts[q]; ok {
		return s, nil
	}
	if !l.db.dialect.prepares() || len(l.stmts) >= maxStmts {
		return nil, nil
	}
	s, err := l.conn.PrepareContext(ctx, q)
	if err != nil {
		return nil, err
	}
	l.stmts[q] = s
	return s, nil
}

// exec runs a statement of the lane itself.
func (l *lane) exec(q string, args ...any) error {
	_, err := l.execArgs(context.Background(), q, args)
	return err
}

func (l *lane) execArgs(ctx context.Context, q string, args []any) (sql.Result, error) {
	if err := l.connect(ctx); err != nil {
		return nil, err
	}
	s, err := l.stmt(ctx, q)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return l.conn.ExecContext(ctx, q, args...)
	}
	return s.ExecContext(ctx, args...)
}

func (l *lane) query(ctx context.Context, q string, args []any) (*sql.Rows, error) {
	if err := l.connect(ctx); err != nil {
		return nil, err
	}
	s, err := l.stmt(ctx, q)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return l.conn.QueryContext(ctx, q, args...)
	}
	return s.QueryContext(ctx, args...)
}

// stmtCache keeps prepared statements over a pool. It never evicts: a
// statement that another goroutine is about to use must not be closed.
type stmtCache struct {
	db       *sql.DB
	prepares bool
	mu       sync.RWMutex
	stmts    map[string]*sql.Stmt
}

func (c *stmtCache) init(db *sql.DB, prepares bool) {
	c.db, c.prepares, c.stmts = db, prepares, map[string]*sql.Stmt{}
}

func (c *stmtCache) get(ctx context.Context, q string) (*sql.Stmt, error) {
	if !c.prepares {
		return nil, nil
	}
	c.mu.RLock()
	s, full := c.stmts[q], len(c.stmts) >= maxStmts
	c.mu.RUnlock()
	if s != nil || full {
		return s, nil
	}
	s, err := c.db.PrepareContext(ctx, q)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.stmts[q]; old != nil {
		return old, s.Close()
	}
	c.stmts[q] = s
	return s, nil
}

func (c *stmtCache) close() (err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.stmts {
		err = errors.Join(err, s.Close())
	}
	c.stmts = nil
	return err
}
