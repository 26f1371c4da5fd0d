package render

import (
	"bytes"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	gtext "github.com/yuin/goldmark/text"
)

// Bounds on what the Markdown parser would pay for with the square of its
// number. Far above what an article holds; beyond them text stays as typed.
const (
	maxTableCells = 3 * maxCells // of all tables of one article
	maxEmphases   = 1000         // marks in one paragraph
)

var (
	cellsKey    = parser.NewContextKey()
	emphasesKey = parser.NewContextKey()
)

// boundedTables makes tables of paragraphs while there are not too many cells:
// the parser fills every short row up to the number of columns, so that some
// kilobytes of bars would become hundreds of millions of cells.
type boundedTables struct{ parser.ParagraphTransformer }

// Transform implements parser.ParagraphTransformer.
func (b boundedTables) Transform(node *ast.Paragraph, reader gtext.Reader, pc parser.Context) {
	columns := 0
	lines := node.Lines()
	for i := range lines.Len() {
		seg := lines.At(i)
		line := seg.Value(reader.Source())
		if len(bytes.Trim(line, "|-: \t\r\n")) == 0 {
			columns = max(columns, bytes.Count(line, []byte("|"))+1)
		}
	}
	if columns == 0 {
		return
	}
	used, _ := pc.Get(cellsKey).(int)
	if used += columns * lines.Len(); used > maxTableCells {
		return
	}
	pc.Set(cellsKey, used)
	b.ParagraphTransformer.Transform(node, reader, pc)
}

// emphases counts the marks of the paragraph being read.
type emphases struct {
	of ast.Node
	n  int
}

// tooMany notes one more mark of a paragraph.
func tooMany(parent ast.Node, pc parser.Context) bool {
	e, ok := pc.Get(emphasesKey).(*emphases)
	if !ok {
		e = &emphases{}
		pc.Set(emphasesKey, e)
	}
	if e.of != parent {
		e.of, e.n = parent, 0
	}
	e.n++
	return e.n > maxEmphases
}
