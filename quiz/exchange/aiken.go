package exchange

import (
	"fmt"
	"regexp"
	"strings"

	"tongxin/quiz"
)

var (
	aikenOption = regexp.MustCompile(`^\s*([A-Za-zＡ-Ｚ])\s*[.)．、）]\s*(.*)$`)
	aikenAnswer = regexp.MustCompile(`(?i)^\s*(?:ANSWER|答案)\s*[:：]\s*(.*)$`)
)

// readAiken reads questions of the form: lines of the stem, one line an option
// ("A. …"), and "ANSWER: B". Several letters make a multiple choice, which
// Moodle's Aiken does not know.
func (f *File) readAiken(text string) error {
	var it *quiz.FileItem
	finish := func() error {
		if it == nil {
			return nil
		}
		done := *it
		it = nil
		return f.add(done)
	}
	for i, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimSpace(line)
		if trimmed == "" {
			continue
		}
		if it == nil {
			it = &quiz.FileItem{Line: i + 1, Name: fmt.Sprintf("第 %d 题", len(f.Items)+1), Content: quiz.Content{Kind: quiz.Single}}
		}
		c := &it.Content
		if m := aikenAnswer.FindStringSubmatch(line); m != nil {
			takeAnswer(it, i+1, m[1])
			if err := finish(); err != nil {
				return err
			}
			continue
		}
		m := aikenOption.FindStringSubmatch(line)
		switch {
		case m != nil && c.Stem != "" && strings.EqualFold(quiz.Fold(m[1]), string(rune('a'+len(c.Options)))):
			c.Options = append(c.Options, quiz.Option{Text: plain(strings.TrimSpace(m[2]))})
		case len(c.Options) > 0:
			it.Wrong("选项", "第 %d 行不是选项，也不是答案；选项请写成“A. 内容”，并按字母顺序，答案请写成“ANSWER: A”。", i+1)
		case c.Stem == "":
			c.Stem = plain(trimmed)
		default:
			c.Stem += "\n" + plain(trimmed)
		}
	}
	if it != nil {
		it.Wrong("答案", "缺少答案，请在选项后另起一行写“ANSWER: A”。")
	}
	return finish()
}

func takeAnswer(it *quiz.FileItem, line int, letters string) {
	c := &it.Content
	n := 0
	for _, r := range strings.ToUpper(quiz.Fold(letters)) {
		i := int(r - 'A')
		switch {
		case strings.ContainsRune(" ,;、.", r):
		case i < 0 || i >= len(c.Options):
			it.Wrong("答案", "第 %d 行的答案没有对应的选项，请填写选项的字母。", line)
			return
		default:
			c.Options[i].Right = true
			n++
		}
	}
	if n == 0 {
		it.Wrong("答案", "第 %d 行没有写答案，请填写选项的字母。", line)
	}
	if n > 1 {
		c.Kind = quiz.Multiple
	}
}
