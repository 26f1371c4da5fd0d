package render

import (
	"bytes"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	gtext "github.com/yuin/goldmark/text"
)

// maxTeX bounds one formula, in bytes.
const maxTeX = 1000

var (
	kindMath      = ast.NewNodeKind("Math")
	kindMathBlock = ast.NewNodeKind("MathBlock")
)

// mathNode is a formula in a line.
type mathNode struct {
	ast.BaseInline
	tex     string
	display bool
}

func (*mathNode) Kind() ast.NodeKind           { return kindMath }
func (n *mathNode) Dump(src []byte, level int) { ast.DumpHelper(n, src, level, nil, nil) }

type mathInlineParser struct{}

func (mathInlineParser) Trigger() []byte { return []byte{'$'} }

func (mathInlineParser) Parse(_ ast.Node, block gtext.Reader, _ parser.Context) ast.Node {
	line, _ := block.PeekLine()
	tex, display, n := formulaAt(string(line[:min(len(line), maxTeX+8)])) // the fences and what follows
	if n == 0 {
		return nil
	}
	block.Advance(n)
	return &mathNode{tex: tex, display: display}
}

// formulaAt reads $…$ or $$…$$ at the start of s; n is its length, 0 when
// there is none. Amounts of money are not formulas: no space inside the
// dollars, no digit after, no bare Chinese between.
func formulaAt(s string) (tex string, display bool, n int) {
	fence := "$"
	if strings.HasPrefix(s, "$$") {
		fence = "$$"
	}
	body := s[len(fence):]
	if len(body) > maxTeX+2 {
		body = body[:maxTeX+2]
	}
	end := -1
	for i := 0; i < len(body); i++ {
		if body[i] == '\\' {
			i++
			continue
		}
		if body[i] == '\n' && fence == "$" {
			return "", false, 0
		}
		if strings.HasPrefix(body[i:], fence) {
			end = i
			break
		}
	}
	if end <= 0 {
		return "", false, 0
	}
	tex = body[:end]
	n = end + 2*len(fence)
	if fence == "$" {
		if strings.ContainsAny(tex[:1], " \t") || strings.ContainsAny(tex[len(tex)-1:], " \t") ||
			n < len(s) && s[n] >= '0' && s[n] <= '9' {
			return "", false, 0
		}
	}
	if isHanAny(tex) && !strings.Contains(tex, `\text`) && !strings.Contains(tex, `\mathrm`) {
		return "", false, 0
	}
	if tex = strings.TrimSpace(tex); tex == "" {
		return "", false, 0
	}
	return tex, fence == "$$", n
}

func isHanAny(s string) bool {
	for _, c := range s {
		if wide(c) {
			return true
		}
	}
	return false
}

// mathBlock is $$ … $$ over several lines.
type mathBlock struct {
	ast.BaseBlock
	one string // formula that began and ended on one line
}

func (*mathBlock) Kind() ast.NodeKind           { return kindMathBlock }
func (n *mathBlock) Dump(src []byte, level int) { ast.DumpHelper(n, src, level, nil, nil) }
func (*mathBlock) IsRaw() bool                  { return true }

func (n *mathBlock) tex(src []byte) string {
	var b strings.Builder
	b.WriteString(n.one)
	for i := range n.Lines().Len() {
		seg := n.Lines().At(i)
		b.Write(seg.Value(src))
	}
	return strings.TrimSpace(clip(b.String(), maxTeX))
}

type mathBlockParser struct{}

func (mathBlockParser) Trigger() []byte { return []byte{'$'} }

func (mathBlockParser) Open(_ ast.Node, reader gtext.Reader, pc parser.Context) (ast.Node, parser.State) {
	line, seg := reader.PeekLine()
	pos := pc.BlockOffset()
	if pos < 0 || !bytes.HasPrefix(line[pos:], []byte("$$")) {
		return nil, parser.NoChildren
	}
	rest := bytes.TrimRight(line[pos+2:], " \t\r\n")
	if i := bytes.Index(rest, []byte("$$")); i >= 0 {
		if i == 0 || i+2 != len(rest) {
			return nil, parser.NoChildren // text follows: a paragraph
		}
		return &mathBlock{one: string(rest[:i]) + "\n"}, parser.NoChildren
	}
	n := &mathBlock{}
	if len(rest) > 0 {
		start := seg.Start + pos + 2
		n.Lines().Append(gtext.NewSegment(start, start+len(rest)))
		n.one = ""
	}
	reader.AdvanceToEOL()
	return n, parser.NoChildren
}

func (mathBlockParser) Continue(node ast.Node, reader gtext.Reader, _ parser.Context) parser.State {
	n := node.(*mathBlock)
	if n.one != "" {
		return parser.Close
	}
	line, seg := reader.PeekLine()
	trimmed := bytes.TrimRight(line, " \t\r\n")
	if bytes.HasSuffix(trimmed, []byte("$$")) {
		if len(trimmed) > 2 {
			n.Lines().Append(gtext.NewSegment(seg.Start, seg.Start+len(trimmed)-2))
		}
		reader.AdvanceToEOL()
		return parser.Close
	}
	if len(trimmed) == 0 { // a blank line ends a formula nobody closed
		return parser.Close
	}
	n.Lines().Append(seg)
	reader.AdvanceToEOL()
	return parser.Continue | parser.NoChildren
}

func (mathBlockParser) Close(ast.Node, gtext.Reader, parser.Context) {}
func (mathBlockParser) CanInterruptParagraph() bool                  { return true }
func (mathBlockParser) CanAcceptIndentedLine() bool                  { return false }

// findFormulas finds $…$ in the text of rich articles. A backslash before the
// dollar keeps it a dollar.
func findFormulas(runs []run) []run {
	out := make([]run, 0, len(runs))
	for _, x := range runs {
		if x.kind != text || x.mark.code || !strings.Contains(x.text, "$") {
			out = append(out, x)
			continue
		}
		var plain strings.Builder
		put := func() {
			if plain.Len() > 0 {
				out = append(out, run{kind: text, text: plain.String(), mark: x.mark})
				plain.Reset()
			}
		}
		for s := x.text; s != ""; {
			i := strings.IndexAny(s, `$\\`)
			if i < 0 {
				plain.WriteString(s)
				break
			}
			plain.WriteString(s[:i])
			s = s[i:]
			tex, display, n := "", false, 0
			if s[0] == '$' {
				tex, display, n = formulaAt(s)
			}
			switch {
			case n > 0:
				put()
				out = append(out, run{kind: math, text: tex, display: display})
				s = s[n:]
			case strings.HasPrefix(s, `\$`):
				plain.WriteByte('$')
				s = s[2:]
			default:
				plain.WriteByte(s[0])
				s = s[1:]
			}
		}
		put()
	}
	return out
}

// displays takes display formulas out of a paragraph.
func displays(b *block) []*block {
	var out []*block
	from := 0
	part := func(to int) {
		if p := trim(b.runs[from:to]); len(p) > 0 {
			c := *b
			c.runs = p
			out = append(out, &c)
		}
	}
	for i, x := range b.runs {
		if x.kind == math && x.display {
			part(i)
			out = append(out, &block{kind: display, runs: []run{x}})
			from = i + 1
		}
	}
	part(len(b.runs))
	return out
}
