package miniapp_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"tongxin/internal/httpkit"
	"tongxin/member"
)

func TestInfoAndDocument(t *testing.T) {
	p := &phone{h: build(t)}
	p.do("GET", "/info", nil).want(t, 200, `{"name":"同心","version":"1.2.3","now":"2026-03-02T01:00:00Z"}`)
	p.do("GET", "/openapi.json", nil).want(t, 200, `"openapi":"3.1.0"`)
}

// public is the whole list of what anybody may reach. A new public route must
// be added here by hand, which is the moment to think about it.
func public() []string {
	return []string{
		"GET /openapi.json", "GET /info", "POST /session/mini", "POST /session/bind", "POST /session/link", "POST /session/refresh",
		"GET /session/oauth", "GET /session/oauth/callback",
	}
}

// Everything else wants a member: not nobody, not a forged token, not a refresh
// token, not a cookie of the staff surface.
func TestRoutesAskForAMember(t *testing.T) {
	h := build(t)
	in := h.as("east")
	for _, r := range h.kit.Routes() {
		short := r.Method + " " + strings.TrimPrefix(r.Path, api)
		if r.Right == httpkit.Public {
			if !slices.Contains(public(), short) {
				t.Errorf("%s is public and not in the list", short)
			}
			continue
		}
		path := strings.NewReplacer("{id}", "1", "{n}", "1").Replace(r.Path)
		for name, p := range map[string]*phone{
			"nobody": {h: h}, "forged": {h: h, access: strings.Repeat("A", len(in.access))}, "refresh": {h: h, access: in.refresh},
			"staff": {h: h, cookies: map[string]string{"tx": strings.Repeat("A", 43)}}, "cut": {h: h, access: in.access[:len(in.access)-1]},
		} {
			var body any
			if r.Method != "GET" && r.Method != "DELETE" {
				body = map[string]any{}
			}
			if a := p.do(r.Method, path, body); a.status != 401 {
				t.Errorf("%s by %s: %d %s", short, name, a.status, a.body)
			}
		}
	}
}

func TestSessionOfAMiniProgram(t *testing.T) {
	h := build(t)
	p := h.as("east")
	p.do("GET", "/session", nil).want(t, 200, "马国强", `"orgPathNames":["root","east"]`, `"label":"书记"`, `"textSize":"normal"`).lacks(t, "138")
	if len(p.cookies) != 0 {
		t.Errorf("the mini-program got cookies %v", p.cookies)
	}
	old := p.refresh
	a := p.do("POST", "/session/refresh", map[string]string{"refresh": old}).want(t, 200, "马国强")
	p.refresh, p.access = a.text(t, "refresh"), a.text(t, "access")
	h.clock.Add(60e9)
	p.do("POST", "/session/refresh", map[string]string{"refresh": old}).want(t, 401, "可能被他人使用")
	p.do("GET", "/session", nil).want(t, 401)
	if !strings.Contains(h.log.String(), "/session/refresh") || strings.Contains(h.log.String(), old) || strings.Contains(h.log.String(), p.access) {
		t.Error("the log lacks the call, or holds a token")
	}
}

func TestSessionOfAPage(t *testing.T) {
	h := build(t)
	p := &phone{h: h, cookies: map[string]string{}, h5: true}
	p.enter("west")
	if p.refresh != "" || p.cookies["txm"] == "" {
		t.Fatalf("refresh in the body %q, cookies %v", p.refresh, p.cookies)
	}
	stolen := p.cookies["txm"]
	p.do("POST", "/session/refresh", map[string]string{}, "Origin", "https://evil.test").want(t, 403)
	p.do("POST", "/session/refresh", map[string]string{}).want(t, 200, "孙秀英").lacks(t, `"refresh"`)
	if p.cookies["txm"] == stolen {
		t.Error("the cookie did not change")
	}
	p.do("DELETE", "/session", nil).want(t, 204)
	if p.cookies["txm"] != "" {
		t.Error("signing out left the cookie")
	}
	p.do("GET", "/session", nil).want(t, 401)
	p.cookies["txm"] = stolen
	p.do("POST", "/session/refresh", map[string]string{}).want(t, 401)
}

// A link that somebody else began must not sign this browser in.
func TestWebAuthorisation(t *testing.T) {
	h := build(t)
	p := &phone{h: h, cookies: map[string]string{}, h5: true}
	to, err := url.Parse(p.do("GET", "/session/oauth?back=/pages/quiz/index", nil).want(t, 302).headers.Get("Location"))
	h.check(err)
	state := to.Query().Get("state")
	if to.Query().Get("back") != "http://127.0.0.1"+api+"/session/oauth/callback" || state == "" || p.cookies["txm-state"] == "" {
		t.Fatalf("sent to %s with cookies %v", to, p.cookies)
	}
	victim := &phone{h: h, cookies: map[string]string{}, h5: true}
	if at := victim.do("GET", "/session/oauth/callback?code=c&state="+state, nil).want(t, 302).headers.Get("Location"); !strings.Contains(at, "/m/#/pages/bind/index?error=unauthorized") {
		t.Errorf("a foreign state led to %s", at)
	}
	at := p.do("GET", "/session/oauth/callback?code=c&state="+state, nil).want(t, 302).headers.Get("Location")
	if !strings.HasPrefix(at, "/m/#/pages/bind/index?ticket=") {
		t.Errorf("an unknown person was led to %s", at)
	}
	for _, back := range []string{"https://evil.test", "//evil.test"} {
		p.do("GET", "/session/oauth?back="+url.QueryEscape(back), nil).want(t, 302)
		if strings.Contains(p.cookies["txm-state"], "evil") {
			t.Errorf("kept %q", back)
		}
	}
}

func TestOwnDataAndRequests(t *testing.T) {
	h := build(t)
	p, other := h.as("east"), h.as("west")
	p.do("GET", "/me/data", nil).want(t, 200, "马国强", "13812345678", "138****5678", `"retention"`).lacks(t, "孙秀英")
	p.do("POST", "/me/requests", map[string]string{"kind": "correction", "text": "我的入党日期应为 1998 年"}).want(t, 201, "1998", `"state":"open"`)
	p.do("POST", "/me/requests", map[string]string{"kind": "correction", "text": " "}).want(t, 422, "text")
	p.do("GET", "/me/requests", nil).want(t, 200, "1998")
	other.do("GET", "/me/requests", nil).want(t, 200, `"items":[]`)
	p.do("PUT", "/me/settings", map[string]any{"textSize": "larger", "highContrast": true, "recommendations": false, "rankings": true}).want(t, 200)
	p.do("GET", "/session", nil).want(t, 200, `"textSize":"larger"`)
	other.do("GET", "/me/settings", nil).want(t, 200, `"textSize":"normal"`)
	p.do("PUT", "/me/settings", map[string]any{"textSize": "huge", "highContrast": true, "recommendations": false, "rankings": true}).want(t, 422)
}

func TestLeavingEndsAccess(t *testing.T) {
	h := build(t)
	p := h.as("east")
	p.do("GET", "/sessions", nil).want(t, 200, "测试手机", `"current":true`)
	m := h.who["east"]
	_, err := h.members.Leave(t.Context(), sys(), m.ID, m.Version, member.Leaving{State: member.Left, Date: "2026-03-01"})
	h.check(err)
	p.do("GET", "/session", nil).want(t, 401, "请先登录")
	p.do("POST", "/session/refresh", map[string]string{"refresh": p.refresh}).want(t, 401)
}
