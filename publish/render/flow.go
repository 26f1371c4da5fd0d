package render

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxMarker is more than the bullet or number of any list of Word, in bytes.
const maxMarker = 200

// text adds characters to the paragraph, with white space collapsed as
// browsers do, except that a line break between two Chinese characters is
// nothing (Word wraps its lines in the middle of sentences).
func (r *reader) text(s string) {
	t := r.top()
	if t.code != nil {
		t.code.parts = append(t.code.parts, s)
		return
	}
	if t.marker && len(t.mso.marker) > maxMarker {
		return
	}
	if t.marker {
		t.mso.marker += strings.TrimSpace(strings.ReplaceAll(s, "\u00a0", " "))
		return
	}
	var out strings.Builder
	look := t.mark.effective()
	for _, c := range s {
		switch {
		case c == '\n' || c == '\r' || c == '\u2028' || c == '\u2029':
			r.space = 2
			continue
		case c == ' ' || c == '\t' || c == '\f' || c == '\v':
			r.space = max(r.space, 1)
			continue
		case c == utf8.RuneError || invisible(c):
			continue
		}
		if r.space > 0 {
			r.settle(&out, c, look)
		}
		out.WriteRune(c)
	}
	if out.Len() > 0 {
		r.put(run{kind: text, text: out.String(), mark: look})
	}
}

// settle decides what pending white space before c becomes: part of plain text
// where there is some on either side, so that links and marks hug their words.
func (r *reader) settle(out *strings.Builder, c rune, look mark) {
	broke := r.space == 2
	r.space = 0
	var prev rune
	if out.Len() > 0 {
		prev, _ = utf8.DecodeLastRuneInString(out.String())
	} else if r.cur != nil && len(r.cur.runs) > 0 {
		last := &r.cur.runs[len(r.cur.runs)-1]
		if last.kind == br {
			return
		}
		prev = 'a'
		if last.kind == text {
			prev, _ = utf8.DecodeLastRuneInString(last.text)
		}
	} else {
		return // white space at the start of a paragraph
	}
	if prev == ' ' || broke && wide(prev) && wide(c) {
		return
	}
	if out.Len() > 0 {
		out.WriteByte(' ')
		return
	}
	last := &r.cur.runs[len(r.cur.runs)-1]
	switch {
	case last.kind == text && last.mark == (mark{}):
		last.text += " "
	case look == (mark{}) || last.kind == text && last.mark == look:
		out.WriteByte(' ')
	default:
		r.cur.runs = append(r.cur.runs, run{kind: text, text: " "})
	}
}

// invisible characters are dropped: controls, zero-width marks, soft hyphens,
// and the bidirectional overrides that make text read other than it is.
func invisible(c rune) bool {
	switch {
	case c < 0x20 || c >= 0x7f && c < 0xa0:
		return true
	case c >= 0x200b && c <= 0x200f && c != 0x200d: // ZWJ joins emoji
		return true
	case c >= 0x202a && c <= 0x202e, c >= 0x2060 && c <= 0x206f, c == 0xfeff, c == 0xad:
		return true
	case c >= 0xfff0 && c <= 0xfffb, c >= 0xe000 && c <= 0xf8ff, c >= 0xe0000:
		return true
	}
	return false
}

func wide(c rune) bool {
	return unicode.Is(unicode.Han, c) || c >= 0x3000 && c <= 0x303f || c >= 0xff00 && c <= 0xffef ||
		c >= 0x2014 && c <= 0x2026
}

// effective drops what another mark overrides: code and links have the theme's
// look.
func (m mark) effective() mark {
	if m.code {
		m.color, m.bg, m.size = "", "", ""
	}
	if m.href != "" {
		m.color, m.under = "", false
	}
	return m
}

// put appends a run, merging equal neighbours.
func (r *reader) put(x run) {
	b := r.paragraph()
	if x.kind != text && r.space > 0 {
		r.spaceBefore(b)
	}
	if n := len(b.runs); n > 0 && x.kind == text && b.runs[n-1].kind == text && b.runs[n-1].mark == x.mark && len(b.runs[n-1].text) < 256 {
		b.runs[n-1].text += x.text // short ones only: joining stays linear
		return
	}
	b.runs = append(b.runs, x)
}

// spaceBefore writes pending white space before something that is not text.
func (r *reader) spaceBefore(b *block) {
	r.space = 0
	n := len(b.runs)
	if n == 0 || b.runs[n-1].kind == br {
		return
	}
	if last := &b.runs[n-1]; last.kind == text && last.mark == (mark{}) {
		last.text += " "
		return
	}
	b.runs = append(b.runs, run{kind: text, text: " "})
}

