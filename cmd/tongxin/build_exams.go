package main

import (
	"context"

	"tongxin/internal/clock"
	"tongxin/internal/ids"
	"tongxin/quiz"
	"tongxin/storage"
)

// buildExams makes papers and attempts. They stand on the bank.
func (p *program) buildExams(context.Context, options) (err error) {
	p.exams, err = p.newExams(p.clock)
	return err
}

func (p *program) newExams(c clock.Clock) (*quiz.Exams, error) {
	return quiz.NewExams(quiz.ExamConfig{
		Store: storage.NewExams(p.db), Bank: storage.NewQuizBank(p.db), Clock: c, IDs: p.db.IDs(), Org: p.quizPlace,
		HTML: quizHTML(p.picture), Recommends: p.recommends, Screen: p.screenShort, Log: p.log,
	})
}

// recommends tells whether a member lets the program choose by what they got wrong.
func (p *program) recommends(ctx context.Context, id ids.ID) (bool, error) {
	set, err := p.signin.Settings(ctx, id)
	return set.Recommendations, err
}
