package formula

import (
	"strings"
	"unicode/utf8"
)

type parser struct {
	src   string
	pos   int
	face  *Face
	marks int
}

func (p *parser) top(st style) (*box, error) {
	list, err := p.list(st, "")
	if err != nil {
		return nil, err
	}
	if p.pos < len(p.src) {
		return nil, p.stray()
	}
	return list, nil
}

func (p *parser) stray() error {
	switch {
	case strings.HasPrefix(p.src[p.pos:], "}"):
		return Error("公式里多了一个“}”。")
	case strings.HasPrefix(p.src[p.pos:], "&"), strings.HasPrefix(p.src[p.pos:], `\\`):
		return Error("公式里的“&”和“\\\\”只能用在矩阵、cases 或 aligned 里面。")
	}
	return Error("公式里的括号或环境没有成对。")
}

func (p *parser) blanks() {
	for p.pos < len(p.src) && strings.IndexByte(" \t\n\r", p.src[p.pos]) >= 0 {
		p.pos++
	}
}

// peek returns the next token without taking it: a command with its
// backslash, or one character; "" at the end.
func (p *parser) peek() string {
	p.blanks()
	s := p.src[p.pos:]
	if s == "" {
		return ""
	}
	if s[0] != '\\' {
		_, n := utf8.DecodeRuneInString(s)
		return s[:n]
	}
	n := 1
	for n < len(s) && (s[n] >= 'a' && s[n] <= 'z' || s[n] >= 'A' && s[n] <= 'Z') {
		n++
	}
	if n == 1 && len(s) > 1 {
		_, w := utf8.DecodeRuneInString(s[1:])
		n += w
	}
	return s[:n]
}

func (p *parser) next() string {
	t := p.peek()
	p.pos += len(t)
	return t
}

// ends reports a token that closes the list being read.
func ends(t string) bool {
	switch t {
	case "", "}", "&", `\\`, `\right`, `\end`:
		return true
	}
	return false
}

// list reads atoms up to a closing token (or stop) and sets them in a row.
func (p *parser) list(st style, stop string) (*box, error) {
	if st.depth++; st.depth > maxDepth {
		return nil, Error("公式嵌套太深，请简化。")
	}
	var out []*box
	for {
		t := p.peek()
		if ends(t) || stop != "" && t == stop {
			return row(out, st), nil
		}
		switch t { // switches that hold to the end of the group
		case `\displaystyle`:
			p.next()
			st.display = true
			continue
		case `\textstyle`:
			p.next()
			st.display = false
			continue
		case `\bf`, `\rm`, `\it`:
			p.next()
			st.font = map[string]string{`\bf`: "bf", `\rm`: "rm"}[t]
			continue
		case `\limits`, `\nolimits`:
			p.next()
			if len(out) > 0 {
				out[len(out)-1].limits = t == `\limits`
			}
			continue
		}
		b, err := p.atom(st)
		if err != nil {
			return nil, err
		}
		if b, err = p.scripts(b, st); err != nil {
			return nil, err
		}
		if p.marks += len(b.marks); p.marks > maxMarks {
			return nil, Error("公式太复杂，请拆成几个。")
		}
		out = append(out, b)
	}
}

// argument reads one argument: a group or a single atom.
func (p *parser) argument(st style) (*box, error) {
	t := p.peek()
	if t == "{" {
		p.next()
		b, err := p.list(st, "")
		if err != nil {
			return nil, err
		}
		return b, p.expect("}")
	}
	if ends(t) {
		return nil, Error("公式不完整：命令后面缺少内容。")
	}
	if st.depth++; st.depth > maxDepth {
		return nil, Error("公式嵌套太深，请简化。")
	}
	return p.atom(st)
}

func (p *parser) expect(t string) error {
	if p.peek() != t {
		return Error("公式里的“{”没有对应的“" + t + "”。")
	}
	p.next()
	return nil
}

// raw reads {text} without interpreting it.
func (p *parser) raw() (string, error) {
	if p.peek() != "{" {
		return "", Error("公式不完整：命令后面缺少“{…}”。")
	}
	p.next()
	i := strings.IndexAny(p.src[p.pos:], "{}")
	if i < 0 || p.src[p.pos+i] != '}' {
		return "", Error("公式里的“{”没有对应的“}”。")
	}
	s := p.src[p.pos : p.pos+i]
	p.pos += i + 1
	return s, nil
}

func (p *parser) atom(st style) (*box, error) {
	t := p.peek()
	switch t {
	case "{":
		b, err := p.argument(st)
		if err == nil {
			b.class = ord
		}
		return b, err
	case "^", "_":
		return &box{}, nil // scripts of nothing
	case "'":
		return &box{}, nil
	}
	p.next()
	if strings.HasPrefix(t, `\`) {
		return p.command(t, st)
	}
	r, _ := utf8.DecodeRuneInString(t)
	return p.char(r, classOf(r), st)
}

func (p *parser) char(r rune, c class, st style) (*box, error) {
	g, err := p.face.glyph(styled(r, st.font))
	if err != nil {
		return nil, err
	}
	b := g.box(st.scale)
	b.class = c
	return b, nil
}

// scripts reads ^, _ and primes after an atom and sets them.
func (p *parser) scripts(base *box, st style) (*box, error) {
	var sup, sub *box
	var primes []*box
	for {
		var err error
		switch t := p.peek(); {
		case t == "^" && sup == nil:
			p.next()
			sup, err = p.argument(st.script())
		case t == "_" && sub == nil:
			p.next()
			sub, err = p.argument(st.script())
		case t == "'":
			p.next()
			var b *box
			if b, err = p.char('′', ord, style{scale: st.scale * 0.8}); err == nil {
				primes = append(primes, b)
			}
		case t == "^" || t == "_":
			return nil, Error("公式里有连续的上标或下标，请用“{}”分组。")
		default:
			return attach(base, sup, sub, primes, st), nil
		}
		if err != nil {
			return nil, err
		}
	}
}
