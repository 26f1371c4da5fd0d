package render

import (
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"tongxin/internal/errs"
)

func sample(t testing.TB) string {
	b, err := os.ReadFile("testdata/sample.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func pictures(ref string) (string, string, bool) {
	if h := assetHash(ref); h != "" {
		return "https://mmbiz.qpic.cn/mmbiz_jpg/" + h[:8] + "/0?wx_fmt=jpeg", "", true
	}
	return "", "", false
}

func render(t testing.TB, format, text string, opt Options) Result {
	t.Helper()
	r, err := Render(Source{format, text}, opt)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSamplePages(t *testing.T) {
	dir := os.Getenv("RENDER_PAGES")
	if dir == "" {
		dir = t.TempDir()
	}
	for _, th := range Themes() {
		r := render(t, Markdown, sample(t), Options{Theme: th.ID, Picture: pictures})
		html := `<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width"><body style="margin:16px">` +
			strings.ReplaceAll(r.HTML, "https://mmbiz.qpic.cn/mmbiz_jpg/01234567/0?wx_fmt=jpeg", "pic.png")
		if err := os.WriteFile(dir+"/"+th.ID+".html", []byte(html), 0o644); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d chars, %d runes, %d bytes; %v %v", th.ID, r.Chars, r.Runes, r.Bytes, r.Formulas, r.Dropped)
	}
}

func TestMarkdown(t *testing.T) {
	r := render(t, Markdown, sample(t), Options{Picture: pictures})
	for _, want := range []string{
		">“四个意识”</strong>是什么", `<a href="https://mp.weixin.qq.com/s/abc"`, "[1]</sup>", "参见《支部工作条例（试行）》", "注释与参考链接",
		"区委组织部通知：https://example.gov.cn/notice/2025/18.html", "党员志愿者检修三单元楼道灯（摄影：王强）</p>", `alt="党员在楼道里检修照明"`, ">☑</span>",
		">1.</span>", ">3.</span>", "<path fill", "&nbsp;&nbsp;&nbsp;&nbsp;", "overflow-x:auto",
	} {
		if !strings.Contains(r.HTML, want) {
			t.Errorf("no %q", want)
		}
	}
	for _, not := range []string{"**", "asset:", "<div", "class=", " id=", "<ol", "example.gov.cn/notice/2025/18.html\"", "$$"} {
		if strings.Contains(r.HTML, not) {
			t.Errorf("%q is in the article", not)
		}
	}
	if len(r.Pictures) != 1 || len(r.Missing) != 0 || len(r.External) != 0 || len(r.Outline) != 4 || len(r.Links) != 2 || len(r.Formulas) != 2 {
		t.Errorf("%+v", r)
	}
	if r.Links[0].Live || r.Links[0].Note != 1 || !r.Links[1].Live || r.Links[1].Note != 0 {
		t.Errorf("%+v", r.Links)
	}
	if !strings.Contains(r.Text, "统计截至 6 月 30 日。") || !strings.Contains(r.Text, "func rate(ok, n int)") || strings.Contains(r.Text, "<p") {
		t.Error(r.Text)
	}
	if err := checkHTML(r.HTML, published); err != nil {
		t.Error(err)
	}
}

func TestPicturesAreNamed(t *testing.T) {
	in := "![a](asset:" + hashA + ") ![](asset:" + hashA + ") ![b](https://e.cn/b.png) ![c](https://mmbiz.qpic.cn/c/0) ![d](asset:12)"
	r := render(t, Markdown, in, Options{})
	if len(r.Pictures) != 1 || len(r.Missing) != 1 || len(r.External) != 1 || len(r.Images) != 4 || len(r.Dropped) != 1 {
		t.Errorf("%+v", r)
	}
	if strings.Contains(r.HTML, "e.cn") || !strings.Contains(r.HTML, "mmbiz.qpic.cn/c/0") || strings.Contains(r.HTML, "asset:") {
		t.Error(r.HTML)
	}
	r = render(t, Markdown, in, Options{Picture: func(string) (string, string, bool) { return "javascript:alert(1)", "", true }})
	if strings.Contains(r.HTML, "javascript") {
		t.Error(r.HTML)
	}
	r = render(t, Markdown, "![](asset:"+hashA+")", Options{Picture: func(string) (string, string, bool) { return "/media/x", "库里的说明", true }})
	if r.Images[0].Alt != "库里的说明" || !strings.Contains(r.HTML, `alt="库里的说明"`) {
		t.Error(r.HTML)
	}
}

func TestFormulasInRichText(t *testing.T) {
	r := render(t, HTML, `<p>价格 $5 和 $6，满意率 $\frac{a}{b}$，花费 \$7，$未知$，$$x^2$$后文 <code>$y$</code></p>`, Options{})
	if len(r.Formulas) != 2 || r.Formulas[0].TeX != `\frac{a}{b}` || r.Formulas[1].TeX != "x^2" || strings.Count(r.HTML, "<svg") != 2 {
		t.Errorf("%+v", r.Formulas)
	}
	if !strings.Contains(r.Text, "$5 和 $6") || !strings.Contains(r.Text, "花费 $7，$未知$") || !strings.Contains(r.HTML, ">$y$</code>") {
		t.Error(r.Text)
	}
	r = render(t, Markdown, `见 $\unknown x$ 。`, Options{})
	if r.Formulas[0].Problem == "" || !strings.Contains(r.HTML, `\unknown x</code>`) {
		t.Errorf("%+v", r.Formulas)
	}
}

func TestLinksStayWhereAsked(t *testing.T) {
	r := render(t, Markdown, "[a](https://e.cn/x) https://e.cn/y", Options{KeepLinks: true})
	if strings.Count(r.HTML, "<a href") != 2 || strings.Contains(r.HTML, "参考链接") {
		t.Error(r.HTML)
	}
	r = render(t, Markdown, "[a](https://e.cn/x)、[b](https://e.cn/x) https://e.cn/y", Options{})
	if strings.Contains(r.HTML, "<a ") || strings.Count(r.HTML, "[1]</sup>") != 2 || strings.Contains(r.HTML, "[2]") {
		t.Error(r.HTML)
	}
}

func TestSourcesRefused(t *testing.T) {
	if _, err := Render(Source{"rtf", "x"}, Options{}); !errs.Is(err, errs.Invalid) {
		t.Error(err)
	}
	if _, err := Render(Source{Markdown, strings.Repeat("x", MaxMarkdown+1)}, Options{}); !errs.Is(err, errs.TooLarge) {
		t.Error(err)
	}
	if r := render(t, Markdown, " \n\n", Options{}); r.HTML != "" || r.Chars != 0 {
		t.Errorf("%+v", r)
	}
}

func TestHighlightingKeepsTheCode(t *testing.T) {
	langs := []string{"go", "js", "css", "json", "python", "bash", "yaml", "sql", "lua", "html", "diff", "rust", "nobody"}
	parts := []string{"if", "x1", " ", "\n", "\"", "'", "`", "\"\"\"", "//", "/*", "*/", "#", "--", "<a b=\"c\">", "<!--", "-->", "<", ">", "\\", "1.5", "汉", "(", ":", "+", "-", "\xff"}
	rapid.Check(t, func(rt *rapid.T) {
		src := strings.Join(rapid.SliceOfN(rapid.SampledFrom(parts), 1, 40).Draw(rt, "src"), "")
		var got strings.Builder
		for _, tok := range highlight(rapid.SampledFrom(langs).Draw(rt, "lang"), src) {
			got.WriteString(tok.text)
		}
		if got.String() != src {
			rt.Fatalf("%q → %q", src, got.String())
		}
	})
	want := []token{
		{shadeKeyword, "func"},
		{noShade, " "},
		{shadeName, "f"},
		{noShade, "() { "},
		{shadeKeyword, "return"},
		{noShade, " "},
		{shadeString, `"a\"b"`},
		{noShade, " + "},
		{shadeNumber, "1"},
		{noShade, " } "},
		{shadeComment, "// end"},
	}
	got := highlight("go", `func f() { return "a\"b" + 1 } // end`)
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestConcurrentUse(t *testing.T) {
	want := render(t, Markdown, sample(t), Options{Picture: pictures}).HTML
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			r, err := Render(Source{Markdown, sample(t)}, Options{Picture: pictures})
			if err != nil || r.HTML != want {
				t.Error("rendering depends on company", err)
			}
		})
	}
	wg.Wait()
}
