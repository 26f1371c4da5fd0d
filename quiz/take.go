package quiz

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/call"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/trail"
)

func attemptEntry(actor *authz.Actor, action string, a *Attempt, path string, detail map[string]string) trail.Entry {
	return trail.Entry{Actor: actor, Action: action, Object: "attempt", ID: a.ID, OrgID: a.OrgID, OrgPath: path, Detail: detail}
}

// branch is where the actor takes quizzes.
func branch(actor *authz.Actor) (ids.ID, string) {
	for _, g := range actor.Grants {
		for _, r := range g.Rights {
			if r == Take {
				return g.OrgID, g.Path
			}
		}
	}
	return 0, ""
}

// Start begins an attempt at a paper, or returns the one that is open: a
// repeated call and a second device go on with what there is.
func (s *Exams) Start(ctx context.Context, actor *authz.Actor, paper ids.ID) (*Sheet, error) {
	p, err := s.meant(ctx, actor, paper)
	if err != nil {
		return nil, err
	}
	now := s.now()
	if !p.Rules.OpensAt.IsZero() && now.Before(p.Rules.OpensAt) {
		return nil, errs.New(errs.Conflict, "“%s”还没有开始，请于%s再来。", p.Title, clockText(p.Rules.OpensAt))
	}
	if end := p.endsAt(); p.State == PaperClosed || !end.IsZero() && !now.Before(end) {
		return nil, errs.New(errs.Conflict, "“%s”已经结束，不能再作答。", p.Title)
	}
	a := &Attempt{
		ID: s.cfg.IDs.New(), PaperID: p.ID, MemberID: actor.ID, Kind: p.Kind, Title: p.Title, State: AttemptOpen, Seed: seed(),
		Started: now, Due: p.due(now), Points: p.Points, Addr: call.From(ctx).Addr, Version: 1,
	}
	a.Items = p.Pinned.deal(a.Seed, p.Rules.ShuffleQuestions)
	return s.begin(ctx, actor, p, a, p.Rules.Attempts)
}

func (s *Exams) begin(ctx context.Context, actor *authz.Actor, p *Paper, a *Attempt, allowed int) (*Sheet, error) {
	org, path := branch(actor)
	a.OrgID = org
	st, err := s.sit(ctx, p, a) // before the write: what cannot be shown is not begun
	if err != nil {
		return nil, err
	}
	made, err := s.cfg.Store.Start(ctx, a, allowed, attemptEntry(actor, "attempt.start", a, path, map[string]string{"paper": p.Title}))
	if err != nil {
		return nil, err
	}
	if made.ID != a.ID {
		return s.Sheet(ctx, actor, made.ID)
	}
	st.a = *made
	s.sittings.put(made.ID, st, a.Started)
	return s.sheet(st, made, nil, s.now()), nil
}

