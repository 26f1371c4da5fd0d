package contest_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tongxin/internal/ids"
	"tongxin/quiz/contest"
)

func TestPointsAreThoseOfTheWrittenRule(t *testing.T) {
	rules, err := contest.Rules()
	if err != nil {
		t.Fatal(err)
	}
	r := rules[0] // 1000 × (0.5 + 0.5 × left/limit), by hand:
	for _, v := range []struct {
		left time.Duration
		want int
	}{{20 * time.Second, 1000}, {15 * time.Second, 875}, {10 * time.Second, 750}, {1 * time.Millisecond, 500}, {0, 500}, {-time.Second, 500}, {time.Hour, 1000}} {
		if got := r.Points(v.left, 20*time.Second); got != v.want {
			t.Errorf("%v left: %d, want %d", v.left, got, v.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		limit := time.Duration(rapid.Int64Range(5000, 120000).Draw(t, "limit")) * time.Millisecond
		a := time.Duration(rapid.Int64Range(0, int64(limit)).Draw(t, "a"))
		b := time.Duration(rapid.Int64Range(0, int64(limit)).Draw(t, "b"))
		pa, pb := r.Points(a, limit), r.Points(b, limit)
		if a > b && pa < pb || pa < 500 || pa > 1000 {
			t.Fatalf("%v: %d, %v: %d", a, pa, b, pb)
		}
	})
}

func TestTeamScores(t *testing.T) {
	for _, v := range []struct {
		scores []int
		best   int
		want   int
	}{
		{[]int{500, 900, 700}, 0, 2100},
		{[]int{500, 900, 700}, 2, 800},
		{[]int{900}, 3, 300},
		{nil, 3, 0},
		{nil, 0, 0},
		{[]int{1, 1}, 3, 1}, // 2/3 is rounded
	} {
		if got := contest.TeamScore(v.scores, v.best); got != v.want {
			t.Errorf("%v best %d: %d, want %d", v.scores, v.best, got, v.want)
		}
	}
}

func TestBoardsShareRanksAndHideNames(t *testing.T) {
	now := time.Unix(1, 0)
	players := []contest.Player{
		{ID: 1, Name: "甲", OrgName: "一支部", Team: "红", EnteredAt: now},
		{ID: 2, Name: "乙", OrgName: "二支部", Team: "蓝", EnteredAt: now, Hidden: true},
		{ID: 3, Name: "丙", OrgName: "一支部", Team: "红", EnteredAt: now},
		{ID: 4, Name: "丁", EnteredAt: now, Team: "蓝"},
		{ID: 5, Name: "走了", EnteredAt: now, RemovedAt: now, Team: "蓝"},
		{ID: 6, Name: "没来", Team: "蓝"},
	}
	totals := map[ids.ID]*contest.Total{1: {Score: 900}, 2: {Score: 900}, 3: {Score: 1000}, 4: {Score: 10}, 5: {Score: 5000}}
	list, teams := contest.Board(players, totals, contest.Teams, 0)
	got := ""
	for _, p := range list {
		got += fmt.Sprint(p.Rank, p.Name, p.Org, p.Team, p.Score, " ")
	}
	if want := "1丙一支部红1000 2甲一支部红900 2匿名900 4丁蓝10 "; got != want {
		t.Fatalf("%s", got)
	}
	// A hidden player still counts for the team.
	if fmt.Sprint(teams) != "[{1 红 1900 2} {2 蓝 910 2}]" {
		t.Fatalf("%v", teams)
	}
	if _, none := contest.Board(players, totals, contest.Solo, 0); none != nil {
		t.Fatal("teams in a solo contest")
	}
}

func TestRanksAreThoseOfTheScores(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 40).Draw(t, "players")
		var players []contest.Player
		totals := map[ids.ID]*contest.Total{}
		for i := range n {
			players = append(players, contest.Player{ID: ids.ID(i + 1), EnteredAt: time.Unix(1, 0)})
			if rapid.Bool().Draw(t, "answered") {
				totals[ids.ID(i+1)] = &contest.Total{Score: rapid.IntRange(0, 5).Draw(t, "score")}
			}
		}
		list, _ := contest.Board(players, totals, contest.Solo, 0)
		if len(list) != n {
			t.Fatalf("%d of %d players", len(list), n)
		}
		for _, p := range list {
			better := 0
			for _, q := range list {
				if q.Score > p.Score {
					better++
				}
			}
			if p.Rank != better+1 {
				t.Fatalf("score %d: rank %d, but %d are better", p.Score, p.Rank, better)
			}
		}
	})
}
