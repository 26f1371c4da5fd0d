package analysis

import (
	"math"
	"testing"

	"tongxin/quiz"
)

// orders lists all permutations of 0…n−1.
func orders(n int) (out [][]int) {
	var walk func(done, left []int)
	walk = func(done, left []int) {
		if len(left) == 0 {
			out = append(out, append([]int(nil), done...))
		}
		for i := range left {
			rest := append(append([]int(nil), left[:i]...), left[i+1:]...)
			walk(append(done, left[i]), rest)
		}
	}
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	walk(nil, all)
	return out
}

// guesses lists every valid answer that says something, each as likely as the next.
func guesses(c *quiz.Content) (out []quiz.Answer) {
	switch c.Kind {
	case quiz.Single:
		for i := range c.Options {
			out = append(out, quiz.Answer{Choice: []int{i}})
		}
	case quiz.TrueFalse:
		out = []quiz.Answer{{Choice: []int{0}}, {Choice: []int{1}}}
	case quiz.Multiple:
		for set := 1; set < 1<<len(c.Options); set++ {
			var a quiz.Answer
			for i := range c.Options {
				if set>>i&1 == 1 {
					a.Choice = append(a.Choice, i)
				}
			}
			out = append(out, a)
		}
	case quiz.Order:
		for _, o := range orders(len(c.Items)) {
			out = append(out, quiz.Answer{Order: o})
		}
	case quiz.Match:
		for _, o := range orders(len(c.Pairs) + len(c.Extra)) {
			out = append(out, quiz.Answer{Match: o[:len(c.Pairs)]})
		}
	case quiz.Fill, quiz.Short:
	}
	return out
}

func TestGuessIsTheMeanOverAllAnswers(t *testing.T) {
	o := func(right ...bool) (out []quiz.Option) {
		for _, r := range right {
			out = append(out, quiz.Option{Right: r})
		}
		return out
	}
	for _, c := range []quiz.Content{
		{Kind: quiz.Single, Options: o(true, false, false, false)},
		{Kind: quiz.TrueFalse, True: true},
		{Kind: quiz.Multiple, Options: o(true, true, false, false)},
		{Kind: quiz.Multiple, Options: o(true, true, true, false, false)},
		{Kind: quiz.Multiple, Options: o(true, true, true)},
		{Kind: quiz.Multiple, Options: o(true, false, false, false, false)},
		{Kind: quiz.Order, Items: make([]string, 2)},
		{Kind: quiz.Order, Items: make([]string, 5)},
		{Kind: quiz.Order, Items: make([]string, 7)},
		{Kind: quiz.Match, Pairs: make([]quiz.Pair, 3)},
		{Kind: quiz.Match, Pairs: make([]quiz.Pair, 3), Extra: make([]string, 2)},
	} {
		for _, partial := range []bool{false, true} {
			sum, all := 0.0, guesses(&c)
			for _, a := range all {
				share, _ := c.Grade(a, partial)
				sum += share
			}
			want, got := sum/float64(len(all)), Guess(&c, partial)
			if got == nil || math.Abs(*got-want) > 1e-12 {
				t.Errorf("%s of %d, partial %v: %v, want %v", c.Kind, len(all), partial, got, want)
			}
		}
	}
}

func TestGuessThatCannotBeSaid(t *testing.T) {
	if g := Guess(&quiz.Content{Kind: quiz.Short}, true); g != nil {
		t.Errorf("short: %v", *g)
	}
	if g := Guess(&quiz.Content{Kind: quiz.Fill, Blanks: make([]quiz.Blank, 2)}, true); g == nil || *g != 0 {
		t.Errorf("fill: %v", g)
	}
	for _, c := range []quiz.Content{{Kind: quiz.Single}, {Kind: quiz.Multiple}, {Kind: quiz.Order}, {Kind: quiz.Match}} {
		if g := Guess(&c, true); g == nil || math.IsNaN(*g) || *g > 1 {
			t.Errorf("%s without parts: %v", c.Kind, g)
		}
	}
}
