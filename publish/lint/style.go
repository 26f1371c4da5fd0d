package lint

import (
	"errors"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"tongxin/internal/errs"
)

func asError(err error, e **errs.Error) bool { return err != nil && errors.As(err, e) }

// perRule bounds how often one rule speaks about one field; the last finding
// says how many more there are.
const perRule = 20

// words reports listed words in every field people read.
func (c *checker) words(i int, a *Article) {
	body := a.Rendered.Text
	if a.PicturePost {
		body = a.Text
	}
	for _, f := range []struct{ field, text string }{{"title", a.Title}, {"author", a.Author}, {"digest", a.Digest}, {"body", body}} {
		matches := c.post.Words.Find(f.text)
		type key struct{ word, quote string }
		count := map[key]int{}
		var order []key
		first := map[key]Match{}
		for _, m := range matches {
			k := key{m.Word.Text, f.text[m.Start:m.End]}
			if count[k]++; count[k] == 1 {
				order = append(order, k)
				first[k] = m
			}
		}
		for n, k := range order {
			if n == perRule {
				c.add("word.more", Warning, i, f.field, "还有 %d 个词语需要核对，改完上面的再检查一次。", len(order)-n)
				break
			}
			c.word(i, f.field, first[k].Word, k.quote, count[k])
		}
	}
}

func (c *checker) word(i int, field string, w Word, quote string, times int) {
	var msg strings.Builder
	rule, severity := "word.typo", Warning
	msg.WriteString("“" + quote + "”可能写错了")
	if w.Kind == Sensitive {
		rule, severity = "word.sensitive", Error
		msg.Reset()
		msg.WriteString("“" + quote + "”不宜使用")
	}
	if w.Suggest != "" {
		msg.WriteString("，建议改为：" + w.Suggest)
	}
	msg.WriteString("。")
	if w.Note != "" {
		msg.WriteString(strings.TrimSuffix(w.Note, "。") + "。")
	}
	f := c.add(rule, severity, i, field, "%s", msg.String())
	if times > 1 {
		f.Msg += "全文共 " + strconv.Itoa(times) + " 处。"
	}
	f.Quote, f.Suggest = quote, w.Suggest
}

// style gives advice on structure and punctuation.
func (c *checker) style(i int, a *Article) {
	c.outline(i, a)
	text := a.Rendered.Text
	if a.PicturePost {
		text = a.Text
	}
	l := c.rules.limit("paragraph")
	long := 0
	for _, p := range strings.Split(text, "\n") {
		n := utf8.RuneCountInString(p)
		if n <= l.Max || strings.ContainsRune(p, '\t') {
			continue
		}
		if long++; long <= 3 {
			c.add("paragraph.long", Hint, i, "body", "这一段有 %d 个字，在手机上超过一屏，建议分成几段。", n).Quote = clip(p)
		}
	}
	c.punctuation(i, "title", a.Title)
	c.punctuation(i, "digest", a.Digest)
	c.punctuation(i, "body", text)
}

func (c *checker) outline(i int, a *Article) {
	last, ones := 0, 0
	for _, h := range a.Rendered.Outline {
		if h.Level == 1 {
			ones++
		}
		if last > 0 && h.Level > last+1 {
			c.add("heading.skip", Hint, i, "body", "标题从 %d 级直接到了 %d 级，读屏软件的用户会以为漏了内容，建议逐级使用。", last, h.Level).Quote = clip(h.Text)
		}
		if strings.TrimSpace(h.Text) == strings.TrimSpace(a.Title) && a.Title != "" {
			c.add("heading.title", Hint, i, "body", "正文里又写了一遍文章标题，微信会自动显示标题，建议删去。").Quote = clip(h.Text)
		}
		last = h.Level
	}
	if ones > 1 {
		c.add("heading.many", Hint, i, "body", "正文里有 %d 个一级标题，建议只用二级及以下的标题。", ones)
	}
}

// punctuation finds half-width marks between Chinese characters and full-width
// letters and digits.
func (c *checker) punctuation(i int, field, text string) {
	rs := []rune(text)
	half, full := 0, 0
	var halfAt, fullAt int
	for n, r := range rs {
		if to := wideMark(r); to != 0 && n > 0 && unicode.Is(unicode.Han, rs[n-1]) && (n+1 == len(rs) || isHanOrEnd(rs[n+1])) {
			if half++; half == 1 {
				halfAt = n
			}
		}
		if r >= '０' && r <= '９' || r >= 'Ａ' && r <= 'Ｚ' || r >= 'ａ' && r <= 'ｚ' {
			if full++; full == 1 {
				fullAt = n
			}
		}
	}
	if half > 0 {
		from, to := around(rs, halfAt)
		f := c.add("punctuation.half", Hint, i, field, "中文里用了 %d 处半角标点，建议改为全角。", half)
		f.Quote = string(rs[from:to])
		f.Suggest = string(rs[from:halfAt]) + string(wideMark(rs[halfAt])) + string(rs[halfAt+1:to])
	}
	if full > 0 {
		from, to := around(rs, fullAt)
		c.add("punctuation.full", Hint, i, field, "有 %d 个全角的字母或数字，建议改为半角。", full).Quote = string(rs[from:to])
	}
}

func isHanOrEnd(r rune) bool {
	return unicode.Is(unicode.Han, r) || r == '\n' || r == ' ' || r == '”' || r == '“'
}

func wideMark(r rune) rune {
	switch r {
	case ',':
		return '，'
	case ';':
		return '；'
	case ':':
		return '：'
	case '?':
		return '？'
	case '!':
		return '！'
	case '.':
		return '。'
	}
	return 0
}

// around is a window of a few characters that stays in its line.
func around(rs []rune, at int) (from, to int) {
	from, to = at, at+1
	for from > 0 && at-from < 8 && rs[from-1] != '\n' {
		from--
	}
	for to < len(rs) && to-at < 8 && rs[to] != '\n' {
		to++
	}
	return from, to
}
