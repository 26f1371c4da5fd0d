package httpkit

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/gofiber/fiber/v2"

	"tongxin/internal/authz"
	"tongxin/internal/call"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/limit"
	"tongxin/internal/page"
)

type thing struct {
	ID      ids.ID `json:"id"`
	Name    string `json:"name"`
	Version int64  `json:"version"`
}

type thingIn struct {
	Body struct {
		Name  string   `json:"name" minLength:"1" maxLength:"5"`
		Kind  string   `json:"kind,omitempty" enum:"a,b"`
		Count int      `json:"count,omitempty" minimum:"1" maximum:"9"`
		Tags  []string `json:"tags,omitempty" maxItems:"2" uniqueItems:"true"`
	}
}

type saveIn struct {
	ByID
	Match
}

type listIn struct {
	Paging
	Org ID `query:"org"`
}

// bench is a small surface with one route of each sort.
type bench struct {
	kit   *Kit
	api   *Surface
	log   *bytes.Buffer
	clock *clock.Manual
	info  call.Info
	fail  error
	saved int64
	org   ids.ID
}

func build(t *testing.T, change func(*Config)) *bench {
	t.Helper()
	b := &bench{log: &bytes.Buffer{}, clock: clock.NewManual(time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC))}
	cfg := Config{Log: slog.New(Redact(slog.NewJSONHandler(b.log, nil))), Clock: b.clock, Random: rand.Reader}
	if change != nil {
		change(&cfg)
	}
	b.kit = New(cfg)
	auth := func(_ context.Context, c *fiber.Ctx) (Identity, error) {
		switch who := c.Get("X-Who"); who {
		case "":
			return Identity{}, nil
		case "limited":
			return Identity{Actor: &authz.Actor{ID: 9}, Key: who, Refusal: "请先绑定动态口令。"}, nil
		default:
			return Identity{Key: who, CSRF: "token-of-" + who, Actor: &authz.Actor{ID: 7, Grants: []authz.Grant{{Path: "/1/", Rights: []authz.Right{authz.Right(who)}}}}}, nil
		}
	}
	b.api = b.kit.Surface(SurfaceConfig{Prefix: "/api/x/v1", Title: "test", Version: "1", Auth: auth, Known: func(_ context.Context, cookie func(string) string) bool {
		return cookie("session") == "live"
	}})
	b.api.Post("/things", "write", "create", Create(b.create))
	b.api.Get("/things", "read", "list", Read(b.list))
	b.api.Put("/things/{id}", "write", "save", Edit(b.save))
	b.api.Delete("/things/{id}", "write", "remove", Done(b.remove))
	b.api.Get("/me", SignedIn, "me", Read(b.me))
	b.api.Get("/broken", Public, "panics", Read(b.broken))
	b.api.Post("/upload", "write", "upload", Raw(b.upload, MaxBody(2<<20), Consumes("image/png")))
	b.api.Get("/slow", Public, "waits", Read(b.slow, Timeout(time.Millisecond)))
	root := b.kit.Surface(SurfaceConfig{})
	root.Post("/callback", Public, "callback", Raw(func(c *fiber.Ctx) error { return c.SendString("ok") }, NoCSRF()))
	b.kit.Health(root, Check{Name: "database", Fn: func(context.Context) error { return b.fail }})
	return b
}

func (b *bench) create(ctx context.Context, actor *authz.Actor, in *thingIn) (*thing, error) {
	b.info = call.From(ctx)
	return &thing{ID: 1 << 60, Name: in.Body.Name, Version: 1}, b.fail
}

func (b *bench) list(_ context.Context, _ *authz.Actor, in *listIn) (*page.Result[thing], error) {
	b.org = in.Org.V
	res := page.Of(make([]thing, 50), in.Page.Limit, func(t thing) ids.ID { return 42 })
	return &res, nil
}

func (b *bench) save(_ context.Context, _ *authz.Actor, in *saveIn) (*thing, error) {
	if in.Version != 3 {
		return nil, &errs.Error{Code: errs.Stale, Msg: "内容已被他人修改。", Details: map[string]string{"name": "newer"}}
	}
	b.saved = int64(in.ID.V)
	return &thing{ID: in.ID.V, Version: 4}, nil
}

func (b *bench) remove(context.Context, *authz.Actor, *ByID) error { return b.fail }

func (b *bench) me(context.Context, *authz.Actor, *struct{}) (*thing, error) {
	return &thing{Name: "me"}, nil
}

