package render

import (
	"strconv"
	"strings"
)

// writer writes the model as an article and gathers what the article holds.
type writer struct {
	doc    *document
	opt    Options
	th     *theme
	buf    strings.Builder
	plain  strings.Builder
	res    Result
	notes  []string // HTML of each footnote
	asides []string // plain text of Markdown footnotes
	links  map[string]int
	foot   map[int]int // Markdown footnote → number
	draw   *drawer
}

func newWriter(doc *document, opt Options) *writer {
	th := themeOf(opt.Theme)
	if opt.Embedded {
		t := embeddedTheme()
		th = &t
	}
	return &writer{doc: doc, opt: opt, th: th, links: map[string]int{}, foot: map[int]int{}, draw: &drawer{}}
}

func (w *writer) put(parts ...string) {
	for _, p := range parts {
		w.buf.WriteString(p)
	}
}

func (w *writer) open(tag, style string) { w.put("<", tag, ` style="`, style, `">`) }

// article writes everything; an empty document gives an empty string, so that
// nobody publishes a styled nothing.
func (w *writer) article() {
	if len(w.doc.blocks) == 0 {
		return
	}
	if b, ok := w.alone(); ok {
		w.runs(b.runs)
		w.footnotes()
		return
	}
	w.open("section", w.th.Root)
	for _, b := range w.doc.blocks {
		w.block(b, w.th.P)
	}
	w.footnotes()
	w.put("</section>")
}

// text is the plain text with the empty lines taken out.
func (w *writer) text() string {
	lines := strings.Split(w.plain.String(), "\n")
	out := lines[:0]
	for _, l := range lines {
		if l = strings.Trim(l, blanks+"\t"); l != "" {
			out = append(out, l)
		}
	}
	return strings.Join(out, "\n")
}

func (w *writer) block(b *block, p string) {
	switch b.kind {
	case para:
		w.open("p", p+paraStyle(b))
		w.runs(b.runs)
		w.put("</p>")
		w.plain.WriteByte('\n')
	case heading:
		w.heading(b)
	case blank:
		w.open("p", p)
		w.put("<br></p>")
	case rule:
		w.put(`<hr style="`, w.th.Rule, `">`)
	case figure:
		w.figure(b)
	case display:
		w.open("section", w.th.Display)
		w.formula(b.runs[0])
		w.put("</section>")
		w.plain.WriteByte('\n')
	case code:
		w.code(b)
	case quote:
		w.open("blockquote", w.th.Quote)
		w.blocks(b.kids, w.th.QuoteP)
		w.put("</blockquote>")
	case list:
		w.open("ul", w.th.List)
		w.list(b, 0)
		w.put("</ul>")
	case table:
		w.table(b)
	}
}

// blocks writes the content of a box; the last paragraph has no space below,
// the box has its own.
func (w *writer) blocks(kids []*block, p string) {
	for i, b := range kids {
		if i == len(kids)-1 {
			p += ";margin-bottom:0"
		}
		w.block(b, p)
	}
}

func paraStyle(b *block) string {
	s := ""
	if b.align != "" {
		s += ";text-align:" + b.align
	}
	if b.indent {
		s += ";text-indent:2em"
	}
	return s
}

func (w *writer) heading(b *block) {
	i := b.level - 1
	tag := "h" + strconv.Itoa(b.level)
	style := w.th.H[i]
	if b.align != "" {
		style += ";text-align:" + b.align
	}
	w.open(tag, style)
	if w.th.HSpan[i] != "" {
		w.open("span", w.th.HSpan[i])
	}
	from := w.plain.Len()
	w.runs(b.runs)
	w.res.Outline = append(w.res.Outline, Heading{b.level, strings.TrimSpace(strings.ReplaceAll(w.plain.String()[from:], "\n", " "))})
	w.plain.WriteByte('\n')
	if w.th.HSpan[i] != "" {
		w.put("</span>")
	}
	w.put("</", tag, ">")
}

func (w *writer) figure(b *block) {
	im := Image{Ref: b.pic.ref, Alt: b.pic.alt, Caption: caption(b.pic)}
	hash := assetHash(im.Ref)
	url, alt, ok := "", "", false
	if w.opt.Picture != nil {
		url, alt, ok = w.opt.Picture(im.Ref)
		ok = ok && (strings.HasPrefix(url, "https://") || strings.HasPrefix(url, "http://") || strings.HasPrefix(url, "/"))
	}
	if !ok && onPlatform(im.Ref) {
		url, ok = im.Ref, true
	}
	if im.Alt == "" {
		im.Alt = alt
	}
	w.res.Images = append(w.res.Images, im)
	switch {
	case hash != "":
		w.res.Pictures = once(w.res.Pictures, hash)
		if !ok {
			w.res.Missing = once(w.res.Missing, hash)
		}
	case !onPlatform(im.Ref):
		w.res.External = once(w.res.External, im.Ref)
	}
	if !ok {
		return
	}
	w.open("section", w.th.Figure)
	w.put(`<img src="`, escapeAttr(url), `" alt="`, escapeAttr(im.Alt), `" style="`, w.th.Img, `">`)
	if im.Caption != "" {
		w.open("p", w.th.Caption)
		w.put(escapeText(im.Caption), "</p>")
		w.plain.WriteString(im.Caption + "\n")
	}
	w.put("</section>")
}

