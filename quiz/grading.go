package quiz

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
)

// Waiting is an answer that a person must grade. Who gave it is left out unless
// it is asked for: graders should not know.
type Waiting struct {
	AttemptID  ids.ID  `json:"attemptId"`
	N          int     `json:"n"`
	PaperID    ids.ID  `json:"paperId"`
	Title      string  `json:"title"`
	MemberName string  `json:"memberName,omitempty" doc:"only when asked for, which is audited"`
	Stem       string  `json:"stem" doc:"HTML"`
	Key        Key     `json:"key" doc:"rubric, explanation and source"`
	Text       string  `json:"text" doc:"the answer; empty while or when the content check keeps it back"`
	Note       string  `json:"note,omitempty" doc:"why the text is kept back"`
	Points     float64 `json:"points" doc:"at most"`
	Version    int64   `json:"version"`

	Ref     Ref    `json:"-"`
	OrgPath string `json:"-"`

	MemberID, MemberOrg ids.ID `json:"-"`
	held                bool   // not graded before the check is through
}

// WaitingFilter narrows the queue. Attempts come in the order of their ids,
// which tells nothing of who took them.
type WaitingFilter struct {
	Scope authz.Scope // of papers; required
	Paper ids.ID
}

// Queue lists the answers that wait for a grader, oldest first. names shows who
// gave them.
func (s *Exams) Queue(ctx context.Context, actor *authz.Actor, paper ids.ID, names bool, r page.Request) (*page.Result[Waiting], error) {
	list, err := s.cfg.Store.Waiting(ctx, WaitingFilter{Scope: actor.Scope(Grade), Paper: paper}, r)
	if err != nil {
		return nil, err
	}
	if err := s.screen(ctx, list); err != nil {
		return nil, err
	}
	for i := range list {
		if err := s.present(ctx, &list[i]); err != nil {
			return nil, err
		}
		if !names {
			list[i].MemberName = ""
		}
	}
	if names && len(list) > 0 {
		e := trail.Entry{Actor: actor, Action: "grading.names", Object: "paper", ID: paper, Detail: map[string]string{"answers": fmt.Sprint(len(list))}}
		if err := s.cfg.Store.Record(ctx, e); err != nil {
			return nil, err
		}
	}
	// Pages are of whole attempts, so that the cursor may be an attempt.
	attempts, cut := 0, len(list)
	for i := range list {
		if i == 0 || list[i].AttemptID != list[i-1].AttemptID {
			if attempts++; attempts > r.Limit {
				cut = i
				break
			}
		}
	}
	res := page.Of(list, max(cut, 1), func(w Waiting) ids.ID { return w.AttemptID })
	return &res, nil
}

func (s *Exams) present(ctx context.Context, w *Waiting) error {
	list, err := s.content(ctx, []Ref{w.Ref})
	if err != nil {
		return err
	}
	w.Stem = s.render(list[0].Stem)
	w.Key = Shuffle{}.Key(list[0], s.render)
	return nil
}

// GradeInput is a grader's verdict.
type GradeInput struct {
	Points  float64 `json:"points" minimum:"0" maximum:"100"`
	Comment string  `json:"comment,omitempty" maxLength:"500" doc:"for the member"`
}

// GradeAnswer stores what a person gives for one answer, also again: the mark
// before is kept.
func (s *Exams) GradeAnswer(ctx context.Context, actor *authz.Actor, attempt ids.ID, n int, version int64, in GradeInput) (*Waiting, error) {
	w, err := s.cfg.Store.Answer(ctx, attempt, n)
	if err != nil {
		return nil, err
	}
	if !actor.Can(Grade, w.OrgPath) {
		return nil, missingAttempt()
	}
	list, err := s.content(ctx, []Ref{w.Ref})
	if err != nil {
		return nil, err
	}
	in.Comment = strings.TrimSpace(in.Comment)
	switch {
	case list[0].Kind != Short:
		return nil, errs.New(errs.Conflict, "这道题由系统评分。答案有误时，请修改题目后重新评分。")
	case w.Version != version:
		return nil, errs.New(errs.Stale, "这个答案刚刚被别人评过分，请刷新后再看。")
	case !finite(in.Points) || in.Points < 0 || in.Points > w.Points || math.Mod(in.Points*2, 1) != 0:
		return nil, errs.Bad("points", "得分请填 0 到 %g，以 0.5 为一档。", w.Points)
	case utf8.RuneCountInString(in.Comment) > 500 || !printable(in.Comment):
		return nil, errs.Bad("comment", "评语最多 500 个字。")
	}
	if err := s.gradable(ctx, w); err != nil {
		return nil, err
	}
	m := Marked{
		AttemptID: attempt, N: n, Ref: w.Ref, Points: w.Points, Share: in.Points / w.Points, Given: w.Text != "",
		Comment: in.Comment, Grader: actor.Name, GradedAt: s.now(), Version: version + 1,
	}
	e := trail.Entry{Actor: actor, Action: "attempt.grade", Object: "attempt", ID: attempt, OrgPath: w.OrgPath, Detail: map[string]string{
		"n": fmt.Sprint(n), "points": fmt.Sprint(in.Points), "full": fmt.Sprint(w.Points),
	}}
	if err := s.cfg.Store.Mark(ctx, []Marked{m}, actor.Name, "评分", []trail.Entry{e}); err != nil {
		return nil, err
	}
	s.sittings.drop(attempt)
	if w, err = s.cfg.Store.Answer(ctx, attempt, n); err != nil {
		return nil, err
	}
	w.MemberName = ""
	row := []Waiting{*w}
	if err := s.screen(ctx, row); err != nil {
		return nil, err
	}
	return &row[0], s.present(ctx, &row[0])
}

