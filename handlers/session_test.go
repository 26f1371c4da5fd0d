package handlers_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"tongxin/internal/authz"
	"tongxin/staff"
)

const api = "/api/staff/v1"

// invite makes an account with a password through its invitation link.
func (h *house) invite(login, role, org string) *browser {
	h.t.Helper()
	_, token, err := h.staff.CreateAccount(h.t.Context(), authz.SystemActor("test"),
		staff.AccountInput{OrgID: h.orgs[org].ID, Login: login, Name: "王小红", Phone: "13987654321"},
		[]staff.RoleAt{{Role: role, OrgID: h.orgs[org].ID}})
	check(h.t, err)
	b := &browser{h: h}
	b.do("POST", api+"/invitations/look", map[string]string{"token": token}).want(h.t, 200, "王小红", login).lacks(h.t, "139")
	b.take(b.do("POST", api+"/invitations/accept", map[string]string{"token": token, "password": password}).want(h.t, 200, `"csrf"`))
	b.do("POST", api+"/invitations/accept", map[string]string{"token": token, "password": password + "!"}).want(h.t, 401)
	return b
}

func signIn(h *house, login, pass string) *answer {
	b := &browser{h: h}
	return b.do("POST", api+"/session", map[string]string{"login": login, "password": pass})
}

func TestInvitationToSession(t *testing.T) {
	h := build(t, staff.Policy{})
	b := h.invite("xiaohong", "editor", "east")
	me := b.do("GET", api+"/session", nil).want(t, 200, `"login":"xiaohong"`, "post.write", "east group")
	me.lacks(t, "argon2", "west", "13987654321", "staff.manage")
	r := signIn(h, "XiaoHong ", password).want(t, 200, `"csrf"`)
	c := r.cookies[0]
	if !c.HttpOnly || c.Path != "/" || c.MaxAge != 0 || !strings.Contains(r.header.Get("Set-Cookie"), "SameSite=Lax") {
		t.Fatalf("cookie %v", r.header.Get("Set-Cookie"))
	}
	r.lacks(t, c.Value, password)
	b.do("GET", api+"/sessions", nil).want(t, 200, `"current":true`, `"method":"password"`).lacks(t, c.Value)
	b.do("DELETE", api+"/sessions", nil).want(t, 204)
	b.do("GET", api+"/session", nil).want(t, 401, "请先登录")
	other := &browser{h: h, cookie: c.Value}
	other.do("GET", api+"/session", nil).want(t, 401)
	if strings.Contains(h.log.String(), c.Value) || strings.Contains(h.log.String(), password) {
		t.Fatal("a session token or a password is in the log")
	}
}

func TestWrongPasswordsLookAlikeAndLock(t *testing.T) {
	h := build(t, staff.Policy{})
	h.invite("xiaohong", "editor", "east")
	wrong := signIn(h, "xiaohong", "not the password").want(t, 401)
	unknown := signIn(h, "nobody-here", "not the password").want(t, 401)
	if wrong.field("detail") != unknown.field("detail") || wrong.field("code") != unknown.field("code") {
		t.Fatalf("answers differ: %s / %s", wrong.body, unknown.body)
	}
	for range 4 {
		signIn(h, "xiaohong", "not the password").want(t, 401)
	}
	locked := signIn(h, "xiaohong", password).want(t, 429, "已暂时锁定")
	if locked.header.Get("Retry-After") != "60" {
		t.Fatalf("Retry-After %q, want 60", locked.header.Get("Retry-After"))
	}
	h.clock.Add(61 * time.Second)
	signIn(h, "xiaohong", "not the password").want(t, 401)
	if got := signIn(h, "xiaohong", password).want(t, 429).header.Get("Retry-After"); got != "120" {
		t.Fatalf("the lock did not double: %s", got)
	}
	h.clock.Add(121 * time.Second)
	signIn(h, "xiaohong", password).want(t, 200)
	for range 3 { // success forgets the wrong tries
		signIn(h, "xiaohong", "not the password").want(t, 401)
	}
	signIn(h, "xiaohong", password).want(t, 200)
}

