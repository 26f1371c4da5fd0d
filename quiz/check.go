package quiz

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"tongxin/internal/errs"
)

// Limits of a question, in characters and parts. They keep a page readable and
// a hostile import bounded; none of them comes from outside.
const (
	MaxStem        = 5000
	MaxPart        = 1000 // an option, an item, a side of a pair, a line of a rubric
	MaxAccept      = 100
	MaxAccepts     = 20
	MaxExplanation = 5000
	MaxSource      = 500
	MaxTopic       = 30
	MaxTopics      = 5
	MaxParts       = 10
	MaxExtra       = 5
	MaxGivenBlank  = 200 // what a person types into a blank
	MaxGivenText   = 5000
)

// blankRun is how a stem marks a blank: three underscores or more in a row.
var blankRun = regexp.MustCompile(`_{3,}`)

// CountBlanks says how many blanks a stem marks.
func CountBlanks(stem string) int { return len(blankRun.FindAllStringIndex(stem, -1)) }

// Check reports everything that keeps c from being a question, each with the
// name of its field. Parts that belong to another kind are refused, not dropped.
func (c *Content) Check() error {
	var f errs.Fields
	if !slices.Contains(Kinds(), c.Kind) {
		f.Add("kind", "请选择题型：单选、多选、判断、填空、排序、连线或简答。")
		return f.Err()
	}
	text(&f, "stem", "题干", c.Stem, MaxStem, true)
	text(&f, "explanation", "解析", c.Explanation, MaxExplanation, false)
	text(&f, "source", "出处", c.Source, MaxSource, false)
	c.checkStrangers(&f)
	switch c.Kind {
	case Single, Multiple:
		c.checkOptions(&f)
	case Fill:
		c.checkBlanks(&f)
	case Order:
		if checkCount(&f, "items", "排序的各项", len(c.Items)) {
			distinct(&f, "排序项", texts(&f, "items[%d]", "排序项", c.Items))
		}
	case Match:
		c.checkPairs(&f)
	case Short:
		c.checkRubric(&f)
	}
	c.checkTopics(&f)
	c.checkPictures(&f)
	if c.Difficulty < 1 || c.Difficulty > 5 {
		f.Add("difficulty", "难度请填 1（最易）到 5（最难）。")
	}
	return f.Err()
}

// checkStrangers refuses parts of other kinds.
func (c *Content) checkStrangers(f *errs.Fields) {
	for _, p := range []struct {
		field, name string
		there       bool
		of          []Kind
	}{
		{"options", "选项", len(c.Options) > 0, []Kind{Single, Multiple}},
		{"true", "“正确”的判断", c.True, []Kind{TrueFalse}},
		{"blanks", "填空答案", len(c.Blanks) > 0, []Kind{Fill}},
		{"items", "排序项", len(c.Items) > 0, []Kind{Order}},
		{"pairs", "连线", len(c.Pairs) > 0, []Kind{Match}},
		{"extra", "多余的右边项", len(c.Extra) > 0, []Kind{Match}},
		{"rubric", "评分要点", len(c.Rubric) > 0, []Kind{Short}},
	} {
		if p.there && !slices.Contains(p.of, c.Kind) {
			f.Add(p.field, "这种题型没有%s，请删除，或者换一种题型。", p.name)
		}
	}
}

func (c *Content) checkOptions(f *errs.Fields) {
	if !checkCount(f, "options", "选项", len(c.Options)) {
		return
	}
	list, right := make([]string, len(c.Options)), 0
	for i, o := range c.Options {
		list[i] = o.Text
		if o.Right {
			right++
		}
	}
	for i, o := range list {
		text(f, fmt.Sprintf("options[%d].text", i), fmt.Sprintf("第 %d 个选项", i+1), o, MaxPart, true)
	}
	distinct(f, "选项", named("options[%d].text", list))
	switch {
	case right == 0:
		f.Add("options", "请标出正确的选项。")
	case c.Kind == Single && right > 1:
		f.Add("options", "单选题只能有一个正确选项，现在有 %d 个；如果都对，请改为多选题。", right)
	}
}

func (c *Content) checkBlanks(f *errs.Fields) {
	if n := CountBlanks(c.Stem); n != len(c.Blanks) {
		f.Add("blanks", "题干里有 %d 个空（用 ___ 表示），答案却有 %d 个，请使两者一致。", n, len(c.Blanks))
	}
	if len(c.Blanks) < 1 || len(c.Blanks) > MaxParts {
		f.Add("blanks", "填空题要有 1 到 %d 个空。", MaxParts)
		return
	}
	for i, b := range c.Blanks {
		field, name := fmt.Sprintf("blanks[%d]", i), fmt.Sprintf("第 %d 个空", i+1)
		if len(b.Accept) == 0 && b.Number == nil {
			f.Add(field, "%s还没有答案，请填写可以接受的文字或数值。", name)
		}
		if len(b.Accept) > MaxAccepts {
			f.Add(field+".accept", "%s的可接受答案最多 %d 个。", name, MaxAccepts)
			continue
		}
		for j, a := range b.Accept {
			at := fmt.Sprintf("%s.accept[%d]", field, j)
			text(f, at, name+"的答案", a, MaxAccept, true)
			if a != "" && Fold(a) == "" {
				f.Add(at, "%s的答案只有空格，请填写。", name)
			}
		}
		if n := b.Number; n != nil {
			if !finite(n.Value) {
				f.Add(field+".number.value", "%s的数值无效，请填写一个数。", name)
			}
			if !finite(n.Tolerance) || n.Tolerance < 0 {
				f.Add(field+".number.tolerance", "%s的允许误差要填 0 或正数。", name)
			}
		}
	}
}

