package sandbox

import (
	"strings"
	"testing"
	"time"
)

func TestFieldLimits(t *testing.T) {
	b := newBench(t, nil)
	cover := b.cover()
	zi := func(n int) string { return strings.Repeat("字", n) }
	pictures := func(n int) map[string]any {
		list := []any{}
		for range n {
			list = append(list, map[string]any{"image_media_id": cover})
		}
		return map[string]any{"image_list": list}
	}
	for name, c := range map[string]struct {
		change map[string]any
		code   int
	}{
		"good":                 {nil, 0},
		"title 32":             {map[string]any{"title": zi(32)}, 0},
		"title 33":             {map[string]any{"title": zi(33)}, 45003},
		"no title":             {map[string]any{"title": " "}, 45003},
		"author 16":            {map[string]any{"author": zi(16)}, 0},
		"author 17":            {map[string]any{"author": zi(17)}, 45110},
		"digest 128":           {map[string]any{"digest": zi(128)}, 0},
		"digest 129":           {map[string]any{"digest": zi(129)}, 45004},
		"content 19999":        {map[string]any{"content": zi(19_999)}, 0},
		"content 20000":        {map[string]any{"content": zi(20_000)}, 45002},
		"no content":           {map[string]any{"content": "<script>x</script>"}, 44003},
		"source 1024":          {map[string]any{"content_source_url": "https://e.cn/" + strings.Repeat("a", 1024-13)}, 0},
		"source 1025":          {map[string]any{"content_source_url": "https://e.cn/" + strings.Repeat("a", 1025-13)}, 40039},
		"no cover":             {map[string]any{"thumb_media_id": ""}, 40007},
		"foreign cover":        {map[string]any{"thumb_media_id": "temporary"}, 40007},
		"crop":                 {map[string]any{"pic_crop_235_1": "0_0_1_0.5", "pic_crop_1_1": "0.1_0_0.9_1"}, 0},
		"crop backwards":       {map[string]any{"pic_crop_235_1": "1_0_0_1"}, 53402},
		"crop out":             {map[string]any{"pic_crop_1_1": "0_0_2_1"}, 53402},
		"type":                 {map[string]any{"article_type": "video"}, 40035},
		"pictures 20":          {map[string]any{"article_type": "newspic", "thumb_media_id": "", "image_info": pictures(20)}, 0},
		"pictures 21":          {map[string]any{"article_type": "newspic", "image_info": pictures(21)}, 45008},
		"pictures 0":           {map[string]any{"article_type": "newspic"}, 44003},
		"picture not in stock": {map[string]any{"article_type": "newspic", "image_info": map[string]any{"image_list": []any{map[string]any{"image_media_id": "x"}}}}, 40007},
	} {
		if got := b.add(art(cover, c.change)); got.code() != c.code || (c.code == 0) != (got.str("media_id") != "") {
			t.Errorf("%s: %v, want %d", name, got, c.code)
		}
	}
	nine := []map[string]any{}
	for range 9 {
		nine = append(nine, art(cover, nil))
	}
	if got := b.add(nine...); got.code() != 45008 {
		t.Errorf("nine articles: %v", got)
	}
	if got := b.add(nine[:8]...); got.code() != 0 {
		t.Errorf("eight articles: %v", got)
	}
	if got := b.add(); got.code() != 44003 {
		t.Errorf("no articles: %v", got)
	}
	for body, code := range map[string]int{"": 44002, "{": 47001, `{"articles":[{"title":"\u4e2d"}]}`: 40033, `{"articles":[{"title":"\\u4e2d"}]}`: 44003} {
		if got := b.do("POST", "/cgi-bin/draft/add?access_token="+b.token, "application/json", []byte(body)); got.code() != code {
			t.Errorf("%q: %v, want %d", body, got, code)
		}
	}
}

