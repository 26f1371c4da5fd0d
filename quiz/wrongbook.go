package quiz

import (
	"context"
	"slices"
	"time"

	fsrs "github.com/open-spaced-repetition/go-fsrs/v4"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
)

// maxCards bounds what is read of one member's cards.
const maxCards = 5000

// Known is what a member knows of one question: how often right and wrong, and
// the memory state that go-fsrs (FSRS-6) keeps. Book tells that it stands in the
// wrong-answer book.
type Known struct {
	MemberID   ids.ID
	QuestionID ids.ID
	Revision   int
	Book       bool
	Right      int
	Wrong      int
	Last       Answer // stored positions
	LastRight  bool
	LastAt     time.Time
	Due        time.Time
	Memory     fsrs.Card
	Topics     []string
}

// CardFilter narrows the cards of a member.
type CardFilter struct {
	Member    ids.ID // required
	Book      bool   // only those in the wrong-answer book
	Topic     string
	Questions []ids.ID
	DueBy     time.Time // only those due then
	After     ids.ID    // question id
}

func scheduler() *fsrs.FSRS { return fsrs.NewFSRS(fsrs.DefaultParam()) }

// review moves a card on by a rating at a moment.
func (k *Known) review(rating fsrs.Rating, at time.Time) error {
	if k.Memory.Due.IsZero() {
		k.Memory = fsrs.NewCard(at)
	}
	if at.Before(k.Memory.LastReview) { // an older attempt that is known only now
		at = k.Memory.LastReview
	}
	next, err := scheduler().Next(k.Memory, at, rating)
	if err != nil {
		return err
	}
	k.Memory, k.Due = next.Card, next.Card.Due
	return nil
}

// take notes one answer.
func (k *Known) take(a Answer, right bool, at time.Time) error {
	rating := fsrs.Good
	if right {
		k.Right++
	} else {
		k.Wrong++
		k.Book, rating = true, fsrs.Again
	}
	if !at.Before(k.LastAt) {
		k.Last, k.LastRight, k.LastAt = a, right, at
	}
	return k.review(rating, at)
}

// bookSoon notes an attempt that has just ended, when its key may be known at
// once. The sweep does it again when this fails.
func (s *Exams) bookSoon(ctx context.Context, st *sitting) {
	if st.a.Booked || st.a.KnownFrom.IsZero() || st.a.KnownFrom.After(s.now()) {
		return
	}
	if err := s.book(ctx, st); err != nil && ctx.Err() == nil {
		s.cfg.Log.Warn("quiz: wrong-answer book", "attempt", st.a.ID, "err", err)
	}
}

