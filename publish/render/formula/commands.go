package formula

import (
	"strings"
	"unicode/utf8"
)

// command reads the rest of a command that was just taken.
func (p *parser) command(t string, st style) (*box, error) {
	name := t[1:]
	if w, ok := spaces[name]; ok {
		return &box{w: w * st.scale, class: space}, nil
	}
	if s, ok := symbols[name]; ok {
		return p.symbol(s, st)
	}
	if functions[name] || limitFunctions[name] {
		b, err := p.word(name, style{scale: st.scale, font: "rm"})
		if err == nil {
			b.class, b.limits = op, limitFunctions[name]
		}
		return b, err
	}
	if f, ok := fonts[name]; ok {
		st.font = f
		b, err := p.argument(st)
		if err == nil {
			b.class = ord
		}
		return b, err
	}
	if r, ok := accents[name]; ok {
		g, err := p.face.glyph(r)
		if err != nil {
			return nil, err
		}
		b, err := p.argument(st)
		if err != nil {
			return nil, err
		}
		return accent(b, g, st), nil
	}
	return p.structure(name, st)
}

func (p *parser) structure(name string, st style) (*box, error) {
	switch name {
	case "frac", "dfrac", "tfrac", "binom":
		return p.fraction(name, st)
	case "sqrt":
		return p.root(st)
	case "text", "textrm", "mbox", "operatorname", "textbf":
		s, err := p.raw()
		if err != nil {
			return nil, err
		}
		font := "text"
		if name == "textbf" {
			font = "bf"
		}
		b, err := p.word(s, style{scale: st.scale, font: font})
		if err == nil && name == "operatorname" {
			b.class = op
		}
		return b, err
	case "overline", "bar", "underline":
		b, err := p.argument(st)
		if err != nil {
			return nil, err
		}
		if name == "underline" {
			return underline(b, st), nil
		}
		return overline(b, st), nil
	case "left":
		return p.fenced(st)
	case "big", "Big", "bigg", "Bigg", "bigl", "bigr", "Bigl", "Bigr":
		return p.bigDelimiter(name, st)
	case "begin":
		return p.environment(st)
	case "pmod":
		b, err := p.argument(st)
		if err != nil {
			return nil, err
		}
		word, err := p.word("mod", style{scale: st.scale, font: "rm"})
		if err != nil {
			return nil, err
		}
		return p.between('(', ')', row([]*box{word, {w: 0.3 * st.scale, class: space}, b}, st), st)
	}
	return nil, Error("公式里的“\\" + name + "”暂不支持，请改写或用图片代替。")
}

func (p *parser) symbol(s symbol, st style) (*box, error) {
	if s.class != op {
		return p.char(s.r, s.class, st)
	}
	g, err := p.face.glyph(s.r)
	if err != nil {
		return nil, err
	}
	scale := st.scale
	if st.display {
		scale *= 1.4
	}
	b := g.box(scale)
	tall := g.y1 - g.y0 // large operators are centred on the axis
	shift := axis*st.scale - (g.y0+tall/2)*scale
	out := &box{class: op, limits: !s.beside, slant: b.slant}
	out.put(b, 0, shift)
	if s.beside { // integrals lean: their upper limit stands further right
		out.slant = 0.18 * scale
	}
	return out, nil
}

// word sets letters as text.
func (p *parser) word(s string, st style) (*box, error) {
	var list []*box
	for _, r := range s {
		if r == ' ' || r == '~' {
			list = append(list, &box{w: 0.33 * st.scale, class: space})
			continue
		}
		b, err := p.char(r, ord, st)
		if err != nil {
			return nil, err
		}
		list = append(list, b)
	}
	b := row(list, st)
	b.class = ord
	return b, nil
}

func (p *parser) fraction(name string, st style) (*box, error) {
	outer := st
	switch name {
	case "dfrac":
		outer.display = true
	case "tfrac":
		outer.display = false
	}
	inner := outer.text()
	if !outer.display {
		inner = st.script()
	}
	num, err := p.argument(inner)
	if err != nil {
		return nil, err
	}
	den, err := p.argument(inner)
	if err != nil {
		return nil, err
	}
	if name == "binom" {
		return p.between('(', ')', fraction(num, den, outer, false), st)
	}
	return fraction(num, den, outer, true), nil
}

func (p *parser) root(st style) (*box, error) {
	var index *box
	var err error
	if p.peek() == "[" {
		p.next()
		if index, err = p.list(st.script().script(), "]"); err != nil {
			return nil, err
		}
		if p.next() != "]" {
			return nil, Error("公式里的“[”没有对应的“]”。")
		}
	}
	body, err := p.argument(st)
	if err != nil {
		return nil, err
	}
	g, err := p.face.glyph('√')
	if err != nil {
		return nil, err
	}
	return radical(body, index, g, st), nil
}

func (p *parser) between(l, r rune, body *box, st style) (*box, error) {
	lg, err := p.face.glyph(l)
	if err != nil {
		return nil, err
	}
	rg, err := p.face.glyph(r)
	if err != nil {
		return nil, err
	}
	return fence(lg, rg, body, st), nil
}

