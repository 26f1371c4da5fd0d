package exchange

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"tongxin/quiz"
)

// giftBlock is one question of a GIFT file before it is read.
type giftBlock struct {
	line     int
	text     string
	tags     []string
	category string
}

var giftTag = regexp.MustCompile(`\[tag:([^\]\n]{1,200})\]`)

// readGIFT cuts the file at blank lines, comments and categories.
func (f *File) readGIFT(text string) error {
	var b giftBlock
	category := ""
	finish := func() error {
		if b.text == "" {
			return nil
		}
		b.category = category
		it := readGIFTBlock(b, len(f.Items)+1)
		b = giftBlock{}
		return f.add(it)
	}
	for i, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(trimmed, "//"):
			for _, m := range giftTag.FindAllStringSubmatch(trimmed, 20) {
				if b.text == "" {
					b.tags = append(b.tags, strings.TrimSpace(m[1]))
				}
			}
		case trimmed == "":
			if b.text == "" {
				b.tags = nil // tags belong to the question right below
			}
			if err := finish(); err != nil {
				return err
			}
		case b.text == "" && strings.HasPrefix(trimmed, "$CATEGORY:"):
			category = strings.TrimSpace(strings.TrimPrefix(trimmed, "$CATEGORY:"))
		default:
			if b.text == "" {
				b.line = i + 1
			} else {
				b.text += "\n"
			}
			b.text += line
		}
	}
	return finish()
}

// token is a character of GIFT; escaped ones are never marks.
type token struct {
	r       rune
	escaped bool
}

// tokens takes the backslashes of GIFT away.
func tokens(s string) []token {
	out := make([]token, 0, len(s))
	rs := []rune(s)
	for i := 0; i < len(rs); i++ {
		if rs[i] == '\\' && i+1 < len(rs) {
			switch next := rs[i+1]; next {
			case '~', '=', '#', '{', '}', ':', '\\':
				out = append(out, token{next, true})
				i++
				continue
			case 'n':
				out = append(out, token{'\n', true})
				i++
				continue
			}
		}
		out = append(out, token{rs[i], false})
	}
	return out
}

func text(list []token) string {
	var b strings.Builder
	for _, t := range list {
		b.WriteRune(t.r)
	}
	return b.String()
}

// find returns the place of an unescaped mark, -1 for none.
func find(list []token, mark string) int {
	rs := []rune(mark)
	for i := 0; i+len(rs) <= len(list); i++ {
		ok := true
		for j, r := range rs {
			ok = ok && list[i+j].r == r && !list[i+j].escaped
		}
		if ok {
			return i
		}
	}
	return -1
}

// trimTokens takes off unescaped blanks at both ends.
func trimTokens(list []token) []token {
	space := func(t token) bool {
		return !t.escaped && (t.r == ' ' || t.r == '\t' || t.r == '\n' || t.r == '\u3000')
	}
	for len(list) > 0 && space(list[0]) {
		list = list[1:]
	}
	for len(list) > 0 && space(list[len(list)-1]) {
		list = list[:len(list)-1]
	}
	return list
}

// giftReader reads one question.
type giftReader struct {
	quiz.FileItem
	format string // of the stem, which answers inherit
}

func readGIFTBlock(b giftBlock, number int) quiz.FileItem {
	r := &giftReader{FileItem: quiz.FileItem{Line: b.line, Name: fmt.Sprintf("第 %d 题", number)}}
	takeTags(&r.FileItem, b.tags)
	if parts := strings.FieldsFunc(b.category, func(c rune) bool { return c == '/' || c == ':' }); len(parts) > 0 && len(r.Content.Topics) == 0 {
		if name := strings.TrimSpace(parts[len(parts)-1]); name != "" && name != "top" && !strings.HasPrefix(name, "$") {
			r.Content.Topics = []string{clip(name, quiz.MaxTopic-1)}
		}
	}
	list := trimTokens(tokens(b.text))
	if find(list, "::") == 0 {
		if end := find(list[2:], "::"); end >= 0 {
			if title := strings.TrimSpace(text(list[2 : 2+end])); title != "" {
				r.Name += "“" + clip(title, 40) + "”"
			}
			list = trimTokens(list[2+end+2:])
		}
	}
	r.format, list = formatOf(list, "")
	open, end := find(list, "{"), find(list, "}")
	if open < 0 || end < open {
		r.Wrong("答案", "没有找到答案，请把答案写在大括号 { } 里；题干或答案里的大括号要写成 \\{ \\}。")
		return r.FileItem
	}
	if find(list[end+1:], "{") >= 0 {
		r.Wrong("答案", "一道题只能有一处大括号；两道题之间请空一行。")
		return r.FileItem
	}
	r.answer(list[:open], list[open+1:end], list[end+1:])
	return r.FileItem
}

