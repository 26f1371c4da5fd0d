// Package typeset sets a page of Chinese text and writes it as PDF or as a
// picture: certificates, and later the ledger of meetings. Servers have no
// fonts, so it brings its own. It is a leaf: it knows pages and nothing of what
// stands on them.
//
// A page is described once in millimetres and drawn by two writers, so the PDF
// and the picture are the same. The same page always gives the same bytes.
package typeset

import (
	_ "embed"
	"image/color"
	"math"
	"strings"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"

	"tongxin/internal/errs"
)

// hanTTF is Droid Sans Fallback: see fonts/LICENSE.md. It has no Latin letters
// and no figures; those are set in Go Regular.
//
//go:embed fonts/DroidSansFallbackFull.ttf
var hanTTF []byte

// geta (〓) stands for a character that no font has, as printers do.
const geta = '〓'

// maxText is how many characters one piece of text may have.
const maxText = 20_000

// Setter measures text and writes pages. Safe for concurrent use; making one
// reads the fonts, so make it once.
type Setter struct{ han, latin *sfnt.Font }

// New reads the fonts.
func New() (*Setter, error) {
	han, err := opentype.Parse(hanTTF)
	if err != nil {
		return nil, errs.Wrap(err, errs.Internal, "字体无法读取。")
	}
	latin, err := opentype.Parse(goregular.TTF)
	if err != nil {
		return nil, errs.Wrap(err, errs.Internal, "字体无法读取。")
	}
	return &Setter{han, latin}, nil
}

// Align says where a text stands to its x.
type Align int

// Left begins at x, Center has x in the middle, Right ends there.
const (
	Left Align = iota
	Center
	Right
)

// Style of a text. Size and Spacing (between characters) are points of 1/72
// inch. Heavy draws the outline too, for lack of a bold font.
type Style struct {
	Size    float64
	Spacing float64
	Color   color.RGBA
	Heavy   bool
}

// Page collects what is drawn, in order. Not safe for concurrent use.
type Page struct {
	W, H float64 // mm
	s    *Setter
	ops  []op
}

// op is one thing on a page: exactly one of the parts is set.
type op struct {
	run  *run
	box  *box
	line *line
}

// run is text of one font at a baseline.
type run struct {
	x, y  float64
	han   bool
	text  string
	style Style
}

type box struct {
	x, y, w, h, stroke float64 // stroke 0: filled
	color              color.RGBA
}

type line struct {
	x1, y1, x2, y2, stroke float64
	color                  color.RGBA
}

// Page starts an empty page of w × h mm.
func (s *Setter) Page(w, h float64) *Page { return &Page{W: w, H: h, s: s} }

// Clean is a text as it is set: control characters become spaces, characters
// that no font has become 〓.
func (s *Setter) Clean(text string) string {
	n := 0
	return strings.Map(func(r rune) rune {
		if n++; n > maxText {
			return -1
		}
		switch {
		case r == '\u00a0' || unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Cf, r): // joiners, marks of direction: nothing to draw
			return -1
		case r > 0xFFFF || !s.has(s.latin, r) && !s.has(s.han, r):
			return geta
		}
		return r
	}, text)
}

// Lacks lists the characters of a text that would be set as 〓.
func (s *Setter) Lacks(text string) (out []rune) {
	for _, r := range text {
		if !unicode.IsControl(r) && !unicode.Is(unicode.Cf, r) && (r > 0xFFFF || !s.has(s.latin, r) && !s.has(s.han, r)) {
			out = append(out, r)
		}
	}
	return out
}

func (s *Setter) has(f *sfnt.Font, r rune) bool {
	var buf sfnt.Buffer
	i, err := f.GlyphIndex(&buf, r)
	return err == nil && i != 0
}

// inHan reports which font sets a rune of a clean text: Chinese texts want
// Chinese punctuation wherever the fonts leave a choice.
func (s *Setter) inHan(r rune) bool { return r != ' ' && s.has(s.han, r) }

// advance is the width of a rune in units of the size.
func (s *Setter) advance(r rune) float64 {
	f := s.latin
	if s.inHan(r) {
		f = s.han
	}
	var buf sfnt.Buffer
	i, err := f.GlyphIndex(&buf, r)
	if err != nil {
		return 0
	}
	em := fixed.Int26_6(f.UnitsPerEm()) // 1/64 of a unit, so that nothing is rounded
	adv, err := f.GlyphAdvance(&buf, i, em<<6, font.HintingNone)
	if err != nil {
		return 0
	}
	return float64(adv) / float64(em<<6)
}

const mmPerPoint = 25.4 / 72

// Width is how wide a text is, in mm.
func (s *Setter) Width(st Style, text string) float64 { return s.width(st, s.Clean(text)) }

func (s *Setter) width(st Style, clean string) float64 {
	w, n := 0.0, 0
	for _, r := range clean {
		w += s.advance(r) * st.Size
		n++
	}
	return (w + float64(max(0, n-1))*st.Spacing) * mmPerPoint
}

// Text sets one line with its baseline at y.
func (p *Page) Text(x, y float64, a Align, st Style, text string) {
	clean := p.s.Clean(text)
	switch a {
	case Center:
		x -= p.s.width(st, clean) / 2
	case Right:
		x -= p.s.width(st, clean)
	case Left:
	}
	p.runs(x, y, st, clean)
}

// runs cuts a clean line where the font changes, and at every character when
// they are spaced.
func (p *Page) runs(x, y float64, st Style, clean string) {
	var part []rune
	han, at := false, x
	flush := func() {
		if len(part) > 0 {
			p.ops = append(p.ops, op{run: &run{at, y, han, string(part), st}})
			part = part[:0]
		}
	}
	for _, r := range clean {
		if h := p.s.inHan(r); h != han || st.Spacing != 0 {
			flush()
			han, at = h, x
		}
		part = append(part, r)
		x += (p.s.advance(r)*st.Size + st.Spacing) * mmPerPoint
	}
	flush()
}

// Paragraph sets text in lines no wider than width and returns the baseline
// after the last; leading is the distance of baselines, mm. A line feed begins
// a new line.
func (p *Page) Paragraph(x, y, width, leading float64, st Style, text string) float64 {
	for _, l := range p.s.Lines(st, width, text) {
		p.Text(x, y, Left, st, l)
		y += leading
	}
	return y
}

// Rect draws a rectangle: its outline with a stroke (mm), or filled when that is 0.
func (p *Page) Rect(x, y, w, h, stroke float64, c color.RGBA) {
	p.ops = append(p.ops, op{box: &box{x, y, w, h, stroke, c}})
}

// Line draws a line of a width (mm).
func (p *Page) Line(x1, y1, x2, y2, stroke float64, c color.RGBA) {
	p.ops = append(p.ops, op{line: &line{x1, y1, x2, y2, stroke, c}})
}

// Cells draws the dark cells of a square matrix, a QR code, into size × size mm.
// Rows are joined into bars, so that no hair lines show between cells.
func (p *Page) Cells(x, y, size float64, cells [][]bool, c color.RGBA) {
	step := size / float64(max(1, len(cells)))
	for i, row := range cells {
		for j := 0; j < len(row); j++ {
			from := j
			for j < len(row) && row[j] {
				j++
			}
			if j > from {
				p.Rect(x+float64(from)*step, y+float64(i)*step, float64(j-from)*step, step, 0, c)
			}
		}
	}
}

// outline is how thick the outline of heavy text is, in points.
func (st Style) outline() float64 { return math.Max(0.2, st.Size/32) }
