package render

import (
	"strconv"
	"strings"
)

// declarations splits a style attribute into lower-case properties. Values
// keep their case. Later declarations win, as in CSS.
func declarations(style string, each func(prop, value string)) {
	for len(style) > 0 {
		var d string
		d, style, _ = strings.Cut(style, ";")
		p, v, ok := strings.Cut(d, ":")
		if !ok {
			continue
		}
		p, v = strings.ToLower(strings.TrimSpace(p)), strings.TrimSpace(v)
		if i := strings.Index(strings.ToLower(v), "!important"); i >= 0 {
			v = strings.TrimSpace(v[:i])
		}
		if p != "" && v != "" {
			each(p, v)
		}
	}
}

// color reads hex, rgb(), rgba() and common names into #rrggbb; "" otherwise,
// and for colours that say nothing (transparent).
func color(v string) string {
	v = strings.ToLower(strings.TrimSpace(v))
	if strings.HasPrefix(v, "#") {
		return hexColor(v[1:])
	}
	if args, ok := strings.CutPrefix(v, "rgba("); ok {
		return rgbColor(args)
	}
	if args, ok := strings.CutPrefix(v, "rgb("); ok {
		return rgbColor(args)
	}
	return namedColor(v)
}

func hexColor(h string) string {
	for _, c := range []byte(h) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return ""
		}
	}
	switch len(h) {
	case 3:
		return string([]byte{'#', h[0], h[0], h[1], h[1], h[2], h[2]})
	case 6:
		return "#" + h
	case 8:
		if h[6:] == "00" {
			return ""
		}
		return "#" + h[:6]
	}
	return ""
}

func rgbColor(args string) string {
	args = strings.TrimSuffix(args, ")")
	parts := strings.FieldsFunc(args, func(r rune) bool { return r == ',' || r == ' ' || r == '/' })
	if len(parts) < 3 || len(parts) > 4 {
		return ""
	}
	const hexdigits = "0123456789abcdef"
	out := []byte{'#'}
	for _, p := range parts[:3] {
		n, err := strconv.Atoi(p)
		if err != nil || n < 0 || n > 255 {
			return ""
		}
		out = append(out, hexdigits[n>>4], hexdigits[n&15])
	}
	if len(parts) == 4 {
		if a, err := strconv.ParseFloat(parts[3], 64); err != nil || a < 0.05 {
			return ""
		}
	}
	return string(out)
}

func namedColor(name string) string {
	switch name {
	case "black":
		return "#000000"
	case "white":
		return "#ffffff"
	case "red":
		return "#ff0000"
	case "darkred":
		return "#8b0000"
	case "blue":
		return "#0000ff"
	case "navy", "darkblue":
		return "#000080"
	case "green":
		return "#008000"
	case "yellow":
		return "#ffff00"
	case "orange":
		return "#ffa500"
	case "purple":
		return "#800080"
	case "gray", "grey":
		return "#808080"
	case "silver", "lightgrey", "lightgray":
		return "#c0c0c0"
	case "aqua", "cyan":
		return "#00ffff"
	case "lime":
		return "#00ff00"
	case "maroon":
		return "#800000"
	case "teal":
		return "#008080"
	case "fuchsia", "magenta":
		return "#ff00ff"
	}
	return ""
}

// inkColor is a text colour worth keeping. Black and near-black (the default
// ink of Word and of web pages) and near-white (unreadable on a page that is
// white) give way to the theme.
func inkColor(v string) string {
	c := color(v)
	if c == "" {
		return ""
	}
	r, g, b := channels(c)
	hi, lo := max(r, g, b), min(r, g, b)
	if hi <= 0x40 || lo >= 0xe8 || (hi-lo <= 0x10 && hi <= 0x60) {
		return ""
	}
	return c
}

// paperColor is a background worth keeping: not white, and not so dark that
// the theme's ink disappears on it.
func paperColor(v string) string {
	if i := strings.IndexByte(v, ' '); i > 0 && !strings.Contains(v, "(") {
		v = v[:i] // background: yellow none repeat …
	}
	c := color(v)
	if c == "" {
		return ""
	}
	r, g, b := channels(c)
	if min(r, g, b) >= 0xf9 || (r*3+g*6+b)/10 < 0x60 {
		return ""
	}
	return c
}

func channels(c string) (r, g, b int) {
	n, err := strconv.ParseUint(c[1:], 16, 32)
	if err != nil {
		return 0, 0, 0
	}
	return int(n >> 16), int(n >> 8 & 255), int(n & 255)
}

// emSize keeps a size relative to the text (the editor writes those). Absolute
// sizes come from Word and web pages and would fight the theme.
func emSize(v string) string {
	v = strings.ToLower(v)
	num, ok := strings.CutSuffix(v, "em")
	if !ok || strings.HasSuffix(num, "r") {
		return ""
	}
	f, err := strconv.ParseFloat(num, 64)
	if err != nil || f < 0.7 || f > 2 || (f > 0.99 && f < 1.01) {
		return ""
	}
	return strconv.FormatFloat(float64(int(f*1000+0.5))/1000, 'f', -1, 64) + "em"
}

func alignment(v string) string {
	switch v = strings.ToLower(v); v {
	case "center", "right", "justify":
		return v
	case "end":
		return "right"
	case "-webkit-center":
		return "center"
	case "left", "start":
		return "left"
	}
	return ""
}

// positive reports a length greater than zero ("2em", "21.0pt").
func positive(v string) bool {
	n := strings.TrimRight(strings.ToLower(v), "abcdefghijklmnopqrstuvwxyz% ")
	f, err := strconv.ParseFloat(n, 64)
	return err == nil && f > 0
}
