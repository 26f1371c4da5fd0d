package storage_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/quiz"
	"tongxin/quiz/contest"
	"tongxin/storage"
	"tongxin/storage/storagetest"
)

// stage is a store of contests on the tree of newCrew.
type stage struct {
	*crew
	s     *storage.Contests
	clock *clock.Manual
}

func eachStage(t *testing.T, fn func(t *testing.T, s *stage)) {
	clk := clock.NewManual(time.Now())
	storagetest.EachOptions(t, storage.Options{Clock: clk, Lease: 24 * time.Hour}, func(t *testing.T, db *storage.DB) {
		fn(t, &stage{crew: newCrew(t, db), s: storage.NewContests(db), clock: clk})
	})
}

func (s *stage) contest(org string, mode contest.Mode, code string) *contest.Contest {
	s.t.Helper()
	c := &contest.Contest{
		ID: s.db.IDs().New(), OrgID: s.orgs[org].ID, Title: "竞赛", Mode: mode, State: contest.Lobby, Code: code, Seed: 1 << 61, Rule: 1, Version: 1,
		CreatedAt: s.clock.Now(), CreatedBy: "t", StartsAt: s.clock.Now().Add(time.Hour), Match: contest.MatchPlan{Size: 2, Topic: "党章"},
		Plan: contest.Plan{Questions: []quiz.Ref{{ID: 7, Revision: 3}, {ID: 8, Revision: 1}}, Seconds: 15, Teams: []string{"红", "蓝"}, BestOf: 3, Early: true, Auto: true, Rest: 9},
	}
	id, err := s.s.Create(s.t.Context(), c, entry("contest.create"))
	ok(s.t, err)
	if id != c.ID {
		s.t.Fatal("another id")
	}
	return c
}

func (s *stage) join(c *contest.Contest, player int) (*contest.Player, error) {
	hash := fmt.Sprint("hash", c.ID, player, s.db.IDs().New())
	p := contest.Player{ID: ids.ID(player), Name: fmt.Sprint("党员", player), OrgID: c.OrgID, OrgName: "支部", Team: "红", Hidden: player%2 == 0}
	out, err := s.s.Join(s.t.Context(), c.ID, p, contest.Ticket{Hash: hash, ContestID: c.ID, Holder: p.ID, Role: contest.RolePlayer, ExpiresAt: s.clock.Now().Add(time.Minute)})
	if err == nil {
		pass, err := s.s.Redeem(s.t.Context(), hash)
		ok(s.t, err)
		if pass.Player == nil || pass.Player.ID != p.ID || pass.ContestID != c.ID || pass.Player.EnteredAt.IsZero() {
			s.t.Fatalf("%+v", pass)
		}
		_, err = s.s.Redeem(s.t.Context(), hash)
		code(s.t, err, errs.Unauthorized)
	}
	return out, err
}

func TestContestPlans(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		ctx := t.Context()
		c := s.contest("root/a", contest.Teams, "ABCDEF")
		got, err := s.s.Contest(ctx, c.ID)
		ok(t, err)
		if got.OrgPath != s.orgs["root/a"].Path || got.Plan.Questions[0].Revision != 3 || got.Seed != c.Seed || !got.StartsAt.Equal(c.StartsAt) ||
			got.Plan.Teams[1] != "蓝" || !got.Plan.Early || got.Total != 2 || got.Match.Topic != "党章" {
			t.Fatalf("%+v", got)
		}
		found, err := s.s.ByCode(ctx, "ABCDEF")
		ok(t, err)
		if found.ID != c.ID {
			t.Fatal("another contest")
		}
		for _, no := range []string{"", "#" + c.ID.String(), "ZZZZZZ"} {
			_, err = s.s.ByCode(ctx, no)
			code(t, err, errs.NotFound)
		}
		other := s.contest("root/c", contest.Solo, "")
		other.Code, other.Version = "ABCDEF", 2
		code(t, s.s.Save(ctx, other, 1, entry("contest.open")), errs.Conflict)
		other.Code, other.Title = "GHJKMN", "改名"
		ok(t, s.s.Save(ctx, other, 1, entry("contest.open")))
		code(t, s.s.Save(ctx, other, 1, entry("contest.open")), errs.Stale)
		code(t, s.s.Delete(ctx, other.ID, 2, entry("contest.delete")), errs.Stale) // not a draft
		list := func(f contest.Filter, want int) {
			t.Helper()
			got, err := s.s.Contests(ctx, f, page.Request{Limit: 10})
			ok(t, err)
			if len(got) != want {
				t.Fatalf("%+v: %d contests, want %d", f, len(got), want)
			}
		}
		match := s.contest("root", contest.Match, "PQRSTU")
		list(contest.Filter{Scope: authz.Scope{All: true}}, 2)
		list(contest.Filter{Scope: authz.Scope{All: true}, Match: true}, 3)
		list(contest.Filter{Scope: authz.Scope{Paths: []string{s.orgs["root/a"].Path}}}, 1)
		list(contest.Filter{}, 0)
		list(contest.Filter{Member: 5, Orgs: []ids.ID{s.orgs["root"].ID, s.orgs["root/a"].ID}}, 1)
		_, err = s.join(other, 5)
		ok(t, err)
		list(contest.Filter{Member: 5, Orgs: []ids.ID{s.orgs["root/a"].ID}}, 2)
		list(contest.Filter{Member: 5, Orgs: []ids.ID{s.orgs["root/a"].ID}, States: []contest.State{contest.Finished}}, 0)
		joined, err := s.s.Joined(ctx, 5, []ids.ID{c.ID, other.ID, match.ID})
		ok(t, err)
		if len(joined) != 1 || !joined[other.ID] {
			t.Fatalf("%v", joined)
		}
	})
}

