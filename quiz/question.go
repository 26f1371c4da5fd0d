// Package quiz is the bank of questions, papers, attempts and their results. It
// owns what is right and when a person may know it; it never sees HTTP, SQL or
// WeChat.
package quiz

import (
	"tongxin/internal/ids"
)

// Kind of a question.
type Kind string

// Kinds: 单选, 多选, 判断, 填空, 排序, 连线, 简答.
const (
	Single    Kind = "single"
	Multiple  Kind = "multiple"
	TrueFalse Kind = "truefalse"
	Fill      Kind = "fill"
	Order     Kind = "order"
	Match     Kind = "match"
	Short     Kind = "short" // graded by people
)

// Kinds lists every kind, in the order people see them.
func Kinds() []Kind { return []Kind{Single, Multiple, TrueFalse, Fill, Order, Match, Short} }

// Content is what a question says and what is right: one revision of it. It is
// never rewritten once somebody has answered it; a change makes a new revision.
//
// Texts (Stem, options, pairs, items, Explanation) are Markdown with $formulas$
// and ![pictures](asset:hash). Parts are referred to by their position here,
// counted from 0, and never by it outside: see Answer and Shuffle.
type Content struct {
	Kind        Kind        `json:"kind" enum:"single,multiple,truefalse,fill,order,match,short"`
	Stem        string      `json:"stem" doc:"Markdown; the blanks of a fill-in are written ___ (three underscores) in order"`
	Options     []Option    `json:"options,omitempty" doc:"single and multiple: 2 to 10"`
	True        bool        `json:"true,omitempty" doc:"truefalse: whether the statement is right"`
	Blanks      []Blank     `json:"blanks,omitempty" doc:"fill: 1 to 10"`
	Items       []string    `json:"items,omitempty" doc:"order: 2 to 10, in the right order"`
	Pairs       []Pair      `json:"pairs,omitempty" doc:"match: 2 to 10"`
	Extra       []string    `json:"extra,omitempty" doc:"match: right sides that belong to no left side, at most 5"`
	Rubric      []Criterion `json:"rubric,omitempty" doc:"short: what a grader looks for"`
	Explanation string      `json:"explanation,omitempty"`
	Source      string      `json:"source,omitempty" doc:"where the answer is written down"`
	Topics      []string    `json:"topics" doc:"1 to 5 names"`
	Difficulty  int         `json:"difficulty" minimum:"1" maximum:"5"`
}

// Option of a single or multiple choice.
type Option struct {
	Text  string `json:"text"`
	Right bool   `json:"right,omitempty"`
}

// Blank of a fill-in: any of the texts counts, or a number within a tolerance.
type Blank struct {
	Accept []string `json:"accept,omitempty" doc:"compared without outer spaces, full and half width and letter case alike"`
	Number *Number  `json:"number,omitempty"`
}

// Number is a numeric answer.
type Number struct {
	Value     float64 `json:"value"`
	Tolerance float64 `json:"tolerance" minimum:"0" doc:"right when the difference is no larger"`
}

// Pair of a matching question.
type Pair struct {
	Left  string `json:"left"`
	Right string `json:"right"`
}

// Criterion is one line of a rubric.
type Criterion struct {
	Text  string  `json:"text"`
	Share float64 `json:"share" minimum:"0" maximum:"1" doc:"of the question's points; all together 1"`
}

// Answer is what a person gave, in positions of Content: what is stored and
// graded. On the wire to members positions are those that the attempt's shuffle
// made, so that neither an id nor an order tells which is right.
type Answer struct {
	Choice []int    `json:"choice,omitempty" doc:"single, multiple: chosen options; truefalse: [1] for true, [0] for false"`
	Blanks []string `json:"blanks,omitempty" doc:"fill: one text for each blank"`
	Order  []int    `json:"order,omitempty" doc:"order: the items in the order given"`
	Match  []int    `json:"match,omitempty" doc:"match: for each left side the right side, -1 for none; sides after the pairs are Extra"`
	Text   string   `json:"text,omitempty" doc:"short"`
}

// Ref names one revision of a question.
type Ref struct {
	ID       ids.ID `json:"id"`
	Revision int    `json:"revision"`
}