func TestSecondFactor(t *testing.T) {
	h := build(t, staff.Policy{SecondFactor: true})
	b := h.invite("boss", "admin", "east")
	b.do("GET", api+"/orgs", nil).want(t, 403, "绑定动态口令")
	b.do("GET", api+"/session", nil).want(t, 200, `"mustEnrol":true`).lacks(t, "org.manage")
	offer := b.do("POST", api+"/me/totp", nil).want(t, 200, "otpauth://", "data:image/png")
	secret, ticket := offer.field("secret"), offer.field("ticket")
	b.do("PUT", api+"/me/totp", map[string]string{"ticket": ticket, "code": "000000"}).want(t, 422, "验证码不正确")
	code := func() string {
		c, err := totp.GenerateCode(secret, h.clock.Now())
		check(t, err)
		return c
	}
	bound := b.do("PUT", api+"/me/totp", map[string]string{"ticket": ticket, "code": code()}).want(t, 200, "codes")
	b.do("GET", api+"/orgs", nil).want(t, 200, "east")

	step := signIn(h, "boss", password).want(t, 200, `"need":"totp"`).lacks(t, "csrf")
	if len(step.cookies) != 0 {
		t.Fatal("a cookie before the second factor")
	}
	finish := func(code string) *answer {
		return (&browser{h: h}).do("POST", api+"/session/totp", map[string]string{"ticket": step.field("ticket"), "code": code})
	}
	finish(code()).want(t, 401) // the code that bound the app is used up
	h.clock.Add(30 * time.Second)
	used := code()
	finish(used).want(t, 200, `"csrf"`)
	finish(used).want(t, 401) // ticket and code are used up
	step = signIn(h, "boss", password).want(t, 200)
	finish(used).want(t, 401)
	recovery := bound.field("codes.0")
	finish(strings.ToLower(recovery)).want(t, 200)
	step = signIn(h, "boss", password).want(t, 200)
	finish(recovery).want(t, 401)
	b.do("DELETE", api+"/me/totp", map[string]string{"password": "wrong one"}).want(t, 422)
	b.do("DELETE", api+"/me/totp", map[string]string{"password": password}).want(t, 204)
	b.do("GET", api+"/orgs", nil).want(t, 403)
}

func TestSessionEnds(t *testing.T) {
	h := build(t, staff.Policy{})
	b := h.as("east-editor")
	for range 40 { // in use, it lives on past the idle time, not past its age
		h.clock.Add(17 * time.Minute)
		b.do("GET", api+"/session", nil).want(t, 200)
	}
	h.clock.Add(41 * time.Minute)
	b.do("GET", api+"/session", nil).want(t, 401)
	delete(h.login, "east-editor")
	b = h.as("east-editor")
	for range 43 {
		h.clock.Add(17 * time.Minute)
		if r := b.do("GET", api+"/session", nil); r.status == 401 {
			return
		}
	}
	t.Fatal("a session outlived its 12 hours")
}

func TestRoleAndStateChangesCountAtOnce(t *testing.T) {
	h := build(t, staff.Policy{})
	admin, editor := h.as("root-admin"), h.as("east-editor")
	editor.do("GET", api+"/orgs", nil).want(t, 200)
	one := admin.do("GET", api+"/staff/"+h.account("east-editor"), nil).want(t, 200)
	admin.do("PUT", api+"/staff/"+h.account("east-editor")+"/roles", map[string]any{"roles": []any{}}, "If-Match", one.header.Get("ETag")).want(t, 200)
	editor.do("GET", api+"/orgs", nil).want(t, 403)
	admin.do("POST", api+"/staff/"+h.account("east-editor")+"/disable", nil).want(t, 200, `"state":"disabled"`)
	editor.do("GET", api+"/session", nil).want(t, 401)
}

