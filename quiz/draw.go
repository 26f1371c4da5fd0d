package quiz

import (
	"cmp"
	"context"
	"slices"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
)

// BankStore gives the questions that papers are made of. It asks no rights:
// the paper that refers to them has done so.
type BankStore interface {
	// Contents returns the revisions in the order of refs; a ref that does not
	// exist is an errs.NotFound that names none. Revisions never change, so they may be cached.
	Contents(ctx context.Context, refs []Ref) ([]Content, error)
	// Pool lists the active questions with their current revisions that a query
	// asks for, ascending by id, without doubles. Count and Seed play no part.
	Pool(ctx context.Context, q DrawQuery) ([]Ref, error)
}

// DrawQuery says which questions are drawn.
type DrawQuery struct {
	Orgs       []ids.ID // whose questions: authz.Ancestors of the paper's organisation; none: nothing
	Topic      string   // empty: any
	Difficulty int      // 0: any
	Kind       Kind     // empty: any
	Count      int
	Seed       uint64
	Exclude    []ids.ID // questions already taken
}

// Draw picks Count questions: uniform, and always the same for a seed over the
// same set. Fewer than Count in reach is an errs.Conflict that says how many there are.
func Draw(ctx context.Context, bank BankStore, q DrawQuery) ([]Ref, error) {
	pool, err := bank.Pool(ctx, q)
	if err != nil {
		return nil, err
	}
	pool = slices.DeleteFunc(slices.Clone(pool), func(r Ref) bool { return slices.Contains(q.Exclude, r.ID) })
	if len(pool) < q.Count {
		return nil, errs.New(errs.Conflict, "题库里符合条件的题只有 %d 道，不够抽 %d 道；请增加题目或放宽条件。", len(pool), q.Count)
	}
	return Pick(pool, q.Count, q.Seed), nil
}

// Pick chooses count of pool, or all, in drawn order; the pool's own order plays
// no part and it is not changed. Every choice is equally likely over seeds. Like
// NewShuffle it must never give other results.
func Pick(pool []Ref, count int, seed uint64) []Ref {
	if !slices.IsSortedFunc(pool, byID) {
		pool = slices.SortedFunc(slices.Values(pool), byID)
	}
	count = max(0, min(count, len(pool)))
	src := newSource("tongxin/quiz/draw/1", seed)
	moved := map[int]Ref{} // Fisher–Yates from the start, only the touched places kept
	at := func(i int) Ref {
		if r, ok := moved[i]; ok {
			return r
		}
		return pool[i]
	}
	out := make([]Ref, count)
	for i := range count {
		j := i + int(src.below(uint64(len(pool)-i)))
		out[i] = at(j)
		moved[j] = at(i)
	}
	return out
}

func byID(a, b Ref) int { return cmp.Compare(a.ID, b.ID) }
