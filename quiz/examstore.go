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
	MarkStore
	DailyStore
	CardStore
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

// MarkStore keeps what people decide about attempts.
type MarkStore interface {
	Seats(ctx context.Context, f SeatFilter, r page.Request) ([]Seat, error) // up to Limit+1, newest first
	Seat(ctx context.Context, attempt ids.ID) (*Seat, error)                 // OrgPath: of the paper
	// Extend moves the end of an open attempt and holds its paper that long;
	// errs.Conflict when it has ended.
	Extend(ctx context.Context, a *Attempt, due time.Time, e trail.Entry) error
	// Waiting lists the pending answers of up to Limit+1 attempts, by attempt and
	// number.
	Waiting(ctx context.Context, f WaitingFilter, r page.Request) ([]Waiting, error)
	Answer(ctx context.Context, attempt ids.ID, n int) (*Waiting, error) // of an ended attempt, pending or not
	// MarksOf lists the marks of one question of a paper with the answers, of
	// ended attempts; attempts narrows.
	MarksOf(ctx context.Context, paper, question ids.ID, attempts []ids.ID) ([]MarkedAnswer, error)
	// Mark replaces marks, each over the version before its own, keeps the old
	// ones, and adds up the attempts again.
	Mark(ctx context.Context, list []Marked, by, reason string, e []trail.Entry) error
	Record(ctx context.Context, e trail.Entry) error
	// Facts reads what plausibility flags are made of: every ended attempt at a
	// paper of members in scope, at most limit.
	Facts(ctx context.Context, paper ids.ID, scope authz.Scope, limit int) ([]SeatFacts, error)
}

// MarkedAnswer is a mark with the answer it is for.
type MarkedAnswer struct {
	Marked
	Answer Answer
}

// DailyStore keeps 每日答题.
type DailyStore interface {
	Dailies(ctx context.Context, orgs []ids.ID) ([]Daily, error)
	// SaveDaily writes over version expect; 0: there is none yet.
	SaveDaily(ctx context.Context, d *Daily, expect int64, e trail.Entry) error
	DailyPaper(ctx context.Context, org ids.ID, day string) (*Paper, error)
	// AddDailyPaper stores the quiz of a day; when there is one already it
	// stands and nothing is written.
	AddDailyPaper(ctx context.Context, p *Paper, e trail.Entry) error
	// DailyRecent lists the questions of an organisation's daily quizzes since a moment.
	DailyRecent(ctx context.Context, org ids.ID, since time.Time) ([]ids.ID, error)
	// DailyDays lists the days whose quiz a member ended, newest first.
	DailyDays(ctx context.Context, member ids.ID, limit int) ([]string, error)
}

// CardStore keeps what members know. It carries no entries: cards follow from
// attempts, and what a member does with the own book concerns nobody else.
type CardStore interface {
	Cards(ctx context.Context, f CardFilter, limit int) ([]Known, error) // by question
	// ToBook lists ended attempts whose key may be known at now, at most limit.
	ToBook(ctx context.Context, now time.Time, limit int) ([]ids.ID, error)
	// Postpone looks again at a later moment; the zero time: never.
	Postpone(ctx context.Context, attempt ids.ID, at time.Time) error
	// Book changes cards of a member in one transaction: change gets those that
	// exist and returns those to store; it only computes. With an attempt it
	// happens once: a repeated call changes nothing.
	Book(ctx context.Context, attempt, member ids.ID, questions []ids.ID, change func(map[ids.ID]Known) ([]Known, error)) error
}
