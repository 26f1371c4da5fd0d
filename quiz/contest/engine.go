package contest

import (
	"time"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/quiz"
)

// Item is one question of a contest, rendered once for everybody.
type Item struct {
	Content quiz.Content
	Shuffle quiz.Shuffle
	Shown   quiz.Shown
	Key     quiz.Key
}

// Saved is everything that is stored of a contest: what an engine starts from.
type Saved struct {
	Contest Contest
	Players []Player          // who entered, also removed ones
	Totals  map[ids.ID]*Total // over closed questions
	Given   []Given           // of the current question
}

// Engine is the state machine of one contest. It is pure: a time comes in with
// each call, nothing is stored and nobody is told. A change is decided first
// (Decide), stored by the caller, and then applied; so memory never runs ahead
// of the database.
type Engine struct {
	c       Contest
	rule    Rule
	items   []Item
	players map[ids.ID]*Player
	totals  map[ids.ID]*Total
	given   map[ids.ID]Given
	pending map[ids.ID]bool // taken, not yet known to be stored
	counts  []int           // per shown option of the current question
	right   int             // right answers of the current question
	full    time.Time       // since when every seat of a match is taken; zero: not now
	second  time.Time       // since when two players are there
}

// NewEngine rebuilds the state. items are the questions in order.
func NewEngine(s Saved, rule Rule, items []Item) *Engine {
	e := &Engine{
		c: s.Contest, rule: rule, items: items, players: map[ids.ID]*Player{}, totals: map[ids.ID]*Total{},
		given: map[ids.ID]Given{}, pending: map[ids.ID]bool{},
	}
	e.c.Total = len(items)
	for _, p := range s.Players {
		e.Enter(p)
	}
	for id, t := range s.Totals {
		e.totals[id] = &Total{Score: t.Score, Right: t.Right}
	}
	for _, g := range s.Given {
		e.note(g)
		if t := e.totals[g.Player]; t != nil && e.c.Phase == Closed {
			t.Delta = g.Points
		}
	}
	return e
}

// Contest is the present state.
func (e *Engine) Contest() Contest { return e.c }

// Item is the current question; nil before the first.
func (e *Engine) Item() *Item {
	if e.c.N < 1 || e.c.N > len(e.items) {
		return nil
	}
	return &e.items[e.c.N-1]
}

// Limit is the time for one question.
func (e *Engine) Limit() time.Duration { return time.Duration(e.c.Plan.Seconds) * time.Second }

// Enter notes a player who connected. Coming again changes nothing.
func (e *Engine) Enter(p Player) {
	if e.players[p.ID] != nil {
		return
	}
	e.players[p.ID] = &p
}

