package main

import (
	"context"
	"math/rand/v2"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
	"tongxin/member"
	"tongxin/quiz"
	"tongxin/quiz/contest"
	"tongxin/storage"
)

// seedContests leaves one contest in the lobby and one that was played
// yesterday, by the rules that every contest is played by.
func (p *program) seedContests(ctx context.Context, root ids.ID) error {
	host, err := p.staff.ActorByLogin(ctx, "editor")
	if err != nil {
		return err
	}
	in := contest.Input{
		OrgID: root, Title: "党章知识竞赛（支部赛）", Mode: contest.Branches, BestOf: 5, Seconds: 20, Draw: &contest.Draw{Count: 6},
	}
	played, err := p.openContest(ctx, host, in)
	if err != nil {
		return err
	}
	if err := p.playContest(ctx, played); err != nil {
		return err
	}
	in.Title, in.Mode, in.BestOf, in.Draw = "本周学习抢答", contest.Solo, 0, &contest.Draw{Count: 5}
	_, err = p.openContest(ctx, host, in)
	return err
}

func (p *program) openContest(ctx context.Context, host *authz.Actor, in contest.Input) (*contest.Contest, error) {
	c, err := p.contests.Create(ctx, host, in)
	if err != nil {
		return nil, err
	}
	return p.contests.Open(ctx, host, c.ID)
}

// demoGame is a contest that is played from what is stored, without anybody
// being there.
type demoGame struct {
	store  *storage.Contests
	engine *contest.Engine
	items  []contest.Item
	lease  contest.Lease
	now    time.Time
	luck   *rand.Rand
	people []contest.Player
}

func (p *program) playContest(ctx context.Context, c *contest.Contest) error {
	g := &demoGame{store: storage.NewContests(p.db), now: p.clock.Now().Add(-26 * time.Hour), luck: rand.New(rand.NewPCG(1, 2))}
	var err error
	if g.people, err = p.enterMembers(ctx, g.store, c); err != nil {
		return err
	}
	rules, err := contest.Rules()
	if err != nil {
		return err
	}
	if g.items, err = contest.Items(ctx, storage.NewQuizBank(p.db), quizHTML(p.picture), c); err != nil {
		return err
	}
	if g.lease, _, _, err = g.store.Claim(ctx, c.ID, "demo", time.Minute, true); err != nil {
		return err
	}
	saved, err := g.store.Load(ctx, c.ID)
	if err != nil {
		return err
	}
	g.engine = contest.NewEngine(*saved, rules[c.Rule-1], g.items)
	verb := contest.Start
	for range g.items {
		if err := g.question(ctx, verb); err != nil {
			return err
		}
		verb = contest.Next
	}
	if err := g.step(ctx, contest.Next); err != nil { // after the last: the end
		return err
	}
	return g.store.Free(ctx, c.ID, g.lease)
}

// enterMembers joins two members of three.
func (p *program) enterMembers(ctx context.Context, store *storage.Contests, c *contest.Contest) ([]contest.Player, error) {
	list, err := p.members.Members(ctx, authz.SystemActor("初始化"), member.Ask{}, page.Request{Limit: page.Max})
	if err != nil {
		return nil, err
	}
	var out []contest.Player
	for i, m := range list.Items {
		if i%3 == 2 {
			continue
		}
		ticket := randomToken()
		o, err := p.contestOrg(ctx, m.OrgID)
		if err != nil {
			return nil, err
		}
		one := contest.Player{ID: m.ID, Name: m.Name, OrgID: o.ID, OrgName: o.Name, Team: o.Name}
		if _, err := store.Join(ctx, c.ID, one, contest.Ticket{
			Hash: contest.HashTicket(ticket), ContestID: c.ID, Holder: m.ID, Role: contest.RolePlayer, ExpiresAt: p.clock.Now().Add(contest.TicketLife),
		}); err != nil {
			return nil, err
		}
		pass, err := store.Redeem(ctx, contest.HashTicket(ticket))
		if err != nil {
			return nil, err
		}
		out = append(out, *pass.Player)
	}
	return out, nil
}

func (g *demoGame) step(ctx context.Context, verb contest.Verb) error {
	s, err := g.engine.Decide(contest.Command{Verb: verb}, g.now)
	if err != nil {
		return err
	}
	if err := g.store.Step(ctx, g.lease.Fence, s, trail.Entry{
		Actor: authz.SystemActor("初始化"), Action: "contest." + string(verb), Object: "contest", ID: s.Next.ID, OrgID: s.Next.OrgID, OrgPath: s.Next.OrgPath,
	}); err != nil {
		return err
	}
	s.Next.Version++
	g.engine.Apply(s)
	return nil
}

// question lets most answer, and most of those rightly.
func (g *demoGame) question(ctx context.Context, verb contest.Verb) error {
	if err := g.step(ctx, verb); err != nil {
		return err
	}
	c := g.engine.Contest()
	it := g.items[c.N-1]
	var list []contest.Given
	for _, one := range g.people {
		if g.luck.IntN(12) == 0 {
			continue
		}
		answer := it.Key.Answer
		if g.luck.IntN(10) < 3 {
			answer = wrongAnswer(&it, answer)
		}
		after := time.Duration(2000+g.luck.IntN(1000*c.Plan.Seconds-2500)) * time.Millisecond
		given, _, no := g.engine.Take(one.ID, c.N, answer, g.now.Add(after))
		if no != nil {
			return errs.Wrap(no, errs.Internal, "the demonstration's answer was refused")
		}
		list = append(list, given)
	}
	list, err := g.store.SaveAnswers(ctx, c.ID, g.lease.Fence, list)
	if err != nil {
		return err
	}
	g.engine.Stored(list)
	g.now = c.EndsAt
	if err := g.step(ctx, contest.Close); err != nil {
		return err
	}
	g.now = g.now.Add(10 * time.Second)
	return nil
}

// wrongAnswer is valid and, for choices, another one than the right.
func wrongAnswer(it *contest.Item, right quiz.Answer) quiz.Answer {
	switch it.Content.Kind {
	case quiz.Single, quiz.Multiple:
		return quiz.Answer{Choice: []int{(right.Choice[0] + 1) % len(it.Shown.Options)}}
	case quiz.TrueFalse:
		return quiz.Answer{Choice: []int{1 - right.Choice[0]}}
	case quiz.Fill, quiz.Order, quiz.Match, quiz.Short:
	}
	return right
}
