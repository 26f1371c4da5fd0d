package results

import (
	"context"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
	"tongxin/quiz"
	"tongxin/quiz/analysis"
)

// Store reads results and keeps certificates. Everything that may be large is
// counted in the database: 10,000 attempts of 50 questions are read as a few
// thousand rows. An area is whose results: by the organisation of the member now.
type Store interface {
	Reader
	Certificates
}

// Choice says which attempts of a paper are looked at.
type Choice struct {
	Paper    ids.ID
	Counting quiz.Counting
	Pass     float64
	Area     authz.Scope // required
	Member   ids.ID      // none: everybody
}

// Reader reads results.
type Reader interface {
	// Standings are the attempts that count, one for each member who has ended
	// one: the best, or the last that is graded. Graded ones first, by score,
	// then by time used; equal scores have equal ranks, 1 2 2 4. Rank is 0 while
	// grading is due. From skip on, at most limit.
	Standings(ctx context.Context, c Choice, skip, limit int) ([]Standing, error)
	Summary(ctx context.Context, c Choice) (Summary, error)
	// Turnout counts for each branch of the area at or under a path, by path.
	Turnout(ctx context.Context, c Choice, under string) ([]Turnout, error)
	// Held lists papers that are published or closed and meant for people of a
	// scope: of its organisations and of those in above. Up to Limit+1, newest first.
	Held(ctx context.Context, scope authz.Scope, above []ids.ID, r page.Request) ([]Held, error)
	// Totals and Cells count first attempts that are graded, for the analysis.
	Totals(ctx context.Context, paper ids.ID, area authz.Scope) ([]analysis.Count, error)
	Cells(ctx context.Context, paper ids.ID, area authz.Scope) ([]Cell, error)
	// Answers counts what was given to one question in those attempts, the most
	// frequent first, at most limit.
	Answers(ctx context.Context, paper, question ids.ID, area authz.Scope, limit int) ([]AnswerCount, error)
	// Asked sums the marks of each question over attempts that ended since, of
	// papers that are over at now, and of practice.
	Asked(ctx context.Context, area authz.Scope, since, now time.Time) ([]Asked, error)
	// Known lists what a member has answered and may know of, by question.
	Known(ctx context.Context, member ids.ID) ([]Asked, error)
	// TopicsOf gives the topics of questions.
	TopicsOf(ctx context.Context, questions []ids.ID) (map[ids.ID][]string, error)
	// Own lists the attempts of a member at papers that have ended, newest
	// first, up to Limit+1.
	Own(ctx context.Context, member ids.ID, r page.Request) ([]Own, error)
	// Record keeps an entry of something that changes nothing: a list was exported.
	Record(ctx context.Context, e trail.Entry) error
}

// Standing is where one member stands in a paper.
type Standing struct {
	Rank      int       `json:"rank,omitempty" doc:"equal scores have equal ranks: 1 2 2 4; absent while grading is due"`
	MemberID  ids.ID    `json:"memberId"`
	Name      string    `json:"name"`
	OrgID     ids.ID    `json:"orgId"`
	OrgName   string    `json:"orgName"`
	AttemptID ids.ID    `json:"attemptId" doc:"the attempt that counts"`
	Attempts  int       `json:"attempts" doc:"how many were ended"`
	Score     float64   `json:"score"`
	Pending   int       `json:"pending,omitempty" doc:"answers that a person has yet to grade"`
	Passed    bool      `json:"passed"`
	UsedSec   int       `json:"usedSec"`
	EndedAt   time.Time `json:"endedAt"`
}

// Summary are the figures over all standings.
type Summary struct {
	Should  int      `json:"should" doc:"active members the paper is meant for, now"`
	Took    int      `json:"took" doc:"who ended an attempt, also those who have left since"`
	Graded  int      `json:"graded"`
	Passed  int      `json:"passed"`
	Mean    *float64 `json:"mean,omitempty" doc:"points, of those graded"`
	Highest *float64 `json:"highest,omitempty"`
	Lowest  *float64 `json:"lowest,omitempty"`
}

// Turnout is how many of a branch took part.
type Turnout struct {
	OrgID   ids.ID   `json:"orgId"`
	OrgName string   `json:"orgName"`
	Should  int      `json:"should" doc:"active members of the branch now"`
	Took    int      `json:"took"`
	Passed  int      `json:"passed"`
	Mean    *float64 `json:"mean,omitempty" doc:"points"`
}

// Held is a paper in the list of results.
type Held struct {
	ID       ids.ID          `json:"id"`
	OrgName  string          `json:"orgName"`
	Kind     quiz.PaperKind  `json:"kind" enum:"exam,daily,practice"`
	State    quiz.PaperState `json:"state" enum:"draft,published,closed"`
	Title    string          `json:"title"`
	Day      string          `json:"day,omitempty"`
	OpensAt  time.Time       `json:"opensAt,omitzero"`
	ClosesAt time.Time       `json:"closesAt,omitzero"`
	Points   float64         `json:"points"`
	Took     int             `json:"took" doc:"of the people whose results you may see"`
	LastAt   time.Time       `json:"lastAt,omitzero" doc:"when the last attempt ended"`
}

// Cell counts the marks of one question together with totals.
type Cell struct {
	Question ids.ID
	Revision int
	Points   float64 // what the question was worth
	Share    float64
	Total    float64
	N        int
}

// AnswerCount is how often an answer was given, in positions of the content.
type AnswerCount struct {
	Answer quiz.Answer
	N      int
}

// Asked is how a question was answered.
type Asked struct {
	Question ids.ID
	Revision int
	Answered int
	Right    float64 // sum of shares
	People   int
	LastAt   time.Time
}

// Own is an attempt of the member who asks.
type Own struct {
	AttemptID, PaperID ids.ID
	Number             int
	State              quiz.AttemptState
	Started, EndedAt   time.Time
	Score, Points      float64
	Pending            int
	Certificate        ids.ID
}

// Certificates keeps certificates. One member has at most one of a paper, also
// after it was revoked. Every write carries its entry.
type Certificates interface {
	// Promised lists papers that grant a certificate, that the member has ended
	// an attempt at and has no certificate of.
	Promised(ctx context.Context, member ids.ID) ([]ids.ID, error)
	// Unissued are Standings of members without a certificate of the paper who
	// passed, at most limit.
	Unissued(ctx context.Context, c Choice, limit int) ([]Standing, error)
	// Issue stores certificates and numbers them within their issuer and year.
	// A member who has one of the paper already keeps it and gets none.
	Issue(ctx context.Context, list []Certificate, entry func(Certificate) trail.Entry) error
	Certificate(ctx context.Context, id ids.ID) (*Certificate, error)
	CertificateByCode(ctx context.Context, code string) (*Certificate, error)
	// CertificateList lists newest first, up to Limit+1.
	CertificateList(ctx context.Context, f CertificateFilter, r page.Request) ([]Certificate, error)
	Revoke(ctx context.Context, c *Certificate, expect int64, e trail.Entry) error
}

// CertificateFilter narrows a list; one of Member and Paper is given.
type CertificateFilter struct {
	Member ids.ID
	Paper  ids.ID
	Area   authz.Scope // with Paper: by the organisation of the member now
}