// Online says how many players are connected now: a match begins with them.
func (e *Engine) Online(n int, now time.Time) {
	since := func(t time.Time, now time.Time, yes bool) time.Time {
		switch {
		case !yes:
			return time.Time{}
		case t.IsZero():
			return now
		}
		return t
	}
	e.full = since(e.full, now, n >= e.c.Match.Size)
	e.second = since(e.second, now, n >= 2)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Here counts the players who entered and were not removed.
func (e *Engine) Here() int {
	n := 0
	for _, p := range e.players {
		if p.RemovedAt.IsZero() {
			n++
		}
	}
	return n
}

// Player finds one who may play; nil for strangers and removed ones.
func (e *Engine) Player(id ids.ID) *Player {
	if p := e.players[id]; p != nil && p.RemovedAt.IsZero() {
		return p
	}
	return nil
}

// Verb is what a host, or the engine's own time, does to a contest.
type Verb string

// Verbs. Close and Recover are the program's own.
const (
	Start   Verb = "start"
	Next    Verb = "next"
	Skip    Verb = "skip"
	Pause   Verb = "pause"
	Resume  Verb = "resume"
	Lock    Verb = "lock"
	Unlock  Verb = "unlock"
	Remove  Verb = "remove"
	End     Verb = "end"
	Close   Verb = "close"
	Recover Verb = "recover"
)

// Command is one Verb with what it needs.
type Command struct {
	Verb   Verb          `json:"verb"`
	Player ids.ID        `json:"player,omitempty"` // Remove
	Seen   *int          `json:"seen,omitempty"`   // question the host saw; another one now refuses the command
	Lost   time.Duration `json:"lost,omitempty"`   // Recover: how long no node ran the contest
}

// Step is a decided change: Next replaces the stored contest, Round is stored
// beside it. Player is who is removed.
type Step struct {
	Verb   Verb
	Next   Contest
	Round  *Round
	Player ids.ID
}

// Decide checks a command against the present state. It changes nothing.
func (e *Engine) Decide(cmd Command, now time.Time) (*Step, error) {
	if cmd.Seen != nil && *cmd.Seen != e.c.N {
		return nil, errs.New(errs.Stale, "比赛已经到第 %d 题，请看清后再操作。", e.c.N)
	}
	if e.c.State == Finished || e.c.State == Draft {
		return nil, errs.New(errs.Conflict, "比赛没有在进行，不能这样操作。")
	}
	s := &Step{Verb: cmd.Verb, Next: e.c}
	var err error
	switch cmd.Verb {
	case Start:
		err = e.start(s, now)
	case Next:
		err = e.next(s, now)
	case Skip:
		err = e.skip(s, now)
	case Pause:
		err = e.pause(s, now)
	case Resume:
		err = e.resume(s, now)
	case Lock, Unlock:
		s.Next.Locked = cmd.Verb == Lock
	case Remove:
		if s.Player = cmd.Player; e.Player(cmd.Player) == nil {
			err = errs.Missing("选手")
		}
	case End:
		e.end(s, now)
	case Close:
		err = e.close(s, now)
	case Recover:
		e.recover(s, now, cmd.Lost)
	default:
		err = errs.Bad("verb", "没有这种操作。")
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (e *Engine) start(s *Step, now time.Time) error {
	if e.c.State != Lobby {
		return errs.New(errs.Conflict, "比赛已经开始。")
	}
	return e.open(s, now)
}

func (e *Engine) next(s *Step, now time.Time) error {
	switch {
	case e.c.State != Running:
		return errs.New(errs.Conflict, "比赛没有在进行，请先开始或继续比赛。")
	case e.c.Phase == Open:
		return errs.New(errs.Conflict, "本题还在作答中；时间到后再进入下一题，或者跳过本题。")
	case e.c.N >= len(e.items):
		e.end(s, now)
		return nil
	}
	return e.open(s, now)
}

// open shows the next question.
func (e *Engine) open(s *Step, now time.Time) error {
	if e.c.N >= len(e.items) {
		return errs.New(errs.Conflict, "没有更多题目了。")
	}
	s.Next.N++
	s.Next.State, s.Next.Phase, s.Next.Left = Running, Open, 0
	s.Next.OpenedAt, s.Next.EndsAt, s.Next.ClosedAt = now, now.Add(e.Limit()), time.Time{}
	s.Round = roundOf(&s.Next)
	return nil
}

func roundOf(c *Contest) *Round {
	return &Round{N: c.N, Phase: c.Phase, OpenedAt: c.OpenedAt, EndsAt: c.EndsAt, ClosedAt: c.ClosedAt}
}

func (e *Engine) skip(s *Step, now time.Time) error {
	if e.c.Phase != Open {
		return errs.New(errs.Conflict, "现在没有正在作答的题目。")
	}
	s.Next.State, s.Next.Phase, s.Next.ClosedAt, s.Next.Left = Running, Skipped, now, 0
	s.Round = roundOf(&s.Next)
	return nil
}

func (e *Engine) pause(s *Step, now time.Time) error {
	if e.c.State != Running {
		return errs.New(errs.Conflict, "比赛没有在进行。")
	}
	s.Next.State = Paused
	if e.c.Phase != Open {
		return nil
	}
	if s.Next.Left = e.c.EndsAt.Sub(now); s.Next.Left <= 0 {
		return errs.New(errs.Conflict, "本题时间已到，请稍候再暂停。")
	}
	return nil
}

func (e *Engine) resume(s *Step, now time.Time) error {
	if e.c.State != Paused {
		return errs.New(errs.Conflict, "比赛没有暂停。")
	}
	s.Next.State, s.Next.Left = Running, 0
	if e.c.Phase == Open {
		s.Next.EndsAt = now.Add(e.c.Left)
	} else {
		s.Next.ClosedAt = now // the pause between questions starts anew
	}
	s.Round = roundOf(&s.Next)
	return nil
}

// end finishes the contest; a question that is still open counts for nobody.
func (e *Engine) end(s *Step, now time.Time) {
	if e.c.Phase == Open {
		s.Next.Phase, s.Next.ClosedAt = Skipped, now
		s.Round = roundOf(&s.Next)
	}
	s.Next.State, s.Next.FinishedAt, s.Next.Code, s.Next.Left = Finished, now, "", 0
}

func (e *Engine) close(s *Step, now time.Time) error {
	if e.c.State != Running || e.c.Phase != Open {
		return errs.New(errs.Conflict, "现在没有正在作答的题目。")
	}
	s.Next.Phase, s.Next.ClosedAt = Closed, now
	s.Round = roundOf(&s.Next)
	return nil
}

// recover gives back the time in which nobody ran the contest, never more than
// a whole question.
func (e *Engine) recover(s *Step, now time.Time, lost time.Duration) {
	if e.c.State != Running || lost <= 0 {
		return
	}
	switch e.c.Phase {
	case Open:
		s.Next.EndsAt = e.c.EndsAt.Add(lost)
		if latest := now.Add(e.Limit()); s.Next.EndsAt.After(latest) {
			s.Next.EndsAt = latest
		}
	case Closed, Skipped:
		s.Next.ClosedAt = e.c.ClosedAt.Add(lost)
	case NoQuestion:
		return
	}
	s.Round = roundOf(&s.Next)
}

// Apply makes a stored step the present state.
func (e *Engine) Apply(s *Step) {
	before := e.c
	e.c = s.Next
	if p := e.players[s.Player]; s.Player != 0 && p != nil {
		p.RemovedAt = later(p.EnteredAt, time.Unix(1, 0)) // only that it is set counts here
	}
	switch {
	case e.c.N != before.N:
		e.given, e.counts, e.right = map[ids.ID]Given{}, nil, 0
		e.pending = map[ids.ID]bool{}
		for _, t := range e.totals {
			t.Delta = 0
		}
	case e.c.Phase == Closed && before.Phase == Open:
		for id, g := range e.given {
			e.add(id, g)
		}
	}
}

func (e *Engine) add(id ids.ID, g Given) {
	t := e.totals[id]
	if t == nil {
		t = &Total{}
		e.totals[id] = t
	}
	t.Score += g.Points
	t.Delta = g.Points
	if g.Right {
		t.Right++
	}
}

// Pauses of the automatic host.
const (
	matchStart = 3 * time.Second  // after the last seat was taken
	matchShort = 30 * time.Second // with two or more of four
	matchWait  = 3 * time.Minute  // for an opponent
	matchAway  = 15 * time.Second // a seat is kept for who lost the connection
)

// Due is what the contest's own time asks for, and when. A zero time: nothing.
func (e *Engine) Due() (Verb, time.Time) {
	rest := time.Duration(e.c.Plan.Rest) * time.Second
	switch {
	case e.c.State == Running && e.c.Phase == Open:
		return Close, e.c.EndsAt
	case e.c.State == Running && e.c.Plan.Auto && e.c.Phase != NoQuestion:
		return Next, e.c.ClosedAt.Add(rest)
	case e.c.State == Lobby && e.c.Mode == Match:
		return e.matchDue()
	case e.c.State == Lobby && e.c.Plan.Auto && !e.c.StartsAt.IsZero():
		return Start, e.c.StartsAt
	}
	return "", time.Time{}
}

func (e *Engine) matchDue() (Verb, time.Time) {
	switch {
	case !e.full.IsZero():
		return Start, e.full.Add(matchStart)
	case !e.second.IsZero():
		return Start, e.second.Add(matchShort)
	}
	return End, e.c.CreatedAt.Add(matchWait)
}
