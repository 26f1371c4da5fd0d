package render

import (
	"strconv"
	"strings"
)

// push opens an element: blocks change where text goes, the rest how it looks.
func (r *reader) push(tag string, a *attrs) {
	switch tag {
	case "p", "h1", "h2", "h3", "h4", "h5", "h6":
		r.closeOpen("p", "li", "td", "th", "blockquote", "table", "div", "section")
	case "li":
		r.closeOpen("li", "ul", "ol", "table", "td", "th", "blockquote")
	case "dt", "dd":
		r.closeOpen("dt", "dl", "td", "th")
		r.closeOpen("dd", "dl", "td", "th")
	case "tr", "td", "th", "thead", "tbody", "tfoot":
		r.closeTableParts(tag)
	}
	e := *r.top()
	e.tag, e.block, e.delta = tag, isBlock(tag), delta{}
	if e.code != nil { // only the text of code counts
		if tag == "code" && e.code.lang == "" {
			e.code.lang = language(a)
		}
		if e.block {
			e.code.newLine()
		}
		r.open = append(r.open, e)
		return
	}
	if e.block {
		r.flush()
		r.pushBlock(tag, a, &e)
	} else {
		r.inline(tag, a, &e)
	}
	e.delta.style(a, e.block)
	e.mark = e.delta.on(r.top().mark)
	if e.block {
		e.mark.href = ""
	}
	r.open = append(r.open, e)
	if tag == "q" {
		r.text("“")
	}
}

// closeOpen closes the nearest tag that is not behind one of the fences.
func (r *reader) closeOpen(tag string, fences ...string) {
	for i := len(r.open) - 1; i > 0; i-- {
		t := r.open[i].tag
		if t == tag {
			r.popTo(i)
			return
		}
		for _, f := range fences {
			if t == f {
				return
			}
		}
	}
}

func (r *reader) closeTableParts(tag string) {
	parts := []string{"td", "th"}
	if tag != "td" && tag != "th" {
		parts = append(parts, "tr")
	}
	if len(tag) == 5 { // thead, tbody, tfoot
		parts = append(parts, "thead", "tbody", "tfoot")
	}
	for _, p := range parts {
		r.closeOpen(p, "table")
	}
}

func isBlock(tag string) bool {
	switch tag {
	case "p", "div", "section", "article", "aside", "header", "footer", "main", "nav", "figure", "figcaption",
		"h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "dl", "dt", "dd", "blockquote", "pre", "xmp",
		"table", "thead", "tbody", "tfoot", "tr", "td", "th", "caption", "center", "address", "form",
		"fieldset", "legend", "details", "summary", "body", "html", "head", "hgroup", "menu", "dir", "plaintext":
		return true
	}
	return false
}

func (r *reader) pushBlock(tag string, a *attrs, e *element) {
	e.mso, e.marker = nil, false
	blockStyle(a, e)
	switch tag {
	case "p":
		e.mso = msoList(a.style)
		if strings.Contains(a.class, "MsoTitle") {
			e.level, e.delta.bold = 1, off
		}
	case "h1", "h2", "h3", "h4", "h5", "h6":
		e.level = int(tag[1] - '0')
	case "center":
		e.align = "center"
	case "blockquote":
		if e.quotes < maxQuotes {
			b := &block{kind: quote}
			r.add(b)
			e.kids, e.item, e.list, e.outer = &b.kids, nil, nil, nil
		}
		e.quotes++
		e.level = 0
	case "ul", "ol", "menu", "dir":
		r.openList(tag, a, e)
	case "li":
		r.openItem(a, e)
	case "dt":
		e.delta.bold = on
	case "pre", "xmp":
		b := &block{kind: code, lang: language(a)}
		r.add(b)
		e.code = b
	case "table", "tr", "td", "th":
		r.openTable(tag, a, e)
	case "figcaption", "caption":
		e.align = "center"
		e.delta.size = "0.875em"
	}
	if r.notes && tag == "section" && a.note != "" {
		e.noteOf, _ = strconv.Atoi(a.note) // not a number: 0, an ordinary section
	}
}

