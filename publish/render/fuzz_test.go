package render

import (
	"os"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tongxin/internal/errs"
)

var seeds = []string{
	"", " ", "<p>文字</p>", "<b><i>x</b>y</i>", "<p><b>a<p>b</b>c", "<div><p>a</div>b</p>", "a<br><br><br>b", "<br>",
	"<script>alert(1)</script>x", "<img src=x onerror=alert(1)>", "<svg><script>1</script></svg>y", "<a href='java\nscript:alert(1)'>x</a>",
	"<math><mtext><table><mglyph><style><img src=x onerror=1>", "<ul><li>a<ul><li>b<ol start=3><li>c</ul>", "<ul>text<li>a</ul><li>stray",
	"<table><tr><td>a<table><tr><td>b</table><td colspan=999 rowspan=x>c</table>", "<td>x</td><tr>", "<table><caption>c</caption><thead><td>h",
	"<blockquote><blockquote><blockquote><blockquote><blockquote>deep", "<pre>\n  a\tb\n<code class=language-go>func</code></pre>",
	"<p style='text-align:center;color:red;background:url(x)'>a<span style='color:#000'>b</span></p>", "<h1><b>t</b> <i>u</i></h1>",
	"<li><h2>x</h2> <b> y </b><i> z</i></li>", "<p>　　首行缩进</p><p>&nbsp;</p><p><br></p><p>b</p>", "a<!--[if mso]>x<![endif]-->b<o:p>&nbsp;</o:p>",
	"$x^2$ 和 $$\\frac{1}{2}$$ \\$5", "<q>引</q>", "<textarea><p>", "<plaintext>x<p>", "</p></br></div>", "<p>a\u202eb\u200bc\x00d</p>",
	"<a href=https://mp.weixin.qq.com/s/x><b>a</b>b</a><a href=//e.cn>c</a>", "<input type=checkbox checked>", "<ul><li data-checked=true>x</ul>",
	"**“四个意识”**是 [^1] `c` ~~d~~\n\n[^1]: 注 [x](http://e.cn)\n", "|a|b|\n|-|:-:|\n|1|2|\n", "- [x] a\n- b\n  1. c\n", "$$\na\n$$\n", "![a](asset:00) ![b](http://e.cn/x.png \"t\")",
	"<sup>a<sub>b</sub></sup><u>c <s>d</s></u>", "<p> <b>a </b> <i> b</i> </p>", "<code>a</code> <code>b</code> c", "<font color=red size=7>x</font><mark>y</mark>",
}

func FuzzClean(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		if len(in) > 20000 {
			return
		}
		everything(t, in)
		PlainText(in)
	})
}

func FuzzRender(f *testing.F) {
	for _, s := range seeds {
		f.Add(s, "red")
	}
	b, err := os.ReadFile("testdata/sample.md")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(b), "blue")
	f.Fuzz(func(t *testing.T, in, theme string) {
		if len(in) > 20000 {
			return
		}
		for _, format := range []string{Markdown, HTML} {
			r, err := Render(Source{format, in}, Options{Theme: theme, Picture: pictures})
			if err != nil {
				t.Fatal(err)
			}
			if err := checkHTML(r.HTML, published); err != nil {
				t.Fatalf("%s %q\n→ %q\n%v", format, in, r.HTML, err)
			}
		}
	})
}

// Random markup, mostly broken, built from what matters.
func TestAnyMarkup(t *testing.T) {
	tags := []string{
		"p", "div", "b", "i", "u", "s", "sup", "span", "a", "h1", "h3", "ul", "ol", "li", "blockquote", "pre", "code", "table", "tr", "td", "th",
		"thead", "br", "hr", "img", "section", "font", "center", "dl", "dt", "dd", "q", "svg", "script", "style", "figure", "figcaption", "input",
	}
	attrs := []string{
		"", ` style="text-align:center"`, ` style="color:red"`, ` style="font-weight:bold"`, ` class="MsoListParagraph" style="mso-list:l0 level2 lfo1"`,
		` href="https://e.cn/?a=1&amp;b='2'"`, ` href="javascript:x"`, ` src="asset:` + strings.Repeat("a", 64) + `" alt="图"`, ` onclick="x"`, ` colspan="3"`,
		` style="text-indent:2em;text-align:right"`, ` start="4"`, ` data-checked="true"`, ` style="mso-list:Ignore"`, ` style="background-color:#ffeeaa"`, ` type=checkbox`,
	}
	words := []string{"党员", "a b", " ", "\n", "&nbsp;", "　　", "&lt;p&gt;", "$x_1$", "1.", "<", "&", "\"", "，", "x"}
	rapid.Check(t, func(rt *rapid.T) {
		var b strings.Builder
		for range rapid.IntRange(0, 30).Draw(rt, "n") {
			switch rapid.IntRange(0, 3).Draw(rt, "what") {
			case 0:
				b.WriteString("</" + rapid.SampledFrom(tags).Draw(rt, "tag") + ">")
			case 1:
				b.WriteString(rapid.SampledFrom(words).Draw(rt, "word"))
			default:
				b.WriteString("<" + rapid.SampledFrom(tags).Draw(rt, "tag") + rapid.SampledFrom(attrs).Draw(rt, "attr") + ">")
			}
		}
		everything(t, b.String())
	})
}

