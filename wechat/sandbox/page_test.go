package sandbox

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// fetchPage gets a page with its headers.
func (b *bench) fetchPage(path string) (int, http.Header, string) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.url+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		b.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(body)
}

func TestThePageNeedsNoInlineCode(t *testing.T) {
	b := newBench(t, nil)
	code, head, body := b.fetchPage("/sandbox/")
	if code != 200 || !strings.Contains(head.Get("Content-Security-Policy"), "default-src 'self'") || strings.Contains(head.Get("Content-Security-Policy"), "unsafe") {
		t.Error(code, head)
	}
	if regexp.MustCompile(`(?i)<script>|\sstyle=|\son[a-z]+=|https?://`).MatchString(body) {
		t.Error("inline code or a foreign address")
	}
	for _, m := range regexp.MustCompile(`(?:src|href)="([a-z.]+)"`).FindAllStringSubmatch(body, -1) {
		if code, _, _ := b.fetchPage("/sandbox/" + m[1]); code != 200 {
			t.Errorf("%s: %d", m[1], code)
		}
	}
}

func TestThePhoneShowsWhatWasPublished(t *testing.T) {
	url, got := sink(t)
	b := newBench(t, func(c *Config) { c.Accounts[0].CallbackURL, c.Accounts[0].Name = url, "同心社区" })
	img := b.upload("/cgi-bin/media/uploadimg", jpg(64)).str("url")
	id := b.add(art(b.cover(), map[string]any{"title": "标题 <b>", "content": `<p style="color: red">正文</p><img src="` + img + `"><script>bad()</script>`})).str("media_id")
	if p := b.call("/cgi-bin/freepublish/submit", map[string]any{"media_id": id}); p.code() != 0 {
		t.Fatal(p)
	}
	next(t, got)
	rows, ok := b.do("GET", "/sandbox/api/articles?appid="+testApp, "", nil)["articles"].([]any)
	if !ok || len(rows) != 1 {
		t.Fatal(rows)
	}
	row := rows[0].(map[string]any)
	card := row["cards"].([]any)[0].(map[string]any)
	code, head, body := b.fetchPage(card["url"].(string))
	csp := head.Get("Content-Security-Policy")
	if code != 200 || !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "script-src") {
		t.Error(code, csp)
	}
	hash, _ := imageHash(img)
	for _, want := range []string{"标题 &lt;b&gt;", `<p style="color: red">正文</p>`, `src="/sandbox/img/` + hash + `"`, "同心社区", "2026年3月2日 10:00"} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is not in %s", want, body)
		}
	}
	if strings.Contains(body, "bad()") || strings.Contains(body, "mmbiz") {
		t.Error(body)
	}
	if code, head, _ := b.fetchPage("/sandbox/img/" + hash); code != 200 || head.Get("Content-Type") != "image/jpeg" {
		t.Error(code, head)
	}
	if code, _, _ := b.fetchPage("/sandbox/img/..%2f..%2fetc%2fpasswd"); code != 404 {
		t.Error(code)
	}

	// The platform bans it: the event comes, the list and the phone know.
	if a := b.control("articles/status", map[string]any{"appid": testApp, "article_id": row["article_id"], "state": 6}); a["error"] != nil {
		t.Fatal(a)
	}
	if body := next(t, got); !strings.Contains(body, "<publish_status>6</publish_status>") {
		t.Error(body)
	}
	if _, _, body := b.fetchPage(card["url"].(string)); strings.Contains(body, "正文") || !strings.Contains(body, "因违规无法查看") {
		t.Error(body)
	}
	if list := b.call("/cgi-bin/freepublish/batchget", map[string]any{"offset": 0, "count": 1}); list["total_count"] != 0.0 {
		t.Error(list)
	}
}

func TestTheLogHoldsNoSecrets(t *testing.T) {
	b := newBench(t, nil)
	b.publish()
	b.call("/cgi-bin/draft/batchget", map[string]any{"offset": 0, "count": 1, "secret": testSecret})
	_, _, body := b.fetchPage("/sandbox/api/calls")
	_, _, over := b.fetchPage("/sandbox/api/overview?appid=" + testApp)
	for _, bad := range []string{testSecret, testKey, b.token} {
		if strings.Contains(body+over, bad) {
			t.Errorf("%q is shown", bad)
		}
	}
	if !strings.Contains(body, "freepublish/submit") || !strings.Contains(over, testApp) {
		t.Error("the log is empty")
	}
}

func TestControlTakesJSONOnly(t *testing.T) {
	b := newBench(t, nil)
	rec := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/sandbox/api/faults", strings.NewReader(`{"wrong_ip":true}`))
	r.Header.Set("Content-Type", "text/plain") // what a form of another site can send
	b.s.Handler().ServeHTTP(rec, r)
	if rec.Code != http.StatusUnsupportedMediaType || b.s.Faults().WrongIP {
		t.Error(rec.Code)
	}
	if a := b.control("faults", map[string]any{"no_such_switch": 1}); a["error"] == nil {
		t.Error("an unknown switch was taken")
	}
	if a := b.control("accounts", map[string]any{"appid": testApp, "deny": []string{"publish"}}); a["name"] != testApp {
		t.Error(a)
	}
	if got := b.s.account(testApp).settings(); got.Secret != testSecret || len(got.Deny) != 1 {
		t.Errorf("keys were lost: %+v", got)
	}
	if a := b.control("accounts", map[string]any{"appid": "new"}); a["error"] == nil {
		t.Error("an account without a secret")
	}
}

func TestFollowerWritesAndTheHandshake(t *testing.T) {
	got := make(chan string, 8)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			if _, err := io.WriteString(w, r.URL.Query().Get("echostr")); err != nil {
				t.Error(err)
			}
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got <- string(body)
		if _, err := io.WriteString(w, "<xml><MsgType>text</MsgType><Content>收到</Content></xml>"); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	b := newBench(t, func(c *Config) { c.Accounts[0].CallbackURL = server.URL + "/cb?x=1" })
	if a := b.control("callback/verify", map[string]any{"appid": testApp}); a["ok"] != true {
		t.Error(a)
	}
	if a := b.control("follower", map[string]any{"appid": testApp, "type": "text", "text": "你好 ]]> <x>"}); a["ok"] != true {
		t.Error(a)
	}
	if body := next(t, got); !strings.Contains(body, "你好") {
		t.Error(body)
	}
	if a := b.control("follower", map[string]any{"appid": testApp, "type": "dance"}); a["error"] == nil {
		t.Error(a)
	}
	if err := b.s.Close(); err != nil { // waits for the answer to be stored
		t.Fatal(err)
	}
	acc := b.s.account(testApp)
	if n := len(acc.Stream); n != 2 || acc.Stream[0].Kind != "out" || acc.Stream[1].Text != "收到" {
		t.Errorf("%+v", acc.Stream)
	}
}