func TestUploads(t *testing.T) {
	b := newBench(t, nil)
	png := []byte("\x89PNG\r\n\x1a\n----")
	webp := []byte("RIFF\x01\x02\x03\x04WEBPVP8 ----")
	for name, c := range map[string]struct {
		path string
		data []byte
		code int
	}{
		"jpg":             {"/cgi-bin/media/uploadimg", jpg(1<<20 - 1), 0},
		"png":             {"/cgi-bin/media/uploadimg", png, 0},
		"1 MB":            {"/cgi-bin/media/uploadimg", jpg(1 << 20), 40009},
		"gif in article":  {"/cgi-bin/media/uploadimg", []byte("GIF89a----"), 40005},
		"webp":            {"/cgi-bin/media/uploadimg", webp, 40113},
		"gif in library":  {"/cgi-bin/material/add_material?type=image", []byte("GIF89a----"), 0},
		"webp in library": {"/cgi-bin/material/add_material?type=image", webp, 40113},
		"10 MB":           {"/cgi-bin/material/add_material?type=image", jpg(10<<20 + 1), 40009},
		"thumb":           {"/cgi-bin/material/add_material?type=thumb", jpg(64 << 10), 0},
		"thumb too big":   {"/cgi-bin/material/add_material?type=thumb", jpg(64<<10 + 1), 40009},
		"thumb png":       {"/cgi-bin/material/add_material?type=thumb", png, 40005},
		"kind":            {"/cgi-bin/material/add_material?type=hologram", jpg(10), 40004},
		"empty":           {"/cgi-bin/media/uploadimg", nil, 41005},
	} {
		got := b.upload(c.path, c.data)
		if got.code() != c.code {
			t.Errorf("%s: %v, want %d", name, got, c.code)
		}
		if url := got.str("url"); url != "" && !strings.HasPrefix(url, "http://mmbiz.qpic.cn/") {
			t.Errorf("%s: %s", name, url)
		}
	}
	if got := b.call("/cgi-bin/media/uploadimg", map[string]any{}); got.code() != 41005 {
		t.Errorf("no form: %v", got)
	}
}

func TestWhatSurvivesInAnArticle(t *testing.T) {
	own := "http://mmbiz.qpic.cn/sz_mmbiz_jpeg/0123456789abcdef0123456789abcdef/0?from=appmsg"
	other := strings.Replace(own, "0123", "9999", 1)
	owned := func(h string) bool { return h == "0123456789abcdef0123456789abcdef" }
	for in, want := range map[string]string{
		`<p style="color: red" id="a" class="b" onclick="x()">好</p>`:           `<p style="color: red">好</p>`,
		`<script>alert(1)</script><style>p{}</style><p>好</p>`:                  `<p>好</p>`,
		`<iframe src="https://x"><p>里</p></iframe>外`:                           `外`,
		`<img src="` + own + `" alt="图">`:                                      `<img src="` + own + `" alt="图">`,
		`<img data-src="` + own + `">`:                                         `<img data-src="` + own + `" src="` + own + `">`,
		`<img src="` + other + `">`:                                            ``,
		`<img src="https://example.org/a.png"><img src="data:image/png,x">`:    ``,
		`<a href="https://example.org">链</a>`:                                  `<a>链</a>`,
		`<a href="https://mp.weixin.qq.com/s/x">链</a>`:                         `<a href="https://mp.weixin.qq.com/s/x">链</a>`,
		`<p style="position:fixed;color:red;background:url(x);margin:0">好</p>`: `<p style="color: red; margin: 0">好</p>`,
		`<pre style="white-space:pre">a</pre>`:                                 `<pre>a</pre>`,
		`<tr style="background:#eee"><td style="background:#eee">格</td></tr>`:  `<tr><td style="background: #eee">格</td></tr>`,
		`<ul><li>一<ul><li>二</li></ul></li></ul>`:                               `<ul><li>一<li>二</li></li></ul>`,
		`<form><input value="x"><label>字</label></form>`:                       `字`,
		`<svg viewBox="0 0 1 1" onload="x()"><path d="M0 0"></path></svg>`:     `<svg viewbox="0 0 1 1"><path d="M0 0"></path></svg>`,
		`<!-- 注 --><br/>&lt;b&gt;`:                                             `<br/>&lt;b&gt;`,
		`<p style="width:calc(1px + var(--a));--a:1;animation:x 1s">好</p>`:     `<p>好</p>`,
	} {
		if got := sanitize(in, owned); got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
	if got := plainText("<h1>标题</h1><p>第一 段</p><script>x</script><p>第二段</p>"); got != "标题 第一 段 第二段" {
		t.Error(got)
	}
}

func FuzzSanitize(f *testing.F) {
	for _, s := range []string{"<p>a</p>", "<script><p>", "<img src=x onerror=y>", "<svg><script>x</script></svg>", "<ul><ul></ol>", "<style><!--</style><img>", "<p style='a:url(b);c:d'>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		out := strings.ToLower(sanitize(s, func(string) bool { return false }))
		for _, bad := range []string{"<script", "<style", "<iframe", "<img"} {
			if strings.Contains(out, bad) {
				t.Fatalf("%q became %q", s, out)
			}
		}
	})
}

