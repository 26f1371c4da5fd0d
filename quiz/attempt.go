package quiz

import (
	"time"

	"tongxin/internal/ids"
)

// AttemptState of an attempt: 作答中, 已交卷, 到时收卷, 已评完.
type AttemptState string

// States. Submitted and Expired become Graded when people have graded what
// only people can; without such questions the attempt is Graded at once.
const (
	AttemptOpen      AttemptState = "open"
	AttemptSubmitted AttemptState = "submitted"
	AttemptExpired   AttemptState = "expired"
	AttemptGraded    AttemptState = "graded"
)

// Attempt is one sitting of one member. What it asks was fixed when it began.
type Attempt struct {
	ID       ids.ID
	PaperID  ids.ID // none: practice from the bank
	MemberID ids.ID
	OrgID    ids.ID // of the member when it began
	Kind     PaperKind
	Number   int // of the member's attempts at the paper, from 1
	Title    string
	State    AttemptState
	Expired  bool // ended by time, also when it is graded meanwhile
	Seed     uint64
	Items    []Item
	Started  time.Time
	Due      time.Time // the zero time: no end
	EndedAt  time.Time
	Score    float64
	Points   float64
	Pending  int // answers that a person must grade
	Answered int
	Addr     string // where it was started from; for the flags, see flags.json
	Version  int64
	// KnownFrom is when the key may be known, as far as was known when it
	// ended; the zero time: never. Booked tells that the wrong-answer book has it.
	KnownFrom time.Time
	Booked    bool
}

// Given is an answer as it is stored: positions of the content.
type Given struct {
	N       int
	Seq     int64
	Answer  Answer
	SavedAt time.Time
}

// Marked is what an answer earned. Grader is none where the program graded.
type Marked struct {
	AttemptID ids.ID
	N         int
	Ref       Ref // the revision it was graded by
	Points    float64
	Share     float64
	Given     bool
	Pending   bool
	Comment   string
	Grader    string
	GradedAt  time.Time
	Version   int64
}

// Mark is how an answer did, as its member may see it.
type Mark struct {
	Share   float64 `json:"share" minimum:"0" maximum:"1"`
	Points  float64 `json:"points" doc:"earned"`
	Right   bool    `json:"right"`
	Pending bool    `json:"pending" doc:"a person has yet to grade it"`
	Key     *Key    `json:"key,omitempty"`
	Comment string  `json:"comment,omitempty"`
}

// SheetQuestion is a question of an attempt, with what was answered so far.
type SheetQuestion struct {
	N       int       `json:"n" doc:"from 1"`
	Points  float64   `json:"points"`
	Shown   Shown     `json:"shown"`
	Answer  *Answer   `json:"answer,omitempty" doc:"in shown positions"`
	Seq     int64     `json:"seq" doc:"of the answer that is stored; 0: none"`
	SavedAt time.Time `json:"savedAt,omitzero"`
	Result  *Mark     `json:"result,omitempty" doc:"with feedback at_once"`
}

// Sheet is an attempt as its member sees it while answering.
type Sheet struct {
	ID        ids.ID          `json:"id"`
	PaperID   ids.ID          `json:"paperId,omitzero"`
	Title     string          `json:"title"`
	Kind      PaperKind       `json:"kind" enum:"exam,daily,practice"`
	Number    int             `json:"number"`
	State     AttemptState    `json:"state" enum:"open,submitted,expired,graded"`
	StartedAt time.Time       `json:"startedAt"`
	DueAt     time.Time       `json:"dueAt,omitzero" doc:"answers that arrive then or later are refused"`
	Now       time.Time       `json:"now" doc:"the server's clock, which alone decides"`
	Questions []SheetQuestion `json:"questions"`
	Feedback  string          `json:"feedback" enum:"at_once,after"`
}

// AnswerIn is an answer as a client sends it: positions as shown.
type AnswerIn struct {
	N      int    `json:"n,omitempty" minimum:"1" maximum:"200"`
	Seq    int64  `json:"seq" minimum:"1" doc:"the client's counter for this question: a higher one replaces a lower one"`
	Answer Answer `json:"answer"`
}

// Saved says what is stored for a question after an answer was taken.
type Saved struct {
	N       int       `json:"n"`
	Seq     int64     `json:"seq" doc:"of the answer that is stored: higher than yours when another device was later"`
	SavedAt time.Time `json:"savedAt"`
	Answer  *Answer   `json:"answer,omitempty" doc:"what is stored, when it is not what was sent"`
	Result  *Mark     `json:"result,omitempty" doc:"with feedback at_once"`
}

// ResultQuestion is a question of a result.
type ResultQuestion struct {
	N      int     `json:"n"`
	Points float64 `json:"points"`
	Mark   Mark    `json:"mark"`
	Shown  Shown   `json:"shown"`
	Answer *Answer `json:"answer,omitempty"`
	Key    *Key    `json:"key,omitempty"`
}

// Result is what came of an attempt, as far as the paper lets its member know.
type Result struct {
	AttemptID   ids.ID           `json:"attemptId"`
	Title       string           `json:"title"`
	State       AttemptState     `json:"state" enum:"open,submitted,expired,graded"`
	SubmittedAt time.Time        `json:"submittedAt,omitzero"`
	Score       *float64         `json:"score,omitempty"`
	Points      float64          `json:"points"`
	Passed      *bool            `json:"passed,omitempty"`
	UsedSec     int              `json:"usedSec"`
	Hidden      string           `json:"hidden,omitempty" doc:"when what is missing here will be shown"`
	Questions   []ResultQuestion `json:"questions,omitempty"`
}
