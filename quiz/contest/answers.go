package contest

import (
	"time"

	"tongxin/internal/ids"
	"tongxin/quiz"
)

// Refusal is why an answer is not taken, for the player's page.
type Refusal struct {
	Code string // stands in the protocol: late, closed, paused, invalid, stranger
	Msg  string
}

func (r *Refusal) Error() string { return r.Code + ": " + r.Msg }

func refuse(code, msg string) *Refusal { return &Refusal{code, msg} }

// Taking is what became of an answer.
type Taking int

// What becomes of an answer that is not refused.
const (
	Fresh   Taking = iota // to be stored, then acknowledged
	Waiting               // an earlier one is being stored: its acknowledgement comes
	Known                 // an earlier one is stored: acknowledge that again
)

// Take judges an answer that arrived at the owning node at the moment at. The
// first answer counts; repeating one is harmless.
func (e *Engine) Take(player ids.ID, n int, shown quiz.Answer, at time.Time) (Given, Taking, *Refusal) {
	none := Given{}
	if e.Player(player) == nil {
		return none, 0, refuse("stranger", "您不在这场比赛中。")
	}
	if n != e.c.N || n == 0 {
		return none, 0, refuse("closed", "这道题已经结束。")
	}
	if g, ok := e.given[player]; ok {
		return g, Known, nil
	}
	if e.pending[player] {
		return none, Waiting, nil
	}
	switch {
	case e.c.State == Paused && e.c.Phase == Open:
		return none, 0, refuse("paused", "比赛已暂停，继续后再作答。")
	case e.c.Phase != Open || e.c.State != Running:
		return none, 0, refuse("closed", "这道题已经结束。")
	case at.After(e.c.EndsAt):
		return none, 0, refuse("late", "时间已到，没有赶上。")
	}
	it := e.Item()
	if shown.Empty() {
		return none, 0, refuse("invalid", "请先作答。")
	}
	if err := it.Content.ValidAnswer(shown); err != nil {
		return none, 0, refuse("invalid", "答案格式不正确，请重新作答。")
	}
	g := Given{Player: player, N: n, ReceivedAt: at, Answer: it.Shuffle.Inward(&it.Content, shown)}
	if share, auto := it.Content.Grade(g.Answer, false); auto && share >= 1 {
		g.Right, g.Points = true, e.rule.Points(e.c.EndsAt.Sub(at), e.Limit())
	}
	e.pending[player] = true
	return g, Fresh, nil
}

// Stored notes answers that are durable now.
func (e *Engine) Stored(list []Given) {
	for _, g := range list {
		if g.N == e.c.N {
			delete(e.pending, g.Player)
			e.note(g)
		}
	}
}

// Lost forgets answers that could not be stored: they may be given again.
func (e *Engine) Lost(list []Given) {
	for _, g := range list {
		if g.N == e.c.N {
			delete(e.pending, g.Player)
		}
	}
}

// note counts a stored answer of the current question.
func (e *Engine) note(g Given) {
	if _, twice := e.given[g.Player]; twice {
		return
	}
	e.given[g.Player] = g
	if g.Right {
		e.right++
	}
	it := e.Item()
	if it == nil {
		return
	}
	options := len(it.Shown.Options)
	if it.Content.Kind == quiz.TrueFalse {
		options = 2
	}
	if options == 0 {
		return
	}
	if e.counts == nil {
		e.counts = make([]int, options)
	}
	for _, at := range it.Shuffle.Outward(&it.Content, g.Answer).Choice {
		if at >= 0 && at < options {
			e.counts[at]++
		}
	}
}

// Pending counts answers whose storing is under way.
func (e *Engine) Pending() int { return len(e.pending) }

// Answered counts the stored answers of the current question.
func (e *Engine) Answered() int { return len(e.given) }

// GivenBy is the stored answer of a player to the current question.
func (e *Engine) GivenBy(id ids.ID) (Given, bool) {
	g, ok := e.given[id]
	return g, ok
}

// Everybody reports that all of these players have answered, and at least one.
func (e *Engine) Everybody(online func(yield func(ids.ID) bool)) bool {
	some := false
	for id := range online {
		if e.Player(id) == nil {
			continue
		}
		if _, ok := e.given[id]; !ok {
			return false
		}
		some = true
	}
	return some
}
