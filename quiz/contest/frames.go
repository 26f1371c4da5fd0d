package contest

import (
	"encoding/json"
	"time"

	"tongxin/internal/ids"
	"tongxin/quiz"
)

// Protocol is the version of the frames; docs/contests.md describes it.
const Protocol = 1

// Role of a connection.
type Role string

// Roles. Hosts and projectors only look: a host acts over REST, where each act is
// asked for its right and audited.
const (
	RolePlayer    Role = "player"
	RoleHost      Role = "host"
	RoleProjector Role = "projector"
)

// Frames of the server. Each is one JSON object; what differs for a player is
// merged in at the end, so that the rest is written once for everybody.
type (
	contestView struct {
		ID      ids.ID `json:"id"`
		Title   string `json:"title"`
		Mode    Mode   `json:"mode"`
		State   State  `json:"state"`
		Total   int    `json:"total"`
		Seconds int    `json:"seconds"`
		N       int    `json:"n"`
		Rule    string `json:"rule"`
		Team    string `json:"teamRule,omitempty"`
	}
	typeFrame struct {
		Type string `json:"type"`
	}
	welcomeFrame struct {
		Type    string      `json:"type"`
		V       int         `json:"v"`
		Contest contestView `json:"contest"`
	}
	welcomeOwn struct {
		Now  time.Time `json:"now"`
		Role Role      `json:"role"`
		Me   *playerMe `json:"me,omitempty"`
		Code string    `json:"code,omitempty"`
	}
	playerMe struct {
		ID    ids.ID `json:"id"`
		Name  string `json:"name"`
		Team  string `json:"team,omitempty"`
		Rank  int    `json:"rank,omitempty"`
		Score int    `json:"score"`
	}
	lobbyFrame struct {
		Type    string         `json:"type"`
		Players int            `json:"players"`
		Online  int            `json:"online"`
		Size    int            `json:"size,omitempty"`
		Locked  bool           `json:"locked"`
		Teams   map[string]int `json:"teams,omitempty"`
		Names   []string       `json:"names,omitempty"`
		StartAt *time.Time     `json:"startAt,omitempty"`
	}
	questionFrame struct {
		Type   string     `json:"type"`
		N      int        `json:"n"`
		Total  int        `json:"total"`
		Shown  quiz.Shown `json:"shown"`
		EndsAt time.Time  `json:"endsAt"`
		Now    time.Time  `json:"now"`
		LimitS int        `json:"limitSec"`
		Points int        `json:"points"`
	}
	ackFrame struct {
		Type       string    `json:"type"`
		N          int       `json:"n"`
		ReceivedAt time.Time `json:"receivedAt"`
	}
	refusedFrame struct {
		Type string `json:"type"`
		N    int    `json:"n,omitempty"`
		Code string `json:"code"`
		Msg  string `json:"message"`
	}
	numberFrame struct {
		Type string `json:"type"`
		N    int    `json:"n"`
	}
	pausedFrame struct {
		Type   string `json:"type"`
		N      int    `json:"n"`
		LeftMS int64  `json:"leftMs,omitempty"`
	}
	resumedFrame struct {
		Type   string     `json:"type"`
		N      int        `json:"n"`
		EndsAt *time.Time `json:"endsAt,omitempty"`
		Now    time.Time  `json:"now"`
	}
	countFrame struct {
		Type     string `json:"type"`
		N        int    `json:"n"`
		Answered int    `json:"answered"`
		Online   int    `json:"online"`
	}
	revealFrame struct {
		Type     string   `json:"type"`
		N        int      `json:"n"`
		Key      quiz.Key `json:"key"`
		Share    []int    `json:"share,omitempty"`
		Answered int      `json:"answered"`
		Right    int      `json:"right"`
	}
	revealOwn struct {
		Mine *mineView `json:"mine"`
	}
	mineView struct {
		Answer json.RawMessage `json:"answer,omitempty"`
		Right  bool            `json:"right"`
		Points int             `json:"points"`
	}
	boardFrame struct {
		Type  string      `json:"type"`
		N     int         `json:"n"`
		Of    int         `json:"of"`
		Top   []Place     `json:"top"`
		Teams []TeamPlace `json:"teams,omitempty"`
	}
	boardOwn struct {
		Me boardMe `json:"me"`
	}
	boardMe struct {
		Rank  int `json:"rank"`
		Score int `json:"score"`
		Delta int `json:"delta"`
		Right int `json:"right"`
		Team  int `json:"teamRank,omitempty"`
	}
	pongFrame struct {
		Type string    `json:"type"`
		Now  time.Time `json:"now"`
	}
)

