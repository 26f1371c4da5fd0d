package moderate

import (
	"context"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
)

// Store keeps items. A missing row is errs.NotFound; a write that finds another
// version than expected is errs.Stale and leaves nothing behind.
type Store interface {
	// Add stores an item. When its kind, object and revision are there already it
	// changes nothing and returns what stands and false. Undecided items of
	// earlier revisions become Replaced; so does this one when a later is there.
	Add(ctx context.Context, it *Item) (*Item, bool, error)
	Item(ctx context.Context, id ids.ID) (*Item, error)
	// Items lists up to Limit+1, newest first.
	Items(ctx context.Context, f Filter, r page.Request) ([]Item, error)
	// Standing finds the latest revision of objects of one kind; what was never
	// handed in is absent.
	Standing(ctx context.Context, kind string, objects []ids.ID) (map[ids.ID]Standing, error)
	// Open counts what a person is asked to decide.
	Open(ctx context.Context, scope authz.Scope) (int, error)
	// Claim takes items that are due and whose lease is free, gives them to owner
	// until a time, and raises their version: the fencing token.
	Claim(ctx context.Context, owner string, now, until time.Time, limit int) ([]*Item, error)
	// NextDue is when Claim will find something; zero: nothing is under way.
	NextDue(ctx context.Context) (time.Time, error)
	// Save stores an item over the version expect. The entry may be nil for what
	// is no verdict, or a verdict that is itself the record.
	Save(ctx context.Context, it *Item, expect int64, e *trail.Entry) error
	// Told notes that the domain was told of a version, or, with a time, that it
	// is to be told again then. It leaves the version as it is.
	Told(ctx context.Context, id ids.ID, version int64, again time.Time) error
	// Visit makes items that wait for their author due now, and counts them.
	Visit(ctx context.Context, author ids.ID, now time.Time) (int, error)
	// AddOutcome keeps what WeChat said of a picture; the first one stays.
	AddOutcome(ctx context.Context, o Outcome) error
	// OutcomeOf finds it; errs.NotFound when there is none yet.
	OutcomeOf(ctx context.Context, trace string) (*Outcome, error)
	// Traced finds the item whose check has a name.
	Traced(ctx context.Context, trace string) (*Item, error)
	// Erase deletes texts and outcomes of what was decided before a time, at most
	// limit at once, and counts the texts.
	Erase(ctx context.Context, before time.Time, limit int) (int, error)
}

// Filter narrows a list; zero fields do not.
type Filter struct {
	Scope  authz.Scope // required
	Under  string      // path of an organisation: it and everything under it
	Kind   string
	State  State
	Author ids.ID
}

// Standing is how it stands with an object's latest revision.
type Standing struct {
	Revision int64
	State    State
	Reason   string // of a refusal
}

// Shown reports whether others may see that revision of the object.
func (s Standing) Shown(revision int64) bool { return s.State == Passed && s.Revision == revision }

// Outcome is WeChat's late result of a picture. Signed: the message proved its
// sender.
type Outcome struct {
	Trace   string
	Suggest Suggest
	Label   int
	Signed  bool
	At      time.Time
}

// Suggest is what WeChat's check says.
type Suggest string

// Suggestions.
const (
	Pass  Suggest = "pass"
	Maybe Suggest = "review"
	Risky Suggest = "risky"
)

// Ask is one question to WeChat's check.
type Ask struct {
	Author ids.ID
	Scene  Scene
	Text   string
	URL    string // of a picture
}

// Answer is what it said of a text.
type Answer struct {
	Suggest Suggest
	Label   int
}

// Checker asks WeChat. Errors are *Trouble; any other error counts as Down.
type Checker interface {
	CheckText(ctx context.Context, a Ask) (Answer, error)
	// CheckPicture starts a check and returns its name; the result comes to
	// Service.TakeOutcome.
	CheckPicture(ctx context.Context, a Ask) (trace string, err error)
}

// Trouble is why a check was not made: Down, Inactive, NoProgram, NoOpenID or
// NotTaken.
type Trouble struct {
	Why       Hold
	NotBefore time.Time // of Down: the earliest sensible next try
	Cause     error     // for the log
}

func (t *Trouble) Error() string {
	if t.Cause == nil {
		return "moderate: not checked: " + string(t.Why)
	}
	return "moderate: not checked: " + string(t.Why) + ": " + t.Cause.Error()
}

func (t *Trouble) Unwrap() error { return t.Cause }
