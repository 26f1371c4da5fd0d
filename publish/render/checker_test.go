package render

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// An independent check of what leaves this package. It shares no code with the
// writer: it parses with the standard tree builder and holds every element,
// attribute and declaration to its own list.

var published = map[string]string{ // element → attributes besides style
	"section": "", "p": "", "span": "", "strong": "", "em": "", "u": "", "s": "", "sup": "", "sub": "", "br": "", "hr": "",
	"h1": "", "h2": "", "h3": "", "h4": "", "h5": "", "h6": "", "ul": "", "li": "", "blockquote": "", "pre": "", "code": "",
	"table": "", "tbody": "", "tr": "", "td": "colspan rowspan", "th": "colspan rowspan", "img": "src alt", "a": "href",
	"svg": "xmlns viewBox", "path": "fill d",
}

var stored = map[string]string{
	"p": "", "span": "", "strong": "", "em": "", "u": "", "s": "", "sup": "", "sub": "", "br": "", "hr": "", "h1": "", "h2": "",
	"h3": "", "h4": "", "h5": "", "h6": "", "ul": "", "ol": "start", "li": "data-checked", "blockquote": "", "pre": "data-lang",
	"code": "", "table": "", "tbody": "", "tr": "", "td": "colspan rowspan", "th": "colspan rowspan", "img": "src alt title", "a": "href",
}

var properties = " font-size line-height letter-spacing color background-color word-break text-align margin margin-bottom padding padding-left " +
	"border border-top border-bottom border-left border-radius border-collapse font-weight font-family white-space overflow-x max-width min-width width " +
	"height vertical-align list-style display text-indent "

func checkHTML(out string, allowed map[string]string) error {
	root, err := html.Parse(strings.NewReader("<!doctype html><body>" + out))
	if err != nil {
		return err
	}
	body := root.LastChild.LastChild
	if body.Data != "body" {
		return fmt.Errorf("no body")
	}
	if h := root.LastChild.FirstChild; h.FirstChild != nil {
		return fmt.Errorf("something went to the head")
	}
	var walk func(n *html.Node, depth int) error
	walk = func(n *html.Node, depth int) error {
		if depth > 60 {
			return fmt.Errorf("nested %d deep", depth)
		}
		switch n.Type {
		case html.TextNode:
		case html.ElementNode:
			extra, ok := allowed[n.Data]
			if !ok {
				return fmt.Errorf("element %s", n.Data)
			}
			for _, a := range n.Attr {
				if err := checkAttr(a, extra); err != nil {
					return fmt.Errorf("%s: %w", n.Data, err)
				}
			}
			if n.Data == "p" {
				for c := n.FirstChild; c != nil; c = c.NextSibling {
					if c.Type == html.ElementNode && strings.Contains(" p section ul table blockquote pre h1 h2 ", " "+c.Data+" ") {
						return fmt.Errorf("%s in p", c.Data)
					}
				}
			}
		default:
			return fmt.Errorf("node type %d: %q", n.Type, n.Data)
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			if err := walk(c, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	for c := body.FirstChild; c != nil; c = c.NextSibling {
		if err := walk(c, 0); err != nil {
			return err
		}
	}
	return checkStable(out, body)
}

// checkStable: what a browser builds from the output, written again, builds
// the same. Markup that mutates on re-parsing is how filters are evaded.
func checkStable(_ string, body *html.Node) error {
	once := inner(body)
	again, err := html.Parse(strings.NewReader("<!doctype html><body>" + once))
	if err != nil {
		return err
	}
	if twice := inner(again.LastChild.LastChild); twice != once {
		return fmt.Errorf("mutates:\n%s\n%s", once, twice)
	}
	return nil
}

func inner(body *html.Node) string {
	var b strings.Builder
	for c := body.FirstChild; c != nil; c = c.NextSibling {
		if err := html.Render(&b, c); err != nil {
			return err.Error()
		}
	}
	return b.String()
}

func checkAttr(a html.Attribute, extra string) error {
	if a.Key != "style" && !strings.Contains(" "+extra+" ", " "+a.Key+" ") {
		return fmt.Errorf("attribute %s=%q", a.Key, a.Val)
	}
	low := strings.ToLower(a.Val)
	switch a.Key {
	case "style":
		for _, bad := range []string{"url(", "expression", "javascript", "@", "\\", "<", "var(", "position", "--"} {
			if strings.Contains(low, bad) {
				return fmt.Errorf("style %q", a.Val)
			}
		}
		for _, d := range strings.Split(a.Val, ";") {
			p, v, ok := strings.Cut(d, ":")
			if !ok || v == "" || !strings.Contains(properties, " "+p+" ") {
				return fmt.Errorf("declaration %q", d)
			}
		}
	case "href":
		if !strings.HasPrefix(low, "https://") && !strings.HasPrefix(low, "http://") && !strings.HasPrefix(low, "mailto:") && !strings.HasPrefix(low, "tel:") {
			return fmt.Errorf("href %q", a.Val)
		}
	case "src":
		if !strings.HasPrefix(low, "https://") && !strings.HasPrefix(low, "http://") && !strings.HasPrefix(low, "asset:") {
			return fmt.Errorf("src %q", a.Val)
		}
	}
	return nil
}

// everything holds one input to all that must be true of any input.
func everything(t testing.TB, in string) {
	t.Helper()
	clean := Clean(in)
	if err := checkHTML(clean, stored); err != nil {
		t.Fatalf("clean %q\n→ %q\n%v", in, clean, err)
	}
	if again := Clean(clean); again != clean {
		t.Fatalf("cleaning again changes\n%q\n→ %q\n→ %q", in, clean, again)
	}
	for _, format := range []string{HTML, Markdown} {
		r, err := Render(Source{format, clip(in, MaxMarkdown)}, Options{Theme: "red", Picture: pictures})
		if err != nil {
			t.Fatal(err)
		}
		if err := checkHTML(r.HTML, published); err != nil {
			t.Fatalf("%s %q\n→ %q\n%v", format, in, r.HTML, err)
		}
		if strings.Contains(r.HTML, "<a ") {
			for _, l := range r.Links {
				if l.Live && !strings.HasPrefix(l.Href, "https://mp.weixin.qq.com/") {
					t.Fatalf("a live link to %q", l.Href)
				}
			}
		}
	}
	// What is stored renders as what was pasted.
	a, errA := Render(Source{HTML, in}, Options{})
	b, errB := Render(Source{HTML, clean}, Options{})
	if errA != nil || errB != nil || a.HTML != b.HTML {
		t.Fatalf("stored form renders otherwise:\n%q\n%q\n%v %v", a.HTML, b.HTML, errA, errB)
	}
}
