package render

import (
	"strconv"
	"strings"

	"tongxin/publish/render/formula"
)

// maxDrawn bounds the paths of all formulas of an article, in bytes: twice what
// the platform takes of a whole article. A few characters of TeX can become
// hundreds of kilobytes.
const maxDrawn = 2 << 20

// drawer opens the font at the first formula of an article.
type drawer struct {
	face  *formula.Face
	err   error
	drawn int // bytes of paths so far
}

func (d *drawer) draw(tex string, display bool) (formula.Picture, error) {
	if d.face == nil && d.err == nil {
		d.face, d.err = formula.Open()
	}
	if d.err != nil {
		return formula.Picture{}, d.err
	}
	if d.drawn > maxDrawn {
		return formula.Picture{}, formula.Error("文章里的公式太多，请拆成几篇。")
	}
	pic, err := d.face.Draw(tex, display)
	d.drawn += len(pic.Path)
	return pic, err
}

// formula draws TeX as one SVG path in the colour of the text; what cannot be
// drawn is shown as typed, and reported.
func (w *writer) formula(x run) {
	pic, err := w.draw.draw(x.text, x.display)
	f := Formula{TeX: x.text}
	w.plain.WriteString(x.text)
	if err != nil {
		f.Problem = err.Error()
		w.res.Formulas = append(w.res.Formulas, f)
		w.open("code", w.th.Code)
		w.put(escapeText(x.text), "</code>")
		return
	}
	w.res.Formulas = append(w.res.Formulas, f)
	if w.opt.Embedded {
		formulaImage(&w.buf, pic, x.text)
		return
	}
	svg(&w.buf, pic)
}

func svg(b *strings.Builder, p formula.Picture) {
	em := func(v float64) string { return strconv.FormatFloat(v, 'f', 3, 64) + "em" }
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="` + p.ViewBox + `" style="width:` + em(p.Width) +
		";height:" + em(p.Height+p.Depth) + ";vertical-align:" + em(-p.Depth) +
		`"><path fill="currentColor" d="` + p.Path + `"></path></svg>`)
}
