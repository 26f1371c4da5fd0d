package lint

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tongxin/publish/picture"
	"tongxin/publish/render"
)

func rules(t testing.TB) Rules {
	r, err := DefaultRules()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func seeded(t testing.TB) *Words {
	list, err := SeedWords()
	if err != nil {
		t.Fatal(err)
	}
	return NewWords(list)
}

func article(t testing.TB, body string) Article {
	r, err := render.Render(render.Source{Format: render.Markdown, Text: body}, render.Options{
		Picture: func(ref string) (string, string, bool) {
			return "/p/" + ref[len("asset:"):], "", strings.HasPrefix(ref, "asset:")
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return Article{
		Title: "标题", Author: "作者", Rendered: r,
		Cover: Cover{Present: true, W: 1200, H: 900, Wide: picture.Center(1200, 900, picture.Wide), Square: picture.Center(1200, 900, picture.Square)},
	}
}

func has(fs []Finding, rule string) *Finding {
	for i := range fs {
		if fs[i].Rule == rule {
			return &fs[i]
		}
	}
	return nil
}

func TestGoodPostHasNoFindings(t *testing.T) {
	a := article(t, "## 一、活动\n\n支部召开了主题党日活动。\n\n![党员在学习](asset:"+strings.Repeat("a", 64)+")\n")
	if fs := Check(Post{Articles: []Article{a}, Words: seeded(t), Dead: func(string) bool { return false }}, rules(t)); len(fs) != 0 {
		t.Errorf("%+v", fs)
	}
}

func TestEveryRule(t *testing.T) {
	ok := func() Article { return article(t, "正文。") }
	hash := strings.Repeat("a", 64)
	for name, c := range map[string]struct {
		post     func() Post
		rule     string
		severity string
	}{
		"no article":      {func() Post { return Post{} }, "articles.count", Error},
		"nine articles":   {func() Post { return Post{Articles: []Article{ok(), ok(), ok(), ok(), ok(), ok(), ok(), ok(), ok()}} }, "articles.count", Error},
		"no title":        {one(ok, func(a *Article) { a.Title = " " }), "title.empty", Error},
		"long title":      {one(ok, func(a *Article) { a.Title = strings.Repeat("题", 33) }), "title.long", Error},
		"long author":     {one(ok, func(a *Article) { a.Author = strings.Repeat("者", 17) }), "author.long", Error},
		"long digest":     {one(ok, func(a *Article) { a.Digest = strings.Repeat("要", 129) }), "digest.long", Error},
		"long url":        {one(ok, func(a *Article) { a.SourceURL = "https://e.cn/" + strings.Repeat("a", 1024) }), "source_url.long", Error},
		"bad url":         {one(ok, func(a *Article) { a.SourceURL = "javascript:alert(1)" }), "source_url.form", Error},
		"no cover":        {one(ok, func(a *Article) { a.Cover = Cover{} }), "cover.missing", Error},
		"bad crop":        {one(ok, func(a *Article) { a.Cover.Wide = [4]float64{0, 0, 1, 1} }), "cover.crop", Error},
		"empty":           {body(t, " "), "content.empty", Error},
		"long content":    {body(t, strings.Repeat("字", 20000)), "content.long", Error},
		"formula":         {body(t, `$\unknown{x}$`), "formula.unsupported", Warning},
		"no alt":          {body(t, "![](asset:"+hash+")"), "image.alt", Warning},
		"external":        {body(t, "![图](https://e.cn/a.png)"), "image.external", Error},
		"dropped":         {body(t, "文字<script>x</script>"), "content.dropped", Warning},
		"long paragraph":  {body(t, strings.Repeat("字", 301)), "paragraph.long", Hint},
		"heading skip":    {body(t, "# 一\n\n### 三\n\n文"), "heading.skip", Hint},
		"many h1":         {body(t, "# 一\n\n# 二\n\n文"), "heading.many", Hint},
		"half width":      {body(t, "学习,再学习。"), "punctuation.half", Hint},
		"full width":      {body(t, "共有１２人。"), "punctuation.full", Hint},
		"typo":            {body(t, "工作布署到位。"), "word.typo", Warning},
		"sensitive":       {body(t, "关爱残废人。"), "word.sensitive", Error},
		"no pictures":     {one(ok, func(a *Article) { a.PicturePost = true }), "pictures.count", Error},
		"many pictures":   {one(ok, func(a *Article) { a.PicturePost, a.Pictures = true, 21 }), "pictures.count", Error},
		"dead link":       {body(t, "见[网站](https://dead.example/x)。"), "link.dead", Warning},
		"similar":         {func() Post { return Post{Articles: []Article{ok()}, Similar: []Similar{{Title: "旧文"}}} }, "similar.near", Hint},
		"same":            {func() Post { return Post{Articles: []Article{ok()}, Similar: []Similar{{Title: "旧文", Same: true}}} }, "similar.same", Warning},
		"title in body":   {body(t, "# 标题\n\n文"), "heading.title", Hint},
		"data picture":    {body(t, "文![图](data:image/png;base64,AAAA)"), "content.dropped", Warning},
		"line in a title": {one(ok, func(a *Article) { a.Title = "一\n二" }), "title.lines", Error},
	} {
		p := c.post()
		p.Words = seeded(t)
		p.Dead = func(u string) bool { return strings.Contains(u, "dead") }
		f := has(Check(p, rules(t)), c.rule)
		if f == nil || f.Severity != c.severity {
			t.Errorf("%s: %+v", name, Check(p, rules(t)))
			continue
		}
		if f.Msg == "" || !strings.HasSuffix(f.Msg, "。") {
			t.Errorf("%s: message %q", name, f.Msg)
		}
	}
}

func one(ok func() Article, change func(*Article)) func() Post {
	return func() Post {
		a := ok()
		change(&a)
		return Post{Articles: []Article{a}}
	}
}

func body(t testing.TB, text string) func() Post {
	return func() Post { return Post{Articles: []Article{article(t, text)}} }
}

func TestLimitsAreInclusive(t *testing.T) {
	a := article(t, strings.Repeat("字", 19999))
	a.Title, a.Author, a.Digest = strings.Repeat("题", 32), strings.Repeat("者", 16), strings.Repeat("要", 128)
	for _, f := range Check(Post{Articles: []Article{a}}, rules(t)) {
		if f.Severity == Error {
			t.Errorf("%+v", f)
		}
	}
}

func TestSeedIsCareful(t *testing.T) {
	list, err := SeedWords()
	if err != nil || len(list) < 60 {
		t.Fatal(len(list), err)
	}
	w := NewWords(list)
	for _, x := range list {
		if x.Source == "" || x.Date == "" || x.Kind != Allow && x.Suggest == "" {
			t.Errorf("%+v", x)
		}
		if m := w.Find(x.Suggest); len(m) > 0 { // what is suggested must not be found wrong in its turn
			t.Errorf("suggestion %q contains %q", x.Suggest, m[0].Word.Text)
		}
	}
	good := `坚持以习近平新时代中国特色社会主义思想为指导，深刻领悟“两个确立”的决定性意义，增强“四个意识”、坚定“四个自信”、做到“两个维护”。
党的二十大和二十届二中、三中全会部署了任务。发布署名文章。读书计划。预防犯罪。以经济建设为中心。截至目前，截止日期是周五。务必须知。
恢复盖章手续。各处份额不变。究竟争什么。人民检察院、监察委员会。“三会一课”。`
	for _, m := range w.Find(good) {
		t.Errorf("false alarm: %q for %+v", good[m.Start:m.End], m.Word)
	}
}

func TestFind(t *testing.T) {
	w := NewWords([]Word{
		{Text: "布署", Kind: Typo},
		{Text: "发布署名", Kind: Allow},
		{Text: "四个意识", Kind: Typo},
		{Text: "意识", Kind: Typo},
		{Text: "AI", Kind: Typo},
		{Text: "识别", Kind: Typo},
		{Text: "  ", Kind: Typo},
		{Text: "iOS 系统", Kind: Typo},
	})
	for text, want := range map[string]string{
		"布署":           "布署",
		"布 署和布\u200b署": "布 署|布\u200b署",
		"发布署名文章":       "",
		"布\n署":         "",
		"四个意识":         "四个意识",
		"意识别":          "意识|识别",
		"MAIL AI ＡＩ":   "AI|ＡＩ",
		"ai写作":         "ai",
		"ios 系统":       "ios 系统",
		"":             "",
	} {
		var got []string
		for _, m := range w.Find(text) {
			got = append(got, text[m.Start:m.End])
		}
		if strings.Join(got, "|") != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if (*Words)(nil).Find("x") != nil {
		t.Error("no list found something")
	}
}

// The matcher must agree with looking for every word one by one.
func TestFindAgainstPlainSearch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		letters := rapid.StringOfN(rapid.RuneFrom([]rune("甲乙丙")), 1, 4, -1)
		list := rapid.SliceOfN(letters, 1, 6).Draw(t, "words")
		text := rapid.StringOfN(rapid.RuneFrom([]rune("甲乙丙丁")), 0, 30, -1).Draw(t, "text")
		ws := make([]Word, len(list))
		for i, x := range list {
			ws[i] = Word{Text: x, Kind: Typo}
		}
		found := map[[2]int]bool{}
		for _, m := range NewWords(ws).Find(text) {
			found[[2]int{m.Start, m.End}] = true
			if text[m.Start:m.End] != m.Word.Text {
				t.Fatal(m)
			}
		}
		all := map[[2]int]bool{}
		for _, x := range list {
			for i := range text {
				if strings.HasPrefix(text[i:], x) {
					all[[2]int{i, i + len(x)}] = true
				}
			}
		}
		for a := range all {
			inside := false
			for b := range all {
				inside = inside || a != b && b[0] <= a[0] && a[1] <= b[1]
			}
			if found[a] == inside {
				t.Fatalf("span %v of %q: found %v, inside another %v", a, text, found[a], inside)
			}
		}
		if len(found) > len(all) {
			t.Fatal("more found than there is")
		}
	})
}

func TestRulesAreComplete(t *testing.T) {
	if _, err := ParseRules([]byte(`{"limits":[{"id":"title","max":32}]}`)); err == nil {
		t.Error("an incomplete set passed")
	}
	for _, l := range rules(t).Limits {
		if _, err := time.Parse("2006-01", l.Date); l.Source == "" || err != nil {
			t.Errorf("%+v", l)
		}
	}
}

// realistic is about 5,000 characters with tables, pictures, links and code.
func realistic() string {
	para := "望江社区党支部聚焦群众急难愁盼，组织**党员志愿者**走进网格，面对面听取意见，当场能办的当场办，不能当场办的列出清单、明确时限、跟踪到底，做到件件有着落、事事有回音。详见[活动通知](https://example.gov.cn/n/1)。"
	var b strings.Builder
	for i := range 10 {
		b.WriteString("## 第" + string(rune('一'+i)) + "部分\n\n")
		for range 5 {
			b.WriteString(para + "\n\n")
		}
		b.WriteString("![活动现场](asset:" + strings.Repeat(string(rune('0'+i)), 64) + ")\n\n| 网格 | 户数 | 办结 |\n|:--|--:|--:|\n| 第一网格 | 46 | 21 |\n| 第二网格 | 39 | 17 |\n| 第三网格 | 52 | 30 |\n\n1. 先学\n2. 再访\n   - 老人\n   - 困难家庭\n\n")
	}
	b.WriteString("```go\nfunc main() {\n\tprintln(\"你好\")\n}\n```\n\n$$\\frac{a}{b} = \\sum_{i=1}^{n} x_i$$\n")
	return b.String()
}

// BenchmarkRenderLint is the figure of the issue: rendered and linted in at
// most 10 ms.
func BenchmarkRenderLint(b *testing.B) {
	words, set, text := seeded(b), rules(b), realistic()
	b.ReportAllocs()
	chars := 0
	for b.Loop() {
		a := article(b, text)
		chars = a.Rendered.Chars
		Check(Post{Articles: []Article{a}, Words: words, Dead: func(string) bool { return false }}, set)
	}
	b.ReportMetric(float64(chars), "chars")
	b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(b.N), "ms/article")
}
