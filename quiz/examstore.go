package quiz

import (
	"context"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
)

// ExamStore keeps papers, attempts and what members learn from them. For all
// methods: a missing row is errs.NotFound; a write that finds another version
// than expected is errs.Stale and leaves nothing behind; an entry is stored in
// the transaction of the change.
type ExamStore interface {
	PaperStore
	AttemptStore
}

// PaperStore keeps papers.
type PaperStore interface {
	Paper(ctx context.Context, id ids.ID) (*Paper, error)
	Papers(ctx context.Context, f PaperFilter, r page.Request) ([]Paper, error) // up to Limit+1, newest first
	// CreatePaper honours the idempotency key and returns the id that stands.
	CreatePaper(ctx context.Context, p *Paper, e trail.Entry) (ids.ID, error)
	// SavePaper writes a paper over version expect, with its pinned questions.
	// Open attempts end at p.ClosedAt at the latest, when that is set.
	SavePaper(ctx context.Context, p *Paper, expect int64, e trail.Entry) error
	DeletePaper(ctx context.Context, id ids.ID, version int64, e trail.Entry) error
	// Reserved lists the questions of papers whose key may not be known at now.
	Reserved(ctx context.Context, now time.Time) ([]ids.ID, error)
}

// PaperFilter narrows a list of papers; zero fields do not.
type PaperFilter struct {
	Scope authz.Scope // staff: required, unless Orgs are given
	Orgs  []ids.ID    // members: the organisations above them
	OrgID ids.ID
	State PaperState
	Kind  PaperKind
	Query string // part of the title
	// Open lists published papers that end after At and have begun or will
	// begin; Past those that have ended. Never drafts.
	Open, Past bool
	At         time.Time
}

// AttemptStore keeps attempts and answers.
type AttemptStore interface {
	Attempt(ctx context.Context, id ids.ID) (*Attempt, error)
	// Of lists the attempts of a member at papers, by paper and number.
	Of(ctx context.Context, member ids.ID, papers []ids.ID) ([]Attempt, error)
	// Start stores a new attempt and gives it its number. When the member has an
	// open one at the paper, or the request's idempotency key made one, that is
	// returned instead. More than allowed attempts (0: no limit) and a paper
	// that is not published any more are errs.Conflict.
	Start(ctx context.Context, a *Attempt, allowed int, e trail.Entry) (*Attempt, error)
	// Save stores one answer of an open attempt. It returns after the answer is
	// durable. See Kept.
	Save(ctx context.Context, in Keep) (Kept, error)
	Givens(ctx context.Context, attempt ids.ID) ([]Given, error) // by N
	Marks(ctx context.Context, attempt ids.ID) ([]Marked, error) // by N
	// Finish ends an open attempt: grade sees every answer that was ever
	// acknowledged and none comes after. It may be called more than once and
	// must only compute. An attempt that has ended already is returned as it is.
	Finish(ctx context.Context, id ids.ID, end Ending, grade func(given []Given, endedAt time.Time) Graded, e trail.Entry) (*Attempt, error)
	// Overdue lists open attempts that were due before a moment, at most limit.
	Overdue(ctx context.Context, before time.Time, limit int) ([]ids.ID, error)
}

// Keep is one answer to store.
type Keep struct {
	Attempt ids.ID
	N       int
	Seq     int64
	Answer  Answer
	At      time.Time // when it reached the server: that decides whether it is late
	Final   bool      // the first answer that says something stands
}

// Kept is what is stored after a Keep: the row of the question, and whether it
// is the one that was sent (also when it was stored by an earlier try).
// Refused tells that the attempt had ended, at EndedAt.
type Kept struct {
	Given
	Taken   bool
	Refused bool
	State   AttemptState
	EndedAt time.Time
}

// Ending says how an attempt ends.
type Ending struct {
	State AttemptState // submitted or expired
	At    time.Time    // for expired: not used, the attempt's own end counts
	// Due is the latest end that makes the attempt overdue: an attempt that was
	// extended meanwhile stays open. Zero: end it whatever its due time.
	DueBefore time.Time
}

// Graded is what grade found.
type Graded struct {
	Marks     []Marked
	Score     float64
	Pending   int
	Answered  int
	KnownFrom time.Time // when the key may be known; the zero time: never
}