func TestContestDoor(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		ctx := t.Context()
		c := s.contest("root", contest.Match, "ABCDEF")
		var wg sync.WaitGroup
		results := make([]error, 6)
		for i := range results { // six persons at once for two seats
			wg.Go(func() {
				_, results[i] = s.s.Join(ctx, c.ID, contest.Player{ID: ids.ID(i + 1), Name: "党员"}, contest.Ticket{Hash: fmt.Sprint("h", i), ContestID: c.ID, ExpiresAt: s.clock.Now()})
			})
		}
		wg.Wait()
		in := 0
		for _, err := range results {
			if err == nil {
				in++
			} else {
				code(t, err, errs.Conflict)
			}
		}
		got, err := s.s.Contest(ctx, c.ID)
		ok(t, err)
		if in != 2 || got.Players != 2 {
			t.Fatalf("%d got in, the contest counts %d", in, got.Players)
		}
		for i, err := range results {
			if err == nil {
				_, err = s.s.Redeem(ctx, fmt.Sprint("h", i))
				code(t, err, errs.Unauthorized) // it ran out at once
			}
		}
		open, err := s.s.OpenMatch(ctx, c.OrgID, 2, "党章", 99)
		ok(t, err)
		if open != nil {
			t.Fatal("a full match is open")
		}
		free := s.contest("root", contest.Match, "GHJKMN")
		_, err = s.join(free, 1)
		ok(t, err)
		for member, want := range map[ids.ID]ids.ID{99: free.ID, 1: free.ID} {
			if open, err = s.s.OpenMatch(ctx, c.OrgID, 2, "党章", member); err != nil || open == nil || member == 99 && open.ID != want {
				t.Fatalf("%+v %v", open, err)
			}
		}
		for _, q := range []struct {
			size  int
			topic string
		}{{4, "党章"}, {2, ""}} {
			if open, err = s.s.OpenMatch(ctx, c.OrgID, q.size, q.topic, 99); err != nil || open != nil {
				t.Fatalf("%+v %v", open, err)
			}
		}
		ok(t, s.s.Ticket(ctx, contest.Ticket{Hash: "host", ContestID: free.ID, Holder: 3, Role: contest.RoleHost, ExpiresAt: s.clock.Now().Add(time.Second)}, entry("contest.view")))
		pass, err := s.s.Redeem(ctx, "host")
		ok(t, err)
		if pass.Player != nil || pass.Role != contest.RoleHost || pass.Holder != 3 {
			t.Fatalf("%+v", pass)
		}
		s.clock.Add(time.Hour)
		ok(t, s.s.Sweep(ctx))
		if n, err := storage.One(ctx, s.db, storage.ScanInt64, nil, `SELECT COUNT(*) FROM contest_tickets`); err != nil || n != 0 {
			t.Fatalf("%d tickets %v", n, err)
		}
	})
}

