package render

import (
	"io"
	"strings"

	"golang.org/x/net/html"
)

// reader turns a stream of HTML tokens into the model. It works on tokens,
// not on a parse tree: time and memory stay linear for any input, and there
// is no tree for misnested markup to blow up.
type reader struct {
	doc      *document
	open     []element
	cur      *block    // paragraph being filled; nil between blocks
	into     *[]*block // where cur goes when finished
	space    int       // pending white space: 0 none, 1 space, 2 with a line break
	skip     string    // element whose content is being skipped
	depth    int       // nesting of skip
	formulas bool      // find $…$ in text (rich text being rendered)
	notes    bool      // trust data-note, data-tex (our own Markdown output)
}

// element is one open element with everything it passes down.
type element struct {
	tag    string
	block  bool
	delta  delta
	mark   mark
	align  string
	indent bool
	level  int // heading level

	kids   *[]*block // where blocks inside go
	list   *block    // list that a new item joins
	outer  *block    // list the current item is in
	item   *block    // nearest item
	table  *block    // nearest table
	cell   bool      // inside a table cell
	code   *block    // inside pre
	quotes int
	lists  int

	mso    *msoItem // Word list paragraph
	marker bool     // inside the bullet text of one
	noteOf int      // inside the text of this footnote
}

func newReader() *reader {
	d := &document{notes: map[int][]run{}}
	r := &reader{doc: d}
	r.open = append(make([]element, 0, 32), element{tag: "#root", block: true, kids: &d.blocks})
	return r
}

// read never fails: what cannot be understood is text.
func (r *reader) read(src string) *document {
	z := html.NewTokenizer(strings.NewReader(src))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if z.Err() != io.EOF {
				r.doc.drop("正文里有无法识别的内容，已去掉。")
			}
			r.flush()
			r.doc.blocks = normalise(r.doc.blocks, true)
			return r.doc
		case html.TextToken:
			if r.skip == "" {
				r.text(string(z.Text()))
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			name, has := z.TagName()
			r.start(string(name), z, has)
		case html.EndTagToken:
			name, _ := z.TagName()
			r.end(string(name))
		}
	}
}

func (r *reader) top() *element { return &r.open[len(r.open)-1] }

// attributes of interest, read once per tag.
type attrs struct {
	style, class, href, src, alt, title, align, color, bg, lang string
	tex, typ, start, colspan, rowspan, checked, note            string
	has                                                         uint8
}

const (
	hasChecked = 1 << iota
	hasHidden
	hasTex
	hasDisplay
)

func readAttrs(z *html.Tokenizer) attrs {
	var a attrs
	for {
		k, v, more := z.TagAttr()
		a.set(string(k), string(v))
		if !more {
			return a
		}
	}
}

func (a *attrs) set(k, v string) {
	switch k {
	case "style":
		a.style = v
	case "class":
		a.class = v
	case "href":
		a.href = v
	case "src":
		if v != "" {
			a.src = v
		}
	case "data-src": // articles copied from WeChat load pictures lazily
		if a.src == "" {
			a.src = v
		}
	case "alt":
		a.alt = v
	case "title":
		a.title = v
	case "align":
		a.align = v
	case "color":
		a.color = v
	case "bgcolor":
		a.bg = v
	case "data-lang":
		a.lang = v
	case "type":
		a.typ = strings.ToLower(v)
	case "start":
		a.start = v
	case "colspan":
		a.colspan = v
	case "rowspan":
		a.rowspan = v
	case "data-note":
		a.note = v
	case "data-tex":
		a.tex, a.has = v, a.has|hasTex
	case "data-display":
		a.has |= hasDisplay
	case "checked":
		a.checked, a.has = "true", a.has|hasChecked
	case "data-checked":
		a.checked, a.has = v, a.has|hasChecked
	case "hidden":
		a.has |= hasHidden
	}
}

