package quiz

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"log/slog"
	"sync"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/trail"
)

// ExamConfig is what papers and attempts stand on. All but Log are required.
type ExamConfig struct {
	Store ExamStore
	Bank  BankStore
	Clock clock.Clock
	IDs   *ids.Source
	Org   func(ctx context.Context, id ids.ID) (Place, error) // errs.NotFound for none
	// HTML renders Markdown safely. What it makes may hold links that expire; it
	// is kept for htmlKept.
	HTML func(markdown string) string
	// Recommends tells whether a member lets the program choose by what they
	// got wrong.
	Recommends func(ctx context.Context, member ids.ID) (bool, error)
	Log        *slog.Logger
	// Screen hands short answers to the content check and says which of them
	// graders may read; in the order asked. nil: all.
	Screen func(ctx context.Context, list []Written) ([]Screened, error)
}

// Exams is papers, attempts, daily quizzes, practice and the wrong-answer book.
// Safe for concurrent use.
type Exams struct {
	cfg      ExamConfig
	papers   cache[ids.ID, *Paper]
	sittings cache[ids.ID, *sitting]
	contents cache[Ref, *Content]
	html     cache[string, string]
}

// How long things are kept in memory, and how many of them.
const (
	paperKept    = 2 * time.Second // papers are closed by hand, on other nodes too
	sittingKept  = time.Hour
	contentKept  = 24 * time.Hour // revisions never change
	htmlKept     = 5 * time.Minute
	keptSittings = 50_000
	keptContents = 20_000
)

// NewExams checks the configuration.
func NewExams(cfg ExamConfig) (*Exams, error) {
	if cfg.Store == nil || cfg.Bank == nil || cfg.Clock == nil || cfg.IDs == nil || cfg.Org == nil || cfg.HTML == nil || cfg.Recommends == nil {
		return nil, errors.New("quiz: Store, Bank, Clock, IDs, Org, HTML and Recommends are required")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Exams{
		cfg:    cfg,
		papers: newCache[ids.ID, *Paper](paperKept, 1000), sittings: newCache[ids.ID, *sitting](sittingKept, keptSittings),
		contents: newCache[Ref, *Content](contentKept, keptContents), html: newCache[string, string](htmlKept, 4*keptContents),
	}, nil
}

func (s *Exams) now() time.Time { return s.cfg.Clock.Now() }

// render is cfg.HTML, remembered for a while: a start renders dozens of texts.
func (s *Exams) render(markdown string) string {
	now := s.now()
	if out, ok := s.html.get(markdown, now); ok {
		return out
	}
	out := s.cfg.HTML(markdown)
	s.html.put(markdown, out, now)
	return out
}

// content gives revisions, in the order of refs.
func (s *Exams) content(ctx context.Context, refs []Ref) ([]*Content, error) {
	now := s.now()
	out := make([]*Content, len(refs))
	var missing []Ref
	for i, r := range refs {
		c, ok := s.contents.get(r, now)
		if out[i] = c; !ok {
			missing = append(missing, r)
		}
	}
	if len(missing) == 0 {
		return out, nil
	}
	list, err := s.cfg.Bank.Contents(ctx, missing)
	if err != nil {
		return nil, err
	}
	at := 0
	for i := range out {
		if out[i] == nil {
			out[i] = &list[at]
			s.contents.put(refs[i], out[i], now)
			at++
		}
	}
	return out, nil
}

// seed is 63 random bits: what the database keeps in a BIGINT.
func seed() uint64 {
	var b [8]byte
	rand.Read(b[:]) //nolint:errcheck // crypto/rand.Read never fails since Go 1.24
	return binary.BigEndian.Uint64(b[:]) >> 1
}

func paperEntry(actor *authz.Actor, action string, p *Paper, detail map[string]string) trail.Entry {
	return trail.Entry{Actor: actor, Action: action, Object: "paper", ID: p.ID, OrgID: p.OrgID, OrgPath: p.OrgPath, Detail: detail}
}

func missingPaper() error   { return errs.Missing("试卷") }
func missingAttempt() error { return errs.Missing("答卷") }

// cache is a bounded map that forgets after a while. A full shard drops
// entries at random: everything in it can be read again.
type cache[K comparable, V any] struct {
	c *cacheState[K, V]
}

type cacheState[K comparable, V any] struct {
	mu   sync.RWMutex
	keep time.Duration
	max  int
	m    map[K]cached[V]
}

type cached[V any] struct {
	v  V
	at time.Time
}

func newCache[K comparable, V any](keep time.Duration, limit int) cache[K, V] {
	return cache[K, V]{&cacheState[K, V]{keep: keep, max: limit, m: map[K]cached[V]{}}}
}

func (c cache[K, V]) get(k K, now time.Time) (v V, ok bool) {
	c.c.mu.RLock()
	e, ok := c.c.m[k]
	c.c.mu.RUnlock()
	if !ok || now.Sub(e.at) > c.c.keep {
		return v, false
	}
	return e.v, true
}

func (c cache[K, V]) put(k K, v V, now time.Time) {
	c.c.mu.Lock()
	defer c.c.mu.Unlock()
	if _, there := c.c.m[k]; !there && len(c.c.m) >= c.c.max {
		n := 0
		for old := range c.c.m {
			delete(c.c.m, old)
			if n++; n > c.c.max/16 {
				break
			}
		}
	}
	c.c.m[k] = cached[V]{v, now}
}

func (c cache[K, V]) drop(k K) {
	c.c.mu.Lock()
	delete(c.c.m, k)
	c.c.mu.Unlock()
}
