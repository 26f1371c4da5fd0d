package quiz

import "slices"

// Grade gives the share of the points, 0 to 1, that an answer in positions of c
// earns. !auto means a person must grade: a short answer that says something.
//
// Without partial it is all or nothing. With partial:
//   - multiple: each right option earns its part, each wrong one costs as much;
//     where the wrong ones are fewer than the right, it costs 1/wrong, so that
//     choosing everything earns nothing. Never below 0.
//   - fill, match: right parts / parts.
//   - order: (longest run of items in right order, gaps allowed − 1) / (items − 1):
//     the reverse earns nothing.
//
// Positions that do not exist count as wrong; nothing panics.
func (c *Content) Grade(a Answer, partial bool) (share float64, auto bool) {
	if c.Kind == Short {
		return 0, a.Empty()
	}
	if a.Empty() {
		return 0, true
	}
	switch c.Kind {
	case Single, TrueFalse:
		share = exact(slices.Equal(a.Choice, c.Right().Choice))
	case Multiple:
		share = c.gradeMultiple(a.Choice)
	case Fill:
		share = c.gradeFill(a.Blanks)
	case Order:
		share = c.gradeOrder(a.Order)
	case Match:
		share = c.gradeMatch(a.Match)
	case Short:
	}
	if !partial && share < 1 {
		share = 0
	}
	return share, true
}

func exact(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func (c *Content) gradeMultiple(choice []int) float64 {
	rights := len(c.Right().Choice)
	wrongs := len(c.Options) - rights
	if rights == 0 {
		return 0
	}
	chosen := map[int]bool{}
	right, wrong := 0, 0
	for _, p := range choice {
		switch {
		case p < 0 || p >= len(c.Options):
			return 0
		case chosen[p]:
		case c.Options[p].Right:
			right++
		default:
			wrong++
		}
		chosen[p] = true
	}
	if wrong == 0 {
		return float64(right) / float64(rights) // exactly 1 when all are there
	}
	cost := float64(wrong) / float64(min(rights, wrongs))
	return max(0, float64(right)/float64(rights)-cost)
}

func (c *Content) gradeFill(blanks []string) float64 {
	right := 0
	for i, b := range c.Blanks {
		if i < len(blanks) && b.holds(blanks[i]) {
			right++
		}
	}
	return portion(right, len(c.Blanks))
}

func (b Blank) holds(given string) bool {
	folded := Fold(given)
	if folded == "" {
		return false
	}
	return slices.ContainsFunc(b.Accept, func(a string) bool { return Fold(a) == folded }) ||
		b.Number != nil && b.Number.holds(given)
}

func (c *Content) gradeOrder(order []int) float64 {
	n := len(c.Items)
	if len(order) != n || n < 2 {
		return 0
	}
	seen := make([]bool, n)
	for _, p := range order {
		if p < 0 || p >= n || seen[p] {
			return 0
		}
		seen[p] = true
	}
	return portion(longestRising(order)-1, n-1)
}

// longestRising is the length of the longest rising subsequence (patience sorting).
func longestRising(list []int) int {
	var ends []int // ends[k]: the smallest end of a rising subsequence of length k+1
	for _, x := range list {
		if at, _ := slices.BinarySearch(ends, x); at == len(ends) {
			ends = append(ends, x)
		} else {
			ends[at] = x
		}
	}
	return len(ends)
}

func (c *Content) gradeMatch(match []int) float64 {
	right := 0
	for i := range c.Pairs {
		if i < len(match) && match[i] == i {
			right++
		}
	}
	return portion(right, len(c.Pairs))
}

func portion(part, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(part) / float64(of)
}
