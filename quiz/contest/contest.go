// Package contest is live contests: one room a contest, everybody sees the same
// question at the same moment, and only the server's clock counts. The pure part
// (Engine, Rule, boards, frames) knows neither goroutines nor time; the room,
// the desk and the hub move it. It never sees HTTP, SQL or NATS.
package contest

import (
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
	"tongxin/quiz"
)

// Rights of this domain.
const (
	Host authz.Right = "contest.host" // staff: prepare and run contests
	Play authz.Right = "contest.play" // members: join and answer
)

// Mode says who stands on the board.
type Mode string

// Modes: 个人, 团队, 党支部, 对战.
const (
	Solo     Mode = "solo"
	Teams    Mode = "teams"
	Branches Mode = "branches" // a player's team is the branch
	Match    Mode = "match"    // two or four persons, automatic host
)

// State of a contest. Draft is seen by hosts only.
type State string

// States.
const (
	Draft    State = "draft"
	Lobby    State = "lobby"
	Running  State = "running"
	Paused   State = "paused"
	Finished State = "finished"
)

// Phase of the current question.
type Phase string

// Phases.
const (
	NoQuestion Phase = ""
	Open       Phase = "open"
	Closed     Phase = "closed"
	Skipped    Phase = "skipped" // counts for nobody
)

// Bounds of a contest.
const (
	MinSeconds, MaxSeconds = 5, 120
	MaxQuestions           = 50
	MaxTeams               = 50
	MaxTitle, MaxTeamName  = 60, 20
	MaxPlayers             = 5000
	MatchQuestions         = 5
	MatchSeconds           = 15
)

// Contest is what is stored of a contest and what a rebuilt room starts from.
type Contest struct {
	ID       ids.ID `json:"id"`
	OrgID    ids.ID `json:"orgId"`
	OrgName  string `json:"orgName"`
	OrgPath  string `json:"-"`
	Title    string `json:"title"`
	Mode     Mode   `json:"mode" enum:"solo,teams,branches,match"`
	State    State  `json:"state" enum:"draft,lobby,running,paused,finished"`
	Code     string `json:"code,omitempty" doc:"to join by; while the contest is in the lobby or runs"`
	Plan     Plan   `json:"plan"`
	Seed     int64  `json:"-"`
	Rule     int    `json:"rule" doc:"version of the scoring rule"`
	RuleText string `json:"ruleText" doc:"the scoring rule as a sentence"`

	StartsAt   time.Time `json:"startsAt,omitzero"`
	FinishedAt time.Time `json:"finishedAt,omitzero"`
	CreatedAt  time.Time `json:"createdAt"`
	CreatedBy  string    `json:"createdBy"`

	Locked  bool  `json:"locked" doc:"nobody new may join"`
	N       int   `json:"n" doc:"current question, counted from 1; 0: none yet"`
	Phase   Phase `json:"phase" enum:",open,closed,skipped"`
	Players int   `json:"players" doc:"who joined and was not removed"`
	Total   int   `json:"questions" doc:"how many questions"`

	OpenedAt time.Time     `json:"-"` // of the current question
	EndsAt   time.Time     `json:"-"` // shifted by pauses
	ClosedAt time.Time     `json:"-"`
	Left     time.Duration `json:"-"` // of the open question while paused

	Match   MatchPlan `json:"-"`
	Version int64     `json:"version"`
	Lease   Lease     `json:"-"`
}

// Plan is what a host decides before the contest opens.
type Plan struct {
	Questions []quiz.Ref `json:"questions" doc:"the revisions, in order"`
	Seconds   int        `json:"seconds" minimum:"5" maximum:"120" doc:"for each question"`
	Teams     []string   `json:"teams,omitempty" doc:"teams to choose from; none: players type a name"`
	BestOf    int        `json:"bestOf" minimum:"0" maximum:"100" doc:"score of a team: mean of its best so many players, missing ones count 0; 0: sum of all"`
	Early     bool       `json:"early" doc:"close a question once everybody who is there has answered"`
	Auto      bool       `json:"auto" doc:"go on without a host"`
	Rest      int        `json:"rest" minimum:"2" maximum:"60" doc:"seconds between questions when going on without a host"`
}

// MatchPlan is how opponents find each other.
type MatchPlan struct {
	Size    int
	Topic   string
	Private bool // by code only
}

// Lease says which node runs the room. Fence rises with every new owner: what an
// older one writes is refused.
type Lease struct {
	Owner string
	Fence int64
	Until time.Time
}

// Player is one person in one contest.
type Player struct {
	ID        ids.ID    `json:"id"` // of the member
	Name      string    `json:"name"`
	OrgID     ids.ID    `json:"orgId"`
	OrgName   string    `json:"orgName"`
	Team      string    `json:"team,omitempty"`
	Hidden    bool      `json:"-"` // shown to others as 匿名
	JoinedAt  time.Time `json:"joinedAt"`
	EnteredAt time.Time `json:"enteredAt,omitzero" doc:"first connected"`
	RemovedAt time.Time `json:"removedAt,omitzero"`
}

// Anonymous is the name of a person who switched rankings off.
const Anonymous = "匿名"

// Given is a stored answer: the first one counts.
type Given struct {
	Player     ids.ID
	N          int
	ReceivedAt time.Time // at the owning node, the only time that counts
	Answer     quiz.Answer
	Right      bool
	Points     int
}

// Round is a stored question of a contest that was opened.
type Round struct {
	N        int
	Phase    Phase
	OpenedAt time.Time
	EndsAt   time.Time
	ClosedAt time.Time
}

// Total of one player over the questions that count.
type Total struct {
	Score int
	Right int
	Delta int // of the question that was closed last
}
