package quiz

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func multiple(right ...bool) Content {
	c := Content{Kind: Multiple}
	for i, r := range right {
		c.Options = append(c.Options, Option{Text: fmt.Sprint(i), Right: r})
	}
	return c
}

func TestGradePartial(t *testing.T) {
	y, n := true, false
	fill := Content{Kind: Fill, Blanks: []Blank{{Accept: []string{"32", "三十二"}}, {Number: &Number{Value: 0.3, Tolerance: 0.1}}}}
	order := Content{Kind: Order, Items: []string{"自评", "互评", "测评", "评定"}}
	match := Content{Kind: Match, Pairs: make([]Pair, 4), Extra: make([]string, 1)}
	for _, x := range []struct {
		name string
		c    Content
		a    Answer
		want float64
	}{
		{"all right", multiple(y, y, n, n), Answer{Choice: []int{1, 0}}, 1},
		{"half", multiple(y, y, n, n), Answer{Choice: []int{0}}, 0.5},
		{"one wrong", multiple(y, y, n, n), Answer{Choice: []int{0, 1, 2}}, 0.5},
		{"right and wrong", multiple(y, y, n, n), Answer{Choice: []int{0, 2}}, 0},
		{"everything", multiple(y, y, n, n), Answer{Choice: []int{0, 1, 2, 3}}, 0},
		{"everything, one wrong of four", multiple(y, y, y, n), Answer{Choice: []int{0, 1, 2, 3}}, 0},
		{"everything is right", multiple(y, y, y), Answer{Choice: []int{0, 1, 2}}, 1},
		{"twice the same", multiple(y, y, n, n), Answer{Choice: []int{0, 0}}, 0.5},
		{"no such option", multiple(y, n), Answer{Choice: []int{0, 7}}, 0},
		{"nothing", multiple(y, n), Answer{}, 0},
		{"one blank of two", fill, Answer{Blanks: []string{"三十二", "0.41"}}, 0.5},
		{"too few blanks", fill, Answer{Blanks: []string{" ３２ "}}, 0.5},
		{"edge of the tolerance", fill, Answer{Blanks: []string{"", "0.4"}}, 0.5},
		{"in order", order, Answer{Order: []int{0, 1, 2, 3}}, 1},
		{"one moved", order, Answer{Order: []int{1, 2, 3, 0}}, 2.0 / 3},
		{"reversed", order, Answer{Order: []int{3, 2, 1, 0}}, 0},
		{"not a permutation", order, Answer{Order: []int{0, 0, 1, 2}}, 0},
		{"three of four", match, Answer{Match: []int{0, 1, 2, 4}}, 0.75},
		{"swapped", match, Answer{Match: []int{1, 0, -1, 3}}, 0.25},
	} {
		got, auto := x.c.Grade(x.a, true)
		if !auto || math.Abs(got-x.want) > 1e-12 {
			t.Errorf("%s: %v %v, want %v", x.name, got, auto, x.want)
		}
		want := 0.0
		if x.want == 1 {
			want = 1
		}
		if got, _ := x.c.Grade(x.a, false); got != want {
			t.Errorf("%s without partial credit: %v", x.name, got)
		}
	}
}

func TestGradeShortIsForPeople(t *testing.T) {
	c := Content{Kind: Short}
	if share, auto := c.Grade(Answer{Text: "答"}, true); share != 0 || auto {
		t.Fatal(share, auto)
	}
	if share, auto := c.Grade(Answer{Text: " \u200b"}, true); share != 0 || !auto {
		t.Fatal("nothing written needs no grader", share, auto)
	}
}

func TestGradeStaysInRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyContent(t)
		a := anyAnswer(t, &c)
		if rapid.Bool().Draw(t, "hostile") {
			ints := rapid.SliceOf(rapid.IntRange(-3, 12))
			a = Answer{
				Choice: ints.Draw(t, "c"), Order: ints.Draw(t, "o"), Match: ints.Draw(t, "m"),
				Blanks: rapid.SliceOf(rapid.String()).Draw(t, "b"), Text: rapid.String().Draw(t, "t"),
			}
			_ = c.ValidAnswer(a)
		}
		part, _ := c.Grade(a, true)
		whole, _ := c.Grade(a, false)
		if part < 0 || part > 1 || whole != 0 && whole != 1 || (whole == 1) != (part == 1) {
			t.Fatalf("%v %v", part, whole)
		}
	})
}

