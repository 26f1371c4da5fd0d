package sandbox

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const member = "oMember00000000000000000000"

func (b *bench) checkText(change map[string]any) answer {
	in := map[string]any{"version": 2, "openid": member, "scene": 2, "content": "同意参加"}
	for k, v := range change {
		in[k] = v
	}
	return b.call("/wxa/msg_sec_check", in)
}

// asMini makes the bench's account a mini-program: only those may ask.
func asMini(c *Config) { c.Accounts[0].Kind = "mini" }

func TestOfficialAccountsMayNotAsk(t *testing.T) {
	b := newBench(t, nil)
	b.control("visit", map[string]any{"appid": testApp, "openid": member})
	if got := b.checkText(nil); got.code() != 48001 {
		t.Errorf("text: %v", got)
	}
	in := map[string]any{"version": 2, "openid": member, "scene": 2, "media_type": 2, "media_url": "http://127.0.0.1/x.jpg"}
	if got := b.call("/wxa/media_check_async", in); got.code() != 48001 {
		t.Errorf("picture: %v", got)
	}
}

func suggestOf(a answer) string {
	r, ok := a["result"].(map[string]any)
	if !ok {
		return ""
	}
	s, _ := r["suggest"].(string)
	return s
}

func TestContentCheck(t *testing.T) {
	b := newBench(t, asMini)
	if got := b.checkText(nil); got.code() != 40003 {
		t.Fatalf("somebody who never came: %v", got)
	}
	b.control("visit", map[string]any{"appid": testApp, "openid": member})
	for text, want := range map[string]string{
		"同意参加": "pass", "这里有违禁内容": "risky", "这里有 违 禁 内 容": "risky", "低价转让二手车": "review",
		"低价转让，加微信领红包": "risky", strings.Repeat("字", 2500): "pass",
	} {
		got := b.checkText(map[string]any{"content": text})
		if got.code() != 0 || suggestOf(got) != want || got.str("trace_id") == "" {
			t.Errorf("%.20s: %v, want %s", text, got, want)
		}
	}
	for name, c := range map[string]struct {
		change map[string]any
		code   int
	}{
		"2501":      {map[string]any{"content": strings.Repeat("字", 2501)}, 45002},
		"empty":     {map[string]any{"content": ""}, 44004},
		"scene 0":   {map[string]any{"scene": 0}, 40097},
		"scene 5":   {map[string]any{"scene": 5}, 40097},
		"version 1": {map[string]any{"version": 1}, 40097},
		"stranger":  {map[string]any{"openid": "oStranger"}, 40003},
	} {
		if got := b.checkText(c.change); got.code() != c.code || suggestOf(got) != "" {
			t.Errorf("%s: %v, want %d", name, got, c.code)
		}
	}
	b.clock.Add(2*time.Hour + time.Second)
	b.token = ""
	if got := b.checkText(nil); got.code() != 61010 {
		t.Errorf("after two hours: %v", got)
	}
	b.control("visit", map[string]any{"appid": testApp, "openid": member})
	if got := b.checkText(nil); got.code() != 0 {
		t.Errorf("after another visit: %v", got)
	}
}

func TestPictureCheckIsPushed(t *testing.T) {
	url, got := sink(t)
	pictures := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/none" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		if _, err := w.Write(jpg(100)); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(pictures.Close)
	b := newBench(t, func(c *Config) { asMini(c); c.Accounts[0].CallbackURL = url })
	b.control("visit", map[string]any{"appid": testApp, "openid": member})
	ask := func(address string) answer {
		return b.call("/wxa/media_check_async", map[string]any{"version": 2, "openid": member, "scene": 1, "media_url": address, "media_type": 2})
	}
	if a := ask("not an address"); a.code() != 40097 {
		t.Fatal(a)
	}
	for _, c := range []struct{ verdict, path, want, never string }{
		{"", "/a", "<suggest><![CDATA[pass]]></suggest><label>100</label>", "-1008"},
		{"risky", "/a", "<suggest><![CDATA[risky]]></suggest><label>20002</label>", "-1008"},
		{"review", "/none", "<errcode>-1008</errcode>", "suggest"},
	} {
		if err := b.s.SetFaults(Faults{CheckPicture: c.verdict}); err != nil {
			t.Fatal(err)
		}
		a := ask(pictures.URL + c.path)
		ev := next(t, got)
		if a.code() != 0 || !strings.Contains(ev, "<trace_id><![CDATA["+a.str("trace_id")+"]]>") || !strings.Contains(ev, c.want) || strings.Contains(ev, c.never) ||
			!strings.Contains(ev, "wxa_media_check") || !strings.Contains(ev, member) {
			t.Errorf("%+v: %v %s", c, a, ev)
		}
	}
	if err := b.s.SetFaults(Faults{CheckPicture: "maybe"}); err == nil {
		t.Error("a verdict that is none was taken")
	}
}
