package contest

import (
	"cmp"
	"math"
	"slices"
	"time"

	"tongxin/internal/ids"
)

// Place of a player on the board. Equal scores share a rank and the next rank is
// left out (1, 2, 2, 4).
type Place struct {
	Rank   int    `json:"rank"`
	Player ids.ID `json:"-"`
	Name   string `json:"name"`
	Team   string `json:"team,omitempty"`
	Org    string `json:"org,omitempty"`
	Score  int    `json:"score"`
	Right  int    `json:"right"`
	Delta  int    `json:"delta"`
}

// TeamPlace of a team on the board.
type TeamPlace struct {
	Rank    int    `json:"rank"`
	Name    string `json:"name"`
	Score   int    `json:"score"`
	Players int    `json:"players"`
}

// Board ranks the players who entered and were not removed, and their teams.
// Hidden players keep their rank and lose their name.
func Board(players []Player, totals map[ids.ID]*Total, mode Mode, bestOf int) ([]Place, []TeamPlace) {
	list := make([]Place, 0, len(players))
	teams := map[string][]int{}
	for _, p := range players {
		if !p.RemovedAt.IsZero() || p.EnteredAt.IsZero() {
			continue
		}
		at := Place{Player: p.ID, Name: p.Name, Team: p.Team, Org: p.OrgName}
		if p.Hidden {
			at.Name, at.Org, at.Team = Anonymous, "", ""
		}
		if t := totals[p.ID]; t != nil {
			at.Score, at.Right, at.Delta = t.Score, t.Right, t.Delta
		}
		if p.Team != "" {
			teams[p.Team] = append(teams[p.Team], at.Score)
		}
		list = append(list, at)
	}
	slices.SortFunc(list, func(a, b Place) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Player, b.Player))
	})
	for i := range list {
		list[i].Rank = i + 1
		if i > 0 && list[i].Score == list[i-1].Score {
			list[i].Rank = list[i-1].Rank
		}
	}
	if mode != Teams && mode != Branches {
		return list, nil
	}
	return list, rankTeams(teams, bestOf)
}

func rankTeams(teams map[string][]int, bestOf int) []TeamPlace {
	list := make([]TeamPlace, 0, len(teams))
	for name, scores := range teams {
		list = append(list, TeamPlace{Name: name, Score: TeamScore(scores, bestOf), Players: len(scores)})
	}
	slices.SortFunc(list, func(a, b TeamPlace) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Name, b.Name))
	})
	for i := range list {
		list[i].Rank = i + 1
		if i > 0 && list[i].Score == list[i-1].Score {
			list[i].Rank = list[i-1].Rank
		}
	}
	return list
}

// TeamScore is the sum of all scores, or with bestOf > 0 the mean of the best so
// many, where missing players count 0: a team of one cannot win by being small.
func TeamScore(scores []int, bestOf int) int {
	scores = slices.Clone(scores)
	slices.SortFunc(scores, func(a, b int) int { return cmp.Compare(b, a) })
	sum := 0
	for i, s := range scores {
		if bestOf == 0 || i < bestOf {
			sum += s
		}
	}
	if bestOf == 0 {
		return sum
	}
	return int(math.Round(float64(sum) / float64(bestOf)))
}

// Board of the present state.
func (e *Engine) Board() ([]Place, []TeamPlace) {
	players := make([]Player, 0, len(e.players))
	for _, p := range e.players {
		q := *p
		q.EnteredAt = later(q.EnteredAt, time.Unix(1, 0)) // who is here has entered
		players = append(players, q)
	}
	return Board(players, e.totals, e.c.Mode, e.c.Plan.BestOf)
}