// delimiter reads what follows \left, \right or \big; nil for a dot.
func (p *parser) delimiter() (*glyph, error) {
	t := p.next()
	if t == "." {
		return nil, nil
	}
	if r, ok := delimiters[strings.TrimPrefix(t, `\`)]; ok {
		return p.face.glyph(r)
	}
	return nil, Error("公式里的“" + t + "”不能作为括号。")
}

func (p *parser) fenced(st style) (*box, error) {
	left, err := p.delimiter()
	if err != nil {
		return nil, err
	}
	body, err := p.list(st, "")
	if err != nil {
		return nil, err
	}
	if p.next() != `\right` {
		return nil, Error("公式里的“\\left”没有对应的“\\right”。")
	}
	right, err := p.delimiter()
	if err != nil {
		return nil, err
	}
	return fence(left, right, body, st), nil
}

func (p *parser) bigDelimiter(name string, st style) (*box, error) {
	g, err := p.delimiter()
	if err != nil || g == nil {
		return &box{}, err
	}
	half := map[string]float64{"big": 0.6, "Big": 0.9, "bigg": 1.2, "Bigg": 1.5}[strings.TrimRight(name, "lr")] * st.scale
	b := g.stretched(axis*st.scale-half, axis*st.scale+half, st.scale)
	switch {
	case strings.HasSuffix(name, "l"):
		b.class = opening
	case strings.HasSuffix(name, "r"):
		b.class = closing
	}
	return b, nil
}

func (p *parser) environment(st style) (*box, error) {
	name, err := p.raw()
	if err != nil {
		return nil, err
	}
	if name == "array" {
		if _, err := p.raw(); err != nil { // columns are centred whatever is asked
			return nil, err
		}
	}
	e, ok := environments[name]
	if !ok {
		return nil, Error("公式里的“\\begin{" + name + "}”暂不支持，请改写或用图片代替。")
	}
	cells := st.text()
	cells.display = e.display
	rows, err := p.rows(cells)
	if err != nil {
		return nil, err
	}
	if p.next() != `\end` {
		return nil, Error("公式里的“\\begin{" + name + "}”没有对应的“\\end”。")
	}
	if end, err := p.raw(); err != nil || end != name {
		return nil, Error("公式里的“\\begin{" + name + "}”没有对应的“\\end”。")
	}
	body := grid(rows, e.align, e.gap, st)
	var l, r *glyph
	if e.left != 0 {
		if l, err = p.face.glyph(e.left); err != nil {
			return nil, err
		}
	}
	if e.right != 0 {
		if r, err = p.face.glyph(e.right); err != nil {
			return nil, err
		}
	}
	return fence(l, r, body, st), nil
}

func (p *parser) rows(st style) ([][]*box, error) {
	rows := [][]*box{nil}
	for {
		b, err := p.list(st, "")
		if err != nil {
			return nil, err
		}
		last := len(rows) - 1
		rows[last] = append(rows[last], b)
		switch p.peek() {
		case "&":
			p.next()
		case `\\`:
			p.next()
			rows = append(rows, nil)
			if p.peek() == `\end` { // a trailing \\ begins nothing
				return rows[:len(rows)-1], nil
			}
		default:
			return rows, nil
		}
	}
}

// styled maps a letter to the mathematical alphabet of a font.
func styled(r rune, font string) rune {
	switch font {
	case "rm", "text":
		return r
	case "bf":
		return alphabet(r, 0x1d400, 0x1d41a, 0x1d7ce, nil)
	case "bb":
		return alphabet(r, 0x1d538, 0x1d552, 0x1d7d8, map[rune]rune{'C': 'ℂ', 'H': 'ℍ', 'N': 'ℕ', 'P': 'ℙ', 'Q': 'ℚ', 'R': 'ℝ', 'Z': 'ℤ'})
	case "cal":
		return alphabet(r, 0x1d49c, 0x1d4b6, 0, map[rune]rune{'B': 'ℬ', 'E': 'ℰ', 'F': 'ℱ', 'H': 'ℋ', 'I': 'ℐ', 'L': 'ℒ', 'M': 'ℳ', 'R': 'ℛ', 'e': 'ℯ', 'g': 'ℊ', 'o': 'ℴ'})
	case "frak":
		return alphabet(r, 0x1d504, 0x1d51e, 0, map[rune]rune{'C': 'ℭ', 'H': 'ℌ', 'I': 'ℑ', 'R': 'ℜ', 'Z': 'ℨ'})
	}
	switch {
	case r == 'h':
		return 'ℎ'
	case r >= 'α' && r <= 'ω':
		return 0x1d6fc + r - 'α'
	case r == '-':
		return '−'
	case r == '*':
		return '∗'
	}
	return alphabet(r, 0x1d434, 0x1d44e, 0, nil)
}

func alphabet(r, upper, lower, digit rune, special map[rune]rune) rune {
	if s, ok := special[r]; ok {
		return s
	}
	switch {
	case r >= 'A' && r <= 'Z':
		return upper + r - 'A'
	case r >= 'a' && r <= 'z':
		return lower + r - 'a'
	case digit != 0 && r >= '0' && r <= '9':
		return digit + r - '0'
	case r == '-':
		return '−'
	}
	return r
}

func classOf(r rune) class {
	switch {
	case strings.ContainsRune("+-*±×÷·", r):
		return bin
	case strings.ContainsRune("=<>:≤≥≠≈∈→", r):
		return rel
	case strings.ContainsRune("([", r):
		return opening
	case strings.ContainsRune(")]!", r):
		return closing
	case strings.ContainsRune(",;", r):
		return punct
	case r == utf8.RuneError:
		return ord
	}
	return ord
}
