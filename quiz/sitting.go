package quiz

import (
	"context"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
)

// settle is how long after its end an attempt stays open to the sweep: answers
// count by their arrival, and one that arrived in time may still be on its way
// to the disk. An answer that arrives later is refused at once all the same.
const settle = 2 * time.Second

// sitting is what does not change while an attempt is taken, and its due time
// as last read. The database has the last word on whether it is open.
type sitting struct {
	a        Attempt
	paper    *Paper // as last read; of practice from the bank a paper without id
	contents []*Content
}

// fromBank is the paper that practice from the bank is taken by.
func fromBank(title string, n int) *Paper {
	return &Paper{
		Kind: PracticePaper, State: PaperPublished, Title: title, Questions: n, Points: float64(n),
		Rules: PaperRules{Counting: CountLast, Partial: true, ShowScore: AtOnce, ShowKey: AtOnce, ShuffleOptions: true},
	}
}

// live reads a paper for members; a moment old at most.
func (s *Exams) live(ctx context.Context, id ids.ID) (*Paper, error) {
	now := s.now()
	if p, ok := s.papers.get(id, now); ok {
		return p, nil
	}
	p, err := s.cfg.Store.Paper(ctx, id)
	if err == nil {
		s.papers.put(id, p, now)
	}
	return p, err
}

// meant reads a paper that is meant for the member.
func (s *Exams) meant(ctx context.Context, actor *authz.Actor, id ids.ID) (*Paper, error) {
	p, err := s.live(ctx, id)
	if err != nil {
		return nil, err
	}
	if p.State == PaperDraft || actor == nil || actor.Kind != authz.Member || !actor.Within(Take, p.OrgPath) {
		return nil, missingPaper()
	}
	return p, nil
}

// sit joins an attempt with its paper and contents.
func (s *Exams) sit(ctx context.Context, p *Paper, a *Attempt) (*sitting, error) {
	refs := make([]Ref, len(a.Items))
	for i, it := range a.Items {
		refs[i] = it.Ref
	}
	list, err := s.content(ctx, refs)
	if err != nil {
		return nil, err
	}
	return &sitting{a: *a, paper: p, contents: list}, nil
}

// paperOf finds the paper of an attempt, also for who may not start another.
func (s *Exams) paperOf(ctx context.Context, a *Attempt) (*Paper, error) {
	if a.PaperID == 0 {
		return fromBank(a.Title, len(a.Items)), nil
	}
	return s.live(ctx, a.PaperID)
}

// read reads an attempt from the store and keeps what does not change.
func (s *Exams) read(ctx context.Context, id ids.ID) (*sitting, error) {
	a, err := s.cfg.Store.Attempt(ctx, id)
	if err != nil {
		return nil, err
	}
	p, err := s.paperOf(ctx, a)
	if err != nil {
		return nil, err
	}
	st, err := s.sit(ctx, p, a)
	if err == nil {
		s.sittings.put(id, st, s.now())
	}
	return st, err
}

// own finds the attempt of a member from memory or from the store.
func (s *Exams) own(ctx context.Context, actor *authz.Actor, id ids.ID) (*sitting, error) {
	if actor == nil || actor.Kind != authz.Member {
		return nil, missingAttempt()
	}
	st, ok := s.sittings.get(id, s.now())
	if !ok {
		var err error
		if st, err = s.read(ctx, id); err != nil {
			return nil, err
		}
	}
	if st.a.MemberID != actor.ID {
		return nil, missingAttempt()
	}
	return st, nil
}

// current is own as the store has it now. An attempt whose time is over is
// ended first.
func (s *Exams) current(ctx context.Context, actor *authz.Actor, id ids.ID) (*sitting, error) {
	if _, err := s.own(ctx, actor, id); err != nil {
		return nil, err
	}
	st, err := s.read(ctx, id)
	if err != nil || !st.lapsed(s.now()) {
		return st, err
	}
	return s.expire(ctx, st)
}

func (st *sitting) lapsed(now time.Time) bool {
	return st.a.State == AttemptOpen && !st.a.Due.IsZero() && !now.Before(st.a.Due.Add(settle))
}

func (st *sitting) atOnce() bool { return st.paper.Rules.ShowKey == AtOnce }

func (st *sitting) shuffle(n int) Shuffle {
	return NewShuffle(st.contents[n-1], st.a.Seed, n, st.paper.Rules.ShuffleOptions)
}

// due is when an attempt that begins now ends.
func (p *Paper) due(now time.Time) time.Time {
	due := p.endsAt()
	if p.Rules.DurationSec == 0 {
		return due
	}
	own := now.Add(time.Duration(p.Rules.DurationSec) * time.Second)
	if due.IsZero() || own.Before(due) {
		return own
	}
	return due
}

// clockText is a moment as people in China read it.
func clockText(t time.Time) string { return t.In(clock.Shanghai()).Format("1月2日 15:04:05") }

// ended is the refusal of whatever comes after the end of an attempt.
func ended(state AttemptState, at time.Time) error {
	e := errs.New(errs.Conflict, "作答时间已于%s结束，之后的答案不再保存。已保存的答案会照常评分。", clockText(at))
	if state == AttemptSubmitted || state == AttemptGraded {
		e = errs.New(errs.Conflict, "这份答卷已于%s交卷，不能再修改。", clockText(at))
	}
	e.Details = map[string]any{"endedAt": at, "state": state}
	return e
}

// sheet is an attempt as its member sees it.
func (s *Exams) sheet(st *sitting, a *Attempt, given []Given, now time.Time) *Sheet {
	out := &Sheet{
		ID: a.ID, PaperID: a.PaperID, Title: a.Title, Kind: a.Kind, Number: a.Number, State: a.State, StartedAt: a.Started, DueAt: a.Due, Now: now,
		Feedback: "after", Questions: make([]SheetQuestion, len(a.Items)),
	}
	if st.atOnce() {
		out.Feedback = "at_once"
	}
	by := byNumber(given)
	for i, it := range a.Items {
		n := i + 1
		sh := st.shuffle(n)
		q := SheetQuestion{N: n, Points: it.Points, Shown: sh.Show(st.contents[i], s.render)}
		if g, ok := by[n]; ok {
			shown := sh.Outward(st.contents[i], g.Answer)
			q.Answer, q.Seq, q.SavedAt = &shown, g.Seq, g.SavedAt
			if st.atOnce() && !g.Answer.Empty() {
				q.Result = s.mark(st, n, g.Answer)
			}
		}
		out.Questions[i] = q
	}
	return out
}

func byNumber(given []Given) map[int]Given {
	out := make(map[int]Given, len(given))
	for _, g := range given {
		out[g.N] = g
	}
	return out
}

// mark grades one answer on the spot, with its key: for feedback at once only.
func (s *Exams) mark(st *sitting, n int, a Answer) *Mark {
	c := st.contents[n-1]
	share, auto := c.Grade(a, st.paper.Rules.Partial)
	key := st.shuffle(n).Key(c, s.render)
	return &Mark{Share: share, Points: round2(share * st.a.Items[n-1].Points), Right: auto && share == 1, Pending: !auto, Key: &key}
}
