package render

import (
	"strconv"
	"strings"
)

// Clean brings the HTML of the editor, of Word, WPS or a web page to the form
// that is stored: plain semantic elements, alignment, and the few styles an
// article keeps. Anything outside the allow-list goes; text stays. Cleaning
// again changes nothing. The output holds these elements only: p h1–h6 ul ol
// li blockquote pre code table tbody tr th td hr br img a strong em u s sup
// sub span; pictures keep src (asset:… or http(s)), alt and title.
func Clean(html string) string {
	out, _ := CleanReport(html)
	return out
}

// CleanReport is Clean with Chinese sentences on what was taken away.
func CleanReport(html string) (string, []string) {
	doc := newReader().read(clip(html, MaxHTML))
	var w cleaner
	w.blocks(doc.blocks, "")
	return w.String(), doc.dropped
}

type cleaner struct{ strings.Builder }

func (w *cleaner) blocks(kids []*block, align string) {
	for _, b := range kids {
		w.block(b, align)
	}
}

func (w *cleaner) block(b *block, align string) {
	switch b.kind {
	case para, heading:
		tag := "p"
		if b.kind == heading {
			tag = "h" + strconv.Itoa(b.level)
		}
		w.WriteString("<" + tag)
		w.blockStyle(b, align)
		w.WriteString(">")
		w.runs(b.runs)
		w.WriteString("</" + tag + ">")
	case blank:
		w.WriteString("<p><br></p>")
	case rule:
		w.WriteString("<hr>")
	case figure:
		w.WriteString(`<p><img src="` + escapeAttr(b.pic.ref) + `" alt="` + escapeAttr(b.pic.alt) + `"`)
		if b.pic.title != "" {
			w.WriteString(` title="` + escapeAttr(b.pic.title) + `"`)
		}
		w.WriteString("></p>")
	case code:
		w.WriteString("<pre")
		if b.lang != "" {
			w.WriteString(` data-lang="` + b.lang + `"`)
		}
		w.WriteString("><code>" + escapeText(b.text) + "</code></pre>")
	case quote:
		w.WriteString("<blockquote>")
		w.blocks(b.kids, align)
		w.WriteString("</blockquote>")
	case list:
		w.list(b, align)
	case table:
		w.table(b)
	}
}

func (w *cleaner) blockStyle(b *block, align string) {
	var s []string
	if b.align != align {
		v := b.align
		if v == "" {
			v = "left"
		}
		s = append(s, "text-align:"+v)
	}
	if b.indent {
		s = append(s, "text-indent:2em")
	}
	if len(s) > 0 {
		w.WriteString(` style="` + strings.Join(s, ";") + `"`)
	}
}

func (w *cleaner) list(b *block, align string) {
	tag := "ul"
	if b.ordered {
		tag = "ol"
	}
	w.WriteString("<" + tag)
	if b.ordered && b.start != 1 {
		w.WriteString(` start="` + strconv.Itoa(b.start) + `"`)
	}
	w.WriteString(">")
	for _, it := range b.kids {
		w.WriteString("<li")
		switch it.task {
		case 1:
			w.WriteString(` data-checked="false"`)
		case 2:
			w.WriteString(` data-checked="true"`)
		}
		w.WriteString(">")
		w.inside(it.kids, align)
		w.WriteString("</li>")
	}
	w.WriteString("</" + tag + ">")
}

// inside writes the content of an item or a cell: a single leading paragraph
// needs no p of its own.
func (w *cleaner) inside(kids []*block, align string) {
	if len(kids) > 0 && kids[0].kind == para && kids[0].align == align && (len(kids) == 1 || kids[1].kind != para) {
		w.runs(kids[0].runs)
		kids = kids[1:]
	}
	w.blocks(kids, align)
}

func (w *cleaner) table(b *block) {
	w.WriteString("<table><tbody>")
	for _, rw := range b.rows {
		w.WriteString("<tr>")
		for i := range rw.cells {
			w.cell(&rw.cells[i])
		}
		w.WriteString("</tr>")
	}
	w.WriteString("</tbody></table>")
}

func (w *cleaner) cell(c *cell) {
	tag := "td"
	if c.head {
		tag = "th"
	}
	w.WriteString("<" + tag + spans(c))
	var s []string
	if c.align != "" {
		s = append(s, "text-align:"+c.align)
	}
	if c.bg != "" {
		s = append(s, "background-color:"+c.bg)
	}
	if len(s) > 0 {
		w.WriteString(` style="` + strings.Join(s, ";") + `"`)
	}
	w.WriteString(">")
	w.inside(c.kids, c.align)
	w.WriteString("</" + tag + ">")
}

func spans(c *cell) string {
	s := ""
	if c.colspan > 1 {
		s += ` colspan="` + strconv.Itoa(c.colspan) + `"`
	}
	if c.rowspan > 1 {
		s += ` rowspan="` + strconv.Itoa(c.rowspan) + `"`
	}
	return s
}

func (w *cleaner) runs(runs []run) {
	for _, x := range runs {
		switch x.kind {
		case br:
			w.WriteString("<br>")
		case text:
			open, end := tags(x.mark)
			w.WriteString(open)
			w.WriteString(escapeText(x.text))
			w.WriteString(end)
		}
	}
}

// tags writes a mark as elements, always in the same order.
func tags(m mark) (open, end string) {
	if m == (mark{}) {
		return "", ""
	}
	wrap := func(tag, attr string) {
		open += "<" + tag + attr + ">"
		end = "</" + tag + ">" + end
	}
	if m.href != "" {
		wrap("a", ` href="`+escapeAttr(m.href)+`"`)
	}
	for _, t := range []struct {
		on  bool
		tag string
	}{{m.bold, "strong"}, {m.italic, "em"}, {m.under, "u"}, {m.strike, "s"}, {m.sup, "sup"}, {m.sub, "sub"}} {
		if t.on {
			wrap(t.tag, "")
		}
	}
	if s := m.style(); s != "" {
		wrap("span", ` style="`+s+`"`)
	}
	if m.code {
		wrap("code", "")
	}
	return open, end
}

func (m mark) style() string {
	var s []string
	if m.color != "" {
		s = append(s, "color:"+m.color)
	}
	if m.bg != "" {
		s = append(s, "background-color:"+m.bg)
	}
	if m.size != "" {
		s = append(s, "font-size:"+m.size)
	}
	return strings.Join(s, ";")
}
