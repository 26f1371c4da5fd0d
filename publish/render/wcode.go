package render

import (
	"strings"

	"github.com/alecthomas/chroma/v2"
	"github.com/alecthomas/chroma/v2/lexers"
)

// highlightBudget bounds, in bytes, the code of one article that is coloured;
// lexers are regular expressions and some are slow. The rest stays one colour.
const highlightBudget = 16 << 10

type highlighter struct{ spent int }

// code writes a block of code. White space is spelled out because the
// platform drops white-space:pre.
func (w *writer) code(b *block) {
	w.open("pre", w.th.Pre)
	w.open("code", w.th.PreCode)
	for _, t := range w.tint.tokens(b.lang, b.text) {
		c := w.th.Ink.of(t.Type)
		if c == "" || strings.TrimSpace(t.Value) == "" {
			w.put(codeText(t.Value))
			continue
		}
		w.open("span", "color:"+c)
		w.put(codeText(t.Value), "</span>")
	}
	w.put("</code></pre>")
	w.plain.WriteString(b.text + "\n")
}

func (h *highlighter) tokens(lang, src string) []chroma.Token {
	flat := []chroma.Token{{Type: chroma.Text, Value: src}}
	if lang == "" || h.spent+len(src) > highlightBudget {
		return flat
	}
	lexer := lexers.Get(lang)
	if lexer == nil {
		return flat
	}
	h.spent += len(src)
	it, err := chroma.Coalesce(lexer).Tokenise(nil, src)
	if err != nil {
		return flat // colour is a nicety: the code itself is shown all the same
	}
	tokens := it.Tokens()
	var all strings.Builder
	for i := range tokens {
		all.WriteString(tokens[i].Value)
	}
	switch all.String() {
	case src:
	case src + "\n": // lexers add a final line break
		last := &tokens[len(tokens)-1]
		last.Value = strings.TrimSuffix(last.Value, "\n")
	default:
		return flat // a lexer that changes the code is not used
	}
	return tokens
}

func (k *inks) of(t chroma.TokenType) string {
	switch {
	case t.InCategory(chroma.Keyword), t == chroma.OperatorWord:
		return k.keyword
	case t.InSubCategory(chroma.LiteralString):
		return k.str
	case t.InCategory(chroma.Comment):
		return k.comment
	case t.InSubCategory(chroma.LiteralNumber), t == chroma.NameConstant, t == chroma.KeywordConstant:
		return k.number
	case t == chroma.NameFunction, t == chroma.NameClass, t == chroma.NameBuiltin, t == chroma.NameAttribute:
		return k.name
	case t == chroma.NameTag, t == chroma.GenericDeleted:
		return k.tag
	case t == chroma.GenericInserted:
		return k.str
	}
	return ""
}

// codeText escapes code and spells out its white space.
func codeText(s string) string {
	var b strings.Builder
	b.Grow(len(s) + len(s)/2)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case ' ':
			b.WriteString("&nbsp;")
		case '\t':
			b.WriteString("&nbsp;&nbsp;&nbsp;&nbsp;")
		case '\n':
			b.WriteString("<br>")
		case '&':
			b.WriteString("&amp;")
		case '<':
			b.WriteString("&lt;")
		case '>':
			b.WriteString("&gt;")
		case '\r', 0:
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
