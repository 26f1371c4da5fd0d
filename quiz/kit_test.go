package quiz

import (
	"fmt"

	"pgregory.net/rapid"
)

// anyContent draws a question of any kind that Check accepts.
func anyContent(t *rapid.T) Content {
	return contentOf(t, rapid.SampledFrom(Kinds()).Draw(t, "kind"))
}

func contentOf(t *rapid.T, kind Kind) Content {
	c := Content{
		Kind: kind, Stem: "题干 " + rapid.StringMatching(`[a-z甲乙丙]{1,10}`).Draw(t, "stem"),
		Topics: []string{"组织生活"}, Difficulty: rapid.IntRange(1, 5).Draw(t, "difficulty"),
		Explanation: rapid.SampledFrom([]string{"", "因为**如此**"}).Draw(t, "explanation"),
	}
	parts := func(name string, low int) []string {
		return rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z0-9甲乙丙丁]{1,6}`), low, 6, Fold).Draw(t, name)
	}
	switch kind {
	case Single, Multiple:
		list := parts("options", 2)
		right := rapid.IntRange(0, len(list)-1).Draw(t, "right")
		for i, o := range list {
			also := kind == Multiple && rapid.Bool().Draw(t, "also")
			c.Options = append(c.Options, Option{Text: o, Right: i == right || also})
		}
	case TrueFalse:
		c.True = rapid.Bool().Draw(t, "true")
	case Fill:
		for i := range rapid.IntRange(1, 4).Draw(t, "blanks") {
			c.Stem += fmt.Sprintf(" 空 ___ %d", i)
			b := Blank{}
			if rapid.Bool().Draw(t, "number") {
				b.Number = &Number{float64(rapid.IntRange(-1000, 1000).Draw(t, "value")) / 10, float64(rapid.IntRange(0, 20).Draw(t, "tolerance")) / 10}
			} else {
				b.Accept = parts("accept", 1)
			}
			c.Blanks = append(c.Blanks, b)
		}
	case Order:
		c.Items = parts("items", 2)
	case Match:
		rights := parts("rights", 3)
		n := rapid.IntRange(2, len(rights)).Draw(t, "pairs")
		n = max(n, len(rights)-MaxExtra)
		for i := range n {
			c.Pairs = append(c.Pairs, Pair{Left: fmt.Sprint("左", i), Right: rights[i]})
		}
		c.Extra = append(c.Extra, rights[n:]...)
	case Short:
		c.Rubric = []Criterion{{"要点一", 0.4}, {"要点二", 0.6}}
	}
	return c
}

// anyAnswer draws a valid answer to c: right, wrong or half.
func anyAnswer(t *rapid.T, c *Content) Answer {
	var a Answer
	if rapid.IntRange(0, 9).Draw(t, "nothing") == 0 {
		return a
	}
	switch c.Kind {
	case Single:
		a.Choice = []int{rapid.IntRange(0, len(c.Options)-1).Draw(t, "choice")}
	case TrueFalse:
		a.Choice = []int{rapid.IntRange(0, 1).Draw(t, "choice")}
	case Multiple:
		for i := range c.Options {
			if rapid.Bool().Draw(t, "chosen") {
				a.Choice = append(a.Choice, i)
			}
		}
	case Fill:
		for _, b := range c.Blanks {
			a.Blanks = append(a.Blanks, rapid.SampledFrom([]string{"", "7", "别的", b.first(), " " + b.first() + "\u3000"}).Draw(t, "blank"))
		}
	case Order:
		a.Order = rapid.Permutation(identity(len(c.Items))).Draw(t, "order")
	case Match:
		for range c.Pairs {
			a.Match = append(a.Match, rapid.IntRange(-1, len(c.Pairs)+len(c.Extra)-1).Draw(t, "match"))
		}
	case Short:
		a.Text = rapid.String().Filter(printable).Draw(t, "text")
	}
	return a
}
