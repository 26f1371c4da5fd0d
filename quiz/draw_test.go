package quiz

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tongxin/internal/ids"
)

func refs(n int) []Ref {
	out := make([]Ref, n)
	for i := range out {
		out[i] = Ref{ID: ids.ID(i + 1), Revision: 1}
	}
	return out
}

func TestPickTakesEachAtMostOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pool := refs(rapid.IntRange(0, 40).Draw(t, "pool"))
		count, seed := rapid.IntRange(-1, 45).Draw(t, "count"), rapid.Uint64().Draw(t, "seed")
		got := Pick(pool, count, seed)
		if len(got) != max(0, min(count, len(pool))) {
			t.Fatal(len(got))
		}
		if other := Pick(rapid.Permutation(pool).Draw(t, "mixed"), count, seed); !slices.Equal(got, other) {
			t.Fatalf("the pool's order matters: %v %v", got, other)
		}
		slices.SortFunc(got, byID)
		if len(slices.Compact(got)) != len(got) || !slices.Equal(pool, refs(len(pool))) {
			t.Fatalf("%v", got)
		}
	})
}

func TestPickIsUniformAndStays(t *testing.T) {
	if got := fmt.Sprint(Pick(refs(20), 6, 42)); got != "[{9 1} {8 1} {3 1} {20 1} {16 1} {7 1}]" {
		t.Fatal(got)
	}
	count := map[ids.ID]int{}
	for seed := range uint64(10_000) {
		for _, r := range Pick(refs(10), 3, seed) {
			count[r.ID]++
		}
	}
	chi := 0.0
	for _, n := range count {
		chi += float64((n-3000)*(n-3000)) / 3000
	}
	if len(count) != 10 || chi > 27.9 {
		t.Fatal(count, chi)
	}
}