func TestContestLease(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		ctx := t.Context()
		c := s.contest("root", contest.Solo, "ABCDEF")
		claim := func(who string, force, want bool) contest.Lease {
			t.Helper()
			l, _, won, err := s.s.Claim(ctx, c.ID, who, 6*time.Second, force)
			ok(t, err)
			if won != want {
				t.Fatalf("%s: won %v", who, won)
			}
			return l
		}
		var wg sync.WaitGroup
		wins := make([]bool, 4)
		for i := range wins {
			wg.Go(func() {
				var err error
				if _, _, wins[i], err = s.s.Claim(ctx, c.ID, fmt.Sprint("n", i), 6*time.Second, false); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		n := 0
		for _, won := range wins {
			if won {
				n++
			}
		}
		if n != 1 {
			t.Fatalf("%d owners", n)
		}
		s.clock.Add(7 * time.Second)
		first := claim("a", false, true)
		ok(t, s.s.Renew(ctx, c.ID, first, 6*time.Second))
		claim("b", false, false)
		forced := claim("b", true, true)
		if forced.Fence <= first.Fence {
			t.Fatal("the fence did not rise")
		}
		code(t, s.s.Renew(ctx, c.ID, first, 6*time.Second), errs.Stale)
		ok(t, s.s.Free(ctx, c.ID, first)) // not its own any more: changes nothing
		claim("c", false, false)

		given := []contest.Given{{Player: 1, N: 1, ReceivedAt: s.clock.Now(), Answer: quiz.Answer{Choice: []int{2}}, Right: true, Points: 700}}
		_, err := s.s.SaveAnswers(ctx, c.ID, first.Fence, given)
		code(t, err, errs.Stale)
		got, err := s.s.Contest(ctx, c.ID)
		ok(t, err)
		step := &contest.Step{Next: *got, Verb: contest.Start}
		step.Next.State, step.Next.N, step.Next.Phase = contest.Running, 1, contest.Open
		step.Round = &contest.Round{N: 1, Phase: contest.Open, OpenedAt: s.clock.Now(), EndsAt: s.clock.Now().Add(time.Minute)}
		code(t, s.s.Step(ctx, first.Fence, step, entry("contest.start")), errs.Stale)
		saved, err := s.s.Load(ctx, c.ID)
		ok(t, err)
		if len(saved.Given) != 0 || saved.Contest.N != 0 {
			t.Fatalf("a deposed owner wrote: %+v", saved)
		}
		ok(t, s.s.Step(ctx, forced.Fence, step, entry("contest.start")))
		code(t, s.s.Step(ctx, forced.Fence, step, entry("contest.start")), errs.Stale) // the version moved on
		orphans, err := s.s.Orphans(ctx, false)
		ok(t, err)
		if len(orphans) != 0 {
			t.Fatal("an owned contest is an orphan")
		}
		s.clock.Add(time.Minute)
		if orphans, err = s.s.Orphans(ctx, false); err != nil || len(orphans) != 1 {
			t.Fatalf("%v %v", orphans, err)
		}
		ok(t, s.s.Free(ctx, c.ID, forced))
		_, before, won, err := s.s.Claim(ctx, c.ID, "d", time.Second, false)
		if err != nil || !won || before.Owner != "" {
			t.Fatalf("%+v %v %v", before, won, err)
		}
	})
}

func TestContestAnswersStandOnce(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		ctx := t.Context()
		c := s.contest("root", contest.Solo, "ABCDEF")
		l, _, _, err := s.s.Claim(ctx, c.ID, "a", time.Hour, false)
		ok(t, err)
		for p := 1; p <= 5; p++ {
			_, err := s.join(c, p)
			ok(t, err)
		}
		var list []contest.Given
		for p := 1; p <= 200; p++ {
			list = append(list, contest.Given{Player: ids.ID(p), N: 1, ReceivedAt: s.clock.Now(), Answer: quiz.Answer{Choice: []int{p % 4}}, Right: p%2 == 0, Points: 500 * (1 - p%2)})
		}
		_, err = s.s.SaveAnswers(ctx, c.ID, l.Fence, list[:100])
		ok(t, err)
		s.clock.Add(time.Second)
		again := append([]contest.Given(nil), list...)
		for i := range again {
			again[i].ReceivedAt, again[i].Points = s.clock.Now(), 1
		}
		again = append(again, again[150]) // twice in one batch
		stand, err := s.s.SaveAnswers(ctx, c.ID, l.Fence, again)
		ok(t, err)
		for i, g := range stand[:100] {
			if !g.ReceivedAt.Equal(list[i].ReceivedAt) || g.Points != list[i].Points || g.Answer.Choice[0] != list[i].Answer.Choice[0] {
				t.Fatalf("answer %d: %+v, want the first, %+v", i, g, list[i])
			}
		}
		n, err := storage.One(ctx, s.db, storage.ScanInt64, nil, `SELECT COUNT(*) FROM contest_answers`)
		ok(t, err)
		if n != 200 {
			t.Fatalf("%d rows", n)
		}
		// Only closed questions count.
		got, err := s.s.Contest(ctx, c.ID)
		ok(t, err)
		step := &contest.Step{Next: *got}
		step.Next.N, step.Next.Phase, step.Next.State = 1, contest.Skipped, contest.Running
		step.Round = &contest.Round{N: 1, Phase: contest.Skipped}
		ok(t, s.s.Step(ctx, l.Fence, step, entry("contest.skip")))
		_, totals, err := s.s.Results(ctx, c.ID)
		ok(t, err)
		if len(totals) != 0 {
			t.Fatalf("%v", totals)
		}
		step.Next.Version++
		step.Next.Phase, step.Round.Phase = contest.Closed, contest.Closed
		ok(t, s.s.Step(ctx, l.Fence, step, entry("contest.close")))
		saved, err := s.s.Load(ctx, c.ID)
		ok(t, err)
		if len(saved.Players) != 5 || len(saved.Given) != 200 || saved.Totals[2].Score != 500 || saved.Totals[2].Right != 1 || saved.Totals[1].Score != 0 || !saved.Players[1].Hidden {
			t.Fatalf("%d players, %d answers, %+v", len(saved.Players), len(saved.Given), saved.Totals[2])
		}
		step.Next.Version++
		step.Round, step.Player = nil, 2
		ok(t, s.s.Step(ctx, l.Fence, step, entry("contest.remove")))
		_, err = s.join(c, 2)
		code(t, err, errs.Forbidden)
		if got, err = s.s.Contest(ctx, c.ID); err != nil || got.Players != 4 {
			t.Fatalf("%d players %v", got.Players, err)
		}
	})
}
