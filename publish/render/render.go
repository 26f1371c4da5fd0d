package render

import (
	"strings"
	"unicode/utf8"

	"tongxin/internal/errs"
)

// Formats of a source.
const (
	Markdown = "markdown"
	HTML     = "html"
)

// Bounds on a source, in bytes. They are far above what the platform accepts
// (20 000 characters) and only keep the work bounded.
const (
	MaxMarkdown = 128 << 10
	MaxHTML     = 2 << 20
)

// maxLinks is how many links and pictures one Markdown source may hold.
const maxLinks = 1000

// Source is what an author wrote.
type Source struct {
	Format string // Markdown or HTML
	Text   string
}

// Options say how to render. The zero value renders with the plain theme,
// external links as footnotes, and no pictures.
type Options struct {
	// Theme is the ID of a theme; unknown and "" mean the first of Themes.
	Theme string
	// KeepLinks leaves external links alive, for places other than WeChat
	// (a feed). In a WeChat article they are dead, so by default they become
	// footnotes; links to mp.weixin.qq.com always stay.
	KeepLinks bool
	// Embedded renders a piece of one of our own pages instead of an article:
	// text takes size and colour from around it, a single paragraph has no box,
	// and formulas are pictures (img), which rich-text of mini-programs shows.
	Embedded bool
	// Picture finds the address of a picture: ref is "asset:<hash>" or, for a
	// picture elsewhere on the web, its URL. The url must be http(s) or start
	// with "/". alt is used where the author gave none. When ok is false the
	// picture is left out and named in Result.Missing or Result.External.
	Picture func(ref string) (url, alt string, ok bool)
}

// Result is a rendered article.
type Result struct {
	HTML string // inline-styled, for the content field of an article
	Text string // plain text, one line per paragraph

	// Chars counts the visible characters (runes of Text without line breaks);
	// Bytes is len(HTML), Runes its characters with all markup. The platform
	// documents "fewer than 20 000 characters and under 1 MB" and does not say
	// whether markup counts; see lint.Rules.
	Chars, Bytes, Runes int

	Pictures []string  // hashes of library pictures, in order, each once
	Images   []Image   // every picture, in order
	External []string  // pictures elsewhere on the web, each once
	Missing  []string  // hashes that Options.Picture could not resolve
	Links    []Link    // in order
	Outline  []Heading // in order
	Formulas []Formula // in order
	Dropped  []string  // Chinese sentences: what was taken away, and what to do
}

// Image is one picture as the author placed it.
type Image struct {
	Ref     string // "asset:<hash>" or a URL
	Alt     string // what the author or the library says, "" when nothing does
	Caption string
}

// Link is one link as the author placed it.
type Link struct {
	Href, Text string
	Live       bool // stays a link in the article
	Note       int  // number of its footnote, 0 when it has none
}

// Heading is one heading of the outline, level 1–6.
type Heading struct {
	Level int
	Text  string
}

// Formula is one formula; Problem is a Chinese sentence when it could not be
// drawn and its source is shown instead.
type Formula struct{ TeX, Problem string }

// Render turns a source into an article. It fails only with Invalid for an
// unknown format and TooLarge for a source over its bounds.
func Render(src Source, opt Options) (Result, error) {
	doc, err := readSource(src)
	if err != nil {
		return Result{}, err
	}
	w := newWriter(doc, opt)
	w.article()
	res := w.res
	res.HTML = w.buf.String()
	res.Text = w.text()
	res.Chars = utf8.RuneCountInString(res.Text) - strings.Count(res.Text, "\n")
	res.Bytes = len(res.HTML)
	res.Runes = utf8.RuneCountInString(res.HTML)
	res.Dropped = doc.dropped
	return res, nil
}

func readSource(src Source) (*document, error) {
	r := newReader()
	switch src.Format {
	case HTML:
		if len(src.Text) > MaxHTML {
			return nil, errs.New(errs.TooLarge, "正文太大（超过 2 MB），请删减内容，或拆成几篇。")
		}
		r.formulas = true
		return r.read(src.Text), nil
	case Markdown:
		if len(src.Text) > MaxMarkdown {
			return nil, errs.New(errs.TooLarge, "正文太长（超过 128 KB），请删减内容，或拆成几篇。")
		}
		// Looking for the end of a link that never ends costs the rest of its
		// paragraph, each time.
		if strings.Count(src.Text, "](") > maxLinks {
			return nil, errs.New(errs.TooLarge, "一篇文章里的链接和图片超过 %d 个，请拆成几篇。", maxLinks)
		}
		h, err := markdownHTML(src.Text)
		if err != nil {
			return nil, errs.Wrap(err, errs.Invalid, "这段 Markdown 无法识别，请检查最近的改动。")
		}
		r.notes = true
		return r.read(h), nil
	}
	return nil, errs.Bad("format", "正文格式只能是 Markdown 或富文本。")
}
