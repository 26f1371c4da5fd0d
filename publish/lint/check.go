package lint

import (
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"tongxin/internal/errs"
	"tongxin/publish/picture"
	"tongxin/publish/render"
)

// Severities. An error stops submission and publishing; a warning asks for a
// decision; a hint is advice.
const (
	Error   = "error"
	Warning = "warning"
	Hint    = "hint"
)

// Finding is one thing to look at.
type Finding struct {
	Rule     string `json:"rule"`
	Severity string `json:"severity" enum:"error,warning,hint"`
	Article  int    `json:"article" doc:"index of the article; -1 for the whole post"`
	Field    string `json:"field"`             // title, author, digest, body, cover, images, sourceUrl, articles
	Msg      string `json:"message"`           // Chinese: what is wrong and what to do
	Quote    string `json:"quote,omitempty"`   // the place in the text
	Suggest  string `json:"suggest,omitempty"` // what to write instead of Quote
}

// Post is what is checked.
type Post struct {
	Articles []Article
	Similar  []Similar
	// Dead reports a link known not to open; nil when links were not tried.
	Dead  func(url string) bool
	Words *Words // nil for none
}

// Article is one article. For a picture post only Title, Text, Pictures and
// Rendered.Missing count; else Rendered is the result of render.Render.
type Article struct {
	PicturePost                      bool
	Title, Author, Digest, SourceURL string
	Text                             string // picture post: its plain text
	Pictures                         int    // picture post: how many
	Rendered                         render.Result
	Cover                            Cover
}

// Cover is the cover picture. W and H are 0 when unknown; then crops are
// checked only for their bounds.
type Cover struct {
	Present      bool
	W, H         int // pixels, upright
	Wide, Square [4]float64
}

// Similar is a post that says much the same, found by the caller.
type Similar struct {
	Article int    // index of the article here
	Title   string // title of the other; empty: of an organisation the reader may not see
	When    string // "6月18日发布", "计划 6月20日 发布"
	Same    bool   // the text is the same, not only alike
}

type checker struct {
	rules Rules
	post  *Post
	out   []Finding
}

// Check returns the findings, article by article. It is pure: the same input
// gives the same findings in the same order.
func Check(p Post, r Rules) []Finding {
	c := &checker{rules: r, post: &p}
	l := r.limit("articles")
	switch n := len(p.Articles); {
	case n < l.Min:
		c.add("articles.count", Error, -1, "articles", "图文里还没有文章，请至少写一篇。")
	case n > l.Max:
		c.add("articles.count", Error, -1, "articles", "一次最多 %d 篇文章，现在有 %d 篇，请拆成几次发布。", l.Max, n)
	}
	for i := range p.Articles {
		a := &p.Articles[i]
		c.fields(i, a)
		if a.PicturePost {
			c.picturePost(i, a)
		} else {
			c.cover(i, a)
			c.body(i, a)
			c.pictures(i, a)
			c.links(i, a)
		}
		c.missing(i, a)
		c.words(i, a)
		c.style(i, a)
	}
	c.similar()
	return c.out
}

func (c *checker) add(rule, severity string, article int, field, msg string, args ...any) *Finding {
	c.out = append(c.out, Finding{Rule: rule, Severity: severity, Article: article, Field: field, Msg: fmt.Sprintf(msg, args...)})
	return &c.out[len(c.out)-1]
}

func (c *checker) fields(i int, a *Article) {
	if strings.TrimSpace(a.Title) == "" {
		c.add("title.empty", Error, i, "title", "请填写标题。")
	}
	for _, f := range []struct{ id, name, value string }{{"title", "标题", a.Title}, {"author", "作者", a.Author}, {"digest", "摘要", a.Digest}} {
		l := c.rules.limit(f.id)
		if n := utf8.RuneCountInString(f.value); n > l.Max {
			c.add(f.id+".long", Error, i, f.id, "%s最多 %d 个字，现在有 %d 个，请删去 %d 个。", f.name, l.Max, n, n-l.Max)
		}
	}
	if strings.ContainsAny(a.Title, "\n\r") {
		c.add("title.lines", Error, i, "title", "标题里不能换行，请写成一行。")
	}
	c.sourceURL(i, a)
}

func (c *checker) sourceURL(i int, a *Article) {
	if a.SourceURL == "" {
		return
	}
	if l := c.rules.limit("source_url"); len(a.SourceURL) > l.Max {
		c.add("source_url.long", Error, i, "sourceUrl", "“阅读原文”的网址最长 %d 个字节，现在有 %d 个，请换成短一些的网址。", l.Max, len(a.SourceURL))
		return
	}
	u, err := url.Parse(a.SourceURL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		c.add("source_url.form", Error, i, "sourceUrl", "“阅读原文”要填以 https:// 开头的完整网址。")
		return
	}
	if c.post.Dead != nil && c.post.Dead(a.SourceURL) {
		c.add("link.dead", Warning, i, "sourceUrl", "“阅读原文”的网址打不开，请检查后再发布。").Quote = a.SourceURL
	}
}