func TestMoreRightNeverEarnsLess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := contentOf(t, rapid.SampledFrom([]Kind{Multiple, Fill, Match}).Draw(t, "of"))
		a := anyAnswer(t, &c)
		before, _ := c.Grade(a, true)
		better, key := a, c.Right()
		switch c.Kind {
		case Multiple:
			i := rapid.IntRange(0, len(c.Options)-1).Draw(t, "i")
			better.Choice = slices.DeleteFunc(slices.Clone(a.Choice), func(p int) bool { return p == i })
			if c.Options[i].Right {
				better.Choice = append(better.Choice, i)
			}
		case Fill:
			i := rapid.IntRange(0, len(c.Blanks)-1).Draw(t, "i")
			better.Blanks = append(slices.Clone(a.Blanks), make([]string, len(c.Blanks))...)[:len(c.Blanks)]
			better.Blanks[i] = key.Blanks[i]
		case Match:
			if len(a.Match) == 0 {
				return
			}
			i := rapid.IntRange(0, len(c.Pairs)-1).Draw(t, "i")
			better.Match = slices.Clone(a.Match)
			better.Match[i] = i
		}
		if after, _ := c.Grade(better, true); after < before {
			t.Fatalf("%v → %v: %+v → %+v", before, after, a, better)
		}
	})
}

func TestChoosingEverythingEarnsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := contentOf(t, Multiple)
		share, _ := c.Grade(Answer{Choice: identity(len(c.Options))}, true)
		if all := len(c.Right().Choice) == len(c.Options); all != (share == 1) || !all && share != 0 {
			t.Fatal(share)
		}
	})
}

func TestFold(t *testing.T) {
	for _, x := range [][2]string{
		{" 民主评议\u3000", "民主评议"},
		{"ＡＢＣ１２３", "abc123"},
		{"Straße", "STRASSE"},
		{"a\t \u00a0b", "A b"},
		{"\u200b党课\ufeff", "党课"},
		{"（三会一课）", "(三会一课)"},
		{"ﬁ", "FI"},
		{"é", "e\u0301"},
	} {
		if Fold(x[0]) != Fold(x[1]) {
			t.Errorf("%q and %q differ: %q %q", x[0], x[1], Fold(x[0]), Fold(x[1]))
		}
	}
	if Fold("党 课") == Fold("党课") {
		t.Error("inner spaces count")
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		if Fold(Fold(s)) != Fold(s) || Fold(" "+s+"\u3000") != Fold(s) {
			t.Fatalf("%q %q", Fold(s), Fold(Fold(s)))
		}
	})
}

func TestNumberEdges(t *testing.T) {
	n := Number{Value: 0.3, Tolerance: 0.1}
	for s, want := range map[string]bool{
		"0.2": true, "0.4": true, "0.400000000000000001": false, "０．３": true, " .3 ": true, "3e-1": true,
		"+0.3": true, "0.30": true, "": false, "0,3": false, "0.3.": false, "0x0.3": false, "1/3": false,
		"NaN": false, "Inf": false, "0.3e999999999": false, "零点三": false, "0_3": false,
	} {
		if n.holds(s) != want {
			t.Errorf("%q within 0.3±0.1: %v", s, !want)
		}
	}
	if k := (Number{Value: -3000}); !k.holds("−3,000") || !k.holds("－3000.00") || k.holds("-3,00") || k.holds("3000") {
		t.Error("-3000")
	}
	if (Number{Value: math.NaN()}).holds("1") || (Number{Value: 1, Tolerance: math.Inf(1)}).holds("1") {
		t.Error("not a number holds nothing")
	}
	rapid.Check(t, func(t *rapid.T) {
		v, d := rapid.IntRange(-1e6, 1e6).Draw(t, "v"), rapid.IntRange(0, 1000).Draw(t, "d")
		n := Number{Value: float64(v) / 1000, Tolerance: float64(d) / 1000}
		x := v + rapid.IntRange(-1100, 1100).Draw(t, "off")
		sign, abs := "", x
		if x < 0 {
			sign, abs = "-", -x
		}
		s := fmt.Sprintf("%s%d.%03d", sign, abs/1000, abs%1000)
		if want := x >= v-d && x <= v+d; n.holds(s) != want {
			t.Fatalf("%s in %v: %v", s, n, !want)
		}
	})
}

func FuzzNumber(f *testing.F) {
	for _, s := range []string{"1", "1e308", "9e999", "1,000.5", "-0", "１２"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if x, ok := number(s); ok && (x == nil || !(Number{Tolerance: math.MaxFloat64}).holds(s) && x.Num().BitLen() < 1000) {
			t.Fatal(s)
		}
	})
}