func TestDefaultDigestAndConsumedDraft(t *testing.T) {
	b := newBench(t, nil)
	cover := b.cover()
	id := b.add(art(cover, map[string]any{"content": "<p>" + strings.Repeat("字", 80) + "</p>"})).str("media_id")
	got := b.call("/cgi-bin/draft/get", map[string]any{"media_id": id})
	item, ok := got["news_item"].([]any)[0].(map[string]any)
	if !ok || item["digest"] != strings.Repeat("字", 54) {
		t.Errorf("%v", got)
	}
	if got := b.call("/cgi-bin/freepublish/submit", map[string]any{"media_id": id}); got.code() != 0 || got.str("publish_id") == "" {
		t.Fatal(got)
	}
	for _, path := range []string{"/cgi-bin/draft/get", "/cgi-bin/draft/delete", "/cgi-bin/freepublish/submit"} {
		if got := b.call(path, map[string]any{"media_id": id}); got.code() != 40007 {
			t.Errorf("%s of a published draft: %v", path, got)
		}
	}
}

func TestTokenRules(t *testing.T) {
	b := newBench(t, nil)
	stable := func(force string) answer {
		return b.do("POST", "/cgi-bin/stable_token", "application/json",
			[]byte(`{"grant_type":"client_credential","appid":"`+testApp+`","secret":"`+testSecret+`","force_refresh":`+force+`}`))
	}
	count := func(token string) int {
		return b.do("GET", "/cgi-bin/draft/count?access_token="+token, "", nil).code()
	}
	first := stable("false").str("access_token")
	if again := stable("false").str("access_token"); again != first {
		t.Error("normal mode made a new token")
	}
	forced := stable("true").str("access_token")
	if forced == first || count(first) != 0 || count(forced) != 0 {
		t.Error("both tokens live for five minutes")
	}
	if got := stable("true"); got.code() != 45011 {
		t.Errorf("force twice in 30 s: %v", got)
	}
	b.clock.Add(5*time.Minute + time.Second)
	if count(first) != 40001 || count(forced) != 0 {
		t.Error("the old token ends after five minutes")
	}
	b.clock.Add(tokenLife)
	if count(forced) != 42001 {
		t.Error("a token ends after two hours")
	}
	classic := func() string {
		return b.do("GET", "/cgi-bin/token?grant_type=client_credential&appid="+testApp+"&secret="+testSecret, "", nil).str("access_token")
	}
	one, two := classic(), classic()
	if one == two || count(one) != 0 || count(two) != 0 {
		t.Error("classic tokens")
	}
	b.clock.Add(6 * time.Minute)
	if count(one) != 40001 || count(two) != 0 {
		t.Error("a classic token kills the one before it")
	}
	for i := range forceDaily { // one was used above, on the same day
		if got := stable("true"); (got.code() == 0) != (i < forceDaily-1) {
			t.Errorf("force %d: %v", i, got)
		}
		b.clock.Add(time.Minute)
	}
	for query, code := range map[string]int{"": 41001, "?access_token=x": 40014} {
		if got := b.do("GET", "/cgi-bin/draft/count"+query, "", nil); got.code() != code {
			t.Errorf("%q: %v", query, got)
		}
	}
	for body, code := range map[string]int{
		`{"grant_type":"client_credential","appid":"wx","secret":"s"}`:               40013,
		`{"grant_type":"client_credential","appid":"` + testApp + `","secret":"s"}`:  40125,
		`{"grant_type":"client_credential","secret":"s"}`:                            41002,
		`{"grant_type":"client_credential","appid":"` + testApp + `"}`:               41004,
		`{"grant_type":"x","appid":"` + testApp + `","secret":"` + testSecret + `"}`: 40002,
	} {
		if got := b.do("POST", "/cgi-bin/stable_token", "application/json", []byte(body)); got.code() != code {
			t.Errorf("%s: %v, want %d", body, got, code)
		}
	}
	if got := b.do("GET", "/cgi-bin/stable_token", "", nil); got.code() != 43002 {
		t.Error(got)
	}
	if got := b.do("POST", "/cgi-bin/nothing/here", "application/json", []byte("{}")); got.code() != 40066 {
		t.Error(got)
	}
}

