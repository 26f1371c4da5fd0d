package handlers_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"image"
	"image/png"
	"mime/multipart"
	"strings"
	"testing"

	"tongxin/internal/ids"
	"tongxin/publish"
	"tongxin/staff"
)

// sickly is a WeChat platform that answers one question, with bad news.
type sickly struct{ publish.Platform }

func (sickly) Health(context.Context, publish.Account) ([]publish.Check, error) {
	return []publish.Check{{Name: "credentials", Note: "AppSecret 不正确，请重新填写。"}}, nil
}

const secretOf = "abcdef0123456789abcdef0123456789"

func wechatBody(org string) map[string]any {
	return map[string]any{
		"orgId": org, "platform": "wechat", "name": "支部公众号", "kind": "subscription", "mode": "publish", "appId": "wx0123456789abcdef",
		"secrets": map[string]string{"appSecret": secretOf, "token": "token123"},
	}
}

func TestAccountsOverHTTP(t *testing.T) {
	h := build(t, staff.Policy{})
	boss, base := h.as("east-admin"), "/api/staff/v1/accounts"
	boss.do("POST", base, map[string]any{"orgId": h.id("east"), "platform": "wechat", "name": "x", "appId": "wx1", "kind": "subscription", "mode": "publish"}).
		want(t, 422, "appId", "secrets.appSecret")
	made := boss.do("POST", base, wechatBody(h.id("east"))).want(t, 201, `"hasKeys":true`, `"hints":[`).lacks(t, secretOf, "token123")
	one := base + "/" + made.field("id")
	boss.do("POST", base, wechatBody(h.id("east"))).want(t, 409)
	h.as("west-admin").do("GET", one, nil).want(t, 404)
	h.as("west-admin").do("GET", base, nil).want(t, 200, `"items":[]`)
	h.as("east-editor").do("GET", base, nil).want(t, 200, "支部公众号").lacks(t, secretOf)
	h.as("east-editor").do("POST", base, wechatBody(h.id("east"))).want(t, 403)
	h.as("east-auditor").do("GET", base, nil).want(t, 403)

	edit := map[string]any{"name": "新名字", "kind": "service", "mode": "draft"}
	boss.do("PUT", one, edit).want(t, 428)
	boss.do("PUT", one, edit, "If-Match", made.header.Get("ETag")).want(t, 200, "新名字", `"hasKeys":true`)
	boss.do("PUT", one, edit, "If-Match", made.header.Get("ETag")).want(t, 412, `"current"`, "新名字").lacks(t, secretOf)
	boss.do("POST", one+"/pause", map[string]string{"reason": "年底封网"}).want(t, 200, `"paused":true`, "年底封网")
	boss.do("POST", one+"/resume", nil).want(t, 200, `"paused":false`)
	boss.do("POST", one+"/check", nil).want(t, 200, "AppSecret 不正确", `"ok":false`).lacks(t, secretOf)
	boss.do("DELETE", one, nil).want(t, 204)
	boss.do("GET", one, nil).want(t, 404)
	if strings.Contains(h.log.String(), secretOf) {
		t.Fatal("a secret is in the log")
	}
}

func TestWebhooksOverHTTP(t *testing.T) {
	h := build(t, staff.Policy{})
	boss := h.as("east-admin")
	made := boss.do("POST", "/api/staff/v1/accounts", map[string]any{"orgId": h.id("east"), "platform": "feed", "name": "网站"}).
		want(t, 201, `"rss":"http://example.com/feeds/`)
	hooks := "/api/staff/v1/accounts/" + made.field("id") + "/webhooks"
	boss.do("POST", hooks, map[string]string{"url": "https://127.0.0.1/x"}).want(t, 422, "内部网络")
	body := map[string]string{"url": "https://hooks.example.org/in"}
	hook := boss.do("POST", hooks, body, "Idempotency-Key", "webhook-key-1").want(t, 201, `"secret":"whsec_`)
	again := boss.do("POST", hooks, body, "Idempotency-Key", "webhook-key-1").want(t, 201)
	if again.field("id") != hook.field("id") || again.field("secret") != hook.field("secret") {
		t.Fatalf("the same key made another webhook: %s", again.body)
	}
	boss.do("POST", hooks, body).want(t, 422, "已经添加过")
	boss.do("GET", hooks, nil).want(t, 200, "hooks.example.org").lacks(t, "whsec_", hook.field("secret"))
	h.as("east-editor").do("POST", hooks, body).want(t, 403)
	h.as("west-admin").do("GET", hooks, nil).want(t, 404)
	one := "/api/staff/v1/webhooks/" + hook.field("id")
	boss.do("POST", one+"/ping", nil).want(t, 204)
	jobs := boss.do("GET", hooks+"/jobs", nil).want(t, 200, `"event":"ping"`, `"state":"waiting"`)
	boss.do("GET", hooks+"/jobs/"+jobs.field("items.0.id"), nil).want(t, 200, `"items":`)
	h.as("west-admin").do("DELETE", one, nil).want(t, 404)
	boss.do("POST", one+"/enable", nil).want(t, 200, `"enabled":true`)
	boss.do("DELETE", one, nil).want(t, 204)
	boss.do("GET", hooks, nil).want(t, 200).lacks(t, "hooks.example.org")
}

