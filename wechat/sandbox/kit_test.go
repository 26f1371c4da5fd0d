package sandbox

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tongxin/internal/clock"
)

const (
	testApp    = "wxaaaaaaaaaaaaaaaa"
	testSecret = "0123456789abcdef"
	testKey    = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
)

// bench is a sandbox behind HTTP, spoken to without the product's client.
type bench struct {
	t     *testing.T
	s     *Sandbox
	url   string
	clock *clock.Manual
	token string
}

func newBench(t *testing.T, change func(*Config)) *bench {
	t.Helper()
	b := &bench{t: t, clock: clock.NewManual(time.Date(2026, 3, 2, 2, 0, 0, 0, time.UTC))}
	cfg := Config{
		Clock: b.clock, PublishDelay: time.Millisecond, CallbackPause: time.Millisecond,
		Accounts: []Account{{AppID: testApp, Secret: testSecret, Token: "tok", AESKey: testKey}},
	}
	if change != nil {
		change(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	b.s = s
	server := httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		server.CloseClientConnections()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		server.Close()
	})
	b.url = server.URL
	return b
}

type answer map[string]any

func (a answer) code() int {
	n, ok := a["errcode"].(float64)
	if !ok {
		return 0
	}
	return int(n)
}

func (a answer) str(key string) string {
	s, ok := a[key].(string)
	if !ok {
		return ""
	}
	return s
}

// do sends a body and reads the answer.
func (b *bench) do(method, path, kind string, body []byte) answer {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, bytes.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		b.t.Fatal(err)
	}
	var a answer
	if err := json.Unmarshal(raw, &a); err != nil {
		b.t.Fatalf("%s: %s", path, raw)
	}
	if a.code() != 0 && !strings.HasPrefix(path, "/sandbox/") && !ridForm(a.str("errmsg")) {
		b.t.Errorf("%s: errmsg %q has no rid", path, a.str("errmsg"))
	}
	return a
}

// ridForm wants " rid: xxxxxxxx-xxxxxxxx-xxxxxxxx" at the end.
func ridForm(msg string) bool {
	_, rid, ok := strings.Cut(msg, " rid: ")
	parts := strings.Split(rid, "-")
	return ok && len(parts) == 3 && len(rid) == 26 && strings.Trim(rid, "0123456789abcdef-") == ""
}

func (b *bench) fetch() string {
	b.t.Helper()
	a := b.do("POST", "/cgi-bin/stable_token", "application/json", []byte(`{"grant_type":"client_credential","appid":"`+testApp+`","secret":"`+testSecret+`"}`))
	if a.str("access_token") == "" {
		b.t.Fatal(a)
	}
	return a.str("access_token")
}

// call posts JSON with the token.
func (b *bench) call(path string, in any) answer {
	b.t.Helper()
	if b.token == "" {
		b.token = b.fetch()
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(in); err != nil {
		b.t.Fatal(err)
	}
	return b.do("POST", path+"?access_token="+b.token, "application/json", buf.Bytes())
}

func (b *bench) upload(path string, data []byte) answer {
	b.t.Helper()
	if b.token == "" {
		b.token = b.fetch()
	}
	var buf bytes.Buffer
	form := multipart.NewWriter(&buf)
	part, err := form.CreateFormFile("media", "x.jpg")
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := part.Write(data); err != nil {
		b.t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		b.t.Fatal(err)
	}
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	return b.do("POST", path+sep+"access_token="+b.token, form.FormDataContentType(), buf.Bytes())
}

// jpg is what the sandbox takes for a picture of n bytes.
func jpg(n int) []byte { return append([]byte("\xff\xd8\xff\xe0"), make([]byte, n-4)...) }

func (b *bench) cover() string {
	b.t.Helper()
	id := b.upload("/cgi-bin/material/add_material?type=image", jpg(100)).str("media_id")
	if id == "" {
		b.t.Fatal("no cover")
	}
	return id
}

// art is a good article with changes.
func art(cover string, change map[string]any) map[string]any {
	a := map[string]any{"title": "标题", "content": "<p>正文</p>", "thumb_media_id": cover}
	for k, v := range change {
		a[k] = v
	}
	return a
}

func (b *bench) add(list ...map[string]any) answer {
	b.t.Helper()
	return b.call("/cgi-bin/draft/add", map[string]any{"articles": list})
}

// control posts to the control API.
func (b *bench) control(path string, in any) answer {
	b.t.Helper()
	raw, err := json.Marshal(in)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do("POST", "/sandbox/api/"+path, "application/json", raw)
}
