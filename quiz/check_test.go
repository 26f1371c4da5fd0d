package quiz

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tongxin/internal/errs"
)

func fields(err error) []string {
	var e *errs.Error
	if !errors.As(err, &e) {
		return nil
	}
	var out []string
	for _, f := range e.Fields {
		out = append(out, f.Name)
	}
	return out
}

func TestCheckNamesFields(t *testing.T) {
	good := func(k Kind) Content { return Content{Kind: k, Stem: "题", Topics: []string{"党课"}, Difficulty: 2} }
	with := func(k Kind, change func(*Content)) Content { c := good(k); change(&c); return c }
	for _, x := range []struct {
		name string
		c    Content
		want []string
	}{
		{"nothing", Content{}, []string{"kind"}},
		{"bare", Content{Kind: TrueFalse}, []string{"stem", "topics", "difficulty"}},
		{"fine", good(Short), nil},
		{"no options", good(Single), []string{"options"}},
		{"none right", with(Single, func(c *Content) { c.Options = []Option{{"甲", false}, {"乙", false}} }), []string{"options"}},
		{"two right", with(Single, func(c *Content) { c.Options = []Option{{"甲", true}, {"乙", true}} }), []string{"options"}},
		{"double", with(Multiple, func(c *Content) { c.Options = []Option{{"A", true}, {" ａ", false}} }), []string{"options[1].text"}},
		{"empty option", with(Multiple, func(c *Content) { c.Options = []Option{{"A", true}, {" ", false}} }), []string{"options[1].text"}},
		{"stranger", with(TrueFalse, func(c *Content) { c.Items = []string{"a"} }), []string{"items"}},
		{"true of a choice", with(Short, func(c *Content) { c.True = true }), []string{"true"}},
		{"blank count", with(Fill, func(c *Content) { c.Stem = "___ 和 ___"; c.Blanks = []Blank{{Accept: []string{"a"}}} }), []string{"blanks"}},
		{"blank without answer", with(Fill, func(c *Content) { c.Stem = "___"; c.Blanks = []Blank{{}} }), []string{"blanks[0]"}},
		{"invisible answer", with(Fill, func(c *Content) { c.Stem = "___"; c.Blanks = []Blank{{Accept: []string{"\u200b"}}} }), []string{"blanks[0].accept[0]"}},
		{"bad number", with(Fill, func(c *Content) { c.Stem = "___"; c.Blanks = []Blank{{Number: &Number{math.NaN(), -1}}} }), []string{"blanks[0].number.value", "blanks[0].number.tolerance"}},
		{"one item", with(Order, func(c *Content) { c.Items = []string{"a"} }), []string{"items"}},
		{"same items", with(Order, func(c *Content) { c.Items = []string{"a", "b", "A"} }), []string{"items[2]"}},
		{"same rights", with(Match, func(c *Content) { c.Pairs = []Pair{{"a", "1"}, {"b", "2"}}; c.Extra = []string{"１"} }), []string{"extra[0]"}},
		{"open pair", with(Match, func(c *Content) { c.Pairs = []Pair{{"a", ""}, {"b", "2"}} }), []string{"pairs[0].right"}},
		{"rubric", with(Short, func(c *Content) { c.Rubric = []Criterion{{"要点", 0.5}, {"", 0}} }), []string{"rubric[1].text", "rubric[1].share", "rubric"}},
		{"long", with(Short, func(c *Content) { c.Stem = strings.Repeat("长", MaxStem+1) }), []string{"stem"}},
		{"control", with(Short, func(c *Content) { c.Source = "a\x00" }), []string{"source"}},
		{"topics", with(Short, func(c *Content) { c.Topics = []string{"a", "A", "b;c"} }), []string{"topics[2]", "topics[1]"}},
	} {
		if got := fields(x.c.Check()); !slices.Equal(got, x.want) {
			t.Errorf("%s: %q, want %q", x.name, got, x.want)
		}
	}
}

func TestValidAnswerRefusesHostileInput(t *testing.T) {
	five := Content{Kind: Multiple, Options: make([]Option, 5)}
	one := Content{Kind: Single, Options: make([]Option, 3)}
	yes := Content{Kind: TrueFalse}
	fill := Content{Kind: Fill, Blanks: make([]Blank, 2)}
	order := Content{Kind: Order, Items: make([]string, 3)}
	match := Content{Kind: Match, Pairs: make([]Pair, 2), Extra: make([]string, 1)}
	short := Content{Kind: Short}
	for _, x := range []struct {
		name string
		c    Content
		a    Answer
		ok   bool
	}{
		{"empty", five, Answer{}, true},
		{"chosen", five, Answer{Choice: []int{4, 0}}, true},
		{"twice", five, Answer{Choice: []int{4, 4}}, false},
		{"negative", five, Answer{Choice: []int{-1}}, false},
		{"far", five, Answer{Choice: []int{5}}, false},
		{"two of one", one, Answer{Choice: []int{0, 1}}, false},
		{"truth", yes, Answer{Choice: []int{1}}, true},
		{"half truth", yes, Answer{Choice: []int{2}}, false},
		{"foreign part", yes, Answer{Text: "是"}, false},
		{"blanks as they grow", fill, Answer{Blanks: []string{"", "7"}}, true},
		{"too many blanks", fill, Answer{Blanks: make([]string, 3)}, false},
		{"long blank", fill, Answer{Blanks: []string{"", strings.Repeat("长", 201)}}, false},
		{"control", fill, Answer{Blanks: []string{"", "a\x07"}}, false},
		{"part of an order", order, Answer{Order: []int{0, 1}}, false},
		{"order", order, Answer{Order: []int{2, 1, 0}}, true},
		{"double in order", order, Answer{Order: []int{2, 1, 1}}, false},
		{"open lines", match, Answer{Match: []int{-1, 2}}, true},
		{"no such side", match, Answer{Match: []int{-1, 3}}, false},
		{"below none", match, Answer{Match: []int{-2, 0}}, false},
		{"text", short, Answer{Text: "一\n二"}, true},
		{"broken text", short, Answer{Text: "\xff"}, false},
		{"book", short, Answer{Text: strings.Repeat("字", 5001)}, false},
	} {
		if err := x.c.ValidAnswer(x.a); (err == nil) != x.ok {
			t.Errorf("%s: %v", x.name, err)
		}
	}
}

func TestDrawnQuestionsAndAnswersAreValid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyContent(t)
		if err := c.Check(); err != nil {
			t.Fatal(err)
		}
		if err := c.ValidAnswer(anyAnswer(t, &c)); err != nil {
			t.Fatal(err)
		}
	})
}