func TestCSRFAndOrigin(t *testing.T) {
	h := build(t, staff.Policy{})
	b := h.as("east-editor")
	body := map[string]string{"current": "", "password": password}
	b.do("PUT", api+"/me/password", body, "X-CSRF-Token", "").want(t, 403, "页面已过期")
	b.do("PUT", api+"/me/password", body, "X-CSRF-Token", h.as("east-secretary").csrf).want(t, 403)
	b.do("PUT", api+"/me/password", body, "Origin", "https://evil.example").want(t, 403, "请求来源不正确")
	b.do("PUT", api+"/me/password", body, "Sec-Fetch-Site", "cross-site").want(t, 403)
	b.do("PUT", api+"/me/password", body, "Sec-Fetch-Site", "same-site").want(t, 403)
	b.do("PUT", api+"/me/password", body, "Origin", "null").want(t, 403)
	// Sign-in itself is guarded, too: nobody is signed in as somebody else.
	(&browser{h: h}).do("POST", api+"/session", map[string]string{"login": "a", "password": "b"}, "Origin", "https://evil.example").want(t, 403)
	b.do("PUT", api+"/me/password", body, "Origin", "http://example.com", "Sec-Fetch-Site", "same-origin").want(t, 204)
}

func TestPasswordRules(t *testing.T) {
	h := build(t, staff.Policy{})
	b := h.invite("xiaohong", "editor", "east")
	change := func(from, to string) *answer {
		return b.do("PUT", api+"/me/password", map[string]string{"current": from, "password": to})
	}
	for _, bad := range []string{"short", "1234567890", "aaaaaaaaaaaa", "password123", "my xiaohong pass", password} {
		change(password, bad).want(t, 422, `"password"`).lacks(t, password)
	}
	change("wrong", "红军不怕远征难 万水千山").want(t, 422, "当前密码不正确")
	others := signIn(h, "xiaohong", password).want(t, 200)
	change(password, "红军不怕远征难 万水千山").want(t, 204)
	b.do("GET", api+"/session", nil).want(t, 200)
	(&browser{h: h, cookie: others.cookies[0].Value}).do("GET", api+"/session", nil).want(t, 401)
	change("红军不怕远征难 万水千山", password).want(t, 422, "最近用过")
}

func TestSignInLinkWorksOnce(t *testing.T) {
	h := build(t, staff.Policy{})
	token, err := h.staff.IssueSigninLink(t.Context(), h.who["root-admin"].ID, time.Hour)
	check(t, err)
	post := func() *answer {
		return (&browser{h: h}).do("POST", api+"/session/link", map[string]string{"token": token})
	}
	post().want(t, 200, "root-admin")
	post().want(t, 401, "已用过")
	token, err = h.staff.IssueSigninLink(t.Context(), h.who["root-admin"].ID, time.Hour)
	check(t, err)
	h.clock.Add(time.Hour)
	post().want(t, 401)
}

// A sign-in link takes the place of the password, not of the phone.
func TestSignInLinkAsksForTheSecondFactor(t *testing.T) {
	h := build(t, staff.Policy{})
	b := h.as("root-admin")
	offer := b.do("POST", api+"/me/totp", nil).want(t, 200)
	code, err := totp.GenerateCode(offer.field("secret"), h.clock.Now())
	check(t, err)
	b.do("PUT", api+"/me/totp", map[string]string{"ticket": offer.field("ticket"), "code": code}).want(t, 200)
	token, err := h.staff.IssueSigninLink(t.Context(), h.who["root-admin"].ID, time.Hour)
	check(t, err)
	link := func() *answer {
		return (&browser{h: h}).do("POST", api+"/session/link", map[string]string{"token": token})
	}
	r := link().want(t, 200, `"need":"totp"`).lacks(t, "csrf")
	if len(r.cookies) != 0 {
		t.Fatal("a cookie before the second factor")
	}
	link().want(t, 401, "已用过")
	h.clock.Add(time.Minute)
	code, err = totp.GenerateCode(offer.field("secret"), h.clock.Now())
	check(t, err)
	(&browser{h: h}).do("POST", api+"/session/totp", map[string]string{"ticket": r.field("ticket"), "code": code}).want(t, 200, "csrf")
}
