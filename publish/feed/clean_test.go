package feed

import (
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

func TestCleanKeepsWhatArticlesUse(t *testing.T) {
	c := cleaner{base: "https://h/feeds/1/pictures/"}
	pic := c.base + strings.Repeat("0f", 32) + ".png"
	for in, want := range map[string]string{
		`<section style="color:red"><h2>标题</h2></section>`:           `<section style="color:red"><h2>标题</h2></section>`,
		`<img src="` + pic + `" alt="a" onerror="x()">`:              `<img src="` + pic + `" alt="a"/>`,
		`<p style="background:url(x)">t</p>`:                         `<p>t</p>`,
		`<p style="position:fixed">t</p>`:                            `<p>t</p>`,
		`<a href="https://e.org/" target="_blank" id="x">t</a>`:      `<a href="https://e.org/">t</a>`,
		`<svg viewBox="0 0 1 1"><path d="M0 0"/><script/></svg>`:     `<svg viewBox="0 0 1 1"><path d="M0 0"></path></svg>`,
		`<svg><foreignObject><p>t</p></foreignObject></svg>`:         `<svg></svg>`,
		`<svg><a xlink:href="javascript:x"><path/></a></svg>`:        `<svg></svg>`,
		`<iframe src="//e"></iframe><object></object>`:               ``,
		`<style>p{}</style><link rel="x"><!-- c -->`:                 ``,
		`<img src="` + c.base + `../../x">`:                          ``,
		`<img src="` + pic + `?x=/y">`:                               ``,
		"<p>a\x0bb\ufffe</p>":                                        `<p>ab</p>`,
		`<form action="/x"><input><button>t</button></form>`:         ``,
		`<table><tr><td colspan="2" bgcolor="x">t</td></tr></table>`: `<table><tbody><tr><td colspan="2">t</td></tr></tbody></table>`,
	} {
		got, err := c.clean(in)
		if err != nil || got != want {
			t.Errorf("%s\n got %s, %v\nwant %s", in, got, err, want)
		}
	}
	if len(c.pictures) != 1 {
		t.Errorf("pictures noted: %v", c.pictures)
	}
}

// Whatever goes in, nothing that runs or loads from elsewhere comes out.
func FuzzClean(f *testing.F) {
	for _, s := range []string{
		`<p onclick=x>t</p>`, `<svg><style><img src=x onerror=x></style></svg>`, `<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">`,
		`<a href=" javascript:x">`, `<noscript><p title="</noscript><img src=x onerror=x>">`, `<img src=data:x>`, `<template><script>x</script></template>`,
		`<plaintext>`, `<svg></p><style><a id="</style><img src=1 onerror=x>">`, `<select><template><svg><script>`, `<textarea><img src=x></textarea>`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		c := cleaner{base: "https://h/feeds/1/pictures/"}
		out, err := c.clean(in)
		if err != nil {
			return // refused whole
		}
		root := &html.Node{Type: html.ElementNode, Data: "section", DataAtom: atom.Section}
		nodes, err := html.ParseFragment(strings.NewReader(out), root)
		if err != nil {
			t.Fatalf("the result does not parse: %v", err)
		}
		for _, n := range nodes {
			for d := range n.Descendants() {
				check(t, d, c.base, in)
			}
			check(t, n, c.base, in)
		}
	})
}

func check(t *testing.T, n *html.Node, base, in string) {
	if n.Type != html.ElementNode {
		return
	}
	switch n.Data {
	case "script", "style", "iframe", "object", "embed", "link", "meta", "base", "form", "input", "template", "math", "noscript":
		t.Fatalf("<%s> came through: %q", n.Data, in)
	}
	for _, a := range n.Attr {
		u, err := url.Parse(a.Val)
		switch {
		case strings.HasPrefix(a.Key, "on"):
			t.Fatalf("%s came through: %q", a.Key, in)
		case a.Key == "src" && !strings.HasPrefix(a.Val, base):
			t.Fatalf("src %q came through: %q", a.Val, in)
		case a.Key == "href" && (err != nil || (u.Scheme != "https" && u.Scheme != "http" && u.Scheme != "mailto")):
			t.Fatalf("href %q came through: %q", a.Val, in)
		}
	}
}
