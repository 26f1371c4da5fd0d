package quiz

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
)

// pin fixes the revisions that a paper asks and proves that every attempt can
// be dealt, whatever its seed.
func (s *Exams) pin(ctx context.Context, p *Paper) (Pinned, error) {
	orgs := authz.Ancestors(p.OrgPath)
	all, err := s.cfg.Bank.Pool(ctx, DrawQuery{Orgs: orgs})
	if err != nil {
		return Pinned{}, err
	}
	current := make(map[ids.ID]int, len(all))
	for _, r := range all {
		current[r.ID] = r.Revision
	}
	var out Pinned
	var f errs.Fields
	fixed := map[ids.ID]bool{}
	for i, it := range p.Items {
		rev, ok := current[it.ID]
		if !ok {
			f.Add(fmt.Sprintf("items[%d].id", i), "第 %d 题已停用或不在可用的题库里，请换一道。", i+1)
			continue
		}
		fixed[it.ID] = true
		out.Fixed = append(out.Fixed, Item{Ref{it.ID, cmp.Or(it.Revision, rev)}, it.Points})
	}
	for i, d := range p.Draws {
		refs, err := s.cfg.Bank.Pool(ctx, DrawQuery{Orgs: orgs, Topic: d.Topic, Difficulty: d.Difficulty, Kind: d.Kind})
		if err != nil {
			return Pinned{}, err
		}
		refs = slices.DeleteFunc(slices.Clone(refs), func(r Ref) bool { return fixed[r.ID] })
		if len(refs) < d.Count {
			f.Add(fmt.Sprintf("draws[%d].count", i), "第 %d 条抽题规则要 %d 道题，题库里符合条件的只有 %d 道；请增加题目或放宽条件。", i+1, d.Count, len(refs))
		}
		out.Pools = append(out.Pools, Pool{Count: d.Count, Points: d.Points, Refs: refs})
	}
	if err := f.Err(); err != nil {
		return Pinned{}, err
	}
	return out, out.order()
}

// order puts narrow pools before wide ones and checks that what earlier pools
// take in the worst case leaves later ones enough.
func (p *Pinned) order() error {
	slices.SortStableFunc(p.Pools, func(a, b Pool) int { return len(a.Refs) - len(b.Refs) })
	for i, pool := range p.Pools {
		left := len(pool.Refs)
		for _, before := range p.Pools[:i] {
			left -= min(before.Count, common(before.Refs, pool.Refs))
		}
		if left < pool.Count {
			return errs.Bad("draws", "几条抽题规则抽的是同一批题，合起来不够抽：请增加题目、减少数量，或把规则的条件分开。")
		}
	}
	return nil
}

func common(a, b []Ref) (n int) {
	in := make(map[ids.ID]bool, len(a))
	for _, r := range a {
		in[r.ID] = true
	}
	for _, r := range b {
		if in[r.ID] {
			n++
		}
	}
	return n
}

// deal makes the questions of one attempt, in the order in which it asks them:
// always the same for a seed.
func (p *Pinned) deal(seed uint64, shuffle bool) []Item {
	out := slices.Clone(p.Fixed)
	taken := map[ids.ID]bool{}
	for i, pool := range p.Pools {
		refs := pool.Refs
		if len(taken) > 0 {
			refs = slices.DeleteFunc(slices.Clone(refs), func(r Ref) bool { return taken[r.ID] })
		}
		for _, r := range Pick(refs, pool.Count, mix(seed, uint64(i))) {
			taken[r.ID] = true
			out = append(out, Item{r, pool.Points})
		}
	}
	if shuffle {
		mixed := make([]Item, len(out))
		for i, at := range permutation(seed, -1, len(out)) {
			mixed[i] = out[at]
		}
		out = mixed
	}
	return out
}

// mix makes one seed of two numbers that are not alike.
func mix(seed, n uint64) uint64 {
	return newSource("tongxin/quiz/deal/1", seed, n).pcg.Uint64()
}