func picture(t *testing.T, w, h int) []byte {
	t.Helper()
	var b bytes.Buffer
	check(t, png.Encode(&b, image.NewGray(image.Rect(0, 0, w, h))))
	return b.Bytes()
}

// upload sends a form as a browser does.
func (b *browser) upload(org, name string, data []byte) *answer {
	b.h.t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	check(b.h.t, w.WriteField("orgId", org))
	if data != nil {
		part, err := w.CreateFormFile("file", name)
		check(b.h.t, err)
		_, err = part.Write(data)
		check(b.h.t, err)
	}
	check(b.h.t, w.Close())
	return b.do("POST", "/api/staff/v1/media", form.String(), "Content-Type", w.FormDataContentType())
}

func TestMediaOverHTTP(t *testing.T) {
	h := build(t, staff.Policy{})
	editor, base := h.as("east-editor"), "/api/staff/v1/media"
	editor.upload(h.id("east"), "a.png", []byte("no picture")).want(t, 415)
	editor.upload(h.id("east"), "a.png", nil).want(t, 422, "没有收到图片")
	editor.upload("", "a.png", picture(t, 9, 9)).want(t, 422, "orgId")
	editor.upload(h.id("west"), "a.png", picture(t, 9, 9)).want(t, 404)
	h.as("east-reviewer1").upload(h.id("east"), "a.png", picture(t, 9, 9)).want(t, 403)
	data := picture(t, 900, 300)
	made := editor.upload(h.id("east"), "合影.png", data).want(t, 201, `"width":900`, `"used":0`, "合影.png")
	one := base + "/" + made.field("hash")

	got := editor.do("GET", one, nil).want(t, 200)
	if got.body != string(data) || got.header.Get("Content-Type") != "image/png" || !strings.Contains(got.header.Get("Cache-Control"), "private") ||
		!strings.Contains(got.header.Get("Content-Security-Policy"), "sandbox") {
		t.Fatalf("picture came with %v", got.header)
	}
	small := editor.do("GET", one+"?size=200", nil).want(t, 200)
	cfg, _, err := image.DecodeConfig(strings.NewReader(small.body))
	if err != nil || cfg.Width != 200 {
		t.Fatalf("small picture: %+v, %v", cfg, err)
	}
	editor.do("GET", one+"?size=200", nil, "If-None-Match", small.header.Get("ETag")).want(t, 304)
	editor.do("GET", one+"?size=5", nil).want(t, 422)
	editor.do("GET", base+"/..%2Fx", nil).want(t, 404)
	h.as("west-editor").do("GET", one, nil).want(t, 404)
	h.as("").do("GET", one, nil).want(t, 401)

	editor.do("PUT", one, map[string]string{"name": "n.png", "alt": "全体合影"}).want(t, 200, "全体合影")
	editor.do("GET", base+"?q=%E5%85%A8%E4%BD%93", nil).want(t, 200, made.field("hash"))
	h.as("west-editor").do("GET", base, nil).want(t, 200, `"items":[]`)
	h.as("west-editor").do("DELETE", one, nil).want(t, 404)
	editor.do("DELETE", one, nil).want(t, 204)
	editor.do("GET", one, nil).want(t, 404)
}

func TestPasteOverHTTP(t *testing.T) {
	h := build(t, staff.Policy{})
	src := "data:image/png;base64," + base64.StdEncoding.EncodeToString(picture(t, 12, 12))
	body := map[string]string{"orgId": h.id("east"), "html": `<p onclick="x()">字<img src="` + src + `"></p>`}
	h.as("east-editor").do("POST", "/api/staff/v1/paste", body).want(t, 200, "asset:").lacks(t, "data:image", "onclick")
	h.as("east-reviewer1").do("POST", "/api/staff/v1/paste", body).want(t, 403)
}

