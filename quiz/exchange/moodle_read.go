package exchange

import (
	"cmp"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"tongxin/internal/errs"
	"tongxin/quiz"
)

// Bounds on the pictures of one file.
const (
	maxPictures   = 300
	maxPictureB64 = 14 << 20 // characters: 10 MB
)

// readMoodle reads the questions of a <quiz>.
func (f *File) readMoodle(data []byte) error {
	root, err := parseXML(bytesOfUTF8(data))
	if err != nil {
		return err
	}
	top := root.kid("quiz")
	if top == nil {
		return errs.New(errs.Invalid, "这不是 Moodle 的题库文件：缺少 <quiz>。请在 Moodle 题库里选择“导出 → Moodle XML 格式”。")
	}
	topic := ""
	for _, q := range top.all("question") {
		if q.attr("type") == "category" {
			topic = categoryTopic(q.kid("category").value())
			continue
		}
		if err := f.add(f.readQuestion(q, topic, len(f.Items)+1)); err != nil {
			return err
		}
	}
	return nil
}

// bytesOfUTF8 takes the byte-order mark off.
func bytesOfUTF8(data []byte) []byte {
	return []byte(strings.TrimPrefix(string(data), "\ufeff"))
}

// categoryTopic is the last part of a path as $course$/top/党史. A doubled slash
// is a slash of the name.
func categoryTopic(s string) string {
	parts := strings.Split(strings.ReplaceAll(strings.TrimSpace(s), "//", "\x00"), "/")
	name := strings.TrimSpace(strings.ReplaceAll(parts[len(parts)-1], "\x00", "/"))
	if name == "top" || strings.HasPrefix(name, "$") {
		return ""
	}
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(";；\n\t", r) {
			return ' '
		}
		return r
	}, clip(name, quiz.MaxTopic-1))
}

// moodleReader reads one question.
type moodleReader struct {
	quiz.FileItem
	f *File
	q *node
}

func (f *File) readQuestion(q *node, topic string, number int) quiz.FileItem {
	r := &moodleReader{FileItem: quiz.FileItem{Line: q.line, Name: fmt.Sprintf("第 %d 题", number)}, f: f, q: q}
	if name := strings.TrimSpace(q.kid("name").value()); name != "" {
		r.Name += "“" + clip(name, 40) + "”"
	}
	read, ok := map[string]func(){
		"multichoice": r.choices, "truefalse": r.truth, "shortanswer": r.shortAnswers, "numerical": r.numeric,
		"matching": r.pairs, "ordering": r.order, "essay": r.essay,
	}[q.attr("type")]
	if !ok {
		r.Wrong("题型", "不支持 Moodle 的“%s”题型，请删除或改成单选、多选、判断、填空、数值、匹配、排序或问答题。", clip(q.attr("type"), 30))
		return r.FileItem
	}
	c := &r.Content
	c.Stem = r.rich("题干", q.kid("questiontext"))
	c.Explanation, c.Source = splitSource(r.rich("解析", q.kid("generalfeedback")))
	var tags []string
	if t := q.kid("tags"); t != nil {
		for _, tag := range t.all("tag") {
			tags = append(tags, strings.TrimSpace(tag.value()))
		}
	}
	takeTags(&r.FileItem, tags)
	if len(c.Topics) == 0 && topic != "" {
		c.Topics = []string{topic}
	}
	if q.kid("hidden").value() == "1" {
		r.Note("这道题在 Moodle 里是隐藏的。")
	}
	read()
	return r.FileItem
}

// rich is a text as Markdown, its pictures among the file's.
func (r *moodleReader) rich(where string, n *node) string {
	s := n.value()
	if strings.TrimSpace(s) == "" {
		return ""
	}
	switch n.attr("format") {
	case "markdown":
		return r.markdownFiles(where, n, s)
	case "plain_text":
		return plain(s)
	case "moodle_auto_format":
		if !looksHTML.MatchString(s) {
			return plain(s)
		}
	}
	return fromHTML(&r.FileItem, where, s, func(src string) (string, string) { return r.picture(n, src) })
}

// markdownFiles gives pictures of a Markdown text their references.
func (r *moodleReader) markdownFiles(where string, n *node, s string) string {
	return markdownPicture.ReplaceAllStringFunc(s, func(m string) string {
		parts := markdownPicture.FindStringSubmatch(m)
		ref, problem := r.picture(n, parts[2])
		if problem != "" {
			r.Wrong(where, "%s", problem)
			return ""
		}
		return parts[1] + ref + ")"
	})
}

const pluginFile = "@@PLUGINFILE@@/"

// picture finds the bytes of a picture among the files of the text's element.
func (r *moodleReader) picture(n *node, src string) (ref, problem string) {
	if data, ok := inline(src); ok {
		return r.keep("图片", data)
	}
	name, ok := strings.CutPrefix(src, pluginFile)
	if !ok {
		return "", external(src)
	}
	if plain, err := url.PathUnescape(name); err == nil {
		name = plain
	}
	for _, file := range n.all("file") {
		full := path.Join(file.attr("path"), file.attr("name"))
		if strings.TrimPrefix(full, "/") != strings.TrimPrefix(path.Clean("/"+name), "/") {
			continue
		}
		if enc := file.attr("encoding"); enc != "base64" || len(file.text) > maxPictureB64 {
			return "", "图片“" + clip(name, 40) + "”太大，或编码方式不是 base64，请缩小后重新导出。"
		}
		data, ok := unbase64(file.text)
		if !ok {
			return "", "图片“" + clip(name, 40) + "”的内容不完整，请重新导出。"
		}
		return r.keep(name, data)
	}
	return "", external(src)
}

