package main

import (
	"context"
	"errors"

	"tongxin/internal/ids"
	"tongxin/moderate"
	"tongxin/notify"
)

// Kinds of objects whose words are checked.
const (
	noticeAnswer = "notice_answer"
)

// screenKinds names them for reviewers. Nobody keeps what is decided: those who
// show a text ask for its standing at that moment.
func (p *program) screenKinds() {
	for _, k := range []moderate.Kind{{Name: noticeAnswer, Label: "通知回复"}} {
		p.moderate.OnDecided(k, func(context.Context, moderate.Decision) error { return nil })
	}
}

// screened is what one text needs.
type screened struct {
	words moderate.Words
	shown bool
	note  string
}

// screen asks how it stands with texts of one kind and hands in what nobody
// handed in yet: also a text whose hand-in was lost when a process died.
func (p *program) screen(ctx context.Context, kind string, list []screened) error {
	objects := make([]ids.ID, len(list))
	for i := range list {
		list[i].words.Kind = kind
		objects[i] = list[i].words.ObjectID
	}
	standing, err := p.moderate.Standing(ctx, kind, objects)
	if err != nil {
		return err
	}
	var failed []error
	for i := range list {
		w := list[i].words
		st := standing[w.ObjectID]
		if st.Revision >= w.Revision && st.State != "" {
			list[i].shown, list[i].note = st.Shown(w.Revision), moderate.Say(st.State, st.Reason)
			continue
		}
		got, err := p.moderate.Text(ctx, w)
		failed = append(failed, err)
		list[i].shown, list[i].note = err == nil && got.State == moderate.Passed, got.Say
	}
	return errors.Join(failed...)
}

// screenAnswers is notify.Config.Screen.
func (p *program) screenAnswers(ctx context.Context, in []notify.Written) ([]notify.Screened, error) {
	list := make([]screened, len(in))
	for i, w := range in {
		list[i].words = moderate.Words{
			ObjectID: moderate.Object(w.Campaign.String(), w.Member.String()), Revision: w.At.UnixMilli(),
			OrgID: w.Org, Author: w.Member, Scene: moderate.Comment, Text: w.Text,
		}
	}
	if err := p.screen(ctx, noticeAnswer, list); err != nil {
		return nil, err
	}
	out := make([]notify.Screened, len(list))
	for i, s := range list {
		out[i] = notify.Screened{Shown: s.shown, Note: s.note}
	}
	return out, nil
}