func (c *checker) picturePost(i int, a *Article) {
	l := c.rules.limit("pictures")
	switch {
	case a.Pictures < l.Min:
		c.add("pictures.count", Error, i, "images", "图片消息至少要有 %d 张图片，请上传。", l.Min)
	case a.Pictures > l.Max:
		c.add("pictures.count", Error, i, "images", "图片消息最多 %d 张图片，现在有 %d 张，请删去几张。", l.Max, a.Pictures)
	}
	if l, n := c.rules.limit("content"), utf8.RuneCountInString(a.Text); n > l.Max {
		c.add("content.long", Error, i, "body", "文字最多 %d 个字，现在有 %d 个，请删减。", l.Max, n)
	}
}

func (c *checker) cover(i int, a *Article) {
	if !a.Cover.Present {
		c.add("cover.missing", Error, i, "cover", "还没有封面图片，微信要求每篇文章都有封面，请上传一张。")
		return
	}
	for _, x := range []struct {
		crop  [4]float64
		ratio float64
	}{{a.Cover.Wide, picture.Wide}, {a.Cover.Square, picture.Square}} {
		w, h := a.Cover.W, a.Cover.H
		if w <= 0 || h <= 0 {
			continue
		}
		var e *errs.Error
		if err := picture.CheckCrop(x.crop, w, h, x.ratio); asError(err, &e) {
			c.add("cover.crop", Error, i, "cover", "%s", e.Msg)
		}
	}
	if w, h := a.Cover.W, a.Cover.H; w > 0 && (w < 900 || h < 383) {
		c.add("cover.small", Hint, i, "cover", "封面图片只有 %d×%d 像素，显示时会模糊，建议不小于 900×383。", w, h)
	}
}

func (c *checker) body(i int, a *Article) {
	r := &a.Rendered
	if strings.TrimSpace(r.Text) == "" && len(r.Images) == 0 {
		c.add("content.empty", Error, i, "body", "正文是空的，请先写内容。")
	}
	l := c.rules.limit("content")
	if r.Chars > l.Max {
		c.add("content.long", Error, i, "body", "正文最多 %d 个字，现在有 %d 个，请删减或拆成几篇。", l.Max, r.Chars)
	}
	if b := c.rules.limit("content_bytes"); r.Bytes > b.Max {
		c.add("content.bytes", Error, i, "body", "正文连同排版超过了 1 MB，请删减内容或减少公式和表格。")
	}
	if m := c.rules.limit("markup"); r.Runes > m.Max && r.Chars <= l.Max {
		c.add("content.markup", severity(m, Warning), i, "body", "正文连同排版代码共 %d 个字符，超过 %d 个。微信没有说明 2 万字符的限制是否包含代码，发布时可能被拒；建议拆成两篇，或减少公式、表格和链接。", r.Runes, m.Max)
	}
	for _, f := range r.Formulas {
		if f.Problem != "" {
			c.add("formula.unsupported", Warning, i, "body", "%s文章里会显示公式的源码。", f.Problem).Quote = f.TeX
		}
	}
	for _, d := range r.Dropped {
		c.add("content.dropped", Warning, i, "body", "%s", d)
	}
}

func (c *checker) pictures(i int, a *Article) {
	l := c.rules.limit("alt")
	missing := 0
	for _, im := range a.Rendered.Images {
		switch n := utf8.RuneCountInString(im.Alt); {
		case strings.TrimSpace(im.Alt) == "":
			missing++
		case n > l.Max:
			c.add("image.alt_long", Hint, i, "body", "有图片的文字说明有 %d 个字，建议不超过 %d 个字。", n, l.Max).Quote = clip(im.Alt)
		}
	}
	if missing > 0 {
		c.add("image.alt", Warning, i, "body", "有 %d 张图片没有文字说明，看不见图片的读者无法了解内容，请在图片上补充说明。", missing)
	}
	for _, u := range a.Rendered.External {
		c.add("image.external", Error, i, "body", "这张图片在别的网站上，微信会直接丢掉，请下载后上传到素材库再插入。").Quote = u
	}
}

// missing names pictures that the library does not have, or no longer.
func (c *checker) missing(i int, a *Article) {
	n := len(a.Rendered.Missing)
	if n == 0 {
		return
	}
	field := "body"
	if a.PicturePost {
		field = "images"
	}
	c.add("image.missing", Error, i, field, "有 %d 张图片不在素材库里，发布时会缺失，请重新上传后插入。", n)
}

func (c *checker) links(i int, a *Article) {
	if c.post.Dead == nil {
		return
	}
	seen := map[string]bool{}
	for _, l := range a.Rendered.Links {
		if seen[l.Href] {
			continue
		}
		seen[l.Href] = true
		if c.post.Dead(l.Href) {
			c.add("link.dead", Warning, i, "body", "“%s”的链接打不开，请检查网址。", clip(l.Text)).Quote = l.Href
		}
	}
}

func (c *checker) similar() {
	for _, s := range c.post.Similar {
		when := ""
		if s.When != "" {
			when = "（" + s.When + "）"
		}
		other := "《" + s.Title + "》" + when
		if s.Title == "" {
			other = "另一组织的图文"
		}
		if s.Same {
			c.add("similar.same", Warning, s.Article, "body", "内容与%s相同，请确认不是重复发布。", other)
			continue
		}
		c.add("similar.near", Hint, s.Article, "body", "内容与%s很接近，请确认不是重复发布。", other)
	}
}

func severity(l Limit, otherwise string) string {
	if l.Severity == "" {
		return otherwise
	}
	return l.Severity
}

// clip shortens a quote.
func clip(s string) string {
	r := []rune(s)
	if len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}