func (r *moodleReader) keep(name string, data []byte) (ref, problem string) {
	if len(r.f.Pictures) >= maxPictures {
		return "", fmt.Sprintf("文件里的图片超过 %d 张，请分成几个文件导入。", maxPictures)
	}
	return r.f.picture(name, data), ""
}

// fraction is the weight of an answer in percent.
func fraction(n *node) float64 {
	f, err := strconv.ParseFloat(strings.TrimSpace(n.attr("fraction")), 64)
	if err != nil {
		return 0
	}
	return f
}

// answers are the answers, with a note on what is said to each.
func (r *moodleReader) answers() []*node {
	list := r.q.all("answer")
	for _, a := range list {
		if strings.TrimSpace(a.kid("feedback").value()) != "" {
			r.Note("各答案的反馈没有导入，请改写到解析里。")
		}
	}
	return list
}

func (r *moodleReader) choices() {
	c := &r.Content
	c.Kind = quiz.Single
	if single := strings.TrimSpace(r.q.kid("single").value()); single == "false" || single == "0" {
		c.Kind = quiz.Multiple
	}
	for _, a := range r.answers() {
		w := fraction(a)
		right := w > 0
		if c.Kind == quiz.Single && right && w < 100 {
			right = false
			r.Note("部分得分的选项按错误选项导入。")
		}
		c.Options = append(c.Options, quiz.Option{Text: r.rich("选项", a), Right: right})
	}
}

func (r *moodleReader) truth() {
	r.Content.Kind = quiz.TrueFalse
	found := false
	for _, a := range r.answers() {
		if fraction(a) > 0 {
			switch strings.ToLower(strings.TrimSpace(a.value())) {
			case "true":
				r.Content.True, found = true, true
			case "false":
				found = true
			}
		}
	}
	if !found {
		r.Wrong("答案", "没有标出正确的答案，请重新导出。")
	}
}

// gap puts the blank into the stem where it has none.
func (r *moodleReader) gap() {
	c := &r.Content
	c.Kind = quiz.Fill
	switch quiz.CountBlanks(c.Stem) {
	case 0:
		c.Stem += " ___"
	case 1:
	default:
		r.Wrong("题干", "题干里有几处下划线，但 Moodle 的这种题只有一个空，请删除多余的下划线。")
	}
}

func (r *moodleReader) shortAnswers() {
	var b quiz.Blank
	for _, a := range r.answers() {
		switch {
		case fraction(a) <= 0:
		case fraction(a) < 100:
			r.Note("部分得分的答案没有导入。")
		default:
			accept(&r.FileItem, &b, strings.TrimSpace(a.value()))
		}
	}
	if r.q.kid("usecase").value() == "1" {
		r.Note("原题区分大小写，导入后不区分。")
	}
	r.Content.Blanks = []quiz.Blank{b}
	if len(b.Accept) == 0 {
		r.Wrong("答案", "没有可以接受的答案。")
	}
	r.gap()
}

func (r *moodleReader) numeric() {
	var b quiz.Blank
	for _, a := range r.answers() {
		if fraction(a) <= 0 {
			continue
		}
		if fraction(a) < 100 {
			r.Note("部分得分的答案没有导入。")
			continue
		}
		s := strings.TrimSpace(a.value())
		if t := strings.TrimSpace(a.kid("tolerance").value()); t != "" {
			s += ":" + t
		}
		n, ok := giftNumber(s)
		switch {
		case !ok:
			r.Wrong("答案", "数值或误差不是数，请重新填写。")
		case b.Number != nil:
			r.Wrong("答案", "数值题只能有一个正确的数值，请删除其余的。")
		default:
			b.Number = n
		}
	}
	if u := r.q.kid("units"); u != nil && len(u.kids) > 0 {
		r.Note("单位没有导入，请写在题干里。")
	}
	r.Content.Blanks = []quiz.Blank{b}
	r.gap()
}

func (r *moodleReader) pairs() {
	c := &r.Content
	c.Kind = quiz.Match
	for _, s := range r.q.all("subquestion") {
		left, right := r.rich("连线", s), plain(strings.TrimSpace(s.kid("answer").value()))
		if left == "" {
			c.Extra = append(c.Extra, right)
			continue
		}
		c.Pairs = append(c.Pairs, quiz.Pair{Left: left, Right: right})
	}
}

// order reads qtype_ordering: fractions count the places from 1.
func (r *moodleReader) order() {
	r.Content.Kind = quiz.Order
	list := r.answers()
	slices.SortStableFunc(list, func(a, b *node) int { return cmp.Compare(fraction(a), fraction(b)) })
	for _, a := range list {
		r.Content.Items = append(r.Content.Items, r.rich("排序项", a))
	}
}

func (r *moodleReader) essay() {
	r.Content.Kind = quiz.Short
	if s := r.rich("评分要点", r.q.kid("graderinfo")); s != "" {
		r.Content.Rubric = []quiz.Criterion{{Text: s, Share: 1}}
	}
}
