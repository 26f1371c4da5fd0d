package ids_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"tongxin/internal/clock"
	"tongxin/internal/ids"
)

// From parts the ids made before a moment from those made since, on every node.
func TestFrom(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		at := time.UnixMilli(rapid.Int64Range(1_704_067_200_001, 3_800_000_000_000).Draw(rt, "at")).UTC()
		node := rapid.IntRange(0, ids.MaxNode).Draw(rt, "node")
		made := ids.NewSource(clock.NewManual(at), node).New()
		if bound := ids.From(at); made < bound || !bound.Time().Equal(at) || made >= ids.From(at.Add(time.Millisecond)) {
			rt.Fatalf("id %d, bound %d", made, bound)
		}
	})
	if ids.From(time.Time{}) != 0 {
		t.Fatal("the bound of all time is not 0")
	}
}
