package wechat_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tongxin/wechat"
	"tongxin/wechat/sandbox"
)

const (
	miniApp   = "wxminiminiminimini"
	webBack   = "http://tongxin.test/api/member/v1/session/oauth/callback"
	testPhone = "19900000101"
)

// members is a world with a mini-program, people, and an official account with
// pages of its own; what the client logs is in log.
type members struct {
	*world
	mini *wechat.Account
	log  *bytes.Buffer
	came sync.Map // requests by path, counted before they are answered: *atomic.Int64
}

// requests that came for a path.
func (m *members) requests(path string) int64 {
	n, _ := m.came.LoadOrStore(path, &atomic.Int64{})
	return n.(*atomic.Int64).Load()
}

func withMembers(t *testing.T, change func(*sandbox.Config)) *members {
	t.Helper()
	m := &members{log: &bytes.Buffer{}}
	m.world = start(t, func(c *sandbox.Config) {
		c.Accounts[0].OAuthDomains = []string{"tongxin.test"}
		c.Accounts = append(c.Accounts, sandbox.Account{AppID: miniApp, Secret: "mini-secret-mini", Token: "tok", Name: "同心", Kind: "mini"})
		c.Users = []sandbox.User{
			{ID: "ma", Nickname: "马国强", Phone: testPhone},
			{ID: "li", Nickname: "小李"},
			{ID: "risk", Nickname: "风险", Phone: "19900000102", Risky: true},
			{ID: "smith", Nickname: "Smith", Phone: "5551234", Country: "1"},
			{ID: "snap", Nickname: "快照", Snapshot: true},
		}
		if change != nil {
			change(c)
		}
	})
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := m.came.LoadOrStore(r.URL.Path, &atomic.Int64{})
		n.(*atomic.Int64).Add(1)
		m.box.Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	t.Cleanup(front.CloseClientConnections)
	m.base = front.URL
	m.client = m.newClient(func(c *wechat.Config) {
		c.Log = slog.New(slog.NewTextHandler(m.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	m.acc = m.client.Account(m.creds)
	m.mini = m.client.Account(wechat.Credentials{AppID: miniApp, Secret: "mini-secret-mini"})
	return m
}

func (m *members) code(kind, user string) string {
	m.t.Helper()
	v, err := m.box.Code(kind, miniApp, user)
	if err != nil {
		m.t.Fatal(err)
	}
	return v
}

// webCode walks through the page of the official account as a browser does and
// returns the code that came back with the state.
func (m *members) webCode(user, state string) string {
	m.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		m.t.Fatal(err)
	}
	web := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	visit := func(address string) *http.Response {
		res, err := web.Get(address) //nolint:noctx // a test's browser
		if err != nil {
			m.t.Fatal(err)
		}
		defer res.Body.Close()
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			m.t.Fatal(err)
		}
		return res
	}
	if res := visit(m.base + "/sandbox/open/" + user); res.StatusCode != http.StatusFound || res.Header.Get("Location") != "/api/member/v1/session/oauth?back=%2Fm%2F" {
		m.t.Fatalf("open as %s: %d %v", user, res.StatusCode, res.Header)
	}
	address, _, _ := strings.Cut(m.acc.AuthorizeURL(webBack, state), "#")
	back, err := url.Parse(visit(address).Header.Get("Location"))
	if err != nil || !strings.HasPrefix(back.String(), webBack+"?") || back.Query().Get("state") != state {
		m.t.Fatalf("the page leads to %s (%v)", back, err)
	}
	if res := visit(address); res.StatusCode != http.StatusOK { // "open as" counts once
		m.t.Fatalf("the second visit answers %d", res.StatusCode)
	}
	return back.Query().Get("code")
}

func TestSamePersonInBothApps(t *testing.T) {
	m := withMembers(t, nil)
	one, err := m.mini.CodeSession(t.Context(), m.code("login", "ma"))
	if err != nil || one.AppID != miniApp || one.OpenID != sandbox.OpenID(miniApp, "ma") || one.UnionID == "" {
		t.Fatalf("%+v %v", one, err)
	}
	two, err := m.acc.WebCode(t.Context(), m.webCode("ma", "abc123"))
	if err != nil || two.Snapshot || two.UnionID != one.UnionID || two.OpenID == one.OpenID || two.AppID != m.creds.AppID {
		t.Fatalf("%+v %v", two, err)
	}
	other, err := m.mini.CodeSession(t.Context(), m.code("login", "li"))
	if err != nil || other.UnionID == one.UnionID || other.OpenID == one.OpenID {
		t.Fatalf("%+v %v", other, err)
	}
	snap, err := m.acc.WebCode(t.Context(), m.webCode("snap", "s"))
	if err != nil || !snap.Snapshot || snap.UnionID != "" || snap.OpenID == sandbox.OpenID(m.creds.AppID, "snap") {
		t.Fatalf("a snapshot is no person: %+v %v", snap, err)
	}
	phone, err := m.mini.PhoneNumber(t.Context(), m.code("phone", "ma"))
	if err != nil || phone.Number != testPhone || phone.Country != "86" {
		t.Fatalf("%s %v", phone.Number, err)
	}
	if far, err := m.mini.PhoneNumber(t.Context(), m.code("phone", "smith")); err != nil || far.Country != "1" || far.Number != "5551234" {
		t.Fatalf("%s %v", far.Number, err)
	}
}

func TestCodesAreGoodOnceAndForFiveMinutes(t *testing.T) {
	m := withMembers(t, nil)
	login := func(a *wechat.Account, code string) int {
		_, err := a.CodeSession(t.Context(), code)
		return wechat.CodeOf(err)
	}
	phone := func(code string) int { _, err := m.mini.PhoneNumber(t.Context(), code); return wechat.CodeOf(err) }
	web := func(code string) int { _, err := m.acc.WebCode(t.Context(), code); return wechat.CodeOf(err) }
	used := m.code("login", "ma")
	late, lateNumber, lateWeb := m.code("login", "ma"), m.code("phone", "ma"), m.webCode("ma", "x")
	for i, c := range []struct{ got, want int }{
		{login(m.mini, used), 0},
		{login(m.mini, used), 40163},
		{login(m.mini, "made-up"), 40029},
		{login(m.mini, m.code("phone", "ma")), 40029}, // of the other button
		{phone(m.code("login", "ma")), 40029},
		{login(m.mini, m.code("login", "risk")), 40226},
		{login(m.acc, m.code("login", "ma")), 48001}, // no mini-program
		{login(m.client.Account(wechat.Credentials{AppID: miniApp, Secret: "wrong"}), m.code("login", "ma")), 40125}, // nobody else's
		{web(m.code("login", "ma")), 40029},
	} {
		if c.got != c.want {
			t.Errorf("case %d: %d, want %d", i, c.got, c.want)
		}
	}
	m.clock.Add(5 * time.Minute)
	if a, b, c := login(m.mini, late), phone(lateNumber), web(lateWeb); a != 40029 || b != 40029 || c != 40029 {
		t.Errorf("after five minutes: %d %d %d", a, b, c)
	}
	for range 100 {
		login(m.mini, m.code("login", "li"))
	}
	if got := login(m.mini, m.code("login", "li")); got != 45011 {
		t.Errorf("the hundred and first sign-in of a minute: %d", got)
	}
	if m.requests("/sns/jscode2session") == 0 {
		t.Error("nothing was called")
	}
}

// A call that may have used the code up is made once, whatever becomes of it.
func TestNoExchangeIsRepeated(t *testing.T) {
	m := withMembers(t, nil)
	if _, err := m.mini.PhoneNumber(t.Context(), m.code("phone", "ma")); err != nil {
		t.Fatal(err) // and there is a token
	}
	for path, try := range map[string]func() error{
		"/sns/jscode2session":              func() error { _, err := m.mini.CodeSession(t.Context(), m.code("login", "ma")); return err },
		"/wxa/business/getuserphonenumber": func() error { _, err := m.mini.PhoneNumber(t.Context(), m.code("phone", "ma")); return err },
		"/sns/oauth2/access_token":         func() error { _, err := m.acc.WebCode(t.Context(), m.webCode("ma", "y")); return err },
	} {
		for _, kind := range []string{sandbox.CloseAfter, sandbox.GarbageAfter, sandbox.GatewayAfter, sandbox.BusyAfter} {
			before := m.requests(path)
			m.fault(sandbox.Rule{Path: path, Kind: kind, Next: 1})
			err := try()
			if err == nil || !wechat.OutcomeUnknown(err) {
				t.Errorf("%s %s: %v", path, kind, err)
			}
			if n := m.requests(path) - before; n != 1 {
				t.Errorf("%s %s: %d calls", path, kind, n)
			}
			m.fault()
		}
	}
}

// Neither keys nor codes nor numbers nor the session_key come out of the client.
func TestNothingSecretComesOut(t *testing.T) {
	m := withMembers(t, nil)
	login, number, webby := m.code("login", "ma"), m.code("phone", "ma"), m.webCode("ma", "z")
	id, err := m.mini.CodeSession(t.Context(), login)
	if err != nil {
		t.Fatal(err)
	}
	phone, err := m.mini.PhoneNumber(t.Context(), number)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.acc.WebCode(t.Context(), webby); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, code := range []string{login, webby, number} { // errors of used codes
		_, one := m.mini.CodeSession(t.Context(), code)
		_, two := m.acc.WebCode(t.Context(), code)
		_, three := m.mini.PhoneNumber(t.Context(), code)
		fmt.Fprintln(&out, one, two, three)
	}
	m.fault(sandbox.Rule{Path: "*", Kind: sandbox.CloseBefore, Next: 3})
	_, one := m.mini.CodeSession(t.Context(), m.code("login", "ma"))
	_, two := m.acc.WebCode(t.Context(), webby)
	dead := m.newClient(func(c *wechat.Config) { c.Base = "http://127.0.0.1:1" })
	_, three := dead.Account(wechat.Credentials{AppID: miniApp, Secret: "mini-secret-mini"}).CodeSession(t.Context(), login)
	fmt.Fprintln(&out, one, two, three, errors.Unwrap(three))
	fmt.Fprintf(&out, "%v %+v %#v %s %+v %#v\n", phone, phone, phone, phone, id, id)
	out.WriteString(m.log.String())
	raw, err := json.Marshal(m.box.Calls(0, "", 2000))
	if err != nil {
		t.Fatal(err)
	}
	clean(t, m.world, out.String())
	for _, text := range []string{out.String(), string(raw)} {
		for _, bad := range []string{"mini-secret-mini", login, number, webby, testPhone, "session_key", "js_code="} {
			if strings.Contains(text, bad) {
				t.Errorf("%q is in\n%s", bad, text)
			}
		}
	}
	for i := range reflect.TypeFor[wechat.WebIdentity]().NumField() {
		if name := strings.ToLower(reflect.TypeFor[wechat.WebIdentity]().Field(i).Name); strings.Contains(name, "key") || strings.Contains(name, "token") {
			t.Errorf("an identity carries %s", name)
		}
	}
}

func TestAuthorizeAddress(t *testing.T) {
	real, err := wechat.New(wechat.Config{})
	if err != nil {
		t.Fatal(err)
	}
	const want = "https://open.weixin.qq.com/connect/oauth2/authorize?appid=wx1&redirect_uri=https%3A%2F%2Fa.example%2Fb%3Fc%3Dd&response_type=code&scope=snsapi_userinfo&state=s1#wechat_redirect"
	if got := real.Account(wechat.Credentials{AppID: "wx1"}).AuthorizeURL("https://a.example/b?c=d", "s1"); got != want {
		t.Error(got)
	}
	for cfg, want := range map[wechat.Config]string{
		{Base: "http://127.0.0.1:9/x/"}:                                           "http://127.0.0.1:9/x/connect/",
		{Base: "http://127.0.0.1:9", Authorize: "http://127.0.0.1:8080/sandbox/"}: "http://127.0.0.1:8080/sandbox/connect/",
	} {
		c, err := wechat.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Account(wechat.Credentials{AppID: "wx1"}).AuthorizeURL("b", "s"); !strings.HasPrefix(got, want) {
			t.Error(got)
		}
	}
	if (wechat.PhoneNumber{Number: testPhone}).String() == testPhone {
		t.Error("a number prints itself")
	}
}