// BookKnown notes ended attempts whose key may be known by now.
func (s *Exams) BookKnown(ctx context.Context) (n int, err error) {
	list, err := s.cfg.Store.ToBook(ctx, s.now(), sweepLimit)
	if err != nil {
		return 0, err
	}
	for _, id := range list {
		st, err := s.read(ctx, id)
		if err != nil {
			return n, err
		}
		if err := s.book(ctx, st); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// book notes every graded answer of an attempt, once. Where the paper was held
// open longer meanwhile, it is put off.
func (s *Exams) book(ctx context.Context, st *sitting) error {
	a := &st.a
	if from, ever := st.paper.KnownFrom(st.paper.Rules.ShowKey, a.EndedAt); !ever || from.After(s.now()) {
		return s.cfg.Store.Postpone(ctx, a.ID, from)
	}
	given, err := s.cfg.Store.Givens(ctx, a.ID)
	if err != nil {
		return err
	}
	marks, err := s.cfg.Store.Marks(ctx, a.ID)
	if err != nil {
		return err
	}
	by := byNumber(given)
	questions := make([]ids.ID, 0, len(marks))
	for _, m := range marks {
		questions = append(questions, m.Ref.ID)
	}
	return s.cfg.Store.Book(ctx, a.ID, a.MemberID, questions, func(known map[ids.ID]Known) ([]Known, error) {
		var out []Known
		for _, m := range marks {
			if m.Pending || !m.Given && a.Kind == PracticePaper {
				continue // what was left out of practice is neither right nor wrong
			}
			k := known[m.Ref.ID]
			k.MemberID, k.QuestionID, k.Revision, k.Topics = a.MemberID, m.Ref.ID, m.Ref.Revision, st.contents[m.N-1].Topics
			g := by[m.N]
			at := g.SavedAt
			if at.IsZero() {
				at = a.EndedAt
			}
			if err := k.take(g.Answer, m.Share == 1, at); err != nil {
				return nil, err
			}
			out = append(out, k)
		}
		return out, nil
	})
}

// WrongItem is a question of the wrong-answer book.
type WrongItem struct {
	QuestionID ids.ID    `json:"questionId"`
	Shown      Shown     `json:"shown"`
	Key        Key       `json:"key"`
	LastAnswer *Answer   `json:"lastAnswer,omitempty"`
	WrongTimes int       `json:"wrongTimes"`
	LastAt     time.Time `json:"lastAt"`
	DueAt      time.Time `json:"dueAt" doc:"when it is best to look at it again"`
	Topics     []string  `json:"topics"`
}

// WrongPage is a page of the book.
type WrongPage struct {
	Items []WrongItem `json:"items"`
	Next  string      `json:"next,omitempty" doc:"cursor of the next page; absent on the last"`
	Due   int         `json:"due" doc:"questions that are due now"`
}

// Wrong lists the wrong-answer book of the member. due: only what is due now.
func (s *Exams) Wrong(ctx context.Context, actor *authz.Actor, topic string, due bool, r page.Request) (*WrongPage, error) {
	now := s.now()
	f := CardFilter{Member: actor.ID, Book: true, Topic: topic, After: r.After}
	if due {
		f.DueBy = now
	}
	list, err := s.cfg.Store.Cards(ctx, f, r.Limit+1)
	if err != nil {
		return nil, err
	}
	waiting, err := s.cfg.Store.Cards(ctx, CardFilter{Member: actor.ID, Book: true, DueBy: now}, maxCards)
	if err != nil {
		return nil, err
	}
	rows := page.Of(list, r.Limit, func(k Known) ids.ID { return k.QuestionID })
	out := &WrongPage{Due: len(waiting), Items: make([]WrongItem, len(rows.Items)), Next: rows.Next}
	for i, k := range rows.Items {
		contents, err := s.content(ctx, []Ref{{k.QuestionID, k.Revision}})
		if err != nil {
			return nil, err
		}
		c := contents[0]
		// As written but for orders that would be the key; the same each time.
		sh := NewShuffle(c, uint64(k.QuestionID), 0, false)
		item := WrongItem{
			QuestionID: k.QuestionID, Shown: sh.Show(c, s.render), Key: sh.Key(c, s.render), WrongTimes: k.Wrong, LastAt: k.LastAt, DueAt: k.Due,
			Topics: slices.Clone(k.Topics),
		}
		if !k.Last.Empty() {
			last := sh.Outward(c, k.Last)
			item.LastAnswer = &last
		}
		out.Items[i] = item
	}
	return out, nil
}

// Rate moves a question of the book on by how well the member knew it.
func (s *Exams) Rate(ctx context.Context, actor *authz.Actor, question ids.ID, rating string) error {
	r, ok := map[string]fsrs.Rating{"again": fsrs.Again, "hard": fsrs.Hard, "good": fsrs.Good, "easy": fsrs.Easy}[rating]
	if !ok {
		return errs.Bad("rating", "请选择：不会、模糊、记得或很熟。")
	}
	return s.change(ctx, actor, question, func(k *Known) error { return k.review(r, s.now()) })
}

// Forget takes a question out of the book; a wrong answer brings it back.
func (s *Exams) Forget(ctx context.Context, actor *authz.Actor, question ids.ID) error {
	return s.change(ctx, actor, question, func(k *Known) error { k.Book = false; return nil })
}

func (s *Exams) change(ctx context.Context, actor *authz.Actor, question ids.ID, fn func(*Known) error) error {
	return s.cfg.Store.Book(ctx, 0, actor.ID, []ids.ID{question}, func(known map[ids.ID]Known) ([]Known, error) {
		k, ok := known[question]
		if !ok || !k.Book {
			return nil, errs.Missing("错题")
		}
		err := fn(&k)
		return []Known{k}, err
	})
}
