package render

import (
	"strconv"
	"strings"
)

type tri int8

const (
	keep tri = iota
	on
	off
)

func (t tri) of(v bool) bool {
	if t == keep {
		return v
	}
	return t == on
}

// delta is what one element changes about the text inside.
type delta struct {
	bold, italic, under, strike, sup, sub, code tri
	color, bg, size, href                       string
}

func (d *delta) on(m mark) mark {
	m.bold, m.italic, m.under = d.bold.of(m.bold), d.italic.of(m.italic), d.under.of(m.under)
	m.strike, m.sup, m.sub, m.code = d.strike.of(m.strike), d.sup.of(m.sup), d.sub.of(m.sub), d.code.of(m.code)
	m.color, m.bg = over(m.color, d.color), over(m.bg, d.bg)
	if d.size != "" {
		m.size = d.size
	}
	if d.href != "" {
		m.href = d.href
	}
	return m
}

// plain in a delta sets a colour back to the theme's.
const plain = "plain"

func over(have, change string) string {
	switch change {
	case "":
		return have
	case plain:
		return ""
	}
	return change
}

// orPlain tells a colour the theme should decide from no colour at all.
func orPlain(kept, value string) string {
	if kept == "" && color(value) != "" {
		return plain
	}
	return kept
}

func (d *delta) style(a *attrs, blockLevel bool) {
	if a.style == "" {
		return
	}
	declarations(a.style, func(p, v string) {
		low := strings.ToLower(v)
		switch p {
		case "font-weight":
			n, err := strconv.Atoi(low)
			switch {
			case low == "bold" || low == "bolder" || err == nil && n >= 600:
				d.bold = on
			case low == "normal" || err == nil && n < 600:
				d.bold = off
			}
		case "font-style":
			switch low {
			case "italic", "oblique":
				d.italic = on
			case "normal":
				d.italic = off
			}
		case "text-decoration", "text-decoration-line":
			if strings.Contains(low, "underline") {
				d.under = on
			}
			if strings.Contains(low, "line-through") {
				d.strike = on
			}
		case "vertical-align":
			switch low {
			case "super":
				d.sup = on
			case "sub":
				d.sub = on
			}
		case "color":
			d.color = orPlain(inkColor(v), v)
		case "background", "background-color":
			if !blockLevel { // a block's background is layout, not emphasis
				d.bg = orPlain(paperColor(v), v)
			}
		case "font-size":
			d.size = emSize(v)
		}
	})
}

// inline notes what a formatting element means.
func (r *reader) inline(tag string, a *attrs, e *element) {
	d := &e.delta
	switch tag {
	case "b", "strong":
		d.bold = on
	case "i", "em", "cite", "dfn", "var":
		d.italic = on
	case "u", "ins":
		d.under = on
	case "s", "strike", "del":
		d.strike = on
	case "sup":
		d.sup = on
	case "sub":
		d.sub = on
	case "code", "kbd", "samp", "tt":
		d.code = on
	case "mark":
		d.bg = "#fff3b0"
	case "small":
		d.size = "0.875em"
	case "font":
		d.color = inkColor(a.color)
	case "a":
		d.href = r.link(a.href)
	case "span":
		if strings.Contains(a.style, "mso-list") && strings.Contains(strings.ToLower(a.style), "ignore") && e.mso != nil {
			e.marker = true
		}
		r.ours(a)
	}
}

// ours reads the two elements our own Markdown renderer writes.
func (r *reader) ours(a *attrs) {
	if !r.notes {
		return
	}
	if n, err := strconv.Atoi(a.note); err == nil && n > 0 {
		r.put(run{kind: note, note: n})
	}
	if a.has&hasTex != 0 {
		r.put(run{kind: math, text: a.tex, display: a.has&hasDisplay != 0})
	}
}

// link keeps targets a reader could open; the rest stays as text.
func (r *reader) link(href string) string {
	href = strings.Map(func(c rune) rune {
		if c <= ' ' || c == 0x7f || c == '\ufffd' || invisible(c) {
			return -1
		}
		return c
	}, href)
	if href == "" || href[0] == '#' {
		return ""
	}
	low := strings.ToLower(href)
	for _, scheme := range []string{"https://", "http://", "mailto:", "tel:"} {
		if strings.HasPrefix(low, scheme) {
			if len(href) == len(scheme) {
				return ""
			}
			if len(href) > 1024 {
				r.doc.drop("有链接超过 1024 个字节，已去掉链接，只保留文字。")
				return ""
			}
			return scheme + href[len(scheme):]
		}
	}
	if strings.HasPrefix(href, "//") && len(href) > 2 && len(href) <= 1024 {
		return "https:" + href
	}
	r.doc.drop("有链接不是完整的网址，已去掉链接，只保留文字。")
	return ""
}
