package exchange

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"tongxin/internal/errs"
)

// Bounds on an XML file. Moodle nests seven deep.
const (
	maxDepth    = 40
	maxElements = 400_000
	maxAttrs    = 20
)

// node is an element with its text. Entities beyond the five of XML are never
// expanded: a document type is refused.
type node struct {
	name  string
	attrs map[string]string
	text  string
	kids  []*node
	line  int
}

// parseXML reads a whole document within bounds.
func parseXML(data []byte) (*node, error) {
	dec := xml.NewDecoder(bytes.NewReader(data))
	dec.CharsetReader = func(string, io.Reader) (io.Reader, error) { return nil, errCharset }
	root := &node{}
	stack := []*node{root}
	texts := []*strings.Builder{{}}
	count := 0
	for {
		line, _ := dec.InputPos()
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) && len(stack) == 1 {
			return root, nil
		}
		if err != nil {
			return nil, xmlError(line, err)
		}
		top := len(stack) - 1
		switch t := tok.(type) {
		case xml.Directive:
			return nil, errs.New(errs.Invalid, "第 %d 行有文档类型或实体的声明，出于安全不能导入，请用 Moodle 重新导出。", line)
		case xml.StartElement:
			if count++; count > maxElements || len(stack) > maxDepth || len(t.Attr) > maxAttrs {
				return nil, errs.New(errs.TooLarge, "第 %d 行：文件的结构太大或太深，不像 Moodle 导出的题库，请重新导出或分成几个文件。", line)
			}
			n := &node{name: t.Name.Local, line: line}
			for _, a := range t.Attr {
				if n.attrs == nil {
					n.attrs = map[string]string{}
				}
				n.attrs[a.Name.Local] = a.Value
			}
			stack[top].kids = append(stack[top].kids, n)
			stack, texts = append(stack, n), append(texts, &strings.Builder{})
		case xml.EndElement:
			stack[top].text = texts[top].String()
			stack, texts = stack[:top], texts[:top]
		case xml.CharData:
			texts[top].Write(t)
		default: // comments and processing instructions
		}
	}
}

var errCharset = errors.New("exchange: not UTF-8")

func xmlError(line int, err error) error {
	if errors.Is(err, errCharset) || strings.Contains(err.Error(), "UTF-8") {
		return errs.New(errs.Invalid, "第 %d 行：文件不是 UTF-8 编码，请用 Moodle 重新导出。", line)
	}
	return errs.New(errs.Invalid, "第 %d 行：XML 格式不正确（标签没有成对，或含有未知的实体），请用 Moodle 重新导出，不要手工修改。", line)
}

func (n *node) kid(name string) *node {
	if n == nil {
		return nil
	}
	for _, k := range n.kids {
		if k.name == name {
			return k
		}
	}
	return nil
}

func (n *node) all(name string) []*node {
	var out []*node
	for _, k := range n.kids {
		if k.name == name {
			out = append(out, k)
		}
	}
	return out
}

// value is the text of an element, or of the text element inside it.
func (n *node) value() string {
	if n == nil {
		return ""
	}
	if t := n.kid("text"); t != nil {
		return t.text
	}
	return n.text
}

func (n *node) attr(name string) string {
	if n == nil {
		return ""
	}
	return n.attrs[name]
}