func TestQuotas(t *testing.T) {
	b := newBench(t, func(c *Config) {
		c.Quotas = map[string]Quota{"/cgi-bin/draft/count": {Day: 5, Minute: 3}}
		c.Accounts[0].MassPerDay = -1
	})
	b.token = b.fetch()
	count := func() int { return b.do("GET", "/cgi-bin/draft/count?access_token="+b.token, "", nil).code() }
	for i, want := range []int{0, 0, 0, 45011} {
		if got := count(); got != want {
			t.Errorf("call %d: %d, want %d", i, got, want)
		}
	}
	b.clock.Add(time.Minute)
	for i, want := range []int{0, 0, 45009} {
		if got := count(); got != want {
			t.Errorf("next minute, call %d: %d, want %d", i, got, want)
		}
	}
	left := b.call("/cgi-bin/openapi/quota/get", map[string]any{"cgi_path": "/cgi-bin/draft/count"})
	q, ok := left["quota"].(map[string]any)
	if !ok || q["daily_limit"] != 5.0 || q["used"] != 5.0 || q["remain"] != 0.0 {
		t.Errorf("%v", left)
	}
	if got := b.call("/cgi-bin/openapi/quota/get", map[string]any{"cgi_path": "/nothing"}); got.code() != 76021 {
		t.Error(got)
	}
	b.clock.Add(14 * time.Hour) // 10:01 in China, so past midnight
	b.token = b.fetch()
	if got := count(); got != 0 {
		t.Errorf("next day: %d", got)
	}
	codes := map[int]int{}
	for range 62 {
		codes[b.call("/cgi-bin/message/mass/sendall", map[string]any{"filter": map[string]any{"is_to_all": true}, "msgtype": "mpnews", "mpnews": map[string]any{"media_id": "x"}}).code()]++
	}
	if codes[40007] != 60 || codes[45011] != 2 {
		t.Errorf("mass sends a minute: %v", codes)
	}
	if got := b.control("quota", map[string]any{"appid": testApp, "path": "/cgi-bin/draft/count", "exhausted": true}); got["error"] != nil {
		t.Error(got)
	}
	if got := count(); got != 45009 {
		t.Errorf("exhausted by hand: %d", got)
	}
}

func TestMassRules(t *testing.T) {
	send := func(b *bench, id, client string) answer {
		return b.call("/cgi-bin/message/mass/sendall", map[string]any{
			"filter": map[string]any{"is_to_all": true}, "msgtype": "mpnews", "mpnews": map[string]any{"media_id": id}, "clientmsgid": client,
		})
	}
	b := newBench(t, func(c *Config) { c.Accounts[0].Kind = "service" })
	cover := b.cover()
	draft := func() string { return b.add(art(cover, nil)).str("media_id") }
	for month, want := range []int{0, 0, 0, 0, 45028} { // four a month, one a day
		id := draft()
		if got := send(b, id, "m"+string(rune('a'+month))); got.code() != want {
			t.Errorf("send %d: %v, want %d", month, got, want)
		}
		if want == 0 {
			if got := send(b, draft(), "again"+string(rune('a'+month))); got.code() != 45028 {
				t.Errorf("twice a day: %v", got)
			}
			first := send(b, "used-up", "m"+string(rune('a'+month)))
			if first.code() != 45065 || first["msg_id"] == nil {
				t.Errorf("same clientmsgid: %v", first)
			}
		}
		b.clock.Add(24 * time.Hour)
		b.token = b.fetch()
	}
	if got := send(b, draft(), "ma"); got.code() == 45065 {
		t.Error("a clientmsgid is remembered for 24 h only")
	}
	if got := send(b, draft(), strings.Repeat("x", 33)); got.code() != 45067 {
		t.Error(got)
	}
	one := b.call("/cgi-bin/message/mass/send", map[string]any{"touser": []string{"a"}, "msgtype": "mpnews", "mpnews": map[string]any{"media_id": draft()}})
	if one.code() != 40003 {
		t.Errorf("one openid: %v", one)
	}
}

func TestRightsAndAddresses(t *testing.T) {
	b := newBench(t, func(c *Config) { c.Accounts[0].Deny = []string{"publish", "stats"} })
	if got := b.call("/cgi-bin/freepublish/batchget", map[string]any{"offset": 0, "count": 1}); got.code() != 48001 {
		t.Error(got)
	}
	if got := b.call("/datacube/getarticlesummary", map[string]any{}); got.code() != 48001 {
		t.Error(got)
	}
	if got := b.add(art(b.cover(), nil)); got.code() != 0 {
		t.Errorf("drafts stay allowed: %v", got)
	}
	if err := b.s.SetFaults(Faults{WrongIP: true}); err != nil {
		t.Fatal(err)
	}
	if got := b.call("/cgi-bin/draft/batchget", map[string]any{"offset": 0, "count": 1}); got.code() != 40164 || !strings.Contains(got.str("errmsg"), "invalid ip 127.0.0.1") {
		t.Error(got)
	}
}
