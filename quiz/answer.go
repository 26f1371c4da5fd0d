package quiz

import (
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"

	"tongxin/internal/errs"
)

// Right is the answer that earns everything; the zero Answer for Short. Of
// several accepted texts it names the first, of a number the value.
func (c *Content) Right() Answer {
	var a Answer
	switch c.Kind {
	case Single, Multiple:
		for i, o := range c.Options {
			if o.Right {
				a.Choice = append(a.Choice, i)
			}
		}
	case TrueFalse:
		a.Choice = []int{0}
		if c.True {
			a.Choice[0] = 1
		}
	case Fill:
		for _, b := range c.Blanks {
			a.Blanks = append(a.Blanks, b.first())
		}
	case Order:
		a.Order = identity(len(c.Items))
	case Match:
		a.Match = identity(len(c.Pairs))
	case Short:
	}
	return a
}

func (b Blank) first() string {
	if len(b.Accept) > 0 {
		return b.Accept[0]
	}
	if b.Number != nil {
		return strconv.FormatFloat(b.Number.Value, 'f', -1, 64)
	}
	return ""
}

func identity(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// Empty reports that a person gave nothing: no choice, only empty blanks.
func (a Answer) Empty() bool {
	return len(a.Choice) == 0 && len(a.Order) == 0 && Fold(a.Text) == "" &&
		!slices.ContainsFunc(a.Blanks, func(s string) bool { return Fold(s) != "" }) &&
		!slices.ContainsFunc(a.Match, func(r int) bool { return r >= 0 })
}

// ValidAnswer refuses what no honest client sends: parts of another kind,
// positions that do not exist, texts without bound. An answer that is empty, or
// has empty blanks or open lines, is valid: it is saved as it grows. Positions
// shown and positions stored have the same ranges, so it holds for both.
func (c *Content) ValidAnswer(a Answer) error {
	for _, p := range []struct {
		field string
		there bool
		of    []Kind
	}{
		{"choice", len(a.Choice) > 0, []Kind{Single, Multiple, TrueFalse}},
		{"blanks", len(a.Blanks) > 0, []Kind{Fill}},
		{"order", len(a.Order) > 0, []Kind{Order}},
		{"match", len(a.Match) > 0, []Kind{Match}},
		{"text", a.Text != "", []Kind{Short}},
	} {
		if p.there && !slices.Contains(p.of, c.Kind) {
			return errs.Bad("answer."+p.field, "答案与题型不符，请刷新页面后重新作答。")
		}
	}
	var f errs.Fields
	switch c.Kind {
	case Single, TrueFalse:
		n := 2
		if c.Kind == Single {
			n = len(c.Options)
		}
		if len(a.Choice) > 1 {
			f.Add("answer.choice", "这道题只能选一项。")
		} else {
			positions(&f, "answer.choice", a.Choice, 0, n, true)
		}
	case Multiple:
		positions(&f, "answer.choice", a.Choice, 0, len(c.Options), true)
	case Fill:
		c.validBlanks(&f, a.Blanks)
	case Order:
		if len(a.Order) != 0 {
			whole(&f, "answer.order", len(a.Order), len(c.Items))
			positions(&f, "answer.order", a.Order, 0, len(c.Items), true)
		}
	case Match:
		if len(a.Match) != 0 {
			whole(&f, "answer.match", len(a.Match), len(c.Pairs))
			positions(&f, "answer.match", a.Match, -1, len(c.Pairs)+len(c.Extra), false)
		}
	case Short:
		given(&f, "answer.text", a.Text, MaxGivenText)
	}
	return f.Err()
}

func (c *Content) validBlanks(f *errs.Fields, blanks []string) {
	if len(blanks) == 0 {
		return
	}
	if whole(f, "answer.blanks", len(blanks), len(c.Blanks)) {
		for i, b := range blanks {
			given(f, fmt.Sprintf("answer.blanks[%d]", i), b, MaxGivenBlank)
		}
	}
}

func whole(f *errs.Fields, field string, got, want int) bool {
	if got != want {
		f.Add(field, "答案的个数不对：应为 %d 个，请刷新页面后重新作答。", want)
	}
	return got == want
}

// positions wants each of list in [low, high), once if once.
func positions(f *errs.Fields, field string, list []int, low, high int, once bool) {
	seen := map[int]bool{}
	for _, p := range list {
		if p < low || p >= high || once && seen[p] {
			f.Add(field, "答案里有不存在或重复的选项，请刷新页面后重新作答。")
			return
		}
		seen[p] = true
	}
}

func given(f *errs.Fields, field, s string, limit int) {
	switch {
	case utf8.RuneCountInString(s) > limit:
		f.Add(field, "答案太长：最多 %d 个字。", limit)
	case !printable(s):
		f.Add(field, "答案里有无法显示的字符，请重新输入。")
	}
}
