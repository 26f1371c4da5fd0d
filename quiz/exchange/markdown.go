package exchange

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"tongxin/quiz"
)

// plain makes Markdown that shows a plain text as it is. Formulas between
// dollars, and TeX in \( \) or \[ \], stay formulas.
func plain(s string) string {
	var b strings.Builder
	for _, p := range formulas(s) {
		if p.tex {
			b.WriteString(p.text)
		} else {
			escapeMarkdown(&b, p.text)
		}
	}
	return b.String()
}

type piece struct {
	text string
	tex  bool
}

var texSpan = regexp.MustCompile(`(?s)\$\$[^$]{1,900}\$\$|\\\(.{1,900}?\\\)|\\\[.{1,900}?\\\]`)

// formulas cuts out TeX and writes it as Markdown knows it.
func formulas(s string) []piece {
	var out []piece
	at := 0
	for _, m := range texSpan.FindAllStringIndex(s, 400) {
		tex := strings.TrimSpace(strings.ReplaceAll(s[m[0]+2:m[1]-2], "\n", " "))
		if tex == "" || strings.Contains(tex, "$") {
			continue
		}
		fence := "$"
		if s[m[0]] == '\\' && s[m[0]+1] == '[' {
			fence = "$$"
		}
		out = append(out, piece{text: s[at:m[0]]}, piece{text: fence + tex + fence, tex: true})
		at = m[1]
	}
	return append(out, piece{text: s[at:]})
}

// lineStart are beginnings of lines that Markdown would read as lists, quotes,
// headings or rules.
var lineStart = regexp.MustCompile(`(?m)^([ \t]{0,3})([-+=~>#]|\d{1,9}[.)])`)

func escapeMarkdown(b *strings.Builder, s string) {
	s = strings.Map(func(r rune) rune {
		if r == '\t' {
			return ' '
		}
		return r
	}, s)
	s = blank.ReplaceAllString(s, "\x00") // blanks stay blanks
	s = strings.NewReplacer(
		`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", `\<`, "$", `\$`, "~", `\~`, "|", `\|`, "&", `\&`,
	).Replace(s)
	s = lineStart.ReplaceAllStringFunc(s, func(m string) string {
		i := len(m) - 1
		if m[i] == '~' {
			return m // escaped already
		}
		return m[:i] + `\` + m[i:]
	})
	b.WriteString(strings.ReplaceAll(s, "\x00", "___"))
}

var blank = regexp.MustCompile(`_{3,}`)

// pictures finds the picture of an address in a file: its bytes' reference, or
// a sentence why it cannot be used.
type pictures func(src string) (ref, problem string)

// maxHTML bounds one text of HTML, in bytes without its pictures.
const maxHTML = 1 << 20

// fromHTML makes Markdown of a text in HTML: paragraphs, lists, emphasis,
// sub- and superscript, code, tables as lines, pictures. What it does not know
// it passes through as text.
func fromHTML(it *quiz.FileItem, where, src string, pic pictures) string {
	if len(src) > maxHTML && len(dropData(src)) > maxHTML {
		it.Wrong(where, "这部分内容太长，请删减。")
		return ""
	}
	root, err := html.Parse(strings.NewReader(src))
	if err != nil {
		it.Wrong(where, "这部分内容无法识别，请改成纯文本。")
		return ""
	}
	w := &mdWriter{it: it, where: where, pic: pic}
	w.nodes(root, 0)
	return w.result()
}

// dropData is for addresses that hold whole pictures.
func dropData(src string) string { return dataAddress.ReplaceAllString(src, "data:") }

var dataAddress = regexp.MustCompile(`data:image/[a-z+.-]{1,20};base64,[A-Za-z0-9+/=\s]*`)

type mdWriter struct {
	it    *quiz.FileItem
	where string
	pic   pictures
	b     strings.Builder
	text  strings.Builder // text not yet escaped: a formula may span elements
	list  []int           // the number of the item in each open list; 0: bullets
}

// maxNesting bounds how deep elements are followed.
const maxNesting = 100

func (w *mdWriter) put(s string) {
	w.flush()
	w.b.WriteString(s)
}

func (w *mdWriter) flush() {
	if w.text.Len() > 0 {
		w.b.WriteString(plain(w.text.String()))
		w.text.Reset()
	}
}

var spaces = regexp.MustCompile(`[ \t\n\f\r\x{a0}]+`)

func (w *mdWriter) nodes(n *html.Node, depth int) {
	if depth > maxNesting {
		return
	}
	for k := n.FirstChild; k != nil; k = k.NextSibling {
		switch k.Type {
		case html.TextNode:
			w.text.WriteString(spaces.ReplaceAllString(k.Data, " "))
		case html.ElementNode:
			w.element(k, depth)
		default: // comments, doctypes
		}
	}
}

func (w *mdWriter) element(n *html.Node, depth int) {
	inside := func() { w.nodes(n, depth+1) }
	around := func(open, end string) {
		w.put(open)
		inside()
		w.put(end)
	}
	switch n.DataAtom {
	case atom.Script, atom.Style, atom.Head, atom.Template, atom.Iframe, atom.Object, atom.Noscript:
	case atom.Audio, atom.Video, atom.Embed:
		w.it.Wrong(w.where, "含有音频或视频，题库不支持，请删除。")
	case atom.Br:
		w.put("\\\n")
	case atom.P, atom.Div, atom.Section, atom.Article, atom.Blockquote, atom.Pre, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Tr, atom.Table, atom.Hr, atom.Dl, atom.Dt, atom.Dd:
		around("\n\n", "\n\n")
	case atom.Td, atom.Th:
		around(" ", "　")
	case atom.Ul, atom.Ol:
		first := 0
		if n.DataAtom == atom.Ol {
			first = 1
		}
		w.list = append(w.list, first)
		around("\n\n", "\n\n")
		w.list = w.list[:len(w.list)-1]
	case atom.Li:
		around("\n"+w.marker(), "\n")
	case atom.B, atom.Strong:
		w.emphasis(n, depth, "**")
	case atom.I, atom.Em:
		w.emphasis(n, depth, "*")
	case atom.Sub, atom.Sup, atom.U, atom.S:
		around("<"+n.Data+">", "</"+n.Data+">")
	case atom.Img:
		w.image(n)
	default:
		inside()
	}
}

func (w *mdWriter) marker() string {
	if len(w.list) == 0 {
		return ""
	}
	n := &w.list[len(w.list)-1]
	if *n == 0 {
		return "- "
	}
	*n++
	return fmt.Sprintf("%d. ", *n-1)
}

// emphasis puts the marks at the words, as Markdown asks for.
func (w *mdWriter) emphasis(n *html.Node, depth int, mark string) {
	w.flush()
	in := &mdWriter{it: w.it, where: w.where, pic: w.pic}
	in.nodes(n, depth+1)
	in.flush()
	s := in.b.String()
	core := strings.TrimSpace(s)
	if core == "" || strings.Contains(core, "\n") || strings.ContainsAny(core[:1]+core[len(core)-1:], "*") {
		w.b.WriteString(s)
		return
	}
	at := strings.Index(s, core)
	w.b.WriteString(s[:at] + mark + core + mark + s[at+len(core):])
}

func (w *mdWriter) image(n *html.Node) {
	src, alt := "", ""
	for _, a := range n.Attr {
		switch a.Key {
		case "src":
			src = strings.TrimSpace(a.Val)
		case "alt":
			alt = a.Val
		}
	}
	ref, problem := w.pic(src)
	if problem != "" {
		w.it.Wrong(w.where, "%s", problem)
		return
	}
	alt = strings.Map(func(r rune) rune {
		if strings.ContainsRune("[]()\\`*_<>!\n\r", r) {
			return -1
		}
		return r
	}, alt)
	w.put("![" + clip(alt, 60) + "](" + ref + ")")
}