func (c *Content) checkPairs(f *errs.Fields) {
	if !checkCount(f, "pairs", "连线", len(c.Pairs)) {
		return
	}
	if len(c.Extra) > MaxExtra {
		f.Add("extra", "多余的右边项最多 %d 个。", MaxExtra)
		return
	}
	var lefts, rights []string
	for _, p := range c.Pairs {
		lefts, rights = append(lefts, p.Left), append(rights, p.Right)
	}
	distinct(f, "左边", texts(f, "pairs[%d].left", "左边", lefts))
	right := texts(f, "pairs[%d].right", "右边", rights)
	distinct(f, "右边", append(right, texts(f, "extra[%d]", "多余的右边项", c.Extra)...))
}

func (c *Content) checkRubric(f *errs.Fields) {
	if len(c.Rubric) == 0 {
		return
	}
	if len(c.Rubric) > MaxParts {
		f.Add("rubric", "评分要点最多 %d 条。", MaxParts)
		return
	}
	sum := 0.0
	for i, r := range c.Rubric {
		text(f, fmt.Sprintf("rubric[%d].text", i), fmt.Sprintf("第 %d 条评分要点", i+1), r.Text, MaxPart, true)
		if !finite(r.Share) || r.Share <= 0 || r.Share > 1 {
			f.Add(fmt.Sprintf("rubric[%d].share", i), "第 %d 条评分要点的占比要大于 0、不超过 1。", i+1)
		}
		sum += r.Share
	}
	if !(math.Abs(sum-1) <= 0.001) { // thirds written as 0.333
		f.Add("rubric", "各条评分要点的占比合起来要等于 1，现在是 %.3g。", sum)
	}
}

func (c *Content) checkTopics(f *errs.Fields) {
	if len(c.Topics) < 1 || len(c.Topics) > MaxTopics {
		f.Add("topics", "请填写 1 到 %d 个知识点。", MaxTopics)
		return
	}
	for i, t := range c.Topics {
		at := fmt.Sprintf("topics[%d]", i)
		text(f, at, "知识点", t, MaxTopic, true)
		if strings.ContainsAny(t, ";；\n\t") {
			f.Add(at, "知识点的名称里不能有分号或换行。")
		}
	}
	distinct(f, "知识点", named("topics[%d]", c.Topics))
}

// checkPictures wants pictures out of the media library: the server calls no
// address that a question names, and a picture elsewhere may change or vanish.
func (c *Content) checkPictures(f *errs.Fields) {
	for _, p := range c.markdown() {
		for _, m := range pictureRef.FindAllStringSubmatch(p.text, -1) {
			if !assetRef.MatchString(m[1]) {
				f.Add(p.field, "图片要先上传到素材库，再从素材库插入；不能使用别处的图片地址。")
			}
		}
	}
}

// part is a text and the field it stands in.
type part struct{ field, text string }

func named(format string, list []string) []part {
	out := make([]part, len(list))
	for i, t := range list {
		out[i] = part{fmt.Sprintf(format, i), t}
	}
	return out
}

// texts checks each of list as a required part.
func texts(f *errs.Fields, format, name string, list []string) []part {
	out := named(format, list)
	for i, p := range out {
		text(f, p.field, fmt.Sprintf("第 %d 个%s", i+1, name), p.text, MaxPart, true)
	}
	return out
}

// distinct refuses parts that a person could not tell apart.
func distinct(f *errs.Fields, name string, list []part) {
	seen := map[string]bool{}
	for _, p := range list {
		key := Fold(p.text)
		if key != "" && seen[key] {
			f.Add(p.field, "%s“%s”出现了两次，请修改或删除一个。", name, clip(p.text, 30))
		}
		seen[key] = true
	}
}

func checkCount(f *errs.Fields, field, name string, n int) bool {
	if n < 2 || n > MaxParts {
		f.Add(field, "%s要有 2 到 %d 个，现在有 %d 个。", name, MaxParts, n)
		return false
	}
	return true
}

func text(f *errs.Fields, field, name, s string, limit int, required bool) {
	switch {
	case !printable(s):
		f.Add(field, "%s里有无法显示的字符，请重新输入。", name)
	case required && strings.TrimSpace(s) == "":
		f.Add(field, "请填写%s。", name)
	case utf8.RuneCountInString(s) > limit:
		f.Add(field, "%s太长：最多 %d 个字，现在有 %d 个。", name, limit, utf8.RuneCountInString(s))
	}
}

// printable refuses broken UTF-8, control characters other than line breaks and
// tabs, and what no file of a spreadsheet or of XML can hold.
func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' || r == 0xfffe || r == 0xffff
	})
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }

func clip(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n]) + "…"
}