// takeTags makes topics of tags; 难度n is the difficulty.
func takeTags(it *quiz.FileItem, tags []string) {
	for _, t := range tags {
		if n, ok := strings.CutPrefix(t, "难度"); ok && len(n) == 1 && n[0] >= '1' && n[0] <= '5' {
			it.Content.Difficulty = int(n[0] - '0')
			continue
		}
		if len(it.Content.Topics) == quiz.MaxTopics {
			it.Note("标签超过 %d 个，其余没有导入。", quiz.MaxTopics)
			break
		}
		it.Content.Topics = append(it.Content.Topics, t)
	}
}

func knownFormats() []string { return []string{"[html]", "[markdown]", "[plain]", "[moodle]"} }

// formatOf reads a format in front of a text.
func formatOf(list []token, inherited string) (string, []token) {
	for _, name := range knownFormats() {
		if find(list, name) == 0 {
			return name, trimTokens(list[len(name):])
		}
	}
	return inherited, list
}

// md is a text as Markdown.
func (r *giftReader) md(where string, list []token) string {
	format, list := formatOf(trimTokens(list), r.format)
	return r.mdIn(where, format, text(list))
}

func (r *giftReader) mdIn(where, format, s string) string {
	switch {
	case format == "[markdown]":
		return s
	case format == "[html]", format != "[plain]" && looksHTML.MatchString(s):
		return fromHTML(&r.FileItem, where, s, func(src string) (string, string) { return "", external(src) })
	}
	return plain(s)
}

var looksHTML = regexp.MustCompile(`(?i)</?(p|br|b|i|strong|em|sub|sup|span|div|img|ul|ol|li|table)\b[^<>]*>`)

// answer reads what stands in the braces.
func (r *giftReader) answer(before, in, after []token) {
	c := &r.Content
	in = r.explanation(in)
	in = trimTokens(in)
	stem := func(gap string) string {
		format := r.format
		whole := text(before)
		if rest := trimTokens(after); len(rest) > 0 || gap == "___" {
			whole += gap + text(after)
		}
		return r.mdIn("题干", format, strings.TrimSpace(whole))
	}
	switch {
	case len(in) == 0:
		c.Kind, c.Stem = quiz.Short, stem("（　）")
	case !in[0].escaped && in[0].r == '#':
		c.Kind, c.Stem = quiz.Fill, stem("___")
		r.numeric(in[1:])
	case find(in, "~") >= 0:
		c.Stem = stem("（　）")
		r.choices(in)
	case find(in, "=") >= 0 && find(in, "->") >= 0:
		c.Kind, c.Stem = quiz.Match, stem("（　）")
		r.pairs(in)
	case find(in, "=") == 0:
		c.Kind, c.Stem = quiz.Fill, stem("___")
		r.shortAnswers(in)
	default:
		c.Kind, c.Stem = quiz.TrueFalse, stem("（　）")
		r.truth(in)
	}
	if c.Kind == quiz.Fill && quiz.CountBlanks(c.Stem) > 1 {
		r.Wrong("题干", "GIFT 的填空题只有一个空，题干里却有多处下划线，请删除多余的下划线。")
	}
}

// sourceMark begins the line of the source at the end of an explanation.
const sourceMark = "出处："

// explanation takes off the general feedback; its last line may be the source.
func (r *giftReader) explanation(in []token) []token {
	at := find(in, "####")
	if at < 0 {
		return in
	}
	r.Content.Explanation, r.Content.Source = splitSource(r.md("解析", in[at+4:]))
	return in[:at]
}

func splitSource(s string) (explanation, source string) {
	last := s[strings.LastIndexByte(s, '\n')+1:]
	source, ok := strings.CutPrefix(last, sourceMark)
	if !ok {
		return s, ""
	}
	return strings.TrimSpace(s[:len(s)-len(last)]), source
}

// giftAnswer is one marked answer.
type giftAnswer struct {
	right  bool // marked =
	weight float64
	given  bool // a weight was given
	body   []token
}

var weightOf = regexp.MustCompile(`^%(-?\d{1,3}(?:\.\d{0,10})?)%`)

// answers cuts at unescaped = and ~, and takes weights and feedback off.
func (r *giftReader) answers(in []token) []giftAnswer {
	var out []giftAnswer
	for i := 0; i < len(in); {
		if in[i].escaped || in[i].r != '=' && in[i].r != '~' {
			i++ // what stands before the first mark says nothing
			continue
		}
		a := giftAnswer{right: in[i].r == '='}
		end := i + 1
		for end < len(in) && (in[end].escaped || in[end].r != '=' && in[end].r != '~') {
			end++
		}
		body := trimTokens(in[i+1 : end])
		i = end
		if len(body) > 0 && !body[0].escaped {
			if m := weightOf.FindStringSubmatch(text(body[:min(len(body), 20)])); m != nil {
				a.weight, _ = strconv.ParseFloat(m[1], 64)
				a.given = true
				body = trimTokens(body[len(m[0]):])
			}
		}
		if at := find(body, "#"); at >= 0 {
			if len(trimTokens(body[at+1:])) > 0 {
				r.Note("各答案的反馈没有导入，请改写到解析里。")
			}
			body = trimTokens(body[:at])
		}
		a.body = body
		if out = append(out, a); len(out) > 100 {
			break
		}
	}
	return out
}

