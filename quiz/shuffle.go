package quiz

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"slices"
)

// Shuffle is the order in which one attempt shows the parts of one question:
// shown position → position in Content; nil: as written. The items of an Order
// and the right sides of a Match are always shuffled, because as written they
// are the key.
type Shuffle struct{ Options, Items, Rights []int }

// NewShuffle is the shuffle of question n of the attempt with seed; on tells
// whether options change places too.
//
// Attempts keep their seed, not their orders, so this must never give other
// results: SHA-256("tongxin/quiz/shuffle/1", seed, n; big endian, 8 bytes each)
// → its first 16 bytes seed PCG-DXSM (math/rand/v2, whose algorithm is fixed) →
// Fisher–Yates from the end, each index below k drawn as the high word of x·k,
// x drawn again while the low word is below 2⁶⁴ mod k. Golden vectors in the test hold it.
func NewShuffle(c *Content, seed uint64, n int, on bool) Shuffle {
	var s Shuffle
	switch c.Kind {
	case Single, Multiple:
		if on {
			s.Options = permutation(seed, n, len(c.Options))
		}
	case Order:
		s.Items = permutation(seed, n, len(c.Items))
	case Match:
		s.Rights = permutation(seed, n, len(c.Pairs)+len(c.Extra))
	case TrueFalse, Fill, Short:
	}
	return s
}

func permutation(seed uint64, n, size int) []int {
	src := newSource("tongxin/quiz/shuffle/1", seed, uint64(int64(n)))
	out := identity(size)
	for i := size - 1; i > 0; i-- {
		j := src.below(uint64(i + 1))
		out[i], out[j] = out[j], out[i]
	}
	return out
}

// source draws numbers that stay the same for a seed for ever.
type source struct{ pcg *rand.PCG }

func newSource(label string, numbers ...uint64) source {
	buf := []byte(label)
	for _, n := range numbers {
		buf = binary.BigEndian.AppendUint64(buf, n)
	}
	sum := sha256.Sum256(buf)
	return source{rand.NewPCG(binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16]))}
}

// below is uniform in [0, k), k > 0 (Lemire, "Fast random integer generation in an interval", 2019).
func (s source) below(k uint64) uint64 {
	for {
		high, low := bits.Mul64(s.pcg.Uint64(), k)
		if low >= k || low >= -k%k {
			return high
		}
	}
}

// Inward turns an answer in shown positions into one in positions of c. The
// answer must be valid (ValidAnswer); positions that do not exist become -1.
// Choices come out ascending, so that equal answers are stored equal.
func (s Shuffle) Inward(c *Content, shown Answer) Answer {
	a := shown
	switch c.Kind {
	case Single, Multiple:
		a.Choice = through(s.Options, shown.Choice)
		slices.Sort(a.Choice)
	case Order:
		a.Order = through(s.Items, shown.Order)
	case Match:
		a.Match = through(s.Rights, shown.Match)
	case TrueFalse, Fill, Short:
	}
	return a
}

// Outward is the inverse of Inward.
func (s Shuffle) Outward(c *Content, stored Answer) Answer {
	return Shuffle{inverse(s.Options), inverse(s.Items), inverse(s.Rights)}.Inward(c, stored)
}

// through sends each position through a map; without a map it copies.
func through(to, list []int) []int {
	if list == nil {
		return nil
	}
	out := make([]int, len(list))
	for i, p := range list {
		switch {
		case to == nil:
			out[i] = p
		case p < 0 || p >= len(to):
			out[i] = -1
		default:
			out[i] = to[p]
		}
	}
	return out
}

func inverse(list []int) []int {
	if list == nil {
		return nil
	}
	out := make([]int, len(list))
	for shown, at := range list {
		out[at] = shown
	}
	return out
}