// Sheet returns an attempt of the member with the answers saved so far.
func (s *Exams) Sheet(ctx context.Context, actor *authz.Actor, id ids.ID) (*Sheet, error) {
	st, err := s.current(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	given, err := s.cfg.Store.Givens(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.sheet(st, &st.a, given, s.now()), nil
}

// SaveAnswer stores one answer. at is when the request arrived, which alone
// decides whether it is late. It returns after the answer is durable.
func (s *Exams) SaveAnswer(ctx context.Context, actor *authz.Actor, id ids.ID, in AnswerIn, at time.Time) (Saved, error) {
	st, err := s.own(ctx, actor, id)
	if err != nil {
		return Saved{}, err
	}
	if err := st.valid(&in); err != nil {
		return Saved{}, err
	}
	return s.save(ctx, st, in, at)
}

func (st *sitting) valid(in *AnswerIn) error {
	if in.N < 1 || in.N > len(st.a.Items) {
		return errs.Bad("n", "这份答卷没有第 %d 题，请刷新页面。", in.N)
	}
	if in.Seq < 1 {
		return errs.Bad("seq", "缺少作答序号，请刷新页面后重新作答。")
	}
	return st.contents[in.N-1].ValidAnswer(in.Answer)
}

func (s *Exams) save(ctx context.Context, st *sitting, in AnswerIn, at time.Time) (Saved, error) {
	if late(&st.a, at) { // memory may not know of an extension
		now, err := s.read(ctx, st.a.ID)
		if err != nil {
			return Saved{}, err
		}
		if st = now; late(&st.a, at) {
			return Saved{}, ended(AttemptExpired, st.a.Due)
		}
	}
	c, sh := st.contents[in.N-1], st.shuffle(in.N)
	kept, err := s.cfg.Store.Save(ctx, Keep{
		Attempt: st.a.ID, N: in.N, Seq: in.Seq, Answer: sh.Inward(c, in.Answer), At: at, Final: st.atOnce(),
	})
	if err != nil {
		return Saved{}, err
	}
	if kept.Refused {
		return Saved{}, ended(kept.State, kept.EndedAt)
	}
	out := Saved{N: in.N, Seq: kept.Seq, SavedAt: kept.SavedAt}
	if !kept.Taken {
		shown := sh.Outward(c, kept.Answer)
		out.Answer = &shown
	}
	if st.atOnce() && !kept.Answer.Empty() {
		out.Result = s.mark(st, in.N, kept.Answer)
	}
	return out, nil
}

func late(a *Attempt, at time.Time) bool { return !a.Due.IsZero() && !at.Before(a.Due) }

// SaveAnswers stores what a client kept while it was offline. Either all are
// stored, or the error says why not; repeating the call harms nobody.
func (s *Exams) SaveAnswers(ctx context.Context, actor *authz.Actor, id ids.ID, list []AnswerIn, at time.Time) ([]Saved, error) {
	st, err := s.own(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if err := st.valid(&list[i]); err != nil {
			return nil, inside(fmt.Sprintf("answers[%d].", i), err)
		}
	}
	out, failed := make([]Saved, len(list)), make([]error, len(list))
	var wg sync.WaitGroup // they wait for one commit together
	for i, in := range list {
		wg.Go(func() { out[i], failed[i] = s.save(ctx, st, in, at) })
	}
	wg.Wait()
	for _, err := range failed {
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// inside puts the names of wrong fields under a prefix.
func inside(prefix string, err error) error {
	var e *errs.Error
	if !errors.As(err, &e) {
		return err
	}
	moved := *e
	moved.Fields = nil
	for _, f := range e.Fields {
		moved.Fields = append(moved.Fields, errs.Field{Name: prefix + f.Name, Msg: f.Msg})
	}
	return &moved
}

// Submit ends the member's attempt and grades it. After its time is over it
// ends as expired. Repeating it returns the same result.
func (s *Exams) Submit(ctx context.Context, actor *authz.Actor, id ids.ID) (*Result, error) {
	at := s.now()
	if _, err := s.own(ctx, actor, id); err != nil {
		return nil, err
	}
	st, err := s.read(ctx, id)
	if err != nil {
		return nil, err
	}
	if st.a.State == AttemptOpen {
		end, action := Ending{State: AttemptSubmitted, At: at}, "attempt.submit"
		if late(&st.a, at) {
			end, action = Ending{State: AttemptExpired}, "attempt.expire"
		}
		if st, err = s.finish(ctx, actor, st, end, action); err != nil {
			return nil, err
		}
	}
	return s.result(ctx, st)
}

// finish ends an open attempt.
func (s *Exams) finish(ctx context.Context, actor *authz.Actor, st *sitting, end Ending, action string) (*sitting, error) {
	entry := attemptEntry(actor, action, &st.a, "", map[string]string{"paper": st.a.Title})
	if st.paper.OrgPath != "" {
		entry.OrgPath = st.paper.OrgPath
	}
	a, err := s.cfg.Store.Finish(ctx, st.a.ID, end, st.grade, entry)
	if err != nil {
		return nil, err
	}
	st = &sitting{a: *a, paper: st.paper, contents: st.contents}
	s.sittings.put(a.ID, st, s.now())
	if a.State != AttemptOpen {
		s.bookSoon(ctx, st)
		s.handIn(ctx, st)
	}
	return st, nil
}

// grade computes what the answers of an attempt earn. It only computes: the
// store may call it more than once.
func (st *sitting) grade(given []Given, endedAt time.Time) Graded {
	out := Graded{Marks: make([]Marked, len(st.a.Items))}
	by := byNumber(given)
	for i, it := range st.a.Items {
		g, ok := by[i+1]
		m := Marked{AttemptID: st.a.ID, N: i + 1, Ref: it.Ref, Points: it.Points, Version: 1}
		m.Given = ok && !g.Answer.Empty()
		if m.Given {
			out.Answered++
		}
		share, auto := st.contents[i].Grade(g.Answer, st.paper.Rules.Partial)
		if m.Share = share; !auto {
			m.Pending = true
			out.Pending++
		}
		out.Marks[i] = m
	}
	out.Score = AddUp(out.Marks).Score
	if from, ever := st.paper.KnownFrom(st.paper.Rules.ShowKey, endedAt); ever {
		out.KnownFrom = from
	}
	return out
}

// AddUp is the score of marks and how many of them wait for a person.
func AddUp(list []Marked) (g Graded) {
	for _, m := range list {
		g.Score += m.Share * m.Points
		if m.Pending {
			g.Pending++
		}
	}
	g.Score = round2(g.Score)
	return g
}

// expire ends an attempt whose time is over.
func (s *Exams) expire(ctx context.Context, st *sitting) (*sitting, error) {
	end := Ending{State: AttemptExpired, DueBefore: s.now().Add(-settle)}
	return s.finish(ctx, authz.SystemActor("收卷"), st, end, "attempt.expire")
}

// sweepLimit bounds one look for overdue attempts.
const sweepLimit = 200

// CloseOverdue ends attempts whose time is over and grades what was saved. It
// reports how many; a full batch means that there may be more.
func (s *Exams) CloseOverdue(ctx context.Context) (n int, err error) {
	list, err := s.cfg.Store.Overdue(ctx, s.now().Add(-settle), sweepLimit)
	if err != nil {
		return 0, err
	}
	for _, id := range list {
		st, err := s.read(ctx, id)
		if err == nil && st.lapsed(s.now()) {
			_, err = s.expire(ctx, st)
		}
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// Run ends overdue attempts and keeps the wrong-answer book until ctx ends.
func (s *Exams) Run(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		for _, job := range []func(context.Context) (int, error){s.CloseOverdue, s.BookKnown} {
			for n := sweepLimit; n == sweepLimit; {
				var err error
				if n, err = job(ctx); err != nil && ctx.Err() == nil {
					s.cfg.Log.Error("quiz: sweep", "err", err)
				}
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