var (
	manyBreaks = regexp.MustCompile(`\n\s*\n\s*`)
	lineEnds   = regexp.MustCompile(`[ \t]*\n[ \t]*`)
	lastBreak  = regexp.MustCompile(`(\\\n)+(\n|$)`)
)

func (w *mdWriter) result() string {
	w.flush()
	s := lineEnds.ReplaceAllString(w.b.String(), "\n")
	s = manyBreaks.ReplaceAllString(s, "\n\n")
	s = lastBreak.ReplaceAllString(s, "$2")
	return strings.TrimSpace(s)
}

// inline decodes data:image/…;base64 addresses.
func inline(src string) ([]byte, bool) {
	head, body, ok := strings.Cut(src, ",")
	head = strings.ToLower(head)
	if !ok || !strings.HasPrefix(head, "data:image/") || !strings.HasSuffix(head, ";base64") {
		return nil, false
	}
	return unbase64(body)
}

func unbase64(body string) ([]byte, bool) {
	body = strings.Map(func(r rune) rune {
		if r == ' ' || r == '\n' || r == '\r' || r == '\t' {
			return -1
		}
		return r
	}, body)
	data, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(body, "="))
	return data, err == nil && len(data) > 0
}

// external is what to do about a picture that is not in the file.
func external(src string) string {
	if u, err := url.Parse(src); err == nil && u.Host != "" {
		return "引用了别处（" + clip(u.Host, 40) + "）的图片，不会去下载；请把图片保存下来，上传素材库后插入，或在导出时一并带上图片。"
	}
	return "引用的图片不在文件里，请重新导出并带上图片。"
}

// markdownPicture finds the pictures of a Markdown text.
var markdownPicture = regexp.MustCompile(`(!\[[^\]\n]*\]\(\s*)<?([^)\s>]+)>?[^)\n]*\)`)
