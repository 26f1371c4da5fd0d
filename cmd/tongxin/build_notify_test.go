package main

import (
	"regexp"
	"strings"
	"testing"

	"tongxin/internal/clock"
	"tongxin/internal/signed"
)

// What staff write into notices, questions and contests never runs, loads from
// elsewhere or leads where a link may not.
func TestMarkdownIsSafe(t *testing.T) {
	p := &program{pictures: signed.New([]byte("key"), "picture", clock.System{})}
	hash := strings.Repeat("ab", 32)
	html, text, err := p.markdown(strings.Join([]string{
		"# 标题 <script>alert(1)</script>", `<img src=x onerror=alert(1)>`, `[点我](javascript:alert(1))`, `<a href="data:text/html,x" onclick="y()">z</a>`,
		`<iframe src="https://evil.example/"></iframe><style>*{}</style><form action=/x><input></form>`, "![外部](https://evil.example/a.png)",
		"![照片](asset:" + hash + ")", `<p style="background:url(https://evil.example/b)">底</p>`, "$x^2$ **重点**", `<svg onload=alert(1)>`,
	}, "\n\n"))
	if err != nil {
		t.Fatal(err)
	}
	lower := strings.ToLower(html)
	for _, bad := range []string{"<script", "<iframe", "<style", "<form", "<input", "javascript:", "data:text", "evil.example", "url("} {
		if strings.Contains(lower, bad) {
			t.Errorf("%q came through: %s", bad, html)
		}
	}
	if m := regexp.MustCompile(`<[^>]*\son[a-z]+\s*=`).FindString(lower); m != "" {
		t.Errorf("a handler came through: %s", m)
	}
	if !strings.Contains(html, `src="/pictures/`) || !strings.Contains(text, "重点") {
		t.Errorf("what is meant to be shown is lost: %s", html)
	}
}
