package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"tongxin/internal/errs"
	"tongxin/publish"
	"tongxin/wechat"
	"tongxin/wechat/sandbox"
)

// oneAccount knows the first official account of the demonstration.
type oneAccount struct{}

func (oneAccount) AccountByApp(_ context.Context, _, appID string) (*publish.Account, error) {
	app := demoApps()[0]
	if appID != app.appID {
		return nil, errs.Missing("账号")
	}
	return &publish.Account{AppID: app.appID, Secrets: publish.Secrets{AppSecret: app.secret}}, nil
}

// newPeople is the adapter on the demonstration's accounts and users.
func newPeople(t *testing.T) (wechatPeople, *sandbox.Sandbox, string) {
	t.Helper()
	box, err := sandbox.New(sandbox.Config{Accounts: sandboxAccounts("http://tongxin.test"), Users: demoUsers()})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(box.Handler())
	t.Cleanup(func() {
		server.CloseClientConnections()
		if err := box.Close(); err != nil {
			t.Error(err)
		}
		server.Close()
	})
	client, err := wechat.New(wechat.Config{Base: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	mini := demoMini()
	return wechatPeople{
		mini: client.Account(wechat.Credentials{AppID: mini.appID, Secret: mini.secret}), client: client, store: oneAccount{}, officialApp: demoApps()[0].appID,
	}, box, server.URL
}

func TestPeopleProveWhoTheyAre(t *testing.T) {
	w, box, base := newPeople(t)
	ctx, mini := t.Context(), demoMini().appID
	code := func(kind, user string) string {
		t.Helper()
		v, err := box.Code(kind, mini, user)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	used := code("login", "maguoqiang")
	id, err := w.Mini(ctx, used)
	if err != nil || id.AppID != mini || id.UnionID == "" {
		t.Fatalf("%+v %v", id, err)
	}
	if phone, err := w.Phone(ctx, code("phone", "maguoqiang")); err != nil || phone != "19900000101" {
		t.Fatalf("%v", err)
	}
	address, err := w.WebURL(ctx, "http://tongxin.test/api/member/v1/session/oauth/callback", "state1")
	if err != nil {
		t.Fatal(err)
	}
	page, _, _ := strings.Cut(address, "#")
	if !strings.HasPrefix(page, base+"/connect/") {
		t.Fatal(page)
	}
	web, err := w.Web(ctx, chosenCode(t, page+"&as=maguoqiang"))
	if err != nil || web.UnionID != id.UnionID || web.OpenID == id.OpenID {
		t.Fatalf("%+v %v", web, err)
	}

	for name, c := range map[string]struct {
		err  error
		code errs.Code
		say  string
	}{
		"used":    {second(w.Mini(ctx, used)), errs.Unauthorized, "已经用过"},
		"unknown": {second(w.Phone(ctx, "nothing")), errs.Unauthorized, "无效或已过期"},
		"none":    {second((wechatPeople{}).Mini(ctx, "x")), errs.Unsupported, "还没有接入小程序"},
		"no page": {second((wechatPeople{}).WebURL(ctx, "x", "y")), errs.Unsupported, "还没有接入公众号"},
		"foreign": {second((wechatPeople{store: oneAccount{}, officialApp: "wxgone"}).Web(ctx, "x")), errs.Unsupported, "还没有接入公众号"},
	} {
		if !errs.Is(c.err, c.code) || !strings.Contains(c.err.Error(), c.say) {
			t.Errorf("%s: %v", name, c.err)
		}
	}
	if err := box.PutUser(sandbox.User{ID: "x", Nickname: "x", Phone: "5551234", Country: "1", Snapshot: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Phone(ctx, code("phone", "x")); !errs.Is(err, errs.Conflict) || strings.Contains(err.Error(), "5551234") {
		t.Errorf("a foreign number: %v", err)
	}
	if _, err := w.Web(ctx, chosenCode(t, page+"&as=x")); !errs.Is(err, errs.Forbidden) {
		t.Errorf("a snapshot: %v", err)
	}
	for c, want := range map[int]errs.Code{40226: errs.Forbidden, 45011: errs.TooMany, 40125: errs.Upstream, -1: errs.Upstream} {
		if err := box.SetFaults(sandbox.Faults{Rules: []sandbox.Rule{{Path: "/sns/jscode2session", Kind: sandbox.ErrCode, Code: c, Next: 1}}}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Mini(ctx, code("login", "maguoqiang")); !errs.Is(err, want) {
			t.Errorf("%d: %v", c, err)
		}
	}
}

// chosenCode visits the authorisation page and returns the code it leads back with.
func chosenCode(t *testing.T, page string) string {
	t.Helper()
	web := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, page, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := web.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		t.Fatal(err)
	}
	back, err := url.Parse(res.Header.Get("Location"))
	if err != nil || back.Query().Get("code") == "" {
		t.Fatalf("%d %v %v", res.StatusCode, res.Header, err)
	}
	return back.Query().Get("code")
}

// The demonstration's own sandbox: its mini-program's address answers the
// platform, and the page under the program's address knows the people.
func TestDemoHasAMiniProgram(t *testing.T) {
	p := newPlace(t)
	p.env = p.without("SECRET_KEY", "PUBLIC_URL")
	r := p.start(t, "demo")
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	web := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	ask := func(method, path, body string) (int, http.Header, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, r.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if body != "" {
			req.Header.Set("Content-Type", "application/json")
		}
		res, err := web.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(res.Body)
		if cerr := res.Body.Close(); err != nil || cerr != nil {
			t.Fatal(err, cerr)
		}
		return res.StatusCode, res.Header, string(raw)
	}
	for _, app := range []string{demoMini().appID, demoApps()[0].appID} {
		if code, _, body := ask("POST", "/sandbox/api/callback/verify", `{"appid":"`+app+`"}`); code != 200 {
			t.Errorf("%s: %d %s", app, code, body)
		}
	}
	if code, _, body := ask("POST", "/sandbox/api/users/maguoqiang/login-code", `{}`); code != 200 || !strings.Contains(body, demoMini().appID) {
		t.Errorf("%d %s", code, body)
	}
	code, head, _ := ask("GET", "/sandbox/open/maguoqiang", "")
	if code != 302 || head.Get("Location") != "/api/member/v1/session/oauth?back=%2Fm%2F" {
		t.Fatalf("%d %v", code, head)
	}
	back := url.QueryEscape(r.url + "/api/member/v1/session/oauth/callback")
	page := "/sandbox/connect/oauth2/authorize?appid=" + demoApps()[0].appID + "&redirect_uri=" + back + "&response_type=code&scope=snsapi_userinfo&state=s1"
	if code, head, body := ask("GET", page, ""); code != 302 || !strings.HasPrefix(head.Get("Location"), r.url+"/api/member/v1/session/oauth/callback?code=") {
		t.Fatalf("as a person: %d %v %s", code, head, body)
	}
	if code, _, body := ask("GET", page, ""); code != 200 || !strings.Contains(body, "马国强") || strings.Contains(body, "19900000101") {
		t.Fatalf("as nobody yet: %d %s", code, body)
	}
	var users struct {
		Users []sandbox.User `json:"users"`
	}
	if _, _, body := ask("GET", "/sandbox/api/users", ""); json.Unmarshal([]byte(body), &users) != nil || len(users.Users) != len(demoUsers()) {
		t.Error(body)
	}
}

func TestCallbacksGoToWhoAskedForThem(t *testing.T) {
	var heard []pushed
	h := wechatCallbacks{store: oneAccount{}, mini: wechat.Credentials{AppID: "wxmini", Token: "tok"}, takers: eventTakers{
		"subscribe_msg_popup_event": func(_ context.Context, in pushed) error {
			heard = append(heard, in)
			return nil
		},
	}, log: newLogger(declare(), io.Discard)}
	keys, account, err := h.keys(t.Context(), "wxmini")
	if err != nil || account != nil || keys.Token != "tok" {
		t.Fatal(keys, account, err)
	}
	if _, account, err = h.keys(t.Context(), demoApps()[0].appID); err != nil || account == nil {
		t.Fatal(account, err)
	}
	for _, app := range []string{"", "wxnobody"} {
		if _, err := h.take(t.Context(), app, http.MethodPost, url.Values{}, nil); !errs.Is(err, errs.Forbidden) {
			t.Errorf("%q: %v", app, err)
		}
	}
	if _, err := h.take(t.Context(), "wxmini", http.MethodPost, url.Values{"signature": {"x"}}, []byte("{}")); !errs.Is(err, errs.Forbidden) || len(heard) != 0 {
		t.Errorf("a forged push: %v, heard %v", err, heard)
	}
}