const (
	boardTop    = 10  // places sent
	lobbyNews   = 12  // names of the newest
	answerShown = 120 // bytes of one's own answer sent back: thousands go in one parcel
)

// encode never fails: frames are plain data.
func encode(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic("contest: a frame that does not encode: " + err.Error())
	}
	return b
}

// join merges the fields of own into the object shared.
func join(dst []byte, shared, own json.RawMessage) []byte {
	if len(own) <= 2 {
		return append(dst, shared...)
	}
	dst = append(dst, shared[:len(shared)-1]...)
	dst = append(dst, ',')
	return append(dst, own[1:]...)
}

// teamRule says how a team's score is made.
func (c *Contest) teamRule() string {
	switch {
	case c.Mode != Teams && c.Mode != Branches:
		return ""
	case c.Plan.BestOf == 0:
		return "团队得分为全体成员得分之和。"
	}
	return "团队得分为成绩最好的 " + itoa(c.Plan.BestOf) + " 名成员的平均分，人数不足时缺的按 0 分计。"
}

func contestFrameOf(c *Contest) welcomeFrame {
	return welcomeFrame{Type: "welcome", V: Protocol, Contest: contestView{
		ID: c.ID, Title: c.Title, Mode: c.Mode, State: c.State, Total: c.Total, Seconds: c.Plan.Seconds, N: c.N, Rule: c.RuleText, Team: c.teamRule(),
	}}
}

// question is the frame of the open question.
func (e *Engine) question(now time.Time) json.RawMessage {
	return encode(questionFrame{
		Type: "question", N: e.c.N, Total: e.c.Total, Shown: e.Item().Shown, EndsAt: e.c.EndsAt, Now: now,
		LimitS: e.c.Plan.Seconds, Points: e.rule.Base,
	})
}

// reveal is the frame after a question closed, and what each player gets of it.
func (e *Engine) reveal() (json.RawMessage, func(ids.ID) json.RawMessage) {
	it := e.Item()
	shared := encode(revealFrame{Type: "reveal", N: e.c.N, Key: it.Key, Share: e.counts, Answered: len(e.given), Right: e.right})
	none := encode(revealOwn{})
	return shared, func(id ids.ID) json.RawMessage {
		g, ok := e.given[id]
		if !ok {
			return none
		}
		mine := mineView{Right: g.Right, Points: g.Points}
		if a := encode(it.Shuffle.Outward(&it.Content, g.Answer)); len(a) <= answerShown {
			mine.Answer = a
		}
		return encode(revealOwn{&mine})
	}
}

// ranking is the frame of the board, and what each player gets of it.
func (e *Engine) ranking(kind string) (json.RawMessage, func(ids.ID) json.RawMessage) {
	list, teams := e.Board()
	mine := make(map[ids.ID]boardMe, len(list))
	ranks := make(map[string]int, len(teams))
	for _, t := range teams {
		ranks[t.Name] = t.Rank
	}
	for _, p := range list {
		me := boardMe{Rank: p.Rank, Score: p.Score, Delta: p.Delta, Right: p.Right}
		if q := e.players[p.Player]; q != nil {
			me.Team = ranks[q.Team]
		}
		mine[p.Player] = me
	}
	shared := encode(boardFrame{Type: kind, N: e.c.N, Of: len(list), Top: list[:min(len(list), boardTop)], Teams: teams[:min(len(teams), boardTop)]})
	return shared, func(id ids.ID) json.RawMessage {
		me, ok := mine[id]
		if !ok {
			return nil
		}
		return encode(boardOwn{me})
	}
}
