package storage

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
)

// Options of Open.
type Options struct {
	// DSN is the path of a SQLite file, or mysql://user:pass@host:3306/name, or
	// a go-sql-driver DSN (user:pass@tcp(host:3306)/name, user@unix(/path)/name).
	DSN string
	// Clock places facts; nil is the machine's. Nodes that share a MySQL database
	// must agree on the time to within a third of Lease.
	Clock clock.Clock
	Log   *slog.Logger // nil: discard
	// AuditKey keys the audit chain (HMAC-SHA256). Keep it outside the database:
	// who holds both can rewrite history.
	AuditKey []byte
	// OldAuditKeys are earlier ones, newest first, after a change of the secret:
	// what was sealed under them is still proved, nothing new is sealed under
	// them. They are to be guarded as long as they are given here.
	OldAuditKeys [][]byte

	Readers int           // connections for reading; 0: 4 on SQLite, 16 on MySQL
	Lanes   int           // writing connections on MySQL, 1–64; 0: 8. SQLite always has 1
	Lease   time.Duration // of the node slot on MySQL; 0: 30 s. Renewed every third of it
	Name    string        // of this node, shown in the nodes table
	// ReadOnly opens without a writer, a node slot or the file lock, beside a
	// running server: for check and backup. Write then fails.
	ReadOnly bool
}

// DB is one open database. Safe for concurrent use.
type DB struct {
	opt     Options
	dialect dialect
	log     *slog.Logger
	clock   clock.Clock
	keys    [][]byte // of the audit chains: the current one, then earlier ones, newest first
	readers *sql.DB
	writers *sql.DB // nil when read-only
	stmts   stmtCache
	unlock  func() error

	mu       sync.RWMutex // guards closed and started against the start of a Write
	closed   bool
	started  bool
	inflight sync.WaitGroup
	queue    chan *job
	lanes    sync.WaitGroup
	slot     slot
	ids      *ids.Source
	lost     chan struct{}
	gone     atomic.Bool // the slot is lost; lost is closed
}

// Open opens the database and, if its tables exist, starts writing; otherwise
// Migrate starts it. A SQLite file that another process owns is refused.
func Open(ctx context.Context, opt Options) (*DB, error) {
	if opt.Clock == nil {
		opt.Clock = clock.System{}
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Lease <= 0 {
		opt.Lease = 30 * time.Second
	}
	d, err := dialectOf(opt)
	if err != nil {
		return nil, err
	}
	db := &DB{
		opt: opt, dialect: d, log: opt.Log, clock: opt.Clock, keys: chainKeys(opt.AuditKey, opt.OldAuditKeys...),
		queue: make(chan *job, 4*maxBatch), lost: make(chan struct{}),
		unlock: func() error { return nil },
	}
	if err := db.connect(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func (db *DB) connect(ctx context.Context) (err error) {
	if !db.opt.ReadOnly {
		unlock, err := db.dialect.lock()
		if err != nil {
			return err
		}
		db.unlock = unlock
		// The writer opens first: on SQLite it creates the file and sets WAL.
		if db.writers, err = db.dialect.openWriter(); err != nil {
			return err
		}
		if err = db.writers.PingContext(ctx); err != nil {
			return errs.Wrap(err, errs.Unavailable, "数据库连接失败，请检查数据库地址与账号。")
		}
	}
	if db.readers, err = db.dialect.openReader(); err != nil {
		return err
	}
	if err = db.readers.PingContext(ctx); err != nil {
		return errs.Wrap(err, errs.Unavailable, "数据库连接失败，请检查数据库地址与账号。")
	}
	db.stmts.init(db.readers, db.dialect.prepares())
	if db.opt.ReadOnly {
		return nil
	}
	cols, err := db.dialect.columns(ctx, db.readers, "nodes")
	if err != nil || len(cols) == 0 {
		return err // an empty database: Migrate starts the lanes
	}
	return db.start(ctx)
}

// start claims a node slot and starts the lanes, once.
func (db *DB) start(ctx context.Context) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.started || db.closed {
		return nil
	}
	if err := db.claim(ctx); err != nil {
		return err
	}
	db.ids = ids.NewSource(db.clock, db.slot.id)
	for i := range db.dialect.lanes() {
		l := &lane{db: db, chain: int64(db.slot.id)*lanesPerNode + int64(i), stmts: map[string]*sql.Stmt{}}
		db.lanes.Go(l.loop)
	}
	db.started = true
	return nil
}

// Close waits for the writes under way, gives the node slot back and closes.
func (db *DB) Close() error {
	db.mu.Lock()
	if db.closed {
		db.mu.Unlock()
		return nil
	}
	db.closed = true
	db.mu.Unlock()

	db.inflight.Wait()
	close(db.queue)
	db.lanes.Wait()
	err := db.release()
	if db.stmts.db != nil {
		err = errors.Join(err, db.stmts.close())
	}
	for _, pool := range []*sql.DB{db.readers, db.writers} {
		if pool != nil {
			err = errors.Join(err, pool.Close())
		}
	}
	return errors.Join(err, db.unlock())
}

// IDs makes the ids of new rows. It panics before the database is migrated.
func (db *DB) IDs() *ids.Source {
	db.mu.RLock()
	defer db.mu.RUnlock()
	if db.ids == nil {
		panic("storage: IDs before Migrate, or on a read-only database")
	}
	return db.ids
}

// Node is the slot of this process, 0..1023.
func (db *DB) Node() int { return db.slot.id }

// Lost is closed when another process took this process's node slot. The
// process must end: it can write no more.
func (db *DB) Lost() <-chan struct{} { return db.lost }

// Dialect is "sqlite" or "mysql", for reports and tests.
func (db *DB) Dialect() string { return db.dialect.name() }

// Clock is the clock that dates every transaction.
func (db *DB) Clock() clock.Clock { return db.clock }

// Ping reports whether the database answers and this process may write, for /readyz.
func (db *DB) Ping(ctx context.Context) error {
	if db.gone.Load() {
		return errLost()
	}
	var one int
	return db.QueryRow(ctx, "SELECT 1").Scan(&one)
}
