package typeset

import (
	"bytes"
	"errors"
	"image/color"
	"slices"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/gofont/goregular"

	"tongxin/internal/errs"
)

// MaxPages is how many pages one file may have.
const MaxPages = 500

// Meta is what a PDF says of itself. At must not be now: the same document
// shall give the same file.
type Meta struct {
	Title, Author string
	At            time.Time
}

// PDF writes pages with the characters they use: text that can be searched and
// copied.
func (s *Setter) PDF(m Meta, pages ...*Page) ([]byte, error) {
	if len(pages) == 0 || len(pages) > MaxPages {
		return nil, errs.New(errs.TooLarge, "文件要有 1 到 %d 页，请缩小范围后再导出。", MaxPages)
	}
	f := fpdf.NewCustom(&fpdf.InitType{UnitStr: "mm", Size: fpdf.SizeType{Wd: pages[0].W, Ht: pages[0].H}})
	f.SetCatalogSort(true)
	f.SetCreationDate(m.At.UTC())
	f.SetModificationDate(m.At.UTC())
	f.SetTitle(m.Title, true)
	f.SetAuthor(m.Author, true)
	f.SetProducer("Tongxin", false)
	f.SetLang("zh-CN")
	f.SetMargins(0, 0, 0)
	f.SetAutoPageBreak(false, 0)
	// The library reads and may keep the bytes: it gets its own.
	f.AddUTF8FontFromBytes("han", "", slices.Clone(hanTTF))
	f.AddUTF8FontFromBytes("latin", "", slices.Clone(goregular.TTF))
	for _, p := range pages {
		f.AddPageFormat("", fpdf.SizeType{Wd: p.W, Ht: p.H})
		for _, o := range p.ops {
			o.pdf(f)
		}
	}
	var out bytes.Buffer
	if err := f.Output(&out); err != nil {
		return nil, errs.Wrap(errors.Join(errors.New("typeset: PDF"), err), errs.Internal, "文件没有生成，请稍后再试。")
	}
	return out.Bytes(), nil
}

func (o op) pdf(f *fpdf.Fpdf) {
	switch {
	case o.run != nil:
		r := o.run
		name := "latin"
		if r.han {
			name = "han"
		}
		f.SetFont(name, "", r.style.Size)
		f.SetTextColor(rgb(r.style.Color))
		f.SetTextRenderingMode(0)
		if r.style.Heavy {
			f.SetDrawColor(rgb(r.style.Color))
			f.SetLineWidth(r.style.outline() * mmPerPoint)
			f.SetTextRenderingMode(2) // fill and stroke
		}
		f.Text(r.x, r.y, r.text)
	case o.box != nil && o.box.stroke == 0:
		f.SetFillColor(rgb(o.box.color))
		f.Rect(o.box.x, o.box.y, o.box.w, o.box.h, "F")
	case o.box != nil:
		f.SetDrawColor(rgb(o.box.color))
		f.SetLineWidth(o.box.stroke)
		f.Rect(o.box.x, o.box.y, o.box.w, o.box.h, "D")
	case o.line != nil:
		f.SetDrawColor(rgb(o.line.color))
		f.SetLineWidth(o.line.stroke)
		f.Line(o.line.x1, o.line.y1, o.line.x2, o.line.y2)
	}
}

func rgb(c color.RGBA) (r, g, b int) { return int(c.R), int(c.G), int(c.B) }
