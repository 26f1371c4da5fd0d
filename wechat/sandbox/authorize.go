package sandbox

import (
	"bytes"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// The page on which a browser inside WeChat is asked who it is. A real one knows
// its owner and asks for consent only; here the visitor chooses whom to be.

// Scopes of the page authorisation.
const (
	scopeBase = "snsapi_base"     // openid, without a question
	scopeInfo = "snsapi_userinfo" // and unionid
)

// ownerCookie says whose phone the next authorisation is on: the page's
// "open as" sets it, the authorisation takes it away.
const (
	ownerCookie = "sandbox_user"
	ownerAge    = 2 * time.Minute
)

// authorizePath is served with and without /sandbox before it: the first is
// what a browser reaches through the product.
const authorizePath = "/connect/oauth2/authorize"

// may reports whether an account has a right. What publishes belongs to
// official accounts, and the phone button to mini-programs.
func (a Account) may(right string) bool {
	if slices.Contains(a.Deny, right) {
		return false
	}
	switch right {
	case "mini":
		return a.Kind == "mini"
	case "draft", "publish", "mass", "stats", "oauth":
		return a.Kind != "mini"
	}
	return true
}

// authorizePage is what the template shows.
type authorizePage struct {
	Account, Fault string
	People         []authorizeChoice
}

type authorizeChoice struct{ Nickname, Phone, URL string }

func (s *Sandbox) askWho(w http.ResponseWriter, r *http.Request, tmpl *template.Template) {
	set, back, fault := s.checkAuthorize(r)
	if fault != "" {
		s.choose(w, tmpl, http.StatusBadRequest, authorizePage{Account: set.Name, Fault: fault})
		return
	}
	q := r.URL.Query()
	id := q.Get("as")
	if c, err := r.Cookie(ownerCookie); err == nil && id == "" {
		id = c.Value
	}
	u, err := s.user(id)
	if err != nil {
		page := authorizePage{Account: set.Name}
		for _, u := range s.Users() {
			page.People = append(page.People, authorizeChoice{u.Nickname, masked(u.Phone), "?" + r.URL.RawQuery + "&as=" + u.ID})
		}
		s.choose(w, tmpl, http.StatusOK, page)
		return
	}
	http.SetCookie(w, owner("", -1))
	add := back.Query()
	add.Set("code", s.people.mint(ticket{kind: webCode, appID: set.AppID, user: u.ID, scope: q.Get("scope")}, s.clock.Now()))
	add.Set("state", q.Get("state"))
	back.RawQuery = add.Encode()
	s.calls.add(Call{At: s.clock.Now(), Dir: "in", AppID: set.AppID, Method: http.MethodGet, Path: authorizePath, Status: http.StatusFound, Note: u.Nickname})
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, back.String(), http.StatusFound)
}

// checkAuthorize reads the address as strictly as the platform: the parameters
// in their order, a domain that the account lists, a state of letters and figures.
func (s *Sandbox) checkAuthorize(r *http.Request) (set Account, back *url.URL, fault string) {
	q := r.URL.Query()
	a := s.account(q.Get("appid"))
	if a == nil {
		return set, nil, "appid 参数错误（40013）"
	}
	set = a.settings()
	var order []string
	for pair := range strings.SplitSeq(r.URL.RawQuery, "&") {
		if name, _, _ := strings.Cut(pair, "="); name != "as" {
			order = append(order, name)
		}
	}
	if !slices.Equal(order, []string{"appid", "redirect_uri", "response_type", "scope", "state"}) || q.Get("response_type") != "code" {
		return set, nil, "链接的参数或参数顺序不对"
	}
	if scope := q.Get("scope"); scope != scopeBase && scope != scopeInfo || !set.may("oauth") {
		return set, nil, "Scope 参数错误或没有 Scope 权限（10005）"
	}
	if st := q.Get("state"); len(st) > 128 || strings.Trim(strings.ToLower(st), "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
		return set, nil, "state 只能是 128 位以内的字母和数字"
	}
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || back.Scheme != "http" && back.Scheme != "https" || !slices.Contains(set.domains(), back.Host) {
		return set, nil, "redirect_uri 域名与后台配置不一致（10003）"
	}
	return set, back, ""
}

// domains are those that may be returned to: what is listed, or that of the
// callback address.
func (a Account) domains() []string {
	if len(a.OAuthDomains) > 0 {
		return a.OAuthDomains
	}
	if u, err := url.Parse(a.CallbackURL); err == nil && u.Host != "" {
		return []string{u.Host}
	}
	return nil
}

func (s *Sandbox) choose(w http.ResponseWriter, tmpl *template.Template, status int, page authorizePage) {
	var buf bytes.Buffer
	if err := tmpl.Execute(&buf, page); err != nil {
		s.log.Error("sandbox: authorize", "err", err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	safe(w, "text/html; charset=utf-8", pageCSP)
	w.WriteHeader(status)
	s.write(w, buf.Bytes())
}

// openAs makes the browser a person's phone and goes to the product's sign-in.
func (s *Sandbox) openAs(w http.ResponseWriter, r *http.Request) {
	u, err := s.user(r.PathValue("id"))
	if err != nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	http.SetCookie(w, owner(u.ID, int(ownerAge.Seconds())))
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, s.cfg.Program+"/api/member/v1/session/oauth?back=%2Fm%2F", http.StatusFound)
}

func owner(id string, age int) *http.Cookie {
	return &http.Cookie{Name: ownerCookie, Value: id, Path: "/", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

// masked is a number as the page shows it.
func masked(phone string) string {
	if len(phone) < 8 {
		return phone
	}
	return phone[:3] + "****" + phone[len(phone)-4:]
}
