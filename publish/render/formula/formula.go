// Package formula draws a useful subset of TeX mathematics as one SVG path, so
// that a formula survives where scripts, fonts and MathML do not.
//
// It knows fractions, roots, scripts, sums and integrals with limits, Greek,
// the common symbols, functions, accents, stretching delimiters, matrices,
// cases and aligned equations. What it does not know it refuses with a Chinese
// sentence; it never guesses. The glyphs are those of Latin Modern Math.
package formula

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"codeberg.org/go-fonts/latin-modern/lmmath"
	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// Picture is a drawn formula. Sizes are in em of the text around; the path is
// in the units of ViewBox, with the y axis down and the baseline at 0.
type Picture struct {
	Path, ViewBox        string
	Width, Height, Depth float64 // Height above, Depth below the baseline
}

// Face is the opened font. It is not safe for concurrent use; opening one is
// cheap, the font itself is read in place.
type Face struct {
	font *sfnt.Font
	buf  sfnt.Buffer
	unit float64 // font units per em
	have map[rune]*glyph
}

// Open reads the font.
func Open() (*Face, error) {
	f, err := sfnt.Parse(lmmath.TTF)
	if err != nil {
		return nil, fmt.Errorf("math font: %w", err)
	}
	return &Face{font: f, unit: float64(f.UnitsPerEm()), have: map[rune]*glyph{}}, nil
}

// Bounds of one formula.
const (
	maxSource = 1000 // bytes
	maxDepth  = 24   // nested groups
	maxMarks  = 1500 // glyphs and rules
)

// Error says in Chinese why a formula cannot be drawn.
type Error string

func (e Error) Error() string { return string(e) }

// Draw lays tex out, in display style when it stands on its own line. The
// error is always an Error.
func (f *Face) Draw(tex string, display bool) (Picture, error) {
	if len(tex) > maxSource {
		return Picture{}, Error("公式太长，请拆成几个。")
	}
	p := parser{src: tex, face: f}
	st := style{scale: 1, display: display}
	b, err := p.top(st)
	if err != nil {
		return Picture{}, err
	}
	if b.w <= 0 || len(b.marks) == 0 {
		return Picture{}, Error("公式是空的。")
	}
	return f.picture(b), nil
}

// glyph is one outline in font units, y down.
type glyph struct {
	segs           sfnt.Segments
	adv            float64 // em
	x0, y0, x1, y1 float64 // ink, em, y up
}

func (f *Face) glyph(r rune) (*glyph, error) {
	if g, ok := f.have[r]; ok {
		return g, nil
	}
	id, err := f.font.GlyphIndex(&f.buf, r)
	if err != nil || id == 0 {
		return nil, Error("公式里的“" + string(r) + "”暂不支持，请改写或用图片代替。")
	}
	ppem := fixed.Int26_6(f.font.UnitsPerEm())
	segs, err := f.font.LoadGlyph(&f.buf, id, ppem, nil)
	if err != nil {
		return nil, Error("公式里的“" + string(r) + "”无法显示，请改写或用图片代替。")
	}
	adv, err := f.font.GlyphAdvance(&f.buf, id, ppem, font.HintingNone)
	if err != nil {
		return nil, Error("公式里的“" + string(r) + "”无法显示，请改写或用图片代替。")
	}
	g := &glyph{segs: append(sfnt.Segments(nil), segs...), adv: float64(adv) / f.unit}
	b := g.segs.Bounds()
	g.x0, g.x1 = float64(b.Min.X)/f.unit, float64(b.Max.X)/f.unit
	g.y0, g.y1 = -float64(b.Max.Y)/f.unit, -float64(b.Min.Y)/f.unit
	f.have[r] = g
	return g, nil
}

// picture writes a box as SVG, with a small margin against clipped
// serifs.
func (f *Face) picture(b *box) Picture {
	const margin = 0.04
	var w path
	for _, m := range b.marks {
		if m.g == nil {
			w.rect(m.x, -(m.y + m.sy), m.sx, m.sy)
			continue
		}
		w.outline(m, f.unit)
	}
	h, d := math.Max(b.h, 0)+margin, math.Max(b.d, 0)+margin
	return Picture{
		Path: w.String(), Width: b.w + 2*margin, Height: h, Depth: d,
		ViewBox: fmt.Sprintf("%d %d %d %d", units(-margin), units(-h), units(b.w+2*margin), units(h+d)),
	}
}

// perEm is the resolution of paths. At 63 device pixels per em (21 px text on a
// dense screen) a unit is a quarter of a pixel; finer only makes articles longer.
const perEm = 250

func units(em float64) int { return int(math.Round(em * perEm)) }

// path writes relative commands with whole numbers: a third of the size of
// absolute ones.
type path struct {
	strings.Builder
	x, y int
}

func (p *path) cmd(c byte) { p.WriteByte(c) }

func (p *path) num(n int, first bool) {
	if !first && n >= 0 {
		p.WriteByte(' ')
	}
	p.WriteString(strconv.Itoa(n))
}

func (p *path) rect(x, y, w, h float64) {
	fmt.Fprintf(p, "M%d %dh%dv%dh%dz", units(x), units(y), units(w), units(h), -units(w))
}

func (p *path) outline(m mark, unit float64) {
	at := func(q fixed.Point26_6) (int, int) {
		return units(m.x + float64(q.X)/unit*m.sx), units(-m.y + float64(q.Y)/unit*m.sy)
	}
	drawn := false
	for _, s := range m.g.segs {
		n := 1
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			if drawn {
				p.cmd('z')
			}
			drawn = true
			p.x, p.y = at(s.Args[0])
			p.cmd('M')
			p.num(p.x, true)
			p.num(p.y, false)
			continue
		case sfnt.SegmentOpLineTo:
			p.cmd('l')
		case sfnt.SegmentOpQuadTo:
			p.cmd('q')
			n = 2
		case sfnt.SegmentOpCubeTo:
			p.cmd('c')
			n = 3
		}
		x, y := p.x, p.y
		for i := range n {
			x, y = at(s.Args[i])
			p.num(x-p.x, i == 0)
			p.num(y-p.y, false)
		}
		p.x, p.y = x, y
	}
	if drawn {
		p.cmd('z')
	}
}
