package quiz

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func plain(s string) string { return s }

func TestShuffleKeepsEverythingAndItsOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyContent(t)
		seed, n, on := rapid.Uint64().Draw(t, "seed"), rapid.IntRange(0, 200).Draw(t, "n"), rapid.Bool().Draw(t, "on")
		s := NewShuffle(&c, seed, n, on)
		if again := NewShuffle(&c, seed, n, on); !reflect.DeepEqual(s, again) {
			t.Fatalf("not deterministic: %v %v", s, again)
		}
		got, want := s.Show(&c, plain), Shuffle{}.Show(&c, plain)
		for _, p := range [][2][]string{{got.Options, want.Options}, {got.Items, want.Items}, {got.Rights, want.Rights}} {
			slices.Sort(p[0])
			slices.Sort(p[1])
			if !slices.Equal(p[0], p[1]) {
				t.Fatalf("shown %q of %q", p[0], p[1])
			}
		}
		if !slices.Equal(got.Lefts, want.Lefts) || got.Blanks != len(c.Blanks) {
			t.Fatal("lefts or blanks changed")
		}
		if !on && s.Options != nil {
			t.Fatal("options change places although they should not")
		}
	})
}

func TestOutwardThenInwardIsWhereOneStarted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyContent(t)
		s := NewShuffle(&c, rapid.Uint64().Draw(t, "seed"), rapid.IntRange(0, 99).Draw(t, "n"), rapid.Bool().Draw(t, "on"))
		a := anyAnswer(t, &c)
		shown := s.Outward(&c, a)
		if err := c.ValidAnswer(shown); err != nil {
			t.Fatal(err)
		}
		if back := s.Inward(&c, shown); !reflect.DeepEqual(back, a) {
			t.Fatalf("%+v became %+v", a, back)
		}
	})
}

func TestRightAnswerAsShownEarnsEverything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyContent(t)
		if err := c.Check(); err != nil {
			t.Fatal(err)
		}
		s := NewShuffle(&c, rapid.Uint64().Draw(t, "seed"), 0, true)
		k := s.Key(&c, plain)
		if err := c.ValidAnswer(k.Answer); err != nil {
			t.Fatal(err)
		}
		share, auto := c.Grade(s.Inward(&c, k.Answer), rapid.Bool().Draw(t, "partial"))
		if !auto || c.Kind != Short && share != 1 || c.Kind == Short && share != 0 {
			t.Fatalf("%s: %v %v for %+v", c.Kind, share, auto, k.Answer)
		}
	})
}

// What a member sees must read the same whatever is right.
func TestShownTellsNothingOfTheKey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyContent(t)
		other := c
		other.True, other.Explanation, other.Source, other.Rubric = !c.True, "别的解析", "别的出处", nil
		other.Options = slices.Clone(c.Options)
		for i := range other.Options {
			other.Options[i].Right = !other.Options[i].Right
		}
		other.Blanks = make([]Blank, len(c.Blanks))
		seed := rapid.Uint64().Draw(t, "seed")
		a, _ := json.Marshal(NewShuffle(&c, seed, 3, true).Show(&c, plain))
		b, _ := json.Marshal(NewShuffle(&other, seed, 3, true).Show(&other, plain))
		if string(a) != string(b) {
			t.Fatalf("%s\n%s", a, b)
		}
	})
}

// Attempts keep seeds: these orders must never change.
func TestShuffleGolden(t *testing.T) {
	five := Content{Kind: Single, Options: make([]Option, 5)}
	ten := Content{Kind: Order, Items: make([]string, 10)}
	match := Content{Kind: Match, Pairs: make([]Pair, 4), Extra: make([]string, 2)}
	var b strings.Builder
	for _, seed := range []uint64{0, 1, 42, 1<<64 - 1} {
		for n := range 2 {
			fmt.Fprintln(&b, seed, n, NewShuffle(&five, seed, n, true).Options, NewShuffle(&ten, seed, n, false).Items, NewShuffle(&match, seed, n, false).Rights)
		}
	}
	const want = `0 0 [2 1 0 3 4] [6 3 2 5 1 7 4 0 8 9] [2 3 1 0 4 5]
0 1 [3 0 4 1 2] [1 5 2 6 9 8 0 7 3 4] [5 4 0 3 1 2]
1 0 [1 2 3 0 4] [4 5 6 7 0 3 1 8 2 9] [2 3 0 4 1 5]
1 1 [2 3 4 0 1] [2 4 8 5 7 6 0 9 1 3] [3 5 4 1 0 2]
42 0 [2 0 4 3 1] [3 6 7 5 9 1 0 4 8 2] [5 3 0 2 4 1]
42 1 [4 0 2 1 3] [7 5 4 8 2 0 1 9 3 6] [1 5 0 3 2 4]
18446744073709551615 0 [3 1 4 0 2] [8 1 2 7 3 6 4 9 0 5] [4 5 1 2 0 3]
18446744073709551615 1 [4 3 0 1 2] [3 5 8 1 7 6 9 0 2 4] [3 5 4 0 1 2]
`
	if got := b.String(); got != want {
		t.Fatalf("stored attempts would show other orders:\n%s", got)
	}
}

func TestShuffleIsFair(t *testing.T) {
	c := Content{Kind: Order, Items: make([]string, 4)}
	count := map[string]int{}
	const rounds = 24_000
	for seed := range uint64(rounds) {
		count[fmt.Sprint(NewShuffle(&c, seed, 1, true).Items)]++
	}
	chi := 0.0
	for _, n := range count {
		d := float64(n) - rounds/24
		chi += d * d / (rounds / 24)
	}
	if len(count) != 24 || chi > 49.7 { // 0.1 % of chi-squared with 23 degrees; the seeds are fixed
		t.Fatalf("%d orders, chi² %.1f", len(count), chi)
	}
}

func TestShowNumbersBlanks(t *testing.T) {
	c := Content{Kind: Fill, Stem: "每年至少 ___ 学时，书记 _____ 学时", Blanks: make([]Blank, 2)}
	if got := (Shuffle{}).Show(&c, plain).Stem; got != "每年至少 ＿＿（1）＿＿ 学时，书记 ＿＿（2）＿＿ 学时" {
		t.Fatal(got)
	}
}
