package main

import (
	"context"
	"math/rand/v2"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/member"
	"tongxin/quiz"
	"tongxin/storage"
)

// seedQuizzes leaves 每日答题 switched on, one open exam, one that ended
// yesterday with the answers of about thirty members, and a draft. It stands on
// the questions of the bank; without any it does nothing.
func (p *program) seedQuizzes(ctx context.Context, system *authz.Actor, org ids.ID) error {
	graded, short, err := p.demoRefs(ctx, org)
	if err != nil || len(graded) < 8 {
		return err
	}
	if _, err := p.exams.SaveDaily(ctx, system, org, 0, quiz.DailyInput{Enabled: true, Count: 5}); err != nil {
		return err
	}
	if err := p.seedPastExam(ctx, system, org, graded[:min(10, len(graded))]); err != nil {
		return err
	}
	now := p.clock.Now().Truncate(time.Hour)
	open := demoExam(org, "组织生活应知应会（补考）", graded[len(graded)-min(6, len(graded)):], now.Add(-time.Hour), now.AddDate(0, 0, 14))
	open.About, open.Rules.Attempts, open.Rules.DurationSec = "限时 20 分钟，两次机会，取最高成绩。", 2, 20*60
	if len(short) > 0 {
		open.Items = append(open.Items, quiz.PaperItem{ID: short[0].ID, Points: 10})
	}
	made, err := p.exams.CreatePaper(ctx, system, open)
	if err != nil {
		return err
	}
	if _, err := p.exams.PublishPaper(ctx, system, made.ID, made.Version); err != nil {
		return err
	}
	draft := demoExam(org, "主题党日知识竞赛（草稿）", graded[:4], time.Time{}, time.Time{})
	_, err = p.exams.CreatePaper(ctx, system, draft)
	return err
}

// demoRefs lists the bank's questions: those the program grades, and short answers.
func (p *program) demoRefs(ctx context.Context, org ids.ID) (graded, short []quiz.Ref, err error) {
	bank := storage.NewQuizBank(p.db)
	all, err := bank.Pool(ctx, quiz.DrawQuery{Orgs: []ids.ID{org}})
	if err != nil {
		return nil, nil, err
	}
	contents, err := bank.Contents(ctx, all)
	for i, c := range contents {
		if c.Kind == quiz.Short {
			short = append(short, all[i])
		} else {
			graded = append(graded, all[i])
		}
	}
	return graded, short, err
}

func demoExam(org ids.ID, title string, refs []quiz.Ref, opens, closes time.Time) quiz.PaperInput {
	in := quiz.PaperInput{OrgID: org, Kind: quiz.ExamPaper, Title: title, Rules: quiz.PaperRules{
		OpensAt: opens, ClosesAt: closes, DurationSec: 30 * 60, Attempts: 1, Counting: quiz.CountBest, Partial: true,
		ShowScore: quiz.AfterSubmit, ShowKey: quiz.AfterClose, ShuffleQuestions: true, ShuffleOptions: true,
	}}
	for _, r := range refs {
		in.Items = append(in.Items, quiz.PaperItem{ID: r.ID, Points: 5})
	}
	in.Rules.PassPoints = 3 * float64(len(refs))
	return in
}

// seedPastExam lets members take an exam in the days before, by a clock of
// their own, and ends it yesterday.
func (p *program) seedPastExam(ctx context.Context, system *authz.Actor, org ids.ID, refs []quiz.Ref) error {
	now := p.clock.Now().Truncate(time.Hour)
	past := clock.NewManual(now.AddDate(0, 0, -4))
	exams, err := p.newExams(past)
	if err != nil {
		return err
	}
	in := demoExam(org, "三会一课知识测试", refs, past.Now(), now.AddDate(0, 0, 1))
	in.Rules.Certificate, in.Rules.Ranking = "合格证书", true
	made, err := exams.CreatePaper(ctx, system, in)
	if err != nil {
		return err
	}
	paper, err := exams.PublishPaper(ctx, system, made.ID, made.Version)
	if err != nil {
		return err
	}
	people, err := p.members.Members(ctx, system, member.Ask{State: member.Active}, page.Request{Limit: 200})
	if err != nil {
		return err
	}
	for i, m := range people.Items {
		if i%4 == 3 {
			continue // somebody always has no time
		}
		past.Add(37 * time.Minute)
		if err := p.demoSitting(ctx, exams, past, &m, paper.ID, rand.New(rand.NewPCG(20260701, uint64(i)))); err != nil {
			return err
		}
	}
	past.Add(now.AddDate(0, 0, -1).Sub(past.Now()))
	_, err = exams.ClosePaper(ctx, system, paper.ID, paper.Version)
	return err
}

// demoSitting answers one attempt: more rightly the better a member is prepared
// and the easier the question.
func (p *program) demoSitting(ctx context.Context, exams *quiz.Exams, past *clock.Manual, m *member.Member, paper ids.ID, rnd *rand.Rand) error {
	actor := memberActor(m)
	sheet, err := exams.Start(ctx, actor, paper)
	if err != nil {
		return err
	}
	a, err := storage.NewExams(p.db).Attempt(ctx, sheet.ID)
	if err != nil {
		return err
	}
	refs := make([]quiz.Ref, len(a.Items))
	for i, it := range a.Items {
		refs[i] = it.Ref
	}
	contents, err := storage.NewQuizBank(p.db).Contents(ctx, refs)
	if err != nil {
		return err
	}
	skill := 0.45 + 0.5*rnd.Float64()
	for i := range contents {
		past.Add(time.Duration(12+rnd.IntN(45)) * time.Second)
		c, sh := &contents[i], quiz.NewShuffle(&contents[i], a.Seed, i+1, true)
		answer := c.Right()
		if rnd.Float64() > skill-0.06*float64(c.Difficulty-3) {
			answer = demoWrong(c, rnd)
		}
		in := quiz.AnswerIn{N: i + 1, Seq: 1, Answer: sh.Outward(c, answer)}
		if _, err := exams.SaveAnswer(ctx, actor, sheet.ID, in, past.Now()); err != nil {
			return err
		}
	}
	_, err = exams.Submit(ctx, actor, sheet.ID)
	return err
}

// demoWrong is an answer that is not right, as people give it.
func demoWrong(c *quiz.Content, rnd *rand.Rand) (a quiz.Answer) {
	switch c.Kind {
	case quiz.Single, quiz.Multiple:
		for i, o := range c.Options {
			if !o.Right {
				a.Choice = append(a.Choice, i)
			}
		}
		if len(a.Choice) == 0 { // all are right: too few are chosen
			a.Choice = []int{0}
		}
		at := rnd.IntN(len(a.Choice) + 1)
		if at == len(a.Choice) {
			at = 0 // the first distractor is the tempting one
		}
		a.Choice = a.Choice[at : at+1]
	case quiz.TrueFalse:
		a.Choice = []int{1 - c.Right().Choice[0]}
	case quiz.Fill:
		for range c.Blanks {
			a.Blanks = append(a.Blanks, "不清楚")
		}
	case quiz.Order:
		for i := range c.Items {
			a.Order = append(a.Order, len(c.Items)-1-i)
		}
	case quiz.Match:
		for i := range c.Pairs {
			a.Match = append(a.Match, (i+1)%len(c.Pairs))
		}
	case quiz.Short:
	}
	return a
}
