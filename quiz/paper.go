package quiz

import (
	"math"
	"time"

	"tongxin/internal/ids"
)

// PaperKind says what a paper is for.
type PaperKind string

// Kinds of papers: 考试, 每日答题, 练习. Attempts of practice need no paper.
const (
	ExamPaper     PaperKind = "exam"
	DailyPaper    PaperKind = "daily"
	PracticePaper PaperKind = "practice"
)

// PaperState of a paper: 草稿, 已发布, 已结束.
type PaperState string

// States, in order. A paper never goes back.
const (
	PaperDraft     PaperState = "draft"
	PaperPublished PaperState = "published"
	PaperClosed    PaperState = "closed"
)

// Counting says which of several attempts stands for the member.
type Counting string

// Best counts the highest score, Last the newest attempt.
const (
	CountBest Counting = "best"
	CountLast Counting = "last"
)

// When says from when a member may know something.
type When string

// Moments, the earliest first. AtOnce is for practice: each answer is final and
// is answered with the key.
const (
	AtOnce      When = "at_once"
	AfterSubmit When = "after_submit"
	AfterClose  When = "after_close"
	Never       When = "never"
)

// PaperItem is a question that everybody gets.
type PaperItem struct {
	ID       ids.ID  `json:"id" doc:"question"`
	Revision int     `json:"revision,omitempty" minimum:"0" doc:"0: the current one; publishing pins it"`
	Points   float64 `json:"points" minimum:"0.5" maximum:"100"`
}

// DrawRule draws questions for each attempt. The current questions that it
// matches are pinned when the paper is published.
type DrawRule struct {
	Topic      string  `json:"topic,omitempty" maxLength:"30"`
	Difficulty int     `json:"difficulty,omitempty" minimum:"0" maximum:"5"`
	Kind       Kind    `json:"kind,omitempty" enum:"single,multiple,truefalse,fill,order,match,short"`
	Count      int     `json:"count" minimum:"1" maximum:"200"`
	Points     float64 `json:"points" minimum:"0.5" maximum:"100" doc:"of each question"`
}

// PaperRules is how a paper is taken.
type PaperRules struct {
	OpensAt          time.Time `json:"opensAt,omitzero"`
	ClosesAt         time.Time `json:"closesAt,omitzero" doc:"an attempt ends then at the latest"`
	DurationSec      int       `json:"durationSec" minimum:"0" maximum:"86400" doc:"0: until the paper closes"`
	Attempts         int       `json:"attempts" minimum:"0" maximum:"100" doc:"0: without limit"`
	Counting         Counting  `json:"counting" enum:"best,last"`
	PassPoints       float64   `json:"passPoints" minimum:"0"`
	Partial          bool      `json:"partial" doc:"partly right answers earn part of the points"`
	ShowScore        When      `json:"showScore" enum:"at_once,after_submit,after_close,never"`
	ShowKey          When      `json:"showKey" enum:"at_once,after_submit,after_close,never" doc:"what was right, key, explanation and comments"`
	ShuffleQuestions bool      `json:"shuffleQuestions"`
	ShuffleOptions   bool      `json:"shuffleOptions"`
	Ranking          bool      `json:"ranking,omitempty" doc:"members see the places and scores of others once they may know their own"`
	Certificate      string    `json:"certificate,omitempty" maxLength:"20" doc:"title of the certificate that who passes earns; empty: none"`
}

// PaperInput is what staff say of a paper.
type PaperInput struct {
	OrgID ids.ID      `json:"orgId" doc:"meant for its members and those of every organisation under it"`
	Kind  PaperKind   `json:"kind" enum:"exam,practice"`
	Title string      `json:"title" minLength:"1" maxLength:"100"`
	About string      `json:"about,omitempty" maxLength:"2000"`
	Items []PaperItem `json:"items,omitempty" maxItems:"200"`
	Draws []DrawRule  `json:"draws,omitempty" maxItems:"50"`
	Rules PaperRules  `json:"rules"`
}

