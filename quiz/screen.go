package quiz

import (
	"context"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
)

// Written is a short answer, for the content check that stands before graders.
type Written struct {
	Attempt     ids.ID
	N           int
	Member, Org ids.ID // who wrote it, and the member's branch
	Text        string
}

// Screened is what the check says. A refused text is never shown, but may be
// graded: Note says why.
type Screened struct {
	Shown, Refused bool
	Note           string
}

// screen hides from graders what they may not read yet.
func (s *Exams) screen(ctx context.Context, rows []Waiting) error {
	if s.cfg.Screen == nil {
		return nil
	}
	var list []Written
	var at []int
	for i, w := range rows {
		if w.Text != "" {
			list = append(list, Written{Attempt: w.AttemptID, N: w.N, Member: w.MemberID, Org: w.MemberOrg, Text: w.Text})
			at = append(at, i)
		}
	}
	if len(list) == 0 {
		return nil
	}
	got, err := s.cfg.Screen(ctx, list)
	if err != nil {
		return err
	}
	for i, v := range got {
		if w := &rows[at[i]]; !v.Shown {
			w.Text, w.Note, w.held = "", v.Note, !v.Refused
		}
	}
	return nil
}

// gradable refuses to grade a text that nobody may read yet.
func (s *Exams) gradable(ctx context.Context, w *Waiting) error {
	row := []Waiting{*w}
	if err := s.screen(ctx, row); err != nil {
		return err
	}
	if row[0].held {
		return errs.New(errs.Conflict, "这个答案还没有通过内容审核，暂时不能评分，请到“内容审核”处理或稍后再来。")
	}
	return nil
}

// handIn brings the short answers of an ended attempt to the check at once,
// while the member is still there; what fails here is handed in when a grader
// looks.
func (s *Exams) handIn(ctx context.Context, st *sitting) {
	a := &st.a
	if s.cfg.Screen == nil || a.Pending == 0 {
		return
	}
	var rows []Waiting
	for n, c := range st.contents {
		if c.Kind != Short {
			continue
		}
		w, err := s.cfg.Store.Answer(ctx, a.ID, n+1)
		if err != nil {
			s.cfg.Log.Warn("quiz: short answers not handed in", "attempt", a.ID, "err", err)
			return
		}
		if w.Text != "" {
			rows = append(rows, *w)
		}
	}
	if err := s.screen(ctx, rows); err != nil {
		s.cfg.Log.Warn("quiz: short answers not handed in", "attempt", a.ID, "err", err)
	}
}
