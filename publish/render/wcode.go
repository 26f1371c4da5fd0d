package render

import "strings"

// code writes a block of code. White space is spelled out because the
// platform drops white-space:pre.
func (w *writer) code(b *block) {
	w.open("pre", w.th.Pre)
	w.open("code", w.th.PreCode)
	for _, t := range highlight(b.lang, b.text) {
		c := w.th.Ink.of(t.shade)
		if c == "" || strings.TrimSpace(t.text) == "" {
			w.put(codeText(t.text))
			continue
		}
		w.open("span", "color:"+c)
		w.put(codeText(t.text), "</span>")
	}
	w.put("</code></pre>")
	w.plain.WriteString(b.text + "\n")
}

func (k *inks) of(s shade) string {
	return [...]string{"", k.keyword, k.str, k.comment, k.number, k.name, k.tag}[s]
}

// codeText escapes code and spells out its white space.
func codeText(s string) string {
	var b strings.Builder
	b.Grow(len(s) + len(s)/2)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case ' ':
			b.WriteString("&nbsp;")
		case '\t':
			b.WriteString("&nbsp;&nbsp;&nbsp;&nbsp;")
		case '\n':
			b.WriteString("<br>")
		case '&':
			b.WriteString("&amp;")
		case '<':
			b.WriteString("&lt;")
		case '>':
			b.WriteString("&gt;")
		case '\r', 0:
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
