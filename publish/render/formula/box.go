package formula

import "math"

// box is laid-out material: marks relative to its origin on the baseline, in
// em with y up.
type box struct {
	w, h, d float64 // width, height above and depth below the baseline
	marks   []mark
	class   class
	limits  bool // scripts go above and below in display style
	slant   float64
}

// mark is a glyph scaled by sx, sy, or (g nil) a rule of sx by sy.
type mark struct {
	g            *glyph
	x, y, sx, sy float64
}

type class uint8

const (
	ord class = iota
	op
	bin
	rel
	opening
	closing
	punct
	space
)

type style struct {
	scale   float64
	display bool
	font    string // "", "rm", "bf", "bb", "cal", "frak", "text"
	depth   int
}

const (
	axis     = 0.25 // height of the fraction bar
	barWidth = 0.04
)

func (s style) script() style {
	s.display = false
	s.scale = math.Max(s.scale*0.7, 0.5)
	return s
}

func (s style) text() style { s.display = false; return s }

// put draws inner at x, y.
func (b *box) put(inner *box, x, y float64) {
	for _, m := range inner.marks {
		m.x += x
		m.y += y
		b.marks = append(b.marks, m)
	}
	b.w = math.Max(b.w, x+inner.w)
	b.h = math.Max(b.h, y+inner.h)
	b.d = math.Max(b.d, inner.d-y)
}

func (b *box) rule(x, y, w, h float64) {
	b.marks = append(b.marks, mark{x: x, y: y, sx: w, sy: h})
	b.w = math.Max(b.w, x+w)
	b.h = math.Max(b.h, y+h)
	b.d = math.Max(b.d, -y)
}

func (g *glyph) box(scale float64) *box {
	b := &box{w: g.adv * scale, h: g.y1 * scale, d: -g.y0 * scale}
	b.marks = []mark{{g: g, sx: scale, sy: scale}}
	if g.x1 > g.adv {
		b.slant = (g.x1 - g.adv) * scale
	}
	return b
}

// stretched scales a glyph vertically to cover from low to high.
func (g *glyph) stretched(low, high, scale float64) *box {
	tall := g.y1 - g.y0
	if tall*scale >= high-low {
		shift := (high+low)/2 - (g.y1+g.y0)/2*scale
		b := &box{}
		b.put(g.box(scale), 0, shift)
		b.w = g.adv * scale
		return b
	}
	sy := (high - low) / tall
	wide := scale * math.Min(1+(sy/scale-1)*0.12, 1.35) // big ones a little bolder
	b := &box{w: g.adv * wide, h: high, d: -low}
	b.marks = []mark{{g: g, y: low - g.y0*sy, sx: wide, sy: sy}}
	return b
}

// row sets boxes side by side with TeX's spaces between their classes.
func row(list []*box, st style) *box {
	out := &box{}
	x := 0.0
	prev := opening
	for i, b := range list {
		c := b.class
		if c == bin && (i == 0 || prev == bin || prev == op || prev == rel || prev == opening || prev == punct ||
			i == len(list)-1) {
			c = ord // a sign, not an operation
		}
		if i > 0 && c != space && prev != space {
			x += gap(prev, c, st)
		}
		out.put(b, x, 0)
		x += b.w
		prev = c
		out.slant = b.slant
	}
	out.w = x
	if len(list) == 1 {
		out.class, out.limits = list[0].class, list[0].limits
	}
	return out
}

// gap follows the table of the TeXbook, chapter 18.
func gap(a, b class, st style) float64 {
	small := st.scale < 0.9
	const thin, med, thick = 1.0 / 6, 2.0 / 9, 5.0 / 18
	switch {
	case a == op && (b == ord || b == op), b == op && (a == ord || a == closing):
		return thin * st.scale
	case small || a == opening || b == closing:
		return 0
	case a == bin || b == bin:
		return med * st.scale
	case a == rel && b == rel:
		return 0
	case a == rel || b == rel:
		return thick * st.scale
	case a == punct:
		return thin * st.scale
	}
	return 0
}
