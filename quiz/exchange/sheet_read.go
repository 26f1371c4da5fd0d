package exchange

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"tongxin/internal/errs"
	"tongxin/internal/sheet"
	"tongxin/quiz"
)

const (
	maxBlankRows = 1000
	maxCell      = 10_000 // characters; the longest text of a question is 5000
	exampleMark  = "示例："
)

// sheetReader takes the rows of the template.
type sheetReader struct {
	f     *File
	head  map[int]string
	blank int
}

func (f *File) readSheet(data []byte) error {
	r := &sheetReader{f: f}
	if err := sheet.XLSX(data, r.take); err != nil {
		return err
	}
	if r.head == nil {
		return errs.New(errs.Invalid, "文件是空的，请下载模板填写。")
	}
	return nil
}

func (r *sheetReader) take(line int, cells []string) (bool, error) {
	row := map[string]string{}
	filled := false
	for i, cell := range cells {
		cell = cleanCell(cell)
		filled = filled || cell != ""
		if name, ok := r.head[i]; ok {
			row[name] = cell
		}
	}
	if !filled {
		r.blank++
		return r.blank <= maxBlankRows, nil
	}
	r.blank = 0
	if r.head == nil {
		return true, r.takeHead(cells)
	}
	if strings.HasPrefix(row[colStem], exampleMark) {
		return true, nil
	}
	return true, r.f.add(readRow(line, row))
}

func (r *sheetReader) takeHead(cells []string) error {
	r.head = map[int]string{}
	found := map[string]bool{}
	for i, cell := range cells {
		cell = strings.ToUpper(strings.TrimRight(cleanCell(cell), "*＊ "))
		if slices.Contains(columns(), cell) && !found[cell] {
			r.head[i], found[cell] = cell, true
		}
	}
	for _, name := range []string{colKind, colStem, colAnswer} {
		if !found[name] {
			return errs.New(errs.Invalid, "第一行缺少“%s”这一列，请下载模板，按模板的第一行填写。", name)
		}
	}
	return nil
}

func cleanCell(s string) string {
	s = strings.TrimSpace(strings.ToValidUTF8(s, ""))
	if utf8.RuneCountInString(s) > maxCell {
		s = string([]rune(s)[:maxCell])
	}
	return s
}

// sheetRow is one row on its way to an item.
type sheetRow struct {
	quiz.FileItem
	cells map[string]string
	parts []string // the part columns up to the last that is filled
}

func readRow(line int, cells map[string]string) quiz.FileItem {
	r := &sheetRow{FileItem: quiz.FileItem{Line: line, Name: fmt.Sprintf("第 %d 行", line)}, cells: cells}
	for i := range quiz.MaxParts {
		r.parts = append(r.parts, cells[partColumn(i)])
	}
	for len(r.parts) > 0 && r.parts[len(r.parts)-1] == "" {
		r.parts = r.parts[:len(r.parts)-1]
	}
	c := &r.Content
	c.Stem, c.Explanation, c.Source = cells[colStem], cells[colExplanation], cells[colSource]
	r.readTopics()
	for kind, names := range kindNames() {
		if slices.Contains(names, cells[colKind]) {
			c.Kind = kind
		}
	}
	for i, p := range r.parts {
		if p == "" {
			r.Wrong(partColumn(i), "%s是空的，后面却还有内容，请依次填写，不要空格。", partColumn(i))
		}
	}
	switch c.Kind {
	case quiz.Single, quiz.Multiple:
		r.readOptions()
	case quiz.TrueFalse:
		r.readTruth()
	case quiz.Fill:
		r.readBlanks()
	case quiz.Order:
		c.Items = r.parts
		r.noAnswer("排序题的各项按正确顺序填在“选项”各列，“答案”一列请留空。")
	case quiz.Match:
		r.readPairs()
	case quiz.Short:
		r.readRubric()
	default:
		r.Wrong(colKind, "请填写：单选、多选、判断、填空、排序、连线或简答。")
	}
	r.Where = r.column
	return r.FileItem
}

// column is where a field of a content stands in the sheet.
func (r *sheetRow) column(field string) string {
	var i int
	for _, list := range []string{"options[%d]", "blanks[%d]", "items[%d]", "pairs[%d]", "rubric[%d]"} {
		if n, err := fmt.Sscanf(field, list, &i); n == 1 && err == nil && i < quiz.MaxParts {
			return partColumn(i)
		}
	}
	switch {
	case field == "options" && len(r.Content.Options) > 1, strings.HasPrefix(field, "extra"):
		return colAnswer
	case field == "options", field == "items", field == "pairs", field == "blanks", field == "rubric":
		return partColumn(0)
	}
	return part(field)
}

