package main

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/moderate"
	"tongxin/notify"
	"tongxin/quiz"
)

// Kinds of objects whose words are checked.
const (
	noticeAnswer = "notice_answer"
	teamName     = "team_name"
	shortAnswer  = "short_answer"
)

// screenKinds names them for reviewers. Nobody keeps what is decided: those who
// show a text ask for its standing at that moment.
func (p *program) screenKinds() {
	for _, k := range []moderate.Kind{{Name: noticeAnswer, Label: "通知回复"}, {Name: teamName, Label: "比赛队名"}, {Name: shortAnswer, Label: "简答题答案"}} {
		p.moderate.OnDecided(k, func(context.Context, moderate.Decision) error { return nil })
	}
}

// screened is what one text needs.
type screened struct {
	words   moderate.Words
	shown   bool
	note    string
	refused bool
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
			list[i].refused = st.State == moderate.Refused
			continue
		}
		got, err := p.moderate.Text(ctx, w)
		failed = append(failed, err)
		list[i].shown, list[i].note = err == nil && got.State == moderate.Passed, got.Say
		list[i].refused = got.State == moderate.Refused
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

// checkTeamName is contest.Config.Check: everybody in the lobby sees the name at
// once, so only one that passed may be used. A name that passed once is not
// asked about again under the same branch: members of one team type the same.
func (p *program) checkTeamName(ctx context.Context, member *authz.Actor, name string) error {
	if member == nil || len(member.Grants) == 0 {
		return errs.Missing("比赛")
	}
	org := member.Grants[0].OrgID
	list := []screened{{words: moderate.Words{
		ObjectID: moderate.Object(org.String(), strings.ToLower(name)), Revision: 1, OrgID: org, Author: member.ID, Scene: moderate.Profile, Text: name,
	}}}
	if err := p.screen(ctx, teamName, list); err != nil {
		return err
	}
	switch {
	case list[0].shown:
		return nil
	case list[0].refused:
		return errs.Bad("team", "这个队名不能使用，请换一个。")
	}
	return errs.Bad("team", "这个队名要等工作人员审核，请稍后再试，或先换一个队名。")
}

// screenShort is quiz.ExamConfig.Screen. Answers are final once an attempt has
// ended, so there is one revision. Many attempts end at the same moment: nobody
// waits for WeChat here.
func (p *program) screenShort(ctx context.Context, in []quiz.Written) ([]quiz.Screened, error) {
	list := make([]screened, len(in))
	for i, w := range in {
		list[i].words = moderate.Words{
			ObjectID: moderate.Object(w.Attempt.String(), strconv.Itoa(w.N)), Revision: 1, OrgID: w.Org, Author: w.Member,
			Scene: moderate.Forum, Text: w.Text, Later: true,
		}
	}
	if err := p.screen(ctx, shortAnswer, list); err != nil {
		return nil, err
	}
	out := make([]quiz.Screened, len(list))
	for i, s := range list {
		out[i] = quiz.Screened{Shown: s.shown, Refused: s.refused}
		switch {
		case s.refused:
			out[i].Note = "这个答案没有通过内容审核，不予显示。"
		case !s.shown:
			out[i].Note = "这个答案正在进行内容审核，通过后可以评分。"
		}
	}
	return out, nil
}