// caption is the title, else an alternative text that says something.
func caption(p picture) string {
	if p.title != "" {
		return p.title
	}
	if describes(p.alt) {
		return p.alt
	}
	return ""
}

func once(list []string, s string) []string {
	for _, have := range list {
		if have == s {
			return list
		}
	}
	return append(list, s)
}

// list writes nested lists as one flat list: WeChat flattens them anyway, and
// loses the numbers. Markers are text; each level is indented further.
func (w *writer) list(b *block, level int) {
	n := b.start
	for _, it := range b.kids {
		w.item(it, w.marker(b, it, n, level), level)
		n++
	}
}

func (w *writer) marker(b, it *block, n, level int) string {
	switch {
	case it.task == 1:
		return "☐"
	case it.task == 2:
		return "☑"
	case b.ordered:
		return strconv.Itoa(n) + "."
	}
	return [...]string{"•", "◦", "▪"}[level%3]
}

const itemIndent = 1.5 // em per level

func (w *writer) item(it *block, marker string, level int) {
	width := itemIndent
	if len(marker) > 2 && marker[0] < 0x80 { // "10." and longer
		width += 0.5 * float64(len(marker)-2)
	}
	pad := ems(itemIndent*float64(level) + width)
	first := true
	for _, k := range it.kids {
		if k.kind == list {
			if first {
				w.row(pad, width, marker, nil)
			}
			w.list(k, level+1)
			first = false
			continue
		}
		m := ""
		if first {
			m = marker
		}
		w.row(pad, width, m, k)
		first = false
	}
}

// row is one li: the first line hangs by the width of its marker.
func (w *writer) row(pad string, width float64, marker string, b *block) {
	style := w.th.Item + ";padding-left:" + pad
	if b != nil && b.align != "" {
		style += ";text-align:" + b.align
	}
	if marker != "" {
		style += ";text-indent:-" + ems(width)
	}
	w.open("li", style)
	if marker != "" {
		w.open("span", w.th.Marker+";width:"+ems(width))
		w.put(marker, "</span>")
		w.plain.WriteString(marker + " ")
	}
	switch {
	case b == nil:
	case b.kind == para:
		w.runs(b.runs)
	default:
		w.open("section", "text-indent:0")
		w.block(b, w.th.P)
		w.put("</section>")
	}
	w.plain.WriteByte('\n')
	w.put("</li>")
}

func ems(f float64) string { return strconv.FormatFloat(f, 'g', 4, 64) + "em" }

// table goes into a section that scrolls; wide ones keep readable columns.
func (w *writer) table(b *block) {
	columns := 0
	for _, rw := range b.rows {
		n := 0
		for _, c := range rw.cells {
			n += c.colspan
		}
		columns = max(columns, n)
	}
	style := w.th.Table
	if columns > 4 {
		style += ";min-width:" + strconv.Itoa(min(columns, 20)*88) + "px"
	}
	w.open("section", "margin:1.2em 0;overflow-x:auto")
	w.open("table", style)
	w.put("<tbody>")
	for i, rw := range b.rows {
		w.put("<tr>")
		for j := range rw.cells {
			w.cell(&rw.cells[j], i)
		}
		w.put("</tr>")
		w.plain.WriteByte('\n')
	}
	w.put("</tbody></table></section>")
}

func (w *writer) cell(c *cell, row int) {
	tag, style := "td", w.th.Td
	switch {
	case c.head:
		tag, style = "th", w.th.Th
	case c.bg != "":
		style += ";background-color:" + c.bg
	case row%2 == 0 && w.th.TdAlt != "":
		style += ";" + w.th.TdAlt
	}
	if c.align != "" {
		style += ";text-align:" + c.align
	}
	w.put("<", tag, spans(c), ` style="`, style, `">`)
	if len(c.kids) == 1 && c.kids[0].kind == para {
		w.runs(c.kids[0].runs)
	} else {
		w.blocks(c.kids, "margin:0 0 .5em;color:inherit")
	}
	w.plain.WriteByte('\t')
	w.put("</", tag, ">")
}
