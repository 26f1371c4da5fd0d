package typeset

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"

	"tongxin/internal/errs"
)

// maxPixels bounds a picture: it is held in memory at 4 bytes each.
const maxPixels = 20_000_000

// PNG draws one page on white at dots per inch.
func (s *Setter) PNG(p *Page, dpi int) ([]byte, error) {
	scale := float64(dpi) / 25.4
	w, h := int(math.Round(p.W*scale)), int(math.Round(p.H*scale))
	if w < 1 || h < 1 || w > maxPixels/h {
		return nil, errs.New(errs.TooLarge, "图片太大，请降低清晰度后再试。")
	}
	c := &canvas{s: s, img: image.NewRGBA(image.Rect(0, 0, w, h)), scale: scale, dpi: dpi, faces: map[faceKey]font.Face{}}
	draw.Draw(c.img, c.img.Bounds(), image.White, image.Point{}, draw.Src)
	for _, o := range p.ops {
		if err := c.draw(o); err != nil {
			return nil, errs.Wrap(err, errs.Internal, "图片没有生成，请稍后再试。")
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, c.img); err != nil {
		return nil, errs.Wrap(err, errs.Internal, "图片没有生成，请稍后再试。")
	}
	return out.Bytes(), nil
}

type faceKey struct {
	han  bool
	size float64
}

type canvas struct {
	s     *Setter
	img   *image.RGBA
	scale float64 // pixels per mm
	dpi   int
	faces map[faceKey]font.Face
}

func (c *canvas) draw(o op) error {
	switch {
	case o.run != nil:
		return c.text(o.run)
	case o.box != nil && o.box.stroke == 0:
		c.fill(o.box.x, o.box.y, o.box.w, o.box.h, o.box.color)
	case o.box != nil:
		b, k := o.box, o.box.stroke
		c.fill(b.x-k/2, b.y-k/2, b.w+k, k, b.color)
		c.fill(b.x-k/2, b.y+b.h-k/2, b.w+k, k, b.color)
		c.fill(b.x-k/2, b.y+k/2, k, b.h-k, b.color)
		c.fill(b.x+b.w-k/2, b.y+k/2, k, b.h-k, b.color)
	case o.line != nil:
		c.line(o.line)
	}
	return nil
}

func (c *canvas) face(key faceKey) (font.Face, error) {
	if f, ok := c.faces[key]; ok {
		return f, nil
	}
	parsed := c.s.latin
	if key.han {
		parsed = c.s.han
	}
	f, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: key.size, DPI: float64(c.dpi), Hinting: font.HintingNone})
	if err == nil {
		c.faces[key] = f
	}
	return f, err
}

func (c *canvas) text(r *run) error {
	f, err := c.face(faceKey{r.han, r.style.Size})
	if err != nil {
		return err
	}
	d := font.Drawer{Dst: c.img, Src: image.NewUniform(r.style.Color), Face: f}
	at := func(dx, dy float64) {
		d.Dot = fixed.Point26_6{X: fixed.Int26_6(math.Round((r.x*c.scale + dx) * 64)), Y: fixed.Int26_6(math.Round((r.y*c.scale + dy) * 64))}
		d.DrawString(r.text)
	}
	at(0, 0)
	if r.style.Heavy { // what the PDF strokes: the text again, half an outline to each side
		k := r.style.outline() / 2 * float64(c.dpi) / 72
		at(k, 0)
		at(-k, 0)
		at(0, k)
		at(0, -k)
	}
	return nil
}

// fill draws a rectangle with the shares of pixels at its edges.
func (c *canvas) fill(x, y, w, h float64, col color.RGBA) {
	c.polygon(col, [][2]float64{{x, y}, {x + w, y}, {x + w, y + h}, {x, y + h}})
}

func (c *canvas) line(l *line) {
	dx, dy := l.x2-l.x1, l.y2-l.y1
	length := math.Hypot(dx, dy)
	if length == 0 {
		return
	}
	nx, ny := -dy/length*l.stroke/2, dx/length*l.stroke/2
	c.polygon(l.color, [][2]float64{{l.x1 + nx, l.y1 + ny}, {l.x2 + nx, l.y2 + ny}, {l.x2 - nx, l.y2 - ny}, {l.x1 - nx, l.y1 - ny}})
}

// polygon rasterises within its own bounds, so that a thousand cells of a QR
// code do not each walk the whole page.
func (c *canvas) polygon(col color.RGBA, points [][2]float64) {
	low, high := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	for _, p := range points {
		for i := range 2 {
			low[i], high[i] = math.Min(low[i], p[i]*c.scale), math.Max(high[i], p[i]*c.scale)
		}
	}
	r := image.Rect(int(math.Floor(low[0])), int(math.Floor(low[1])), int(math.Ceil(high[0])), int(math.Ceil(high[1])))
	if r = r.Intersect(c.img.Bounds()); r.Empty() {
		return
	}
	z := vector.NewRasterizer(r.Dx(), r.Dy())
	for i, p := range points {
		x, y := float32(p[0]*c.scale-float64(r.Min.X)), float32(p[1]*c.scale-float64(r.Min.Y))
		if i == 0 {
			z.MoveTo(x, y)
		} else {
			z.LineTo(x, y)
		}
	}
	z.ClosePath()
	z.Draw(c.img, r, image.NewUniform(col), image.Point{})
}