// hang is longer than any input takes on a slow machine under the race
// detector; what grows with the square of the size takes minutes.
const hang = 40 * time.Second

// Inputs made to hurt must cost no more than their size.
func TestHostileSize(t *testing.T) {
	for name, in := range map[string]string{
		"open tags":       strings.Repeat("<b>", 100000),
		"formatting":      strings.Repeat("<b><i><u><s>", 200) + strings.Repeat("<p>x", 20000),
		"nested div":      strings.Repeat("<div>", 100000) + "x",
		"nested lists":    strings.Repeat("<ul><li>x", 20000),
		"nested tables":   strings.Repeat("<table><tr><td>", 20000) + "x",
		"nested quotes":   strings.Repeat("<blockquote>x", 20000),
		"many cells":      "<table>" + strings.Repeat("<tr><td>x", 30000),
		"tiny runs":       strings.Repeat("a<x>", 100000),
		"alternating":     strings.Repeat("<b>a</b>b", 50000),
		"dollars":         strings.Repeat("$", 200000),
		"dollar words":    strings.Repeat("$a ", 100000),
		"escaped dollars": strings.Repeat(`\$`, 100000),
		"code parts":      "<pre>" + strings.Repeat("a<b>", 100000),
		"code quotes":     `<pre data-lang="go">"` + strings.Repeat(`\"`, 100000) + "</pre>",
		"comments":        strings.Repeat("<!--", 100000),
		"entities":        strings.Repeat("&nbsp;", 100000),
		"formulas":        strings.Repeat(`$\frac{a}{b}$ `, 5000),
		"word marker":     `<p style="mso-list:l0 level1 lfo1"><span style="mso-list:Ignore">` + strings.Repeat("a<!---->", 200000),
		"large formulas":  strings.Repeat("$"+strings.Repeat("m", 900)+"$ ", 400),
		"tiny formulas":   strings.Repeat("$m$ ", 100000),
	} {
		start := time.Now()
		res, err := Render(Source{HTML, in}, Options{})
		if err != nil {
			t.Error(name, err)
		}
		if res.Bytes > 24<<20 {
			t.Errorf("%s became %d bytes", name, res.Bytes)
		}
		if took := time.Since(start); took > hang {
			t.Errorf("%s took %v", name, took)
		}
	}
	for name, in := range map[string]string{
		"quotes":    strings.Repeat(">", 100000) + "x",
		"quotes 2":  strings.Repeat("> ", 100000) + "x",
		"brackets":  strings.Repeat("[", 100000),
		"images":    strings.Repeat("![", 50000),
		"stars":     strings.Repeat("*a **a ", 20000),
		"unders":    strings.Repeat("_a __a ", 20000),
		"ticks":     strings.Repeat("`a``", 20000),
		"lists":     strings.Repeat("- ", 50000) + "x",
		"deep list": deepList(400),
		"links":     strings.Repeat("[a](b", 1000) + strings.Repeat("x", 100000),
		"all links": strings.Repeat("[a](b", 20000),
		"refs":      strings.Repeat("[a][b]", 20000),
		"footnotes": strings.Repeat("[^1]", 20000) + "\n\n[^1]: x",
		"table":     "|" + strings.Repeat("a|", 5000) + "\n|" + strings.Repeat("-|", 5000) + "\n" + strings.Repeat("|a", 20000),
		"columns":   strings.Repeat("|a", 10000) + "\n" + strings.Repeat("|-", 10000) + "\n" + strings.Repeat("|\n", 40000),
		"tables":    strings.Repeat(strings.Repeat("|a", 90)+"\n"+strings.Repeat("|-", 90)+"\n"+strings.Repeat("|\n", 90)+"\n", 300),
		"emphasis":  strings.Repeat("*a_", 50000),
		"note":      "<section data-note=1>\n" + strings.Repeat("<p>x", 40000),
		"money":     strings.Repeat("$a ", 50000),
		"math":      strings.Repeat("$$\n", 50000),
		"tildes":    strings.Repeat("~~a ", 30000),
		"html":      strings.Repeat("<a ", 50000),
		"autolinks": strings.Repeat("https://e.cn ", 10000),
	} {
		start := time.Now()
		in = clip(in, MaxMarkdown)
		if _, err := Render(Source{Markdown, in}, Options{}); err != nil && !errs.Is(err, errs.TooLarge) {
			t.Error(name, err)
		}
		took := time.Since(start)
		if took > 300*time.Millisecond {
			t.Logf("%s: %v", name, took)
		}
		if took > hang {
			t.Errorf("%s took %v", name, took)
		}
	}
}

func deepList(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat("  ", i) + "- x\n")
	}
	return b.String()
}
