package formula

import "math"

// attach sets scripts beside the base, or above and below it for operators in
// display style.
func attach(base, sup, sub *box, primes []*box, st style) *box {
	if len(primes) > 0 {
		p := row(primes, st)
		out := &box{class: base.class, limits: base.limits}
		out.put(base, 0, 0)
		out.put(p, base.w, 0.08*st.scale)
		out.w = base.w + p.w
		base = out
	}
	if sup == nil && sub == nil {
		return base
	}
	if base.limits && st.display {
		return stack(base, sup, sub, st)
	}
	s := st.scale
	out := &box{class: base.class}
	out.put(base, 0, 0)
	up := math.Max(0.363*s, base.h-0.30*s)
	down := math.Max(0.17*s, base.d+0.06*s)
	if sup != nil {
		up = math.Max(up, sup.d+0.11*s)
	}
	if sub != nil {
		down = math.Max(down, sub.h-0.35*s)
	}
	if sup != nil && sub != nil { // keep them apart
		if clear := up - sup.d + down - sub.h; clear < 0.16*s {
			down += 0.16*s - clear
		}
	}
	w := base.w
	if sup != nil {
		x := base.w + base.slant + 0.03*s
		out.put(sup, x, up)
		w = math.Max(w, x+sup.w)
	}
	if sub != nil {
		x := base.w
		if base.slant > 0.1*s { // an integral leans away from its lower limit
			x -= base.slant * 0.6
		}
		out.put(sub, x, -down)
		w = math.Max(w, x+sub.w)
	}
	out.w = w + 0.04*s
	return out
}

func stack(base, sup, sub *box, st style) *box {
	s := st.scale
	out := &box{class: base.class}
	w := base.w
	if sup != nil {
		w = math.Max(w, sup.w)
	}
	if sub != nil {
		w = math.Max(w, sub.w)
	}
	out.put(base, (w-base.w)/2, 0)
	if sup != nil {
		out.put(sup, (w-sup.w)/2, base.h+0.13*s+sup.d)
	}
	if sub != nil {
		out.put(sub, (w-sub.w)/2, -(base.d + 0.13*s + sub.h))
	}
	out.w = w
	return out
}

// fraction sets num over den; without bar it is the inside of a binomial.
func fraction(num, den *box, st style, bar bool) *box {
	s := st.scale
	clear := 0.1 * s
	if st.display {
		clear = 0.16 * s
	}
	w := math.Max(num.w, den.w) + 0.1*s
	out := &box{}
	if bar {
		out.rule(0.05*s, axis*s-barWidth*s/2, w, barWidth*s)
	}
	out.put(num, 0.05*s+(w-num.w)/2, axis*s+clear+num.d)
	out.put(den, 0.05*s+(w-den.w)/2, axis*s-clear-den.h)
	out.w = w + 0.1*s
	return out
}

// radical draws a root with its bar; index may be nil.
func radical(body, index *box, g *glyph, st style) *box {
	s := st.scale
	low, high := -body.d-0.06*s, math.Max(body.h, 0.45*s)+0.14*s
	hook := g.stretched(low, high+barWidth*s, s)
	high = hook.h - barWidth*s
	out := &box{}
	x := 0.0
	if index != nil {
		x = math.Max(0, index.w-hook.w*0.55)
		out.put(index, math.Max(0, hook.w*0.55-index.w), (hook.h-hook.d)*0.5+0.06*s)
	}
	out.put(hook, x, 0)
	ink := g.x1 * hook.marks[0].sx
	out.rule(x+ink-0.01*s, high, body.w+0.1*s, barWidth*s)
	out.put(body, x+ink+0.04*s, 0)
	out.w = x + ink + body.w + 0.12*s
	return out
}

// accent centres a glyph over a body; arrows take the width of the body.
func accent(body *box, g *glyph, st style) *box {
	s := st.scale
	k := s
	if ink := g.x1 - g.x0; ink > 0.6 {
		k = s * math.Min(math.Max(body.w/(ink*s), 0.45), 1.5)
	}
	out := &box{slant: body.slant}
	out.put(body, 0, 0)
	mid := body.w/2 + body.slant*0.6 - (g.x0+g.x1)/2*k
	lift := math.Max(body.h, 0.43*s) + 0.06*s - g.y0*k
	out.put(&box{marks: []mark{{g: g, sx: k, sy: k}}, h: g.y1 * k}, mid, lift)
	out.w = body.w
	return out
}

func overline(body *box, st style) *box {
	out := &box{}
	out.put(body, 0, 0)
	out.rule(0.02*st.scale, body.h+0.1*st.scale, body.w, barWidth*st.scale)
	out.w = body.w + 0.04*st.scale
	return out
}

func underline(body *box, st style) *box {
	out := &box{}
	out.put(body, 0, 0)
	out.rule(0.02*st.scale, -body.d-0.14*st.scale, body.w, barWidth*st.scale)
	out.w = body.w + 0.04*st.scale
	return out
}

// fence wraps body between stretched delimiters; nil stands for none.
func fence(left, right *glyph, body *box, st style) *box {
	reach := math.Max(body.h-axis*st.scale, body.d+axis*st.scale)
	low, high := axis*st.scale-reach, axis*st.scale+reach
	var list []*box
	for i, g := range []*glyph{left, nil, right} {
		switch {
		case i == 1:
			list = append(list, body)
		case g != nil:
			list = append(list, g.stretched(low-0.03*st.scale, high+0.03*st.scale, st.scale))
		}
	}
	out := &box{}
	x := 0.0
	for _, b := range list {
		out.put(b, x, 0)
		x += b.w
	}
	out.w = x
	return out
}

// grid sets rows of cells; align says how each column stands ("l", "c", "r").
func grid(rows [][]*box, align func(col int) byte, colGap float64, st style) *box {
	s := st.scale
	var widths []float64
	for _, r := range rows {
		for i, c := range r {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = math.Max(widths[i], c.w)
		}
	}
	body := &box{}
	y := 0.0
	for i, r := range rows {
		h, d := 0.7*s, 0.3*s
		for _, c := range r {
			h, d = math.Max(h, c.h), math.Max(d, c.d)
		}
		if i > 0 {
			y -= h + 0.12*s
		}
		x := 0.0
		for j, c := range r {
			shift := 0.0
			switch align(j) {
			case 'c':
				shift = (widths[j] - c.w) / 2
			case 'r':
				shift = widths[j] - c.w
			}
			body.put(c, x+shift, y)
			x += widths[j] + colGap*s
		}
		body.h, body.d = math.Max(body.h, y+h), math.Max(body.d, d-y)
		y -= d
	}
	out := &box{}
	out.put(body, 0, axis*s-(body.h-body.d)/2)
	w := 0.0
	for _, v := range widths {
		w += v
	}
	out.w = w + colGap*s*float64(max(len(widths)-1, 0))
	return out
}
