package sandbox

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// What survives in an article: facts gathered from the web editor's behaviour,
// as no page of the platform lists it.

// keptTag reports whether an element is kept. The others lose their tags and
// keep their text.
func keptTag(name string) bool {
	switch name {
	case "section", "p", "span", "strong", "em", "b", "i", "u", "s", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6",
		"ul", "ol", "li", "blockquote", "pre", "code", "table", "thead", "tbody", "tfoot", "tr", "th", "td", "colgroup", "col",
		"img", "a", "div", "sup", "sub", "figure", "figcaption", "center", "font", "del", "ins",
		"svg", "g", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan", "defs",
		"lineargradient", "stop", "foreignobject", "animate", "animatetransform", "set":
		return true
	}
	return false
}

// lostWhole reports whether an element goes with everything inside.
func lostWhole(name string) bool {
	switch name {
	case "script", "style", "iframe", "object", "embed", "video", "audio", "noscript", "template", "title",
		"select", "textarea", "button", "head", "frameset":
		return true
	}
	return false
}

// sanitize is what the platform stores of an article: it drops in silence.
// owned says which pictures the account may use.
func sanitize(content string, owned func(hash string) bool) string {
	var out bytes.Buffer
	z := html.NewTokenizer(strings.NewReader(content))
	lost, depth := "", 0 // inside an element that is lost whole
	lists := 0
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			return out.String()
		}
		t := z.Token()
		if lost != "" {
			depth += nesting(kind, t, lost)
			if depth == 0 {
				lost = ""
			}
			continue
		}
		switch kind {
		case html.TextToken:
			out.WriteString(t.String())
		case html.StartTagToken, html.SelfClosingTagToken:
			if lostWhole(t.Data) {
				if kind == html.StartTagToken && t.Data != "embed" {
					lost, depth = t.Data, 1
				}
				continue
			}
			if list := t.Data == "ul" || t.Data == "ol"; list && kind == html.StartTagToken {
				if lists++; lists > 1 {
					continue // nested lists are flattened
				}
			}
			if keptTag(t.Data) && attributes(&t, owned) {
				out.WriteString(t.String())
			}
		case html.EndTagToken:
			if t.Data == "ul" || t.Data == "ol" {
				if lists = max(0, lists-1); lists > 0 {
					continue
				}
			}
			if keptTag(t.Data) && t.Data != "img" && t.Data != "br" && t.Data != "hr" {
				out.WriteString(t.String())
			}
		}
	}
}

// nesting is +1, -1 or 0 for a token inside a lost element.
func nesting(kind html.TokenType, t html.Token, lost string) int {
	switch {
	case t.Data != lost:
		return 0
	case kind == html.StartTagToken:
		return 1
	case kind == html.EndTagToken:
		return -1
	}
	return 0
}

// attributes keeps what survives; false drops the element (a foreign picture).
func attributes(t *html.Token, owned func(string) bool) bool {
	kept := t.Attr[:0]
	picture, hasSrc := "", false
	for _, a := range t.Attr {
		key := strings.ToLower(a.Key)
		switch {
		case key == "id", key == "class", strings.HasPrefix(key, "on"), key == "srcset", key == "contenteditable":
			continue
		case key == "style":
			if a.Val = style(a.Val, t.Data); a.Val == "" {
				continue
			}
		case key == "href" || key == "xlink:href":
			if !strings.HasPrefix(a.Val, "https://mp.weixin.qq.com/") && !strings.HasPrefix(a.Val, "http://mp.weixin.qq.com/") {
				continue // dead for ordinary accounts
			}
		case t.Data == "img" && (key == "src" || key == "data-src"):
			if hash, ok := imageHash(a.Val); !ok || !owned(hash) {
				continue
			}
			picture = a.Val
			hasSrc = hasSrc || key == "src"
		}
		kept = append(kept, a)
	}
	t.Attr = kept
	if t.Data != "img" {
		return true
	}
	if picture != "" && !hasSrc {
		t.Attr = append(t.Attr, html.Attribute{Key: "src", Val: picture})
	}
	return picture != ""
}

// style keeps the declarations that survive.
func style(css, tag string) string {
	var kept []string
	for _, decl := range strings.Split(css, ";") {
		name, value, ok := strings.Cut(decl, ":")
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		low := strings.ToLower(value)
		switch {
		case !ok, value == "", name == "position", strings.HasPrefix(name, "--"), strings.HasPrefix(name, "animation"):
		case strings.Contains(low, "url("), strings.Contains(low, "var("), strings.Contains(low, "expression("):
		case name == "white-space" && strings.HasPrefix(low, "pre"):
		case tag == "tr" && strings.HasPrefix(name, "background"):
		default:
			kept = append(kept, name+": "+value)
		}
	}
	return strings.Join(kept, "; ")
}

// plainText is the text a reader sees, white space joined.
func plainText(content string) string {
	var out strings.Builder
	z := html.NewTokenizer(strings.NewReader(content))
	skip := ""
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			return strings.Join(strings.Fields(out.String()), " ")
		}
		t := z.Token()
		switch {
		case kind == html.StartTagToken && skip == "" && lostWhole(t.Data):
			skip = t.Data
		case kind == html.EndTagToken && t.Data == skip:
			skip = ""
		case kind == html.TextToken && skip == "":
			out.WriteString(t.Data)
		case kind == html.EndTagToken && slices.Contains([]string{"p", "section", "li", "td", "h1", "h2", "h3"}, t.Data):
			out.WriteByte(' ')
		}
	}
}

// cut is the first n runes of s.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n])
}
