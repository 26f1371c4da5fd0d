package render

import (
	"strings"
)

// PlainText is the text of any HTML, one line per paragraph, cells separated
// by tabs. It never fails; input over MaxHTML is cut.
func PlainText(html string) string {
	doc := newReader().read(clip(html, MaxHTML))
	w := newWriter(doc, Options{})
	w.outline(doc.blocks)
	return w.text()
}

// outline gathers only the plain text of blocks.
func (w *writer) outline(kids []*block) {
	for _, b := range kids {
		for _, x := range b.runs {
			if x.kind == br {
				w.plain.WriteByte('\n')
				continue
			}
			w.plain.WriteString(strings.ReplaceAll(x.text, "\u00a0", " "))
		}
		switch b.kind {
		case code:
			w.plain.WriteString(b.text)
		case figure:
			w.plain.WriteString(caption(b.pic))
		case table:
			for _, rw := range b.rows {
				for i := range rw.cells {
					w.plain.WriteString(cellText(w, &rw.cells[i]) + "\t")
				}
				w.plain.WriteByte('\n')
			}
		}
		w.outline(b.kids)
		if b.kind != item && b.kind != list {
			w.plain.WriteByte('\n')
		}
	}
}

// cellText is the text of a cell on one line.
func cellText(w *writer, c *cell) string {
	in := newWriter(w.doc, Options{})
	in.outline(c.kids)
	return strings.Join(strings.Fields(in.plain.String()), " ")
}

// digestChars is how many characters WeChat shows when an article has no
// digest of its own. Source: draft/add documentation, 2025.
const digestChars = 54

// Digest is what the platform would show as the summary of text.
func Digest(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	n := 0
	for i := range text {
		if n == digestChars {
			return text[:i]
		}
		n++
	}
	return text
}