func (r *sheetRow) readTopics() {
	for _, t := range strings.FieldsFunc(r.cells[colTopics], func(c rune) bool { return strings.ContainsRune(";；\n", c) }) {
		if t = strings.TrimSpace(t); t != "" {
			r.Content.Topics = append(r.Content.Topics, t)
		}
	}
	words := map[string]int{"": 0, "很易": 1, "易": 2, "中": 3, "难": 4, "很难": 5, "容易": 2, "中等": 3, "困难": 4}
	n, ok := words[r.cells[colDifficulty]]
	if !ok {
		f, err := strconv.ParseFloat(r.cells[colDifficulty], 64)
		n, ok = int(f), err == nil && f == float64(int(f)) && f >= 1 && f <= 5
	}
	if !ok {
		r.Wrong(colDifficulty, "请填写 1（最易）到 5（最难），也可不填。")
		return
	}
	r.Content.Difficulty = n
}

func (r *sheetRow) readOptions() {
	right := map[int]bool{}
	for _, c := range strings.ToUpper(quiz.Fold(r.cells[colAnswer])) {
		switch i := int(c - 'A'); {
		case strings.ContainsRune(" ,;、.", c):
		case i < 0 || i >= len(r.parts):
			r.Wrong(colAnswer, "请填写正确选项的字母，例如 B 或 ABD；没有对应的选项时请先补上选项。")
			return
		default:
			right[i] = true
		}
	}
	for i, p := range r.parts {
		r.Content.Options = append(r.Content.Options, quiz.Option{Text: p, Right: right[i]})
	}
	if len(right) == 0 && len(r.parts) > 1 {
		r.Wrong(colAnswer, "请填写正确选项的字母，例如 B 或 ABD。")
	}
}

func (r *sheetRow) readTruth() {
	switch quiz.Fold(r.cells[colAnswer]) {
	case "正确", "对", "是", "√", "✓", "✔", "t", "true", "1", "y", "yes":
		r.Content.True = true
	case "错误", "错", "否", "×", "✗", "✘", "x", "f", "false", "0", "n", "no":
	default:
		r.Wrong(colAnswer, "判断题的答案请填写“正确”或“错误”。")
	}
	if len(r.parts) > 0 {
		r.Wrong(partColumn(0), "判断题没有选项，请删除“选项”各列的内容。")
	}
}

func (r *sheetRow) readBlanks() {
	for i, p := range r.parts {
		var b quiz.Blank
		for _, raw := range splitRaw(p) {
			sides := cutCell(raw, true, aboutMark)
			if len(sides) == 1 {
				if t := strings.TrimSpace(sides[0]); t != "" {
					b.Accept = append(b.Accept, t)
				}
				continue
			}
			value, err1 := strconv.ParseFloat(strings.TrimSpace(quiz.Fold(sides[0])), 64)
			tolerance, err2 := strconv.ParseFloat(strings.TrimSpace(quiz.Fold(sides[1])), 64)
			if err1 != nil || err2 != nil || b.Number != nil {
				r.Wrong(partColumn(i), "数值答案请写成“数值±误差”，每个空最多一个，例如 32±0 或 3.14±0.01。")
				continue
			}
			b.Number = &quiz.Number{Value: value, Tolerance: tolerance}
		}
		r.Content.Blanks = append(r.Content.Blanks, b)
	}
	r.noAnswer("填空题的答案依次填在“选项”各列，每空一列，“答案”一列请留空。")
}

// splitRaw splits at the unescaped or-marks and leaves the escapes in.
func splitRaw(s string) []string {
	var out []string
	from := 0
	for i := 0; i < len(s); {
		if s[i] == '\\' {
			i += 1 + max(special(s[i+1:]), 0)
			continue
		}
		if n := markAt(s[i:], []string{orMark, "｜"}); n > 0 {
			out = append(out, s[from:i])
			i += n
			from = i
			continue
		}
		i++
	}
	return append(out, s[from:])
}

func (r *sheetRow) readPairs() {
	for i, p := range r.parts {
		sides := cutCell(p, true, arrow, typed)
		if len(sides) != 2 {
			r.Wrong(partColumn(i), "连线题每列填一对，写成“左边 → 右边”，箭头也可以写成 =>。")
			continue
		}
		r.Content.Pairs = append(r.Content.Pairs, quiz.Pair{Left: sides[0], Right: sides[1]})
	}
	for _, raw := range splitRaw(r.cells[colAnswer]) {
		if t := strings.TrimSpace(cutCell(raw, true)[0]); t != "" {
			r.Content.Extra = append(r.Content.Extra, t)
		}
	}
}

var criterion = regexp.MustCompile(`(?s)^(\d{1,3}(?:\.\d{1,20})?)\s*[%％]\s*(.*)$`)

func (r *sheetRow) readRubric() {
	for i, p := range r.parts {
		m := criterion.FindStringSubmatch(p)
		if m == nil {
			r.Wrong(partColumn(i), "评分要点请写成“占比%% 要点”，例如 40%% 说出三会一课的内容；各条合起来是 100%%。")
			continue
		}
		s, _ := share(m[1])
		r.Content.Rubric = append(r.Content.Rubric, quiz.Criterion{Text: m[2], Share: s})
	}
	r.noAnswer("简答题由人评分，参考答案请填在“解析”，“答案”一列请留空。")
}

func (r *sheetRow) noAnswer(message string) {
	if r.cells[colAnswer] != "" {
		r.Wrong(colAnswer, "%s", message)
	}
}
