package sandbox

import (
	"net/http"
	"strings"
	"testing"
)

const miniApp = "wxmmmmmmmmmmmmmmmm"

func newPeopleBench(t *testing.T, change func(*Config)) *bench {
	t.Helper()
	return newBench(t, func(c *Config) {
		c.Accounts[0].CallbackURL = "http://tongxin.test/wechat/" + testApp
		c.Accounts = append(c.Accounts, Account{AppID: miniApp, Secret: "mini", Token: "tok", Kind: "mini"})
		c.Users = []User{{ID: "ma", Nickname: "马国强<b>", Phone: "19900000101"}, {ID: "li", Nickname: "小李"}}
		if change != nil {
			change(c)
		}
	})
}

func (b *bench) sns(query string) answer {
	b.t.Helper()
	return b.do("GET", "/sns/jscode2session?"+query, "", nil)
}

func TestCode2SessionChecksItsAddress(t *testing.T) {
	b := newPeopleBench(t, nil)
	code := b.control("users/ma/login-code", map[string]any{}).str("code")
	if len(code) != 32 {
		t.Fatalf("code %q", code)
	}
	for query, want := range map[string]int{
		"secret=mini&js_code=x&grant_type=authorization_code":                                     41002,
		"appid=" + miniApp + "&js_code=x&grant_type=authorization_code":                           41004,
		"appid=" + miniApp + "&secret=mini&js_code=x":                                             40002,
		"appid=wxnone&secret=mini&js_code=x&grant_type=authorization_code":                        40013,
		"appid=" + miniApp + "&secret=no&js_code=x&grant_type=authorization_code":                 40125,
		"appid=" + miniApp + "&secret=mini&grant_type=authorization_code":                         41008,
		"appid=" + miniApp + "&secret=mini&js_code=x&grant_type=authorization_code":               40029,
		"appid=" + testApp + "&secret=" + testSecret + "&js_code=x&grant_type=authorization_code": 48001,
	} {
		if got := b.sns(query); got.code() != want {
			t.Errorf("%s: %v, want %d", query, got, want)
		}
	}
	got := b.sns("appid=" + miniApp + "&secret=mini&js_code=" + code + "&grant_type=authorization_code")
	if got.code() != 0 || got.str("openid") != OpenID(miniApp, "ma") || got.str("unionid") != UnionID("ma") || got.str("session_key") == "" {
		t.Fatal(got)
	}
	if bad := b.control("users/li/phone-code", map[string]any{}); bad.str("error") == "" || bad.str("code") != "" {
		t.Errorf("a person without a number pressed the phone button: %v", bad)
	}
	if bad := b.control("users/nobody/login-code", map[string]any{}); bad.str("error") == "" {
		t.Error(bad)
	}
	if bad := b.control("users/ma/login-code", map[string]any{"appid": testApp}); bad.str("error") == "" {
		t.Errorf("wx.login in an official account: %v", bad)
	}
	// The phone button belongs to mini-programs, drafts to official accounts.
	if got := b.call("/wxa/business/getuserphonenumber", map[string]any{"code": "x"}); got.code() != 48001 {
		t.Error(got)
	}
}

func TestAuthorizePageIsAsStrictAsThePlatform(t *testing.T) {
	b := newPeopleBench(t, nil)
	const back = "redirect_uri=http%3A%2F%2Ftongxin.test%2Fback%3Fa%3D1"
	good := "appid=" + testApp + "&" + back + "&response_type=code&scope=snsapi_userinfo&state=abc1"
	for _, prefix := range []string{"", "/sandbox"} {
		code, _, body := b.fetchPage(prefix + authorizePath + "?" + good)
		if code != http.StatusOK || !strings.Contains(body, "马国强&lt;b&gt;") || !strings.Contains(body, "199****0101") || strings.Contains(body, "19900000101") || strings.Contains(body, "国强<b>") {
			t.Fatalf("%d %s", code, body)
		}
	}
	for query, want := range map[string]string{
		strings.Replace(good, testApp, "wxnone", 1):                                  "40013",
		strings.Replace(good, "tongxin.test", "evil.test", 1):                        "10003",
		strings.Replace(good, "http%3A", "javascript%3A", 1):                         "10003",
		strings.Replace(good, "snsapi_userinfo", "snsapi_login", 1):                  "10005",
		strings.Replace(good, "abc1", "a%20b", 1):                                    "state",
		strings.Replace(good, "abc1", strings.Repeat("a", 129), 1):                   "state",
		back + "&appid=" + testApp + "&response_type=code&scope=snsapi_base&state=a": "参数顺序",
		strings.Replace(good, "response_type=code", "response_type=token", 1):        "参数顺序",
		strings.Replace(good, testApp, miniApp, 1):                                   "10005",
	} {
		code, head, body := b.fetchPage(authorizePath + "?" + query + "&as=ma")
		if code != http.StatusBadRequest || !strings.Contains(body, want) || head.Get("Location") != "" {
			t.Errorf("%s: %d %s", query, code, body)
		}
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url+authorizePath+"?"+good+"&as=ma", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		t.Fatal(err)
	}
	to := res.Header.Get("Location")
	if res.StatusCode != http.StatusFound || !strings.HasPrefix(to, "http://tongxin.test/back?a=1&code=0") || !strings.HasSuffix(to, "&state=abc1") {
		t.Fatalf("%d %s", res.StatusCode, to)
	}
	if code, _, _ := b.fetchPage("/sandbox/open/nobody"); code != http.StatusNotFound {
		t.Errorf("open as nobody: %d", code)
	}
}

// A service account that is not verified has no page authorisation.
func TestAuthorizeNeedsTheRight(t *testing.T) {
	b := newPeopleBench(t, func(c *Config) { c.Accounts[0].Deny = []string{"oauth"} })
	code, _, body := b.fetchPage(authorizePath + "?appid=" + testApp + "&redirect_uri=http%3A%2F%2Ftongxin.test%2F&response_type=code&scope=snsapi_base&state=a&as=ma")
	if code != http.StatusBadRequest || !strings.Contains(body, "10005") {
		t.Errorf("%d %s", code, body)
	}
	if got := b.do("GET", "/sns/oauth2/access_token?appid="+testApp+"&secret="+testSecret+"&code=x&grant_type=authorization_code", "", nil); got.code() != 48001 {
		t.Error(got)
	}
}

func TestUsersAreKeptAndShownMasked(t *testing.T) {
	file := t.TempDir() + "/box.json"
	b := newPeopleBench(t, func(c *Config) { c.StateFile = file })
	for _, u := range []map[string]any{{"id": "a b", "nickname": "x"}, {"id": "x"}, {"id": "x", "nickname": "x", "phone": "1-2"}, {"id": "x", "nickname": "x", "other": 1}} {
		if got := b.control("users", u); got.str("error") == "" {
			t.Errorf("%v was taken: %v", u, got)
		}
	}
	if got := b.control("users", map[string]any{"id": "new", "nickname": "新人", "phone": "19911112222"}); got.str("country") != "86" {
		t.Fatal(got)
	}
	_, _, body := b.fetchPage("/sandbox/api/overview")
	if !strings.Contains(body, "199****2222") || strings.Contains(body, "19911112222") || strings.Contains(body, "19900000101") {
		t.Error(body)
	}
	if err := b.s.save(); err != nil {
		t.Fatal(err)
	}
	again := newPeopleBench(t, func(c *Config) { c.StateFile, c.Users = file, c.Users[:1] })
	if n := len(again.s.Users()); n != 3 {
		t.Errorf("%d users after a restart", n)
	}
}