// RegradeInput asks for new marks after the key of a question was corrected.
type RegradeInput struct {
	QuestionID ids.ID   `json:"questionId"`
	Revision   int      `json:"revision" minimum:"1" doc:"the corrected revision"`
	Attempts   []ids.ID `json:"attempts,omitempty" maxItems:"200" doc:"absent: all that have ended"`
	Reason     string   `json:"reason" minLength:"1" maxLength:"100" doc:"kept in the audit"`
	DryRun     bool     `json:"dryRun,omitempty" doc:"count only: no mark changes and nothing is kept"`
}

// Regraded says what came of it.
type Regraded struct {
	Attempts int `json:"attempts" doc:"attempts that were looked at"`
	Changed  int `json:"changed" doc:"of them with another mark"`
}

// Regrade grades the answers to one question again by a corrected revision.
// Answers are kept by position, so the new revision must have the same parts in
// the same places. Old marks are kept.
func (s *Exams) Regrade(ctx context.Context, actor *authz.Actor, paper ids.ID, in RegradeInput) (*Regraded, error) {
	p, err := s.paperWith(ctx, actor, Grade, paper)
	if err != nil {
		return nil, err
	}
	if in.Reason = strings.TrimSpace(in.Reason); in.Reason == "" {
		return nil, errs.Bad("reason", "请填写重新评分的原因。")
	}
	marks, err := s.cfg.Store.MarksOf(ctx, paper, in.QuestionID, in.Attempts)
	if err != nil {
		return nil, err
	}
	if len(marks) == 0 {
		return nil, errs.Bad("questionId", "没有找到这道题的答卷。")
	}
	ref := Ref{in.QuestionID, in.Revision}
	list, err := s.content(ctx, []Ref{ref})
	if err != nil {
		return nil, errs.Bad("revision", "没有找到这道题的第 %d 版。", in.Revision)
	}
	next := list[0]
	if next.Kind == Short {
		return nil, errs.Bad("questionId", "简答题由人评分，请在评分列表里修改。")
	}
	out := &Regraded{Attempts: len(marks)}
	var changed []Marked
	for _, m := range marks {
		old, err := s.content(ctx, []Ref{m.Ref})
		if err != nil {
			return nil, err
		}
		if !sameParts(old[0], next) {
			return nil, errs.Bad("revision", "第 %d 版改动了选项的文字、数量或顺序，原来的答案对不上。请只更正正确答案，或另出一题。", in.Revision)
		}
		share, _ := next.Grade(m.Answer, p.Rules.Partial)
		if m.Ref == ref && share == m.Share {
			continue
		}
		if share != m.Share {
			out.Changed++
		}
		m.Share, m.Ref, m.Version, m.Grader, m.GradedAt = share, ref, m.Version+1, "", time.Time{}
		changed = append(changed, m.Marked)
	}
	if in.DryRun {
		return out, nil
	}
	e := paperEntry(actor, "paper.regrade", p, map[string]string{
		"question": in.QuestionID.String(), "revision": fmt.Sprint(in.Revision), "attempts": fmt.Sprint(out.Attempts), "changed": fmt.Sprint(out.Changed), "reason": in.Reason,
	})
	if err := s.cfg.Store.Mark(ctx, changed, actor.Name, in.Reason, []trail.Entry{e}); err != nil {
		return nil, err
	}
	for _, m := range changed {
		s.sittings.drop(m.AttemptID)
	}
	return out, nil
}

// sameParts reports that answers to a can be graded by b.
func sameParts(a, b *Content) bool {
	return a.Kind == b.Kind && len(a.Blanks) == len(b.Blanks) && slices.Equal(a.Items, b.Items) && slices.Equal(a.Pairs, b.Pairs) &&
		slices.Equal(a.Extra, b.Extra) && slices.EqualFunc(a.Options, b.Options, func(x, y Option) bool { return x.Text == y.Text })
}
