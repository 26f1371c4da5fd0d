package render

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/renderer/html"
	gtext "github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// markdownHTML renders Markdown to HTML for the reader. Raw HTML passes
// through: the reader treats it like anything pasted. The parser is not ours
// and fuzzing has made it panic (on invalid UTF-8, which it no longer gets), so
// a panic there is an error about one article, not the end of the process.
func markdownHTML(src string) (out string, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = "", fmt.Errorf("markdown: %v", p)
		}
	}()
	src = strings.ToValidUTF8(src, "")
	md := goldmark.New(
		goldmark.WithExtensions(
			extension.Strikethrough, extension.TaskList, extension.Linkify,
			extension.Footnote, extension.NewCJK(extension.WithEastAsianLineBreaks(), extension.WithEscapedSpace())),
		goldmark.WithParserOptions(
			parser.WithBlockParsers(util.Prioritized(mathBlockParser{}, 690)),
			parser.WithInlineParsers(util.Prioritized(mathInlineParser{}, 150), util.Prioritized(emphasisParser{}, 490)),
			parser.WithParagraphTransformers(util.Prioritized(boundedTables{extension.NewTableParagraphTransformer()}, 200)),
			parser.WithASTTransformers(util.Prioritized(extension.NewTableASTTransformer(), 0))),
		goldmark.WithRendererOptions(html.WithUnsafe(),
			renderer.WithNodeRenderers(util.Prioritized(ownNodes{}, 100), util.Prioritized(extension.NewTableHTMLRenderer(), 500))),
	)
	var buf bytes.Buffer
	buf.Grow(len(src) * 2)
	if err := md.Convert(boundNesting([]byte(src)), &buf); err != nil {
		return "", err
	}
	return buf.String(), nil
}

// maxMarkers is how many quotes and lists one line may open. Their cost in the
// parser grows with the square of their number, their use ends at a few.
const maxMarkers = 32

// boundNesting takes the markers beyond the bound away; the text stays.
func boundNesting(src []byte) []byte {
	out := src[:0:0]
	from := 0 // what is copied up to
	for line := 0; line < len(src); {
		end := len(src)
		if i := bytes.IndexByte(src[line:], '\n'); i >= 0 {
			end = line + i + 1
		}
		at, markers := line, 0
		for {
			n := marker(src[at:end])
			if n == 0 {
				break
			}
			if markers++; markers == maxMarkers {
				out = append(out, src[from:at]...)
			}
			at += n
			if markers >= maxMarkers {
				from = at
			}
		}
		line = end
	}
	if out == nil {
		return src
	}
	return append(out, src[from:]...)
}

// marker is the length of the quote or list marker a line begins with, blanks
// around it included; 0 when it begins with text.
func marker(s []byte) int {
	i := 0
	for i < len(s) && (s[i] == ' ' || s[i] == '\t') {
		i++
	}
	from := i
	switch {
	case i < len(s) && s[i] == '>':
		return i + 1
	case i < len(s) && (s[i] == '-' || s[i] == '+' || s[i] == '*'):
		i++
	default:
		for i < len(s) && i-from < 9 && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		if i == from || i == len(s) || s[i] != '.' && s[i] != ')' {
			return 0
		}
		i++
	}
	if i == len(s) || s[i] != ' ' && s[i] != '\t' {
		return 0
	}
	return i + 1
}

// emphasisParser is goldmark's with one difference: Chinese needs no spaces,
// so **“四个意识”**是 must close although ” is punctuation and 是 a letter. A
// Chinese character beside the run counts as white space does, as the
// cjk-friendly amendment to CommonMark has it.
type emphasisParser struct{}

type emphasisDelimiter struct{}

func (emphasisDelimiter) IsDelimiter(b byte) bool { return b == '*' || b == '_' }
func (emphasisDelimiter) CanOpenCloser(opener, closer *parser.Delimiter) bool {
	return opener.Char == closer.Char
}
func (emphasisDelimiter) OnMatch(consumes int) ast.Node { return ast.NewEmphasis(consumes) }

func (emphasisParser) Trigger() []byte { return []byte{'*', '_'} }

func (emphasisParser) Parse(parent ast.Node, block gtext.Reader, pc parser.Context) ast.Node {
	before := block.PrecendingCharacter()
	line, segment := block.PeekLine()
	n := 0
	for n < len(line) && line[n] == line[0] {
		n++
	}
	if tooMany(parent, pc) { // text; refusing it would leave it to the parser's own
		block.Advance(n)
		return ast.NewTextSegment(segment.WithStop(segment.Start + n))
	}
	after := ' '
	if n < len(line) {
		after = util.ToRune(line, n)
	}
	opens := !util.IsSpaceRune(after) &&
		(!util.IsPunctRune(after) || util.IsSpaceRune(before) || util.IsPunctRune(before) || wide(before))
	closes := !util.IsSpaceRune(before) &&
		(!util.IsPunctRune(before) || util.IsSpaceRune(after) || util.IsPunctRune(after) || wide(after))
	if line[0] == '_' {
		opens, closes = opens && (!closes || util.IsPunctRune(before)), closes && (!opens || util.IsPunctRune(after))
	}
	d := parser.NewDelimiter(opens, closes, n, line[0], emphasisDelimiter{})
	d.Segment = segment.WithStop(segment.Start + n)
	block.Advance(n)
	pc.PushDelimiter(d)
	return d
}

// ownNodes writes footnotes and formulas in the form the reader knows.
type ownNodes struct{}

func (ownNodes) RegisterFuncs(reg renderer.NodeRendererFuncRegisterer) {
	reg.Register(east.KindFootnoteLink, func(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			_, err := w.WriteString(`<span data-note="` + strconv.Itoa(n.(*east.FootnoteLink).Index) + `"></span>`)
			return ast.WalkContinue, err
		}
		return ast.WalkContinue, nil
	})
	skip := func(util.BufWriter, []byte, ast.Node, bool) (ast.WalkStatus, error) { return ast.WalkContinue, nil }
	reg.Register(east.KindFootnoteBacklink, skip)
	reg.Register(east.KindFootnoteList, skip)
	reg.Register(east.KindFootnote, func(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		s := "</section>"
		if entering {
			s = `<section data-note="` + strconv.Itoa(n.(*east.Footnote).Index) + `">`
		}
		_, err := w.WriteString(s)
		return ast.WalkContinue, err
	})
	reg.Register(kindMath, func(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		m := n.(*mathNode)
		attr := ""
		if m.display {
			attr = ` data-display="1"`
		}
		_, err := w.WriteString(`<span data-tex="` + escapeAttr(m.tex) + `"` + attr + `></span>`)
		return ast.WalkSkipChildren, err
	})
	reg.Register(kindMathBlock, func(w util.BufWriter, src []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		_, err := w.WriteString(`<p><span data-tex="` + escapeAttr(n.(*mathBlock).tex(src)) + `" data-display="1"></span></p>`)
		return ast.WalkSkipChildren, err
	})
}