func (r *reader) openList(tag string, a *attrs, e *element) {
	e.level, e.indent = 0, false
	if e.lists >= maxLists && e.outer != nil {
		e.list = e.outer // items join the list around
		return
	}
	b := &block{kind: list, ordered: tag == "ol", start: 1}
	if n, err := strconv.Atoi(a.start); err == nil && n > 0 && n < 10000 && b.ordered {
		b.start = n
	}
	r.add(b)
	e.list, e.item, e.kids = b, nil, &b.kids
	e.lists++
}

func (r *reader) openItem(a *attrs, e *element) {
	e.level, e.indent = 0, false
	if e.list == nil {
		b := &block{kind: list, start: 1}
		if k := *e.kids; len(k) > 0 && k[len(k)-1].kind == list && !k[len(k)-1].ordered {
			b = k[len(k)-1] // stray items in a row share one list
		} else {
			r.add(b)
		}
		e.list = b
		e.lists++
	}
	it := &block{kind: item}
	if a.has&hasChecked != 0 {
		it.task = 1
		if a.checked == "true" {
			it.task = 2
		}
	}
	e.list.kids = append(e.list.kids, it)
	e.item, e.kids, e.outer = it, &it.kids, e.list
	e.list = nil // a list inside is a new one
}

// openTable builds tables one level deep; a table in a cell falls apart into
// paragraphs.
func (r *reader) openTable(tag string, a *attrs, e *element) {
	if e.cell && (tag == "table" || e.table == nil) {
		e.table = nil
		return
	}
	switch tag {
	case "table":
		b := &block{kind: table}
		r.add(b)
		e.table, e.level, e.indent = b, 0, false
	case "tr":
		if e.table != nil {
			e.table.rows = append(e.table.rows, row{})
		}
	case "td", "th":
		r.openCell(tag, a, e)
	}
}

func (r *reader) openCell(tag string, a *attrs, e *element) {
	t := e.table
	if t == nil {
		return
	}
	if len(t.rows) == 0 || r.top().tag != "tr" {
		t.rows = append(t.rows, row{})
	}
	if t.level++; t.level > maxCells { // level counts the cells of a table

		r.doc.drop("表格太大，后面的单元格已去掉，请拆成几张表。")
		var lost []*block
		e.kids = &lost
		return
	}
	rw := &t.rows[len(t.rows)-1]
	c := cell{head: tag == "th", colspan: span(a.colspan), rowspan: span(a.rowspan), align: e.align, bg: paperColor(a.bg)}
	for _, o := range r.open {
		c.head = c.head || o.tag == "thead" && o.table == t
	}
	declarations(a.style, func(p, v string) {
		if p == "background" || p == "background-color" {
			c.bg = paperColor(v)
		}
	})
	// The slice of cells may move as it grows, so content is gathered in a
	// holder and unpacked when the table is normalised.
	holder := &block{kind: item}
	c.kids = []*block{holder}
	rw.cells = append(rw.cells, c)
	e.kids, e.cell, e.item, e.list, e.outer, e.level, e.indent = &holder.kids, true, nil, nil, nil, 0, false
}

func span(v string) int {
	n, err := strconv.Atoi(strings.TrimSpace(v))
	if err != nil || n < 1 {
		return 1
	}
	return min(n, maxSpan)
}

func blockStyle(a *attrs, e *element) {
	if v := alignment(a.align); v != "" {
		e.align = v
	}
	declarations(a.style, func(p, v string) {
		switch p {
		case "text-align":
			if v := alignment(v); v != "" {
				e.align = v
			}
		case "text-indent":
			e.indent = positive(v)
		}
	})
	if e.align == "left" {
		e.align = ""
	}
}

// language reads the language of code: data-lang, or a class as highlighters
// write it.
func language(a *attrs) string {
	name := a.lang
	for _, c := range strings.Fields(a.class) {
		for _, p := range []string{"language-", "lang-"} {
			if v, ok := strings.CutPrefix(c, p); ok && name == "" {
				name = v
			}
		}
	}
	if len(name) > 20 {
		return ""
	}
	for _, c := range name {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("+#-._", c) {
			return ""
		}
	}
	return strings.ToLower(name)
}
