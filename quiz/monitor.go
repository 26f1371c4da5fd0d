package quiz

import (
	"context"
	"fmt"
	"strings"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
)

// Seat is an attempt as those who watch an exam see it.
type Seat struct {
	ID         ids.ID       `json:"id"`
	MemberID   ids.ID       `json:"memberId"`
	MemberName string       `json:"memberName"`
	OrgID      ids.ID       `json:"orgId"`
	OrgName    string       `json:"orgName"`
	Number     int          `json:"number"`
	State      AttemptState `json:"state" enum:"open,submitted,expired,graded"`
	Expired    bool         `json:"expired" doc:"ended by time"`
	StartedAt  time.Time    `json:"startedAt"`
	DueAt      time.Time    `json:"dueAt,omitzero"`
	EndedAt    time.Time    `json:"endedAt,omitzero"`
	Answered   int          `json:"answered" doc:"questions with an answer so far"`
	Questions  int          `json:"questions"`
	LastAt     time.Time    `json:"lastAt,omitzero" doc:"of the newest answer"`
	Score      *float64     `json:"score,omitempty" doc:"when it has ended; without what people have yet to grade"`
	Points     float64      `json:"points"`
	Pending    int          `json:"pending" doc:"answers that wait for a grader"`
	Version    int64        `json:"version"`
	OrgPath    string       `json:"-"`
}

// SeatFilter narrows a list of seats; zero fields do not.
type SeatFilter struct {
	Paper   ids.ID      // required
	Scope   authz.Scope // of the members' branches; required
	State   AttemptState
	Pending bool
}

// Seats lists the attempts at a paper, newest first, of the members that the
// actor may see results of.
func (s *Exams) Seats(ctx context.Context, actor *authz.Actor, paper ids.ID, state AttemptState, r page.Request) (*page.Result[Seat], error) {
	if _, err := s.watched(ctx, actor, paper); err != nil {
		return nil, err
	}
	list, err := s.cfg.Store.Seats(ctx, SeatFilter{Paper: paper, Scope: actor.Scope(Results), State: state}, r)
	if err != nil {
		return nil, err
	}
	res := page.Of(list, r.Limit, func(x Seat) ids.ID { return x.ID })
	return &res, nil
}

// watched is a paper some of whose takers the actor may see: one of an
// organisation under or above where the actor may.
func (s *Exams) watched(ctx context.Context, actor *authz.Actor, id ids.ID) (*Paper, error) {
	p, err := s.cfg.Store.Paper(ctx, id)
	if err != nil {
		return nil, err
	}
	if p.State == PaperDraft || !actor.Can(Results, p.OrgPath) && !actor.Within(Results, p.OrgPath) {
		return nil, missingPaper()
	}
	return p, nil
}

// Extension is more time for one member.
type Extension struct {
	Minutes int    `json:"minutes" minimum:"1" maximum:"1440" doc:"added to the present end"`
	Reason  string `json:"reason" minLength:"1" maxLength:"100" doc:"kept in the audit"`
}

// Extend gives one open attempt more time, also beyond the close of its paper:
// nothing that waits for the close is known to anybody before.
func (s *Exams) Extend(ctx context.Context, actor *authz.Actor, id ids.ID, in Extension) (*Seat, error) {
	seat, err := s.cfg.Store.Seat(ctx, id)
	if err != nil {
		return nil, err
	}
	a, err := s.cfg.Store.Attempt(ctx, id)
	if err != nil {
		return nil, err
	}
	if !actor.Can(Manage, seat.OrgPath) || a.PaperID == 0 {
		return nil, missingAttempt()
	}
	in.Reason = strings.TrimSpace(in.Reason)
	switch {
	case in.Reason == "":
		return nil, errs.Bad("reason", "请填写延长时间的原因。")
	case in.Minutes < 1 || in.Minutes > 24*60:
		return nil, errs.Bad("minutes", "延长的时间请填 1 到 1440 分钟。")
	case a.State != AttemptOpen || !a.Due.IsZero() && !s.now().Before(a.Due.Add(settle)):
		return nil, errs.New(errs.Conflict, "这份答卷已经结束，不能再延长时间。")
	case a.Due.IsZero():
		return nil, errs.New(errs.Conflict, "这份答卷没有时间限制，不需要延长。")
	}
	due := a.Due.Add(time.Duration(in.Minutes) * time.Minute)
	e := attemptEntry(actor, "attempt.extend", a, seat.OrgPath, map[string]string{
		"member": seat.MemberName, "minutes": fmt.Sprint(in.Minutes), "due": due.Format(time.RFC3339), "reason": in.Reason,
	})
	if err := s.cfg.Store.Extend(ctx, a, due, e); err != nil {
		return nil, err
	}
	s.sittings.drop(id)
	s.papers.drop(a.PaperID)
	return s.cfg.Store.Seat(ctx, id)
}