// Paper is an exam, a practice for everybody or the quiz of one day.
type Paper struct {
	ID      ids.ID      `json:"id"`
	OrgID   ids.ID      `json:"orgId"`
	OrgName string      `json:"orgName"`
	OrgPath string      `json:"-"`
	Kind    PaperKind   `json:"kind" enum:"exam,daily,practice"`
	State   PaperState  `json:"state" enum:"draft,published,closed"`
	Title   string      `json:"title"`
	About   string      `json:"about,omitempty"`
	Items   []PaperItem `json:"items"`
	Draws   []DrawRule  `json:"draws"`
	Rules   PaperRules  `json:"rules"`
	Day     string      `json:"day,omitempty" doc:"of a daily quiz, in China"`

	Questions   int       `json:"questions" doc:"of one attempt"`
	Points      float64   `json:"points"`
	Version     int64     `json:"version"`
	CreatedAt   time.Time `json:"createdAt"`
	UpdatedAt   time.Time `json:"updatedAt"`
	UpdatedBy   string    `json:"updatedBy"`
	PublishedAt time.Time `json:"publishedAt,omitzero"`
	ClosedAt    time.Time `json:"closedAt,omitzero" doc:"when it was closed by hand"`
	// HeldTo is when the last extended attempt ends: nothing that waits for the
	// close may be known before.
	HeldTo time.Time `json:"heldTo,omitzero"`

	Pinned Pinned `json:"-"`
}

// Pinned are the revisions that attempts are made of, fixed when the paper was
// published. Pools stand in the order in which they are drawn from.
type Pinned struct {
	Fixed []Item `json:"fixed,omitempty"`
	Pools []Pool `json:"pools,omitempty"`
}

// Pool is what one rule draws from.
type Pool struct {
	Count  int     `json:"count"`
	Points float64 `json:"points"`
	Refs   []Ref   `json:"refs"`
}

// Item is one question of an attempt.
type Item struct {
	Ref
	Points float64 `json:"points"`
}

// Refs lists every question that the paper may ask.
func (p *Pinned) Refs() []Ref {
	var out []Ref
	for _, it := range p.Fixed {
		out = append(out, it.Ref)
	}
	for _, pool := range p.Pools {
		out = append(out, pool.Refs...)
	}
	return out
}

// endsAt is when the paper ends for everybody; the zero time: never.
func (p *Paper) endsAt() time.Time {
	if !p.ClosedAt.IsZero() && (p.Rules.ClosesAt.IsZero() || p.ClosedAt.Before(p.Rules.ClosesAt)) {
		return p.ClosedAt
	}
	return p.Rules.ClosesAt
}

// Passed tells whether a score reaches the pass mark; nil where the paper has none.
func (r *PaperRules) Passed(score float64) *bool {
	if r.PassPoints <= 0 {
		return nil
	}
	ok := score >= r.PassPoints
	return &ok
}

// KnownFrom is when what the rule governs may be known of an attempt that has
// ended; false: never.
func (p *Paper) KnownFrom(rule When, ended time.Time) (time.Time, bool) {
	switch rule {
	case AtOnce, AfterSubmit:
		return ended, true
	case AfterClose:
		end := p.endsAt()
		if end.IsZero() {
			return time.Time{}, false
		}
		if end.Before(p.HeldTo) {
			end = p.HeldTo
		}
		if end.Before(ended) {
			end = ended
		}
		return end, true
	case Never:
	}
	return time.Time{}, false
}

// known reports whether what a rule governs may be known now of an attempt.
func (p *Paper) known(rule When, a *Attempt, now time.Time) bool {
	if a.State == AttemptOpen {
		return rule == AtOnce
	}
	from, ever := p.KnownFrom(rule, a.EndedAt)
	return ever && !now.Before(from)
}

// ReservedTo is until when the questions stay out of practice and daily quizzes,
// which show keys at once; the zero time: not at all. Where the key is never
// shown that is for ever.
func (p *Paper) ReservedTo() time.Time {
	if p.State == PaperDraft || p.Kind == PracticePaper {
		return time.Time{}
	}
	if p.Rules.ShowKey == Never {
		return forever()
	}
	end := p.endsAt()
	if end.Before(p.HeldTo) {
		end = p.HeldTo
	}
	return end
}

// forever is later than anything that is planned.
func forever() time.Time { return time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) }

// round2 keeps points at two decimals: thirds of a point are shown so.
func round2(f float64) float64 { return math.Round(f*100) / 100 }

// total is what one attempt asks and may earn.
func total(items []PaperItem, draws []DrawRule) (questions int, points float64) {
	for _, it := range items {
		questions, points = questions+1, points+it.Points
	}
	for _, d := range draws {
		questions, points = questions+d.Count, points+float64(d.Count)*d.Points
	}
	return questions, round2(points)
}
