package exchange

import (
	"strconv"
	"strings"

	"tongxin/quiz"
)

// Left is a question, or a part of one, that a format cannot say.
type Left struct {
	Index int    // in the list that was to be written
	Why   string // a sentence
	Whole bool   // the question is not in the file at all
}

// WriteGIFT writes questions as GIFT that Parse reads back, and names what GIFT
// cannot say. Topics and difficulty stand in tags, the source at the end of the
// general feedback.
func WriteGIFT(list []quiz.Content) ([]byte, []Left) {
	var b strings.Builder
	var left []Left
	for i := range list {
		c := &list[i]
		if why := unsayable(c); why != "" {
			left = append(left, Left{i, why, true})
			b.WriteString("// 第 " + strconv.Itoa(i+1) + " 题未导出：" + why + "\n\n")
			continue
		}
		if len(c.Rubric) > 0 {
			left = append(left, Left{i, "GIFT 没有评分要点。", false})
		}
		writeGIFT(&b, c)
	}
	if len(left) == 0 {
		return []byte(b.String()), nil
	}
	head := "// 有 " + strconv.Itoa(len(left)) + " 道题不能完整写成 GIFT：\n"
	for _, l := range left {
		head += "// 第 " + strconv.Itoa(l.Index+1) + " 题：" + l.Why + "\n"
	}
	return []byte(head + "\n" + b.String()), left
}

// unsayable is why GIFT cannot hold a question, "" when it can.
func unsayable(c *quiz.Content) string {
	for _, t := range c.Topics {
		if strings.ContainsAny(t, "]\n") || t == "" || strings.HasPrefix(t, "难度") {
			return "知识点的名称里有 GIFT 标签不能有的字符。"
		}
	}
	switch c.Kind {
	case quiz.Order:
		return "GIFT 没有排序题，请导出 xlsx。"
	case quiz.Fill:
		if len(c.Blanks) != 1 {
			return "GIFT 的填空题只能有一个空，请导出 xlsx。"
		}
		if b := c.Blanks[0]; b.Number != nil && len(b.Accept) > 0 {
			return "GIFT 的一个空不能既有文字又有数值的答案，请导出 xlsx。"
		}
		for _, a := range c.Blanks[0].Accept {
			if strings.Contains(a, "->") {
				return "答案里有 ->，GIFT 会当作连线题，请导出 xlsx。"
			}
		}
	case quiz.Match:
		for _, p := range c.Pairs {
			if strings.Contains(p.Left, "->") {
				return "左边有 ->，GIFT 无法区分，请导出 xlsx。"
			}
		}
	case quiz.Single, quiz.Multiple, quiz.TrueFalse, quiz.Short:
	}
	return ""
}

func escapeGIFT(s string) string {
	return strings.NewReplacer(
		`\`, `\\`, "~", `\~`, "=", `\=`, "#", `\#`, "{", `\{`, "}", `\}`, ":", `\:`, "\n", `\n`,
	).Replace(s)
}

// giftText is a text where a format may stand before it.
func giftText(s string) string {
	for _, name := range knownFormats() {
		if strings.HasPrefix(s, name) {
			return "[markdown]" + escapeGIFT(s)
		}
	}
	return escapeGIFT(s)
}

// marked is a text after = or ~, where a weight may stand before it.
func marked(mark, weight, s string) string {
	if strings.HasPrefix(s, "%") {
		mark += weight
	}
	return mark + giftText(s)
}

func writeGIFT(b *strings.Builder, c *quiz.Content) {
	b.WriteString("//")
	for _, t := range c.Topics {
		b.WriteString(" [tag:" + t + "]")
	}
	b.WriteString(" [tag:难度" + strconv.Itoa(c.Difficulty) + "]\n[markdown]")
	stem, after := c.Stem, ""
	if c.Kind == quiz.Fill {
		stem, after, _ = strings.Cut(c.Stem, "___")
	}
	b.WriteString(escapeGIFT(stem) + "{")
	switch c.Kind {
	case quiz.Single:
		for _, o := range c.Options {
			mark, weight := "~", "%0%"
			if o.Right {
				mark, weight = "=", "%100%"
			}
			b.WriteString("\n\t" + marked(mark, weight, o.Text))
		}
	case quiz.Multiple:
		writeWeights(b, c)
	case quiz.TrueFalse:
		b.WriteString(strings.ToUpper(strconv.FormatBool(c.True)))
	case quiz.Fill:
		for _, a := range c.Blanks[0].Accept {
			b.WriteString(marked("=", "%100%", strings.ReplaceAll(a, "*", `\*`)) + " ")
		}
		if n := c.Blanks[0].Number; n != nil {
			b.WriteString("#" + strconv.FormatFloat(n.Value, 'f', -1, 64) + ":" + strconv.FormatFloat(n.Tolerance, 'f', -1, 64))
		}
	case quiz.Match:
		for _, p := range c.Pairs {
			b.WriteString("\n\t" + marked("=", "%100%", p.Left) + " -> " + giftText(p.Right))
		}
		for _, e := range c.Extra {
			b.WriteString("\n\t= -> " + giftText(e))
		}
	case quiz.Order, quiz.Short:
	}
	feedback := giftText(c.Explanation)
	if c.Source != "" {
		if feedback != "" {
			feedback += `\n`
		}
		feedback += escapeGIFT(sourceMark + c.Source)
	}
	if feedback != "" {
		b.WriteString("\n\t####" + feedback + "\n")
	}
	b.WriteString("}" + escapeGIFT(after) + "\n\n")
}

func writeWeights(b *strings.Builder, c *quiz.Content) {
	n := len(c.Right().Choice)
	// Moodle knows hundredths of a percent only in these steps: 33.33333.
	weight := strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(100/float64(max(n, 1)), 'f', 5, 64), "0"), ".")
	for _, o := range c.Options {
		sign := "-"
		if o.Right {
			sign = ""
		}
		b.WriteString("\n\t~%" + sign + weight + "%" + giftText(o.Text))
	}
}
