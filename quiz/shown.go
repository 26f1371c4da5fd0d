package quiz

import (
	"fmt"
	"strconv"
	"strings"
)

// Shown is a question as a member sees it before any key may be known. Texts
// are HTML. Nothing in it tells what is right: not an order, not an id.
type Shown struct {
	Kind    Kind     `json:"kind" enum:"single,multiple,truefalse,fill,order,match,short"`
	Stem    string   `json:"stem" doc:"HTML; blanks stand as ＿＿（1）＿＿"`
	Options []string `json:"options,omitempty" doc:"HTML, in the order shown"`
	Blanks  int      `json:"blanks,omitempty" doc:"fill: how many texts to give"`
	Items   []string `json:"items,omitempty" doc:"order: HTML"`
	Lefts   []string `json:"lefts,omitempty" doc:"match: HTML"`
	Rights  []string `json:"rights,omitempty" doc:"match: HTML; may be more than lefts"`
}

// Show renders the question in this order; html makes HTML of Markdown.
func (s Shuffle) Show(c *Content, html func(markdown string) string) Shown {
	out := Shown{Kind: c.Kind, Stem: html(c.Stem)}
	switch c.Kind {
	case Single, Multiple:
		list := make([]string, len(c.Options))
		for i, o := range c.Options {
			list[i] = o.Text
		}
		out.Options = shownTexts(s.Options, list, html)
	case Fill:
		out.Stem, out.Blanks = html(showBlanks(c.Stem)), len(c.Blanks)
	case Order:
		out.Items = shownTexts(s.Items, c.Items, html)
	case Match:
		rights := make([]string, 0, len(c.Pairs)+len(c.Extra))
		for _, p := range c.Pairs {
			out.Lefts = append(out.Lefts, html(p.Left))
			rights = append(rights, p.Right)
		}
		out.Rights = shownTexts(s.Rights, append(rights, c.Extra...), html)
	case TrueFalse, Short:
	}
	return out
}

func shownTexts(order []int, list []string, html func(string) string) []string {
	if order == nil {
		order = identity(len(list))
	}
	out := make([]string, len(order))
	for i, at := range order {
		out[i] = html(list[at])
	}
	return out
}

// showBlanks numbers the blanks of a stem; underscores would be emphasis or a
// rule in Markdown.
func showBlanks(stem string) string {
	n := 0
	return blankRun.ReplaceAllStringFunc(stem, func(string) string {
		n++
		return fmt.Sprintf("＿＿（%d）＿＿", n)
	})
}

// Key is what is right, in shown positions, with explanation and source. It
// leaves the server only when the paper's rule allows.
type Key struct {
	Answer      Answer   `json:"answer"`
	Accept      []string `json:"accept,omitempty" doc:"fill: for each blank everything that counts, as a sentence"`
	Rubric      []string `json:"rubric,omitempty" doc:"short: what graders look for"`
	Explanation string   `json:"explanation,omitempty" doc:"HTML"`
	Source      string   `json:"source,omitempty" doc:"HTML"`
}

// Key is the key of the question in this order.
func (s Shuffle) Key(c *Content, html func(string) string) Key {
	k := Key{Answer: s.Outward(c, c.Right())}
	for _, b := range c.Blanks {
		k.Accept = append(k.Accept, b.sentence())
	}
	for _, r := range c.Rubric {
		k.Rubric = append(k.Rubric, r.Text)
	}
	if c.Explanation != "" {
		k.Explanation = html(c.Explanation)
	}
	if c.Source != "" {
		k.Source = html(c.Source)
	}
	return k
}

func (b Blank) sentence() string {
	all := append([]string(nil), b.Accept...)
	if n := b.Number; n != nil {
		t := strconv.FormatFloat(n.Value, 'f', -1, 64)
		if n.Tolerance > 0 {
			t += "（误差不超过 " + strconv.FormatFloat(n.Tolerance, 'f', -1, 64) + "）"
		}
		all = append(all, t)
	}
	return strings.Join(all, " 或 ")
}
