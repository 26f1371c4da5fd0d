package quiz

import (
	"context"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
)

// Rights of the bank. They count on the tree: a question of an organisation may
// be changed there and above, and read also by everyone below.
const (
	Read   authz.Right = "quiz.read"
	Manage authz.Right = "quiz.manage"
)

// QuestionState says whether a question is offered to papers.
type QuestionState string

// States: 草稿, 启用, 停用. Only active questions are drawn and put into papers.
const (
	Draft   QuestionState = "draft"
	Active  QuestionState = "active"
	Retired QuestionState = "retired"
)

// Question is one question of the bank with its current revision. Version
// counts every change, Revision only those of the content.
type Question struct {
	ID        ids.ID        `json:"id"`
	OrgID     ids.ID        `json:"orgId"`
	OrgName   string        `json:"orgName"`
	OrgPath   string        `json:"-"`
	State     QuestionState `json:"state" enum:"draft,active,retired"`
	Revision  int           `json:"revision" doc:"number of the content, from 1; earlier ones stay readable"`
	Content   Content       `json:"content"`
	ActiveAt  time.Time     `json:"activeAt,omitzero" doc:"when it was first active; from then on it may be retired but not deleted"`
	CreatedAt time.Time     `json:"createdAt"`
	CreatedBy string        `json:"createdBy"`
	UpdatedAt time.Time     `json:"updatedAt"`
	UpdatedBy string        `json:"updatedBy"`
	Version   int64         `json:"version"`

	StemKey string `json:"-"` // StemKey of Content
	SameKey string `json:"-"` // SameKey of Content
	Find    string `json:"-"` // FindText of Content
}

// QuestionRevision is one content that a question had or has.
type QuestionRevision struct {
	Revision  int       `json:"revision"`
	Content   Content   `json:"content"`
	CreatedAt time.Time `json:"createdAt"`
	CreatedBy string    `json:"createdBy"`
}

// Alike is a question whose stem reads the same.
type Alike struct {
	ID      ids.ID        `json:"id"`
	OrgName string        `json:"orgName"`
	Kind    Kind          `json:"kind"`
	State   QuestionState `json:"state"`
	Stem    string        `json:"stem"`
	StemKey string        `json:"-"`
}

// Topic is a name that questions carry, with how many there are.
type Topic struct {
	Name   string `json:"name"`
	All    int    `json:"all" doc:"questions that are not retired"`
	Active int    `json:"active"`
}

// Reach is where questions can be read: subtrees, and single organisations
// above them.
type Reach struct {
	Scope authz.Scope
	Above []ids.ID
}

// reach is what the actor may read.
func reach(actor *authz.Actor) Reach {
	return Reach{Scope: actor.Scope(Read), Above: actor.Above(Read)}
}

func mayRead(actor *authz.Actor, path string) bool {
	return actor.Can(Read, path) || actor.Within(Read, path)
}

// QuestionFilter narrows a list; zero fields do not.
type QuestionFilter struct {
	Reach      Reach // required
	OrgID      ids.ID
	Kind       Kind
	State      QuestionState
	Difficulty int
	Topic      string
	Query      string // part of the text, folded
}

// QuestionStore keeps the bank. A missing row is errs.NotFound; a write that
// finds another version than expected is errs.Stale and leaves nothing behind;
// the entry is stored in the transaction of the change. Contents are only ever
// added: no method rewrites a revision.
type QuestionStore interface {
	BankStore
	Question(ctx context.Context, id ids.ID) (*Question, error)
	Questions(ctx context.Context, f QuestionFilter, r page.Request) ([]Question, error) // up to Limit+1, newest first
	// CreateQuestion honours the request's idempotency key and returns the id that stands.
	CreateQuestion(ctx context.Context, q *Question, e trail.Entry) (ids.ID, error)
	// SaveQuestion stores state, version and, when q.Revision is not there yet, its content.
	SaveQuestion(ctx context.Context, q *Question, expect int64, e trail.Entry) error
	// DeleteQuestion removes a question that was never active, with its
	// revisions; errs.Conflict for one that was.
	DeleteQuestion(ctx context.Context, id ids.ID, expect int64, e trail.Entry) error
	Revisions(ctx context.Context, id ids.ID) ([]QuestionRevision, error) // newest first
	// ImportQuestions creates all or nothing; what the organisation has by then
	// under the same SameKey is left out. It returns how many were made.
	ImportQuestions(ctx context.Context, list []Question, e trail.Entry) (int, error)
	// Holds finds which of the SameKeys an organisation has or had, in any revision.
	Holds(ctx context.Context, org ids.ID, sameKeys []string) (map[string]ids.ID, error)
	// AlikeStems finds questions that are not retired by StemKey, at most 10 a key.
	AlikeStems(ctx context.Context, r Reach, stemKeys []string) ([]Alike, error)
	Topics(ctx context.Context, r Reach) ([]Topic, error) // by number, then name
	Record(ctx context.Context, e trail.Entry) error
}

// Place is an organisation, as the bank needs it.
type Place struct {
	ID   ids.ID
	Path string
	Name string
	// Closed organisations keep their questions and get no new ones.
	Closed bool
}

// BankConfig is what a bank stands on. All fields are required.
type BankConfig struct {
	Store QuestionStore
	Clock clock.Clock
	IDs   interface{ New() ids.ID }
	// Place finds an organisation; errs.NotFound when there is none.
	Place func(ctx context.Context, id ids.ID) (Place, error)
	// HTML makes of Markdown what a member's page shows.
	HTML func(markdown string) string
	// Picture tells whether the actor may use a picture of the media library.
	Picture func(ctx context.Context, actor *authz.Actor, hash string) (bool, error)
	// Upload puts a picture into the library of an organisation and returns its
	// SHA-256; dry: only tells whether it could, with a sentence why not.
	Upload func(ctx context.Context, actor *authz.Actor, org ids.ID, a Attachment, dry bool) (string, error)
}

// Bank is the service of questions.
type Bank struct{ cfg BankConfig }

// NewBank makes the service.
func NewBank(cfg BankConfig) *Bank { return &Bank{cfg} }

func questionEntry(actor *authz.Actor, action string, q *Question, detail map[string]string) trail.Entry {
	return trail.Entry{Actor: actor, Action: action, Object: "question", ID: q.ID, OrgID: q.OrgID, OrgPath: q.OrgPath, Detail: detail}
}