func TestWordsOverHTTP(t *testing.T) {
	h := build(t, staff.Policy{})
	boss, base := h.as("root-admin"), "/api/staff/v1/words"
	boss.do("GET", base, nil).want(t, 200, `"kind":"typo"`)
	made := boss.do("POST", base, map[string]string{"text": "同心园", "kind": "typo", "suggest": "同心苑"}).want(t, 201)
	boss.do("POST", base, map[string]string{"text": "同心园", "kind": "typo"}).want(t, 409)
	boss.do("PUT", base+"/"+made.field("id"), map[string]string{"text": "同心园", "kind": "sensitive"}).want(t, 200, "sensitive")
	h.as("east-editor").do("GET", base, nil).want(t, 200, "同心园")
	h.as("east-editor").do("DELETE", base+"/"+made.field("id"), nil).want(t, 403)
	boss.do("DELETE", base+"/"+made.field("id"), nil).want(t, 204)
	boss.do("DELETE", base+"/"+made.field("id"), nil).want(t, 404)
}

func TestPublicFeedOverHTTP(t *testing.T) {
	h := build(t, staff.Policy{})
	ctx, anybody := t.Context(), h.as("")
	made := h.as("east-admin").do("POST", "/api/staff/v1/accounts", map[string]any{"orgId": h.id("east"), "platform": "feed", "name": "支部之声"}).want(t, 201)
	id, err := ids.Parse(made.field("id"))
	check(t, err)
	a := publish.Account{ID: id, Platform: publish.Feed, Name: "支部之声"}
	shown, err := h.feed.UploadPicture(ctx, a, picture(t, 8, 8), "image/png")
	check(t, err)
	hidden, err := h.feed.UploadPicture(ctx, a, picture(t, 16, 16), "image/png")
	check(t, err)
	draft, err := h.feed.SaveDraft(ctx, a, []publish.Rendered{{Title: "春日", HTML: `<p style="color:red">正文<img src="` + shown + `"></p>`}})
	check(t, err)
	root := "/feeds/" + id.String()
	anybody.do("GET", root+"/rss.xml", nil).want(t, 200).lacks(t, "春日")
	receipt, err := h.feed.Submit(ctx, a, draft, publish.ModePublish, "c1")
	check(t, err)

	for path, mime := range map[string]string{"/rss.xml": "application/rss+xml", "/atom.xml": "application/atom+xml", "/feed.json": "application/feed+json", "": "text/html"} {
		got := anybody.do("GET", root+path, nil).want(t, 200, "春日")
		if !strings.HasPrefix(got.header.Get("Content-Type"), mime) || got.header.Get("Set-Cookie") != "" || !strings.HasPrefix(got.header.Get("Cache-Control"), "public") {
			t.Errorf("%s came with %v", path, got.header)
		}
		anybody.do("GET", root+path, nil, "If-None-Match", got.header.Get("ETag")).want(t, 304)
	}
	out, err := h.feed.Result(ctx, a, receipt, publish.ModePublish)
	check(t, err)
	item := strings.TrimPrefix(out.URLs[0], "http://example.com")
	page := anybody.do("GET", item, nil).want(t, 200, "正文", `style="color:red"`)
	styleHash(t, page)
	pic := anybody.do("GET", strings.TrimPrefix(shown, "http://example.com"), nil).want(t, 200)
	if pic.header.Get("Content-Type") != "image/png" || pic.header.Get("Cross-Origin-Resource-Policy") != "cross-origin" {
		t.Errorf("picture came with %v", pic.header)
	}
	anybody.do("GET", strings.TrimPrefix(hidden, "http://example.com"), nil).want(t, 404)
	for _, path := range []string{"/feeds/77/rss.xml", "/feeds/x/atom.xml", root + "/items/77", root + "/items/x", root + "/pictures/x.png", "/feeds/77"} {
		anybody.do("GET", path, nil).want(t, 404)
	}
	check(t, h.feed.Retract(ctx, a, publish.Delivery{Receipt: receipt}))
	anybody.do("GET", item, nil).want(t, 404, "没有找到这个页面").lacks(t, "正文")
	anybody.do("GET", strings.TrimPrefix(shown, "http://example.com"), nil).want(t, 404)
	anybody.do("GET", root+"/feed.json", nil).want(t, 200, `"items":[]`)
}

// styleHash holds the page's style against the hash in its policy: a browser
// would drop it without a word.
func styleHash(t *testing.T, page *answer) {
	t.Helper()
	_, rest, _ := strings.Cut(page.body, "<style>")
	style, _, ok := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	want := fmt.Sprintf("'sha256-%s'", base64.StdEncoding.EncodeToString(sum[:]))
	if policy := page.header.Get("Content-Security-Policy"); !ok || !strings.Contains(policy, want) || strings.Contains(policy, "script-src") {
		t.Fatalf("policy %q lacks %s", policy, want)
	}
}
