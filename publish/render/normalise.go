package render

import "strings"

// normalise brings a list of blocks to its one form, so that reading what was
// written gives the same blocks again.
func normalise(in []*block, root bool) []*block {
	in = groupMso(in)
	out := make([]*block, 0, len(in))
	for _, b := range in {
		if b = settled(b, root); b == nil {
			continue
		}
		if b.kind == blank && (len(out) == 0 || out[len(out)-1].kind == blank) {
			continue
		}
		out = append(out, b)
	}
	for len(out) > 0 && out[len(out)-1].kind == blank {
		out = out[:len(out)-1]
	}
	return out
}

// settled normalises one block; nil when nothing is left of it.
func settled(b *block, root bool) *block {
	switch b.kind {
	case para, heading:
		return settledText(b, root)
	case rule, blank:
		if !root {
			return nil
		}
	case code:
		return settledCode(b)
	case quote:
		b.kids = normalise(b.kids, false)
		if len(b.kids) == 0 {
			return nil
		}
	case list:
		return settledList(b)
	case table:
		return settledTable(b)
	}
	return b
}

func settledText(b *block, root bool) *block {
	if b.kind == heading && !root {
		b.kind, b.level = para, 0
		for i := range b.runs {
			b.runs[i].mark.bold = b.runs[i].kind == text
		}
	}
	if b.kind == heading {
		for i := range b.runs {
			b.runs[i].mark.bold, b.runs[i].mark.size = false, ""
		}
	}
	if b.runs = respace(b.runs); len(b.runs) == 0 {
		return nil
	}
	return b
}

func settledCode(b *block) *block {
	b.text, b.parts = strings.Join(b.parts, "")+b.text, nil
	b.text = strings.ReplaceAll(strings.ReplaceAll(b.text, "\r\n", "\n"), "\r", "\n")
	b.text = strings.Map(func(c rune) rune {
		if c == '\u00a0' {
			return ' '
		}
		if c != '\n' && c != '\t' && (invisible(c) || c == '\ufffd') {
			return -1
		}
		return c
	}, b.text)
	lines := strings.Split(b.text, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " \t")
	}
	for len(lines) > 0 && lines[0] == "" {
		lines = lines[1:]
	}
	b.text = strings.TrimRight(strings.Join(lines, "\n"), "\n")
	if b.text == "" {
		return nil
	}
	return b
}

func settledList(b *block) *block {
	kids := b.kids
	b.kids = nil
	for _, k := range kids {
		if k.kind != item { // a list or text where an item should be
			if n := len(b.kids); n > 0 && k.kind == list {
				b.kids[n-1].kids = append(b.kids[n-1].kids, k)
				continue
			}
			k = &block{kind: item, kids: []*block{k}}
		}
		b.kids = append(b.kids, k)
	}
	kept := b.kids[:0]
	for _, k := range b.kids {
		k.kids = unindent(normalise(k.kids, false))
		if len(k.kids) > 0 {
			kept = append(kept, k)
		}
	}
	if b.kids = kept; len(kept) == 0 {
		return nil
	}
	return b
}

func unindent(kids []*block) []*block {
	for _, k := range kids {
		k.indent = false
	}
	return kids
}

func settledTable(b *block) *block {
	rows := b.rows
	b.rows, b.level = nil, 0
	something := false
	for _, rw := range rows {
		for i := range rw.cells {
			c := &rw.cells[i]
			if len(c.kids) == 1 && c.kids[0].kind == item {
				c.kids = c.kids[0].kids
			}
			settledCell(c)
			something = something || len(c.kids) > 0
		}
		if len(rw.cells) > 0 {
			b.rows = append(b.rows, rw)
		}
	}
	if !something {
		return nil
	}
	return b
}

func settledCell(c *cell) {
	c.kids = unindent(normalise(c.kids, false))
	if len(c.kids) == 1 && c.kids[0].kind == para {
		c.align = c.kids[0].align
	}
	if !c.head {
		return
	}
	for _, k := range c.kids {
		for i := range k.runs {
			k.runs[i].mark.bold = false // header cells are bold anyway
		}
		k.runs = respace(k.runs)
	}
}

// respace joins equal neighbours and puts the spaces between runs where the
// reader would put them (see settle).
func respace(runs []run) []run {
	var j joiner
	space := false
	for _, x := range runs {
		if x.kind != text {
			if x.kind != br && space {
				j.space()
			}
			space = false
			j.add(x)
			continue
		}
		t := strings.TrimLeft(x.text, " ")
		space = space || t != x.text
		if t == "" {
			continue
		}
		if space {
			last := run{kind: br}
			if n := len(j.out); n > 0 {
				last = j.out[n-1]
			}
			switch {
			case last.kind == br:
			case last.kind == text && last.mark != (mark{}) && last.mark == x.mark, !j.plainEnd() && x.mark == (mark{}):
				t = " " + t
			default:
				j.add(run{kind: text, text: " "})
			}
		}
		x.text = strings.TrimRight(t, " ")
		space = x.text != t
		j.add(x)
	}
	return trim(j.done())
}

// joiner collects runs; equal neighbours are joined once, at the end of each.
type joiner struct {
	out []run
	buf []string
}

func (j *joiner) plainEnd() bool {
	n := len(j.out)
	return n > 0 && j.out[n-1].kind == text && j.out[n-1].mark == (mark{})
}

func (j *joiner) space() {
	if n := len(j.out); n > 0 && j.out[n-1].kind != br {
		j.add(run{kind: text, text: " "})
	}
}

func (j *joiner) add(x run) {
	n := len(j.out)
	if x.kind == text && n > 0 && j.out[n-1].kind == text && j.out[n-1].mark == x.mark {
		j.buf = append(j.buf, x.text)
		return
	}
	j.settle()
	j.out = append(j.out, x)
	j.buf = append(j.buf[:0], x.text)
}

func (j *joiner) settle() {
	if n := len(j.out); n > 0 && len(j.buf) > 1 {
		j.out[n-1].text = strings.Join(j.buf, "")
	}
}

func (j *joiner) done() []run {
	j.settle()
	return j.out
}
