package main

import (
	"context"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/publish"
	"tongxin/publish/picture"
	"tongxin/quiz"
	"tongxin/storage"
)

// buildBank makes the question bank. It stands on the media library.
func (p *program) buildBank(context.Context, options) error {
	p.bank = quiz.NewBank(quiz.BankConfig{
		Store: storage.NewQuizBank(p.db), Clock: p.clock, IDs: p.db.IDs(),
		Place: p.quizPlace, HTML: quizHTML(p.picture), Picture: p.quizPicture, Upload: p.quizUpload,
	})
	return nil
}

// quizPlace tells the bank about an organisation.
func (p *program) quizPlace(ctx context.Context, id ids.ID) (quiz.Place, error) {
	o, err := p.staff.Org(ctx, authz.SystemActor("quiz"), id)
	if err != nil {
		return quiz.Place{}, err
	}
	return quiz.Place{ID: o.ID, Path: o.Path, Name: o.Name, Closed: !o.ArchivedAt.IsZero()}, nil
}

// quizPicture tells whether the actor may use a picture of the library.
func (p *program) quizPicture(ctx context.Context, actor *authz.Actor, hash string) (bool, error) {
	_, err := p.publish.Store.Asset(ctx, actor.Scope(publish.MediaRead), hash)
	if errs.Is(err, errs.NotFound) {
		return false, nil
	}
	return err == nil, err
}

// quizUpload puts a picture that came in a file of questions into the library.
func (p *program) quizUpload(ctx context.Context, actor *authz.Actor, org ids.ID, a quiz.Attachment, dry bool) (string, error) {
	if dry {
		_, err := picture.Inspect(a.Data[:min(len(a.Data), picture.HeaderBytes)], int64(len(a.Data)))
		return "", err
	}
	v, err := p.publish.UploadMedia(ctx, actor, publish.MediaUpload{OrgID: org, Name: a.Name, Data: a.Data})
	if err != nil {
		return "", err
	}
	return v.Hash, nil
}

// staffPicture is where the console reads a picture of the library.
func staffPicture(hash string) string { return "/api/staff/v1/media/" + hash + "?size=800" }