func (r *reader) start(tag string, z *html.Tokenizer, has bool) {
	if r.skip != "" {
		if tag == r.skip {
			r.depth++
		}
		return
	}
	var a attrs
	if has {
		a = readAttrs(z)
	}
	if why, drop := skipped(tag); drop {
		if why != "" {
			r.doc.drop(why)
		}
		r.skip, r.depth = tag, 1
		return
	}
	if r.void(tag, &a) {
		return
	}
	if a.has&hasHidden != 0 || hiddenStyle(a.style) {
		r.skip, r.depth = tag, 1
		return
	}
	if len(r.open) >= maxOpen {
		return // the end tag will find nothing and be ignored
	}
	r.push(tag, &a)
}

// skipped names elements whose content goes too, with the sentence for the
// author ("" when it is not worth one).
func skipped(tag string) (string, bool) {
	switch tag {
	case "script":
		return "正文里的脚本已去掉，微信文章不支持。", true
	case "iframe", "object", "applet", "embed", "audio", "video", "canvas", "mpvoice", "mpvideo":
		return "嵌入的网页、音频或视频已去掉，请在公众平台里另行添加。", true
	case "svg":
		return "嵌入的矢量图已去掉，请改用图片。", true
	case "math":
		return "网页里的公式已去掉，请用 $…$ 重新输入。", true
	case "textarea", "select", "button", "datalist":
		return "表单控件已去掉，微信文章不支持。", true
	case "style", "title", "template", "noscript", "noembed", "noframes", "xml", "rp":
		return "", true
	}
	return "", false
}

func hiddenStyle(style string) bool {
	if !strings.Contains(style, "none") && !strings.Contains(style, "mso-hide") {
		return false
	}
	hidden := false
	declarations(style, func(p, v string) {
		v = strings.ToLower(v)
		hidden = hidden || p == "display" && v == "none" || p == "mso-hide" && v == "all"
	})
	return hidden
}

// void handles elements without content. It reports whether tag was one.
func (r *reader) void(tag string, a *attrs) bool {
	switch tag {
	case "br":
		if !strings.Contains(a.style, "page-break") {
			r.lineBreak()
		}
	case "hr":
		r.flush()
		r.add(&block{kind: rule})
	case "img", "image", "v:imagedata":
		r.picture(a)
	case "input":
		if t := r.top(); a.typ == "checkbox" && t.item != nil {
			t.item.task = 1
			if a.has&hasChecked != 0 {
				t.item.task = 2
			}
		}
	case "wbr", "meta", "link", "base", "col", "area", "param", "source", "track", "frame", "keygen":
	default:
		return false
	}
	return true
}

func (r *reader) end(tag string) {
	if r.skip != "" {
		if tag == r.skip {
			if r.depth--; r.depth == 0 {
				r.skip = ""
			}
		}
		return
	}
	if tag == "br" {
		r.lineBreak()
		return
	}
	i := r.find(tag)
	if i < 0 {
		return
	}
	if r.open[i].block {
		r.popTo(i)
		return
	}
	r.closeInline(i)
}

// find looks for the open element an end tag closes, or -1. The end of
// anything but a part of a table does not reach out of its cell.
func (r *reader) find(tag string) int {
	part := tablePart(tag)
	for i := len(r.open) - 1; i > 0; i-- {
		t := r.open[i].tag
		if t == tag {
			return i
		}
		if t == "table" || !part && (t == "td" || t == "th") {
			return -1
		}
	}
	return -1
}

func tablePart(tag string) bool {
	switch tag {
	case "table", "thead", "tbody", "tfoot", "tr", "td", "th":
		return true
	}
	return false
}

// popTo closes element i and all inside it.
func (r *reader) popTo(i int) {
	r.flush()
	r.open = r.open[:i]
}

// closeInline takes one formatting element away and recomputes those inside,
// so that <b><i>x</b>y</i> leaves y italic, as browsers do.
func (r *reader) closeInline(i int) {
	if q := r.open[i].tag; q == "q" {
		r.text("”")
	}
	r.open = append(r.open[:i], r.open[i+1:]...)
	for ; i < len(r.open); i++ {
		r.open[i].mark = r.open[i].delta.on(r.open[i-1].mark)
	}
}
