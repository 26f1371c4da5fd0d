package main

import (
	"encoding/base64"
	"encoding/xml"
	"html"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tongxin/publish/render"
)

func TestQuizHTML(t *testing.T) {
	show := quizHTML(func(hash string) string { return "/pictures/" + hash })
	hash := strings.Repeat("ab", 32)
	for _, x := range []struct{ name, md, want, not string }{
		{"plain", "支部党员大会一般每季度召开一次。", "支部党员大会一般每季度召开一次。", "<"},
		{"no box around one paragraph", "**正式**党员", "<strong", "<p"},
		{"picture", "看图 ![党徽](asset:" + hash + ")", `src="/pictures/` + hash + `"`, "asset:"},
		{"picture elsewhere", "![](https://example.com/a.png)", "", "example.com"},
		{"formula", "党费 $x = 3000 \\times 0.5\\%$", `<img src="data:image/svg+xml;base64,`, "<svg"},
		{"script", "<script>alert(1)</script>好", "好", "script"},
		{"size of the page", "第一段\n\n第二段", "第二段", "16px"},
	} {
		for range 2 { // the second from the cache
			out := show(x.md)
			if !strings.Contains(out, x.want) || strings.Contains(out, x.not) {
				t.Errorf("%s: %s", x.name, out)
			}
		}
	}
}

// A formula stands on its own: its picture is a whole SVG with a size.
func TestQuizFormulaIsAWholePicture(t *testing.T) {
	out := quizHTML(func(string) string { return "" })(`$\frac{1}{2}$`)
	_, data, _ := strings.Cut(out, "base64,")
	data, _, _ = strings.Cut(data, `"`)
	svg, err := base64.StdEncoding.DecodeString(data)
	if err != nil || xml.Unmarshal(svg, new(struct{})) != nil || !strings.Contains(string(svg), `em" height="`) || strings.Contains(string(svg), "currentColor") ||
		!strings.Contains(out, "vertical-align") || !strings.Contains(out, `alt="\frac{1}{2}"`) {
		t.Fatalf("%s %s %v", out, svg, err)
	}
}

// The short cut for plain texts must show what the renderer would.
func TestQuizHTMLShortCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		md := rapid.StringMatching(`[a-zA-Z0-9党员 ，。；：？！、（）“”《》—％/.<\\*_-]{1,30}`).Draw(t, "md")
		if !plainText(md) {
			return
		}
		res, err := render.Render(render.Source{Format: render.Markdown, Text: md}, render.Options{Embedded: true, KeepLinks: true})
		if err != nil || res.HTML != html.EscapeString(md) {
			t.Fatalf("%q: %q %v", md, res.HTML, err)
		}
	})
}
