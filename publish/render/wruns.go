package render

import (
	"strconv"
	"strings"
)

// runs writes text with its marks; neighbours with one target are one link.
func (w *writer) runs(runs []run) {
	for i := 0; i < len(runs); {
		href := runs[i].mark.href
		j := i + 1
		for href != "" && j < len(runs) && runs[j].mark.href == href {
			j++
		}
		if href == "" {
			w.run(runs[i])
		} else {
			w.link(href, runs[i:j])
		}
		i = j
	}
}

func (w *writer) run(x run) {
	switch x.kind {
	case br:
		w.put("<br>")
		w.plain.WriteByte('\n')
	case math:
		w.formula(x)
	case note:
		w.footnoteRef(x.note)
	case text:
		w.marked(x)
		w.plain.WriteString(strings.ReplaceAll(x.text, "\u00a0", " "))
	}
}

func (w *writer) marked(x run) {
	m := x.mark
	if m.code {
		w.open("code", w.th.Code)
		w.put(escapeText(x.text), "</code>")
		return
	}
	var end []string
	wrap := func(tag, style string) {
		if style != "" {
			w.open(tag, style)
		} else {
			w.put("<", tag, ">")
		}
		end = append(end, "</"+tag+">")
	}
	if m.bold {
		s := w.th.Strong
		if m.color != "" {
			s = ""
		}
		wrap("strong", s)
	}
	if m.italic {
		wrap("em", "")
	}
	if m.under {
		wrap("u", "")
	}
	if m.strike {
		wrap("s", "")
	}
	if m.sup {
		wrap("sup", "")
	} else if m.sub {
		wrap("sub", "")
	}
	if s := m.style(); s != "" {
		wrap("span", s)
	}
	w.put(escapeText(x.text))
	for i := len(end) - 1; i >= 0; i-- {
		w.put(end[i])
	}
}

// link writes a link: alive inside WeChat, a footnote elsewhere.
func (w *writer) link(href string, runs []run) {
	var t strings.Builder
	for _, x := range runs {
		t.WriteString(x.text)
	}
	l := Link{Href: href, Text: strings.TrimSpace(t.String())}
	inside := insideWeChat(href)
	switch {
	case inside || w.opt.KeepLinks:
		if inside {
			l.Href = "https://" + strings.SplitN(href, "://", 2)[1]
		}
		l.Live = true
		w.put(`<a href="`, escapeAttr(l.Href), `" style="`, w.th.Link, `">`)
	default:
		w.open("span", w.th.Link)
	}
	for _, x := range runs {
		w.run(x)
	}
	if l.Live {
		w.put("</a>")
	} else {
		w.put("</span>")
		if bareURL(l.Text) != bareURL(href) {
			l.Note = w.linkNote(href, l.Text)
			w.ref(l.Note)
		}
	}
	w.res.Links = append(w.res.Links, l)
}

func insideWeChat(href string) bool {
	rest, ok := strings.CutPrefix(href, "https://")
	if !ok {
		rest, ok = strings.CutPrefix(href, "http://")
	}
	return ok && strings.HasPrefix(rest, "mp.weixin.qq.com/")
}

func bareURL(s string) string {
	for _, p := range []string{"https://", "http://", "mailto:", "tel:"} {
		s = strings.TrimPrefix(s, p)
	}
	return strings.TrimSuffix(s, "/")
}

func (w *writer) ref(n int) {
	w.open("sup", w.th.Sup)
	w.put("[", strconv.Itoa(n), "]</sup>")
}

// linkNote numbers a link; the same target keeps its number.
func (w *writer) linkNote(href, label string) int {
	if n := w.links[href]; n > 0 {
		return n
	}
	shown := strings.TrimPrefix(strings.TrimPrefix(href, "mailto:"), "tel:")
	if r := []rune(label); len(r) > 40 {
		label = string(r[:40]) + "…"
	}
	w.notes = append(w.notes, escapeText(label)+"："+escapeText(shown))
	w.links[href] = len(w.notes)
	return len(w.notes)
}

// footnoteRef numbers a Markdown footnote in the same row as the links.
func (w *writer) footnoteRef(id int) {
	runs := w.doc.notes[id]
	if len(runs) == 0 {
		return
	}
	n := w.foot[id]
	if n == 0 {
		w.notes = append(w.notes, "")
		n = len(w.notes)
		w.foot[id] = n
		w.notes[n-1] = w.aside(runs)
	}
	w.ref(n)
}

// aside writes the text of a footnote out of line. A link in it shows its
// address in place, and a reference to another note is left out.
func (w *writer) aside(runs []run) string {
	in := writer{doc: &document{}, opt: w.opt, th: w.th, links: map[string]int{}, foot: map[int]int{}, draw: w.draw}
	for _, x := range runs {
		href := x.mark.href
		x.mark.href = ""
		in.run(x)
		if href != "" {
			l := Link{Href: href, Text: x.text}
			w.res.Links = append(w.res.Links, l)
			if bareURL(x.text) != bareURL(href) {
				in.put(escapeText("（" + href + "）"))
			}
		}
	}
	w.res.Formulas = append(w.res.Formulas, in.res.Formulas...)
	w.asides = append(w.asides, strings.ReplaceAll(in.plain.String(), "\n", " "))
	return in.buf.String()
}

func (w *writer) footnotes() {
	if len(w.notes) == 0 {
		return
	}
	title := "参考链接"
	switch {
	case len(w.links) == 0:
		title = "注释"
	case len(w.foot) > 0:
		title = "注释与参考链接"
	}
	w.open("section", w.th.Notes)
	w.open("p", w.th.NotesH)
	w.put(title, "</p>")
	for i, n := range w.notes {
		w.open("p", w.th.Note)
		w.put("[", strconv.Itoa(i+1), "] ", n, "</p>")
	}
	for _, a := range w.asides {
		w.plain.WriteString(a + "\n")
	}
	w.put("</section>")
}
