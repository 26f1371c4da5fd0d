package main

import (
	"context"
	"crypto/rand"

	"tongxin/internal/typeset"
	"tongxin/quiz/results"
	"tongxin/storage"
)

// buildResults makes results and certificates. They stand on papers and attempts.
func (p *program) buildResults(_ context.Context, opt options) error {
	setter, err := typeset.New()
	if err != nil {
		return err
	}
	store := storage.NewResults(p.db)
	p.results, err = results.New(results.Config{
		Store: store, Paper: storage.NewExams(p.db).Paper, Bank: storage.NewQuizBank(p.db), Clock: p.clock, IDs: p.db.IDs(),
		Random: rand.Reader, Setter: setter, PublicURL: opt.publicURL, Org: p.quizPlace, Unlisted: store.RankingsOff, HTML: quizHTML(staffPicture),
	})
	return err
}