func (b *bench) broken(context.Context, *authz.Actor, *struct{}) (*thing, error) {
	panic("secret inside 13812345678")
}

func (b *bench) slow(ctx context.Context, _ *authz.Actor, _ *struct{}) (*thing, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (b *bench) upload(c *fiber.Ctx) error { return c.JSON(fiber.Map{"bytes": len(c.Body())}) }

type reply struct {
	*http.Response
	body string
}

func (b *bench) do(t *testing.T, method, path, body string, headers ...string) *reply {
	t.Helper()
	req := httptest.NewRequestWithContext(context.Background(), method, path, strings.NewReader(body))
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := b.kit.App().Test(req, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return &reply{res, string(raw)}
}

func (r *reply) want(t *testing.T, status int, parts ...string) *reply {
	t.Helper()
	if r.StatusCode != status {
		t.Fatalf("status %d, want %d: %s", r.StatusCode, status, r.body)
	}
	for _, p := range parts {
		if !strings.Contains(r.body, p) {
			t.Fatalf("lacks %q: %s", p, r.body)
		}
	}
	return r
}

func writer() []string { return []string{"X-Who", "write", HeaderCSRF, "token-of-write"} }

func TestEveryCodeHasARow(t *testing.T) {
	seen := map[int]errs.Code{}
	for _, c := range errs.Codes() {
		r, ok := rows(c)
		if !ok || r.status < 400 || r.title == "" {
			t.Errorf("code %s has no row", c)
		}
		if other, ok := seen[r.status]; ok {
			t.Errorf("%s and %s share status %d", c, other, r.status)
		}
		seen[r.status] = c
	}
	if _, ok := rows("made-up"); ok {
		t.Error("an unknown code has a row")
	}
}

func TestProblemsSayWhatToDoAndNothingElse(t *testing.T) {
	b := build(t, nil)
	r := b.do(t, "GET", "/api/x/v1/broken", "").want(t, 500, "请求编号", `"code":"internal"`, `"requestId":"`)
	if r.Header.Get("Content-Type") != ProblemType || strings.Contains(r.body, "secret") || strings.Contains(r.body, "goroutine") {
		t.Fatal(r.Header, r.body)
	}
	if !strings.Contains(b.log.String(), "panic") || strings.Contains(b.log.String(), "13812345678") {
		t.Fatalf("log: %s", b.log)
	}
	b.fail = errors.New("dial tcp 10.0.0.3: password=hunter2")
	r = b.do(t, "POST", "/api/x/v1/things", `{"name":"n"}`, writer()...).want(t, 500)
	if strings.Contains(r.body, "10.0.0.3") || strings.Contains(b.log.String(), "hunter2") {
		t.Fatal("an inner error leaked")
	}
	b.fail = &errs.Error{Code: errs.TooMany, Msg: "慢一点。", RetryAfter: 1500 * time.Millisecond, Cause: errors.New("inner")}
	r = b.do(t, "POST", "/api/x/v1/things", `{"name":"n"}`, writer()...).want(t, 429, "慢一点。", `"retryAfter":2`)
	if r.Header.Get("Retry-After") != "2" || strings.Contains(r.body, "inner") {
		t.Fatal(r.Header, r.body)
	}
	b.do(t, "GET", "/nowhere", "").want(t, 404, "没有这个地址", `"requestId":"`)
	b.do(t, "PATCH", "/api/x/v1/me", "").want(t, 405, "不支持此操作")
	b.do(t, "GET", "/api/x/v1/slow", "").want(t, 503, "处理超时")
}

func TestValidationSpeaksChinese(t *testing.T) {
	b := build(t, nil)
	post := func(body string) *reply { return b.do(t, "POST", "/api/x/v1/things", body, writer()...) }
	post(`{}`).want(t, 422, `"name":"name","message":"此项必填。"`)
	post(`{"name":"123456"}`).want(t, 422, "最多 5 个字")
	post(`{"name":""}`).want(t, 422, "此项不能为空")
	post(`{"name":"n","kind":"c","count":10}`).want(t, 422, "只能是以下之一：a, b。", "不能大于 9", "有 2 处内容需要修改")
	post(`{"name":"n","tags":["x","x"]}`).want(t, 422, "有重复的项")
	post(`{"name":"n","tags":["x","y","z"]}`).want(t, 422, "最多 2 项")
	post(`{"name":7}`).want(t, 422, "须为文字")
	post(`{"name":"n","more":1}`).want(t, 422, `"name":"more"`, "不认识的字段")
	post(`{"name":`).want(t, 400, "格式不正确")
	post("").want(t, 400, "请求内容为空")
	if r := post(`{"name":"my secret value"}`).want(t, 422); strings.Contains(r.body, "my secret") {
		t.Fatal("the value that was sent is echoed")
	}
	if strings.Contains(b.log.String(), "my secret") {
		t.Fatal("a body is in the log")
	}
	r := b.do(t, "POST", "/api/x/v1/things", `{}`, append(writer(), "Content-Type", "application/xml")...)
	r.want(t, 415, "JSON")
}

// A body full of mistakes must not cost more than its reading: the answer and
// the log name some of them.
func TestManyMistakesAreNamedInPart(t *testing.T) {
	b := build(t, nil)
	body := strings.Builder{}
	body.WriteString(`{"name":"n","` + strings.Repeat("长", 5000) + `":1`)
	for i := range 40_000 {
		fmt.Fprintf(&body, `,"x%d":1`, i)
	}
	r := b.do(t, "POST", "/api/x/v1/things", body.String()+"}", writer()...).want(t, 422, "有 50 处内容需要修改", "不认识的字段")
	if n := len(r.body); n > 20_000 {
		t.Errorf("an answer of %d bytes", n)
	}
	if n := b.log.Len(); n > 5_000 {
		t.Errorf("a log line of %d bytes", n)
	}
}

func TestRightsCSRFAndRefusal(t *testing.T) {
	b := build(t, nil)
	body := `{"name":"n"}`
	b.do(t, "POST", "/api/x/v1/things", body).want(t, 401, "请先登录")
	b.do(t, "POST", "/api/x/v1/things", body, "X-Who", "read", HeaderCSRF, "token-of-read").want(t, 403, "没有进行此操作的权限")
	b.do(t, "POST", "/api/x/v1/things", body, "X-Who", "write").want(t, 403, "页面已过期")
	b.do(t, "POST", "/api/x/v1/things", body, append(writer(), "Origin", "http://elsewhere.example")...).want(t, 403, "请求来源")
	b.do(t, "POST", "/api/x/v1/things", body, append(writer(), "Origin", "http://example.com")...).want(t, 201)
	b.do(t, "GET", "/api/x/v1/me", "", "X-Who", "limited").want(t, 200)
	b.do(t, "GET", "/api/x/v1/things", "", "X-Who", "limited").want(t, 403, "绑定动态口令")
	b.do(t, "POST", "/callback", "x", "Origin", "http://elsewhere.example").want(t, 200)
	public := build(t, func(c *Config) { c.PublicURL = "https://tongxin.example/" })
	r := public.do(t, "POST", "/api/x/v1/things", body, append(writer(), "Origin", "https://tongxin.example")...).want(t, 201)
	if !strings.Contains(r.Header.Get("Strict-Transport-Security"), "max-age") {
		t.Fatal("no HSTS under https")
	}
}

func TestEditsNeedTheVersion(t *testing.T) {
	b := build(t, nil)
	put := func(tag string) *reply {
		return b.do(t, "PUT", "/api/x/v1/things/1152921504606846976", "", append(writer(), "If-Match", tag)...)
	}
	b.do(t, "PUT", "/api/x/v1/things/1", "", writer()...).want(t, 428, "If-Match")
	for _, bad := range []string{"3", `W/"3"`, `"x"`, "*", `"-1"`} {
		put(bad).want(t, 428)
	}
	put(`"2"`).want(t, 412, `"details":{"name":"newer"}`)
	if r := put(`"3"`).want(t, 200); r.Header.Get("ETag") != `"4"` || b.saved != 1<<60 {
		t.Fatalf("etag %s, id %d", r.Header.Get("ETag"), b.saved)
	}
	b.do(t, "DELETE", "/api/x/v1/things/abc", "", writer()...).want(t, 422, `"name":"id"`)
	b.do(t, "DELETE", "/api/x/v1/things/1", "", writer()...).want(t, 204)
}

func TestListsHavePages(t *testing.T) {
	b := build(t, nil)
	r := b.do(t, "GET", "/api/x/v1/things?limit=10&org=99999999999999999999", "", "X-Who", "read")
	r.want(t, 422, `"name":"org"`)
	r = b.do(t, "GET", "/api/x/v1/things?limit=10&org=9999999999999999999", "", "X-Who", "read").want(t, 200, `"next":"`)
	if b.org == 0 {
		t.Fatal("an id that is too large reads as none, which widens the query")
	}
	var v page.Result[thing]
	if err := json.Unmarshal([]byte(r.body), &v); err != nil || len(v.Items) != 10 {
		t.Fatal(err, len(v.Items))
	}
	b.do(t, "GET", "/api/x/v1/things?cursor="+v.Next, "", "X-Who", "read").want(t, 200)
	b.do(t, "GET", "/api/x/v1/things?cursor=zzzz", "", "X-Who", "read").want(t, 422, "翻页位置")
}

func TestIdempotencyKeyReachesTheCall(t *testing.T) {
	b := build(t, nil)
	post := func(body string, h ...string) call.Info {
		b.do(t, "POST", "/api/x/v1/things", body, append(writer(), h...)...).want(t, 201)
		return b.info
	}
	one := post(`{"name":"a"}`, HeaderIdempotencyKey, "0123456789", "X-Request-Id", "from-a-proxy-1")
	if one.IdempotencyKey != "0123456789" || len(one.BodyHash) != 64 || one.RequestID != "from-a-proxy-1" {
		t.Fatalf("%+v", one)
	}
	if two := post(`{"name":"b"}`, HeaderIdempotencyKey, "0123456789"); two.BodyHash == one.BodyHash || len(two.RequestID) != 32 {
		t.Fatalf("%+v", two)
	}
	if none := post(`{"name":"b"}`, "X-Request-Id", "bad id\t"); none.IdempotencyKey != "" || none.BodyHash != "" || none.RequestID == "bad id\t" {
		t.Fatalf("%+v", none)
	}
	for _, bad := range []string{"short", strings.Repeat("x", 65), "with space here"} {
		b.do(t, "POST", "/api/x/v1/things", `{"name":"a"}`, append(writer(), HeaderIdempotencyKey, bad)...).want(t, 422)
	}
}

func TestBodiesAreBounded(t *testing.T) {
	b := build(t, nil)
	b.do(t, "POST", "/api/x/v1/upload", strings.Repeat("x", 3<<19), append(writer(), "Cookie", "session=live")...).want(t, 200, "1572864")
	b.do(t, "POST", "/api/x/v1/things", "x", append(writer(), "Content-Encoding", "gzip")...).want(t, 415)
}

// Callbacks and people of one address do not use up each other's requests.
func TestRateLimitsApart(t *testing.T) {
	b := build(t, func(c *Config) { c.PerAddress = limit.Per(2, time.Minute) })
	events := Apart(limit.New(b.clock, limit.Per(3, time.Minute), 100), limit.New(b.clock, limit.Per(4, time.Minute), 100))
	b.kit.Surface(SurfaceConfig{}).Post("/events/{app}", Public, "events", Raw(func(c *fiber.Ctx) error { return c.SendString("ok") }, NoCSRF(), events))
	for range 3 {
		b.do(t, "POST", "/events/one", "").want(t, 200)
	}
	b.do(t, "POST", "/events/one", "").want(t, 429)
	b.do(t, "GET", "/api/x/v1/me", "", "X-Who", "a").want(t, 200)
	b.do(t, "GET", "/api/x/v1/me", "", "X-Who", "a").want(t, 200)
	b.do(t, "GET", "/api/x/v1/me", "", "X-Who", "a").want(t, 429)
	b.do(t, "POST", "/events/two", "").want(t, 429) // four together
	b.clock.Add(time.Minute)
	b.do(t, "POST", "/events/two", "").want(t, 200)
}

func TestRateLimits(t *testing.T) {
	b := build(t, func(c *Config) { c.PerActor = limit.Per(2, time.Minute); c.PerAddress = limit.Per(100, time.Minute) })
	me := func(who string) *reply { return b.do(t, "GET", "/api/x/v1/me", "", "X-Who", who) }
	me("a").want(t, 200)
	me("a").want(t, 200)
	if r := me("a").want(t, 429, `"retryAfter":31`); r.Header.Get("Retry-After") != "31" {
		t.Fatal(r.Header.Get("Retry-After"))
	}
	me("b").want(t, 200)
	b.clock.Add(31 * time.Second)
	me("a").want(t, 200)
	for range 200 {
		if b.do(t, "GET", "/nowhere", "").StatusCode == 429 {
			return
		}
	}
	t.Fatal("unknown paths are not limited")
}

func TestAddressBehindProxies(t *testing.T) {
	b := build(t, func(c *Config) {
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/32"), netip.MustParsePrefix("10.0.0.0/8")}
	})
	for header, want := range map[string]string{
		"":                                "0.0.0.0",
		"203.0.113.9":                     "203.0.113.9",
		"1.2.3.4, 203.0.113.9, 10.0.0.7":  "203.0.113.9", // the leftmost is the client's own claim
		"1.2.3.4, not-an-address":         "0.0.0.0",
		"2001:db8::1, 10.0.0.7, 10.0.0.8": "2001:db8::1",
	} {
		b.do(t, "POST", "/api/x/v1/things", `{"name":"n"}`, append(writer(), "X-Forwarded-For", header)...).want(t, 201)
		if b.info.Addr != want {
			t.Errorf("X-Forwarded-For %q: %s, want %s", header, b.info.Addr, want)
		}
	}
	plain := build(t, nil)
	plain.do(t, "POST", "/api/x/v1/things", `{"name":"n"}`, append(writer(), "X-Forwarded-For", "203.0.113.9")...).want(t, 201)
	if plain.info.Addr != "0.0.0.0" {
		t.Fatalf("a stranger's header was believed: %s", plain.info.Addr)
	}
	if bucketOf("2001:db8::1") != bucketOf("2001:db8::ffff") || bucketOf("2001:db8::1") == bucketOf("2001:db8:0:1::1") {
		t.Fatal("an IPv6 customer is a /64")
	}
}

func TestHeadersOnEveryAnswer(t *testing.T) {
	b := build(t, nil)
	for _, path := range []string{"/api/x/v1/me", "/nowhere", "/healthz", "/api/x/v1/broken"} {
		h := b.do(t, "GET", path, "", "X-Who", "read").Header
		for _, name := range []string{"Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "Permissions-Policy", "Cross-Origin-Opener-Policy", "X-Request-Id"} {
			if h.Get(name) == "" {
				t.Errorf("%s lacks %s", path, name)
			}
		}
		if strings.Contains(h.Get("Content-Security-Policy"), "unsafe") || h.Get("Cache-Control") != "no-store" || h.Get("Strict-Transport-Security") != "" {
			t.Errorf("%s: %v", path, h)
		}
	}
}

func TestHealthAndMetrics(t *testing.T) {
	b := build(t, nil)
	b.do(t, "GET", "/readyz", "").want(t, 200, `"database":"ok"`)
	b.fail = errors.New("disk on fire at /var/lib/secret")
	if r := b.do(t, "GET", "/readyz", "").want(t, 503, `"database":"failed"`); strings.Contains(r.body, "fire") {
		t.Fatal("the reason leaked")
	}
	b.do(t, "GET", "/healthz", "").want(t, 200)
	b.do(t, "GET", "/something/with/a/token-in-it", "").want(t, 404)
	rec := httptest.NewRecorder()
	b.kit.Local().ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	for _, want := range []string{`http_requests_total{method="GET",route="/readyz",status="503"} 1`, `http_request_seconds_count{method="GET",route="/healthz"} 1`, `route="(none)",status="404"`} {
		if !strings.Contains(rec.Body.String(), want) {
			t.Errorf("metrics lack %s", want)
		}
	}
	if strings.Contains(rec.Body.String()+b.log.String(), "token-in-it") {
		t.Error("a real path is in metrics or log")
	}
}

func TestOpenAPI(t *testing.T) {
	b := build(t, nil)
	r := b.do(t, "GET", "/api/x/v1/openapi.json", "").want(t, 200, `"openapi":"3.1.0"`, `"/things/{id}"`, `"If-Match"`, `"Idempotency-Key"`, `"operationId":"create"`,
		`"x-right":"write"`, "application/problem+json", `"Problem"`)
	for _, absent := range []string{"ErrorModel", "ErrorDetail", "$schema", "openapi.json\":", "unpkg"} {
		if strings.Contains(r.body, absent) {
			t.Errorf("the document holds %s", absent)
		}
	}
	if !json.Valid([]byte(r.body)) {
		t.Fatal("not JSON")
	}
}

func TestVerify(t *testing.T) {
	b := build(t, nil)
	if err := b.kit.Verify(); err != nil {
		t.Fatal(err)
	}
	b.api.Get("/things/{id}", "read", "one", Read(func(context.Context, *authz.Actor, *ByID) (*thing, error) { return nil, nil }))
	b.api.Get("/things/count", "read", "too late", Raw(func(c *fiber.Ctx) error { return nil }))
	b.kit.App().Use("/sneaky", func(c *fiber.Ctx) error { return c.Next() })
	err := b.kit.Verify()
	if err == nil || !strings.Contains(err.Error(), "/things/count can never match") || !strings.Contains(err.Error(), "/sneaky") {
		t.Fatalf("%v", err)
	}
}

func TestInputsHumaCannotSeeArePanics(t *testing.T) {
	type hidden struct {
		ID ID `path:"id"`
	}
	type in struct{ hidden }
	b := build(t, nil)
	defer func() {
		if recover() == nil {
			t.Fatal("an input that is never read was accepted")
		}
	}()
	b.api.Get("/h/{id}", "read", "x", Read(func(context.Context, *authz.Actor, *in) (*thing, error) { return nil, nil }))
}

func TestStatic(t *testing.T) {
	b := build(t, nil)
	root := b.kit.Surface(SurfaceConfig{})
	js := strings.Repeat("let a = 1;\n", 300)
	files := fstest.MapFS{
		"index.html":        {Data: []byte("<!doctype html><title>console</title>")},
		"assets/a-12ab.js":  {Data: []byte(js)},
		"assets/b-12ab.css": {Data: []byte("b{}")}, "assets/b-12ab.css.br": {Data: []byte("packed")},
		".keep": {Data: nil},
	}
	if err := root.Static("/site", "site", Site{Files: files}); err != nil {
		t.Fatal(err)
	}
	if err := root.Static("/empty", "empty", Site{Files: fstest.MapFS{}, Unbuilt: []byte("run make")}); err != nil {
		t.Fatal(err)
	}
	index := b.do(t, "GET", "/site/", "").want(t, 200, "console")
	if index.Header.Get("Cache-Control") != "no-cache" || index.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatal(index.Header)
	}
	b.do(t, "GET", "/site", "").want(t, 301)
	b.do(t, "GET", "/site/posts/17", "").want(t, 200, "console")
	b.do(t, "GET", "/site/assets/none.js", "").want(t, 404, "没有这个地址")
	b.do(t, "GET", "/site/.keep", "").want(t, 404)
	b.do(t, "GET", "/site/../kit.go", "").want(t, 404)
	b.do(t, "GET", "/site/", "", "If-None-Match", index.Header.Get("ETag")).want(t, 304)
	a := b.do(t, "GET", "/site/assets/a-12ab.js", "", "Accept-Encoding", "gzip").want(t, 200)
	if !strings.Contains(a.Header.Get("Cache-Control"), "immutable") || a.Header.Get("Content-Encoding") != "gzip" || len(a.body) >= len(js) {
		t.Fatal(a.Header, len(a.body))
	}
	css := b.do(t, "GET", "/site/assets/b-12ab.css", "", "Accept-Encoding", "gzip, br").want(t, 200, "packed")
	if css.Header.Get("Content-Encoding") != "br" || css.Header.Get("Content-Type") != "text/css; charset=utf-8" || css.Header.Get("Vary") != "Accept-Encoding" {
		t.Fatal(css.Header)
	}
	b.do(t, "GET", "/site/assets/b-12ab.css", "", "Accept-Encoding", "br;q=0").want(t, 200, "b{}")
	b.do(t, "GET", "/empty/", "").want(t, 503, "run make")
	if err := b.kit.Verify(); err != nil {
		t.Fatal(err)
	}
}

func TestStreamEndsWithItsRequest(t *testing.T) {
	b := build(t, nil)
	root := b.kit.Surface(SurfaceConfig{})
	root.Get("/export", Public, "export", Raw(func(c *fiber.Ctx) error {
		return Stream(c, "text/csv", "审计.csv", time.Minute, func(ctx context.Context, w io.Writer) error {
			if call.From(ctx).RequestID == "" {
				return errors.New("no request in the stream's context")
			}
			_, err := io.WriteString(w, "a,b\n")
			if err != nil {
				return err
			}
			panic("in the middle")
		})
	}))
	r := b.do(t, "GET", "/export", "").want(t, 200, "a,b\n")
	if r.Header.Get("Content-Disposition") != "attachment; filename*=UTF-8''%E5%AE%A1%E8%AE%A1.csv" {
		t.Fatal(r.Header)
	}
	if !strings.Contains(b.log.String(), "stream panicked") {
		t.Fatal("the panic is not in the log")
	}
}