func (r *giftReader) choices(in []token) {
	c := &r.Content
	list := r.answers(in)
	rights, weighted := 0, false
	for _, a := range list {
		if a.right && (!a.given || a.weight == 100) {
			rights++
		}
		weighted = weighted || !a.right && a.given && a.weight > 0
	}
	c.Kind = quiz.Single
	if rights != 1 {
		c.Kind = quiz.Multiple // several, or only weights
	} else if weighted {
		r.Note("部分得分的选项按错误选项导入。")
	}
	for _, a := range list {
		right := a.right && (!a.given || a.weight > 0)
		if c.Kind == quiz.Multiple {
			right = right || a.given && a.weight > 0
		}
		c.Options = append(c.Options, quiz.Option{Text: r.md("选项", a.body), Right: right})
	}
}

func (r *giftReader) shortAnswers(in []token) {
	var b quiz.Blank
	for _, a := range r.answers(in) {
		switch {
		case a.given && a.weight != 100:
			r.Note("部分得分的答案没有导入。")
		default:
			_, body := formatOf(a.body, "")
			accept(&r.FileItem, &b, text(body))
		}
	}
	r.Content.Blanks = []quiz.Blank{b}
	if len(b.Accept) == 0 {
		r.Wrong("答案", "没有可以接受的答案，请用 =答案 的形式填写。")
	}
}

// accept adds a text that Moodle compares: * is a wildcard, \* a star.
func accept(it *quiz.FileItem, b *quiz.Blank, s string) {
	if wildcard.MatchString(s) {
		it.Note("带通配符 * 的答案没有导入。")
		return
	}
	b.Accept = append(b.Accept, strings.ReplaceAll(s, `\*`, "*"))
}

var wildcard = regexp.MustCompile(`(^|[^\\])\*`)

func (r *giftReader) pairs(in []token) {
	for _, a := range r.answers(in) {
		at := find(a.body, "->")
		if at < 0 {
			r.Wrong("连线", "连线题的每一对请写成“=左边 -> 右边”。")
			return
		}
		left, right := r.md("连线", a.body[:at]), r.md("连线", a.body[at+2:])
		if left == "" {
			r.Content.Extra = append(r.Content.Extra, right)
			continue
		}
		r.Content.Pairs = append(r.Content.Pairs, quiz.Pair{Left: left, Right: right})
	}
}

func (r *giftReader) truth(in []token) {
	if at := find(in, "#"); at >= 0 {
		if strings.Trim(text(in[at:]), "# \n\t") != "" {
			r.Note("各答案的反馈没有导入，请改写到解析里。")
		}
		in = trimTokens(in[:at])
	}
	switch quiz.Fold(text(in)) {
	case "t", "true", "正确", "对":
		r.Content.True = true
	case "f", "false", "错误", "错":
	default:
		r.Wrong("答案", "无法识别大括号里的答案。单选写 =正确 ~错误，判断写 T 或 F，填空写 =答案，数值写 #数值:误差，简答留空。")
	}
}

func (r *giftReader) numeric(in []token) {
	list := []giftAnswer{{right: true, body: trimTokens(in)}}
	if find(in, "=") >= 0 {
		list = r.answers(in)
	} else if at := find(in, "#"); at >= 0 {
		r.Note("各答案的反馈没有导入，请改写到解析里。")
		list[0].body = trimTokens(in[:at])
	}
	var b quiz.Blank
	for _, a := range list {
		if a.given && a.weight != 100 {
			r.Note("部分得分的答案没有导入。")
			continue
		}
		n, ok := giftNumber(quiz.Fold(text(a.body)))
		switch {
		case !ok:
			r.Wrong("答案", "数值答案请写成 #数值:误差 或 #最小..最大，例如 #3.14:0.01。")
			return
		case b.Number != nil:
			r.Wrong("答案", "数值题只能有一个正确的数值，请删除其余的。")
			return
		}
		b.Number = n
	}
	if b.Number == nil {
		r.Wrong("答案", "没有正确的数值，请写成 #数值:误差。")
	}
	r.Content.Blanks = []quiz.Blank{b}
}

func giftNumber(s string) (*quiz.Number, bool) {
	num := func(s string) (float64, bool) {
		f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
		return f, err == nil && !strings.ContainsAny(s, "xXpP_nN")
	}
	if low, high, ok := strings.Cut(s, ".."); ok {
		a, ok1 := num(low)
		b, ok2 := num(high)
		return &quiz.Number{Value: (a + b) / 2, Tolerance: (b - a) / 2}, ok1 && ok2 && b >= a
	}
	value, tolerance, has := strings.Cut(s, ":")
	v, ok := num(value)
	t, ok2 := 0.0, true
	if has {
		t, ok2 = num(tolerance)
	}
	return &quiz.Number{Value: v, Tolerance: t}, ok && ok2
}
