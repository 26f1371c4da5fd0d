package render

import (
	"os"
	"strings"
	"testing"
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