// paragraph is the block that text goes to now.
func (r *reader) paragraph() *block {
	if r.cur == nil {
		t := r.top()
		r.cur = &block{kind: para, align: t.align, indent: t.indent}
		if t.level > 0 {
			r.cur.kind, r.cur.level, r.cur.indent = heading, t.level, false
		}
		r.into = t.kids
	}
	return r.cur
}

// newLine starts a new line of code where highlighters use a block per line.
func (b *block) newLine() {
	if n := len(b.parts); n > 0 && !strings.HasSuffix(b.parts[n-1], "\n") {
		b.parts = append(b.parts, "\n")
	}
}

func (r *reader) lineBreak() {
	if t := r.top(); t.code != nil {
		t.code.parts = append(t.code.parts, "\n")
		return
	}
	r.space = 0
	r.put(run{kind: br})
}

// add puts a finished block where blocks go now.
func (r *reader) add(b *block) {
	t := r.top()
	*t.kids = append(*t.kids, b)
}

// flush finishes the paragraph being filled.
func (r *reader) flush() {
	r.space = 0
	b := r.cur
	if b == nil {
		return
	}
	r.cur = nil
	t := r.top()
	if t.noteOf > 0 {
		more := trim(b.runs)
		if have := r.doc.notes[t.noteOf]; len(have) > 0 && len(more) > 0 {
			more = append(append(have, run{kind: text, text: " "}), more...)
		} else if len(have) > 0 {
			return
		}
		r.doc.notes[t.noteOf] = more
		return
	}
	if t.mso != nil {
		m := *t.mso
		r.msoParagraph(b, &m)
		return
	}
	*r.into = append(*r.into, r.finish(b)...)
}

// finish splits a paragraph at double breaks, trims the pieces, and finds
// formulas.
func (r *reader) finish(b *block) []*block {
	if onlyBreaks(b.runs) {
		if b.kind == para && len(b.runs) > 0 {
			return []*block{{kind: blank}}
		}
		return nil
	}
	var out []*block
	for _, piece := range splitBreaks(b.runs) {
		p := *b
		p.runs = piece
		indentOf(&p)
		p.runs = trim(p.runs)
		if len(p.runs) == 0 {
			continue
		}
		if r.formulas || r.notes {
			if r.formulas {
				p.runs = findFormulas(p.runs)
			}
			out = append(out, displays(&p)...)
			continue
		}
		out = append(out, &p)
	}
	return out
}

func onlyBreaks(runs []run) bool {
	for _, x := range runs {
		if x.kind != br {
			return false
		}
	}
	return true
}

func splitBreaks(runs []run) [][]run {
	var out [][]run
	from := 0
	for i := 0; i+1 < len(runs); i++ {
		if runs[i].kind == br && runs[i+1].kind == br {
			out = append(out, runs[from:i])
			for i+1 < len(runs) && runs[i+1].kind == br {
				i++
			}
			from = i + 1
		}
	}
	return append(out, runs[from:])
}

// indentOf reads the two ideographic spaces (or four hard ones) that people
// type at the start of a paragraph as what they mean.
func indentOf(b *block) {
	if b.kind != para || len(b.runs) == 0 || b.runs[0].kind != text {
		return
	}
	weight := 0
	for _, c := range b.runs[0].text {
		switch c {
		case '\u3000':
			weight += 2
		case '\u00a0', ' ', '\u2002', '\u2003':
			weight++
		default:
			b.indent = b.indent || weight >= 4
			return
		}
	}
}

const blanks = " \u00a0\u3000\u2002\u2003"

// trim takes white space and breaks from both ends, and spaces around breaks.
func trim(runs []run) []run {
	out := make([]run, 0, len(runs))
	atStart := true
	for _, x := range runs {
		switch {
		case x.kind == br:
			if atStart {
				continue
			}
			out = trimEnd(out)
			if len(out) == 0 {
				continue
			}
			atStart = true
		case x.kind == text && atStart:
			x.text = strings.TrimLeft(x.text, blanks)
			if x.text == "" {
				continue
			}
			atStart = false
		default:
			atStart = false
		}
		out = append(out, x)
	}
	for {
		out = trimEnd(out)
		n := len(out)
		if n == 0 || out[n-1].kind != br {
			return out
		}
		out = out[:n-1]
	}
}

func trimEnd(runs []run) []run {
	for n := len(runs); n > 0 && runs[n-1].kind == text; n = len(runs) {
		t := strings.TrimRight(runs[n-1].text, blanks)
		if t != "" {
			runs[n-1].text = t
			break
		}
		runs = runs[:n-1]
	}
	return runs
}
