package results

import (
	"context"
	"fmt"
	"image/color"
	"strings"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/typeset"
)

// pictureDPI makes an A4 page 1754 × 1240 pixels: sharp on a phone, half a megabyte at most.
const pictureDPI = 150

// File is a certificate as a file.
type File struct {
	Name string
	Data []byte
}

// CertificatePDF draws a certificate for its owner or for staff. A revoked one
// is not drawn any more.
func (s *Service) CertificatePDF(ctx context.Context, actor *authz.Actor, id ids.ID) (*File, error) {
	c, p, err := s.drawn(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	data, err := s.cfg.Setter.PDF(typeset.Meta{Title: c.Title + " " + c.Number, Author: c.Issuer, At: c.IssuedAt}, p)
	return &File{c.Title + c.Number + ".pdf", data}, err
}

// CertificatePNG draws a certificate as a picture.
func (s *Service) CertificatePNG(ctx context.Context, actor *authz.Actor, id ids.ID) (*File, error) {
	c, p, err := s.drawn(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	data, err := s.cfg.Setter.PNG(p, pictureDPI)
	return &File{c.Title + c.Number + ".png", data}, err
}

func (s *Service) drawn(ctx context.Context, actor *authz.Actor, id ids.ID) (*Certificate, *typeset.Page, error) {
	c, err := s.certificate(ctx, actor, id)
	if err != nil {
		return nil, nil, err
	}
	if c.Revoked() {
		return nil, nil, errs.New(errs.Conflict, "这张证书已经撤销，不能再下载。")
	}
	p, err := diploma(s.cfg.Setter, c, strings.TrimSuffix(s.cfg.PublicURL, "/"))
	return c, p, err
}

// diploma lays a certificate out on A4 across: a quiet red border, no emblem.
// Emblems of the state and the party may not be used freely (《国徽法》、
// 《中国共产党党徽党旗条例》), and a branch's quiz is no place for them.
func diploma(t *typeset.Setter, c *Certificate, base string) (*typeset.Page, error) {
	red := color.RGBA{0x9E, 0x1B, 0x1B, 255}
	pale := color.RGBA{0xD9, 0xB0, 0xA6, 255}
	ink := color.RGBA{0x2B, 0x2B, 0x2B, 255}
	gray := color.RGBA{0x6B, 0x6B, 0x6B, 255}
	p := t.Page(297, 210)
	p.Rect(9, 9, 279, 192, 1.4, red)
	p.Rect(12, 12, 273, 186, 0.35, red)
	for _, k := range [][4]float64{{12, 12, 1, 1}, {285, 12, -1, 1}, {12, 198, 1, -1}, {285, 198, -1, -1}} { // corners
		p.Line(k[0], k[1]+9*k[3], k[0]+9*k[2], k[1]+9*k[3], 0.35, red)
		p.Line(k[0]+9*k[2], k[1], k[0]+9*k[2], k[1]+9*k[3], 0.35, red)
	}

	size := 44.0
	title := typeset.Style{Size: size, Spacing: 14, Color: red, Heavy: true}
	for t.Width(title, c.Title) > 220 && title.Size > 20 {
		title.Size -= 2
		title.Spacing = title.Size / 4
	}
	p.Text(148.5, 52, typeset.Center, title, c.Title)
	p.Line(108, 62, 189, 62, 0.4, pale)
	p.Text(148.5, 72, typeset.Center, typeset.Style{Size: 11, Color: gray}, "编号 "+c.Number)

	body := typeset.Style{Size: 20, Color: ink}
	name := typeset.Style{Size: 24, Color: ink, Heavy: true}
	p.Text(40, 96, typeset.Left, name, c.Name)
	p.Text(40+t.Width(name, c.Name)+3, 96, typeset.Left, body, "同志：")
	text := fmt.Sprintf("您参加“%s”，成绩合格，特发此证。", c.PaperTitle)
	for t.Width(body, text) > 217*3-20 && body.Size > 13 { // at most three lines
		body.Size--
	}
	p.Paragraph(40, 112, 217, 12.5, body, "\u3000\u3000"+text)

	sign := typeset.Style{Size: 16, Color: ink}
	for t.Width(sign, c.Issuer) > 150 && sign.Size > 9 {
		sign.Size--
	}
	p.Text(257, 165, typeset.Right, sign, c.Issuer)
	p.Text(257, 176, typeset.Right, typeset.Style{Size: 14, Color: ink}, c.EarnedAt.In(clock.Shanghai()).Format("2006 年 1 月 2 日"))

	cells, err := typeset.QR(base + "/c/" + c.Code)
	if err != nil {
		return nil, err
	}
	p.Cells(40, 153, 25, cells, ink)
	small := typeset.Style{Size: 9.5, Color: gray}
	p.Text(69, 166, typeset.Left, small, "扫码核验真伪")
	p.Text(69, 173, typeset.Left, typeset.Style{Size: 10.5, Color: ink}, ShowCode(c.Code))
	return p, nil
}

func yearOf(t time.Time) int { return t.In(clock.Shanghai()).Year() }
