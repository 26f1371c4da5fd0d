package sandbox

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// User is one person with WeChat on the phone. All apps belong to one
// open-platform account: a person has an openid in each and one unionid.
type User struct {
	ID       string `json:"id"` // letters and figures, for addresses
	Nickname string `json:"nickname"`
	Phone    string `json:"phone"`              // without the country code; empty: none bound
	Country  string `json:"country,omitempty"`  // "86" when empty
	Risky    bool   `json:"risky,omitempty"`    // signing in answers 40226
	Snapshot bool   `json:"snapshot,omitempty"` // sees a snapshot of web pages, as a made-up person
}

// Rules of codes. Source: code2Session, getPhoneNumber, 网页授权.
const (
	codeLife   = 5 * time.Minute
	loginsAMin = 100 // of one person in one app: 45011
)

// What a code is good for.
const (
	loginCode = "login" // wx.login
	phoneCode = "phone" // the phone button
	webCode   = "web"   // the page of an official account
)

// ticket is one code that was handed out.
type ticket struct {
	kind, appID, user, scope string
	until                    time.Time
	used                     bool
}

// people are the users and the codes they hold. Its mutex is a leaf.
type people struct {
	mu     sync.Mutex
	users  []User
	codes  map[string]ticket
	logins map[string]minuteCount // by app and user
	serial int64
}

type minuteCount struct {
	minute int64
	n      int
}

func newPeople() *people {
	return &people{codes: map[string]ticket{}, logins: map[string]minuteCount{}}
}

// PutUser adds a person or replaces what is known of one.
func (s *Sandbox) PutUser(u User) error {
	if u.ID == "" || len(u.ID) > 32 || strings.Trim(strings.ToLower(u.ID), "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
		return errors.New("sandbox: a user needs an id of 1 to 32 letters and figures")
	}
	if n := utf8.RuneCountInString(u.Nickname); n < 1 || n > 32 {
		return errors.New("sandbox: a nickname has 1 to 32 characters")
	}
	if len(u.Phone) > 15 || strings.Trim(u.Phone, "0123456789") != "" {
		return errors.New("sandbox: a phone number has up to 15 figures")
	}
	setDefault(&u.Country, "86")
	p := s.people
	p.mu.Lock()
	if i := slices.IndexFunc(p.users, func(x User) bool { return x.ID == u.ID }); i >= 0 {
		p.users[i] = u
	} else {
		p.users = append(p.users, u)
	}
	p.mu.Unlock()
	s.changed()
	return nil
}

// Users lists the people.
func (s *Sandbox) Users() []User {
	s.people.mu.Lock()
	defer s.people.mu.Unlock()
	return clean(s.people.users)
}

func (s *Sandbox) user(id string) (User, error) {
	for _, u := range s.Users() {
		if u.ID == id {
			return u, nil
		}
	}
	return User{}, fmt.Errorf("sandbox: no user %q", id)
}

// OpenID is a person's name in one app, UnionID in all of them.
func OpenID(appID, user string) string { return "o" + digest("openid", appID, user)[:27] }

// UnionID is the same in every app.
func UnionID(user string) string { return "o" + digest("unionid", user)[:27] }

// mint hands out a code. Codes that ended long ago are forgotten.
func (p *people) mint(t ticket, now time.Time) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for code, old := range p.codes {
		if now.Sub(old.until) > time.Hour {
			delete(p.codes, code)
		}
	}
	p.serial++
	code := "0" + digest(t.kind, t.appID, t.user, strconv.FormatInt(p.serial, 10), now.Format(time.RFC3339Nano))[1:]
	t.until = now.Add(codeLife)
	p.codes[code] = t
	return code
}

// spend uses a code up: 40029 when it is unknown, too old, of another app or of
// another kind, 40163 when it was used.
func (p *people) spend(value, kind, appID string, now time.Time) (ticket, code) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t, ok := p.codes[value]
	switch {
	case !ok || t.kind != kind || t.appID != appID:
		return ticket{}, 40029
	case t.used:
		return ticket{}, 40163
	case !now.Before(t.until):
		return ticket{}, 40029
	}
	t.used = true
	p.codes[value] = t
	return t, 0
}

// often counts sign-ins of one person in one app.
func (p *people) often(appID, user string, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := appID + "/" + user
	c := p.logins[key]
	if m := now.Unix() / 60; c.minute != m {
		c = minuteCount{minute: m}
	}
	c.n++
	p.logins[key] = c
	return c.n > loginsAMin
}

// met makes an openid one that messages may be sent to; to follow the account is
// another thing.
func (a *account) met(openID string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, known := a.People[openID]; !known {
		a.People[openID] = false
	}
}

// snsKeys checks what the /sns calls bring in their address.
func (s *Sandbox) snsKeys(rt route, c *callCtx, remote string, entry *Call) result {
	q := c.query
	switch {
	case q.Get("appid") == "":
		return fail(41002)
	case q.Get("secret") == "":
		return fail(41004)
	case q.Get("grant_type") != "authorization_code":
		return fail(40002)
	}
	acc := s.account(q.Get("appid"))
	if acc == nil {
		return fail(40013)
	}
	c.acc, c.set = acc, acc.settings()
	entry.AppID = c.set.AppID
	if res := s.admit(c.set, remote); res.code != 0 {
		return res
	}
	if q.Get("secret") != c.set.Secret {
		return fail(40125)
	}
	if !c.set.may(rt.right) {
		return fail(48001)
	}
	return fail(s.charge(acc, rt))
}

// jscode2session is code2Session.
func (s *Sandbox) jscode2session(c *callCtx) result {
	value := c.query.Get("js_code")
	if value == "" {
		return fail(41008)
	}
	t, bad := s.people.spend(value, loginCode, c.set.AppID, s.clock.Now())
	if bad != 0 {
		return fail(bad)
	}
	u, err := s.user(t.user)
	switch {
	case err != nil:
		return fail(40029)
	case u.Risky:
		return failNote(40226, u.Nickname)
	case s.people.often(c.set.AppID, u.ID, s.clock.Now()):
		return failNote(45011, u.Nickname)
	}
	c.acc.met(OpenID(c.set.AppID, u.ID))
	c.acc.visited(OpenID(c.set.AppID, u.ID), s.clock.Now()) // the content check asks for it
	s.changed()
	return done(fields{
		"session_key": digest("session", value)[:22] + "==", "openid": OpenID(c.set.AppID, u.ID), "unionid": UnionID(u.ID),
	}, u.Nickname)
}

// phoneNumber is getPhoneNumber.
func (s *Sandbox) phoneNumber(c *callCtx) result {
	var in struct {
		Code string `json:"code"`
	}
	if bad := decode(c.body, &in); bad != 0 {
		return fail(bad)
	}
	t, bad := s.people.spend(in.Code, phoneCode, c.set.AppID, s.clock.Now())
	if bad != 0 {
		return fail(bad)
	}
	u, err := s.user(t.user)
	if err != nil || u.Phone == "" {
		return fail(40029)
	}
	full := u.Phone
	if u.Country != "86" {
		full = "+" + u.Country + u.Phone
	}
	return done(accepted(fields{"phone_info": fields{
		"phoneNumber": full, "purePhoneNumber": u.Phone, "countryCode": u.Country,
		"watermark": fields{"timestamp": s.clock.Now().Unix(), "appid": c.set.AppID},
	}}), u.Nickname)
}

// webToken is step 2 of the page authorisation.
func (s *Sandbox) webToken(c *callCtx) result {
	value := c.query.Get("code")
	if value == "" {
		return fail(41008)
	}
	t, bad := s.people.spend(value, webCode, c.set.AppID, s.clock.Now())
	if bad != 0 {
		return fail(bad)
	}
	u, err := s.user(t.user)
	if err != nil {
		return fail(40029)
	}
	out := fields{
		"access_token": "w" + digest("web", value), "expires_in": 7200, "refresh_token": "r" + digest("refresh", value),
		"openid": OpenID(c.set.AppID, u.ID), "scope": t.scope,
	}
	if t.scope == scopeInfo {
		out["unionid"] = UnionID(u.ID)
	}
	c.acc.met(OpenID(c.set.AppID, u.ID))
	if u.Snapshot { // a made-up person, until the real one asks for the full page
		out["is_snapshotuser"], out["openid"] = 1, OpenID(c.set.AppID, "snapshot of "+u.ID)
		delete(out, "unionid")
	}
	return done(out, u.Nickname)
}

// Code makes what a phone would hand to the product: kind "login" or "phone".
func (s *Sandbox) Code(kind, appID, user string) (string, error) {
	a, err := s.must(appID)
	if err != nil {
		return "", err
	}
	if set := a.settings(); set.Kind != "mini" {
		return "", fmt.Errorf("sandbox: %s is no mini-program", set.AppID)
	}
	u, err := s.user(user)
	if err != nil {
		return "", err
	}
	if kind == phoneCode && u.Phone == "" {
		return "", fmt.Errorf("sandbox: %s has no phone number", u.ID)
	}
	return s.people.mint(ticket{kind: kind, appID: appID, user: u.ID}, s.clock.Now()), nil
}

// newCode is the control call for Code; without an appid the first mini-program.
func (s *Sandbox) newCode(kind string) func(*http.Request) (any, error) {
	return func(r *http.Request) (any, error) {
		var in struct {
			AppID string `json:"appid"`
		}
		if err := input(r, &in); err != nil {
			return nil, err
		}
		for _, a := range s.all() {
			if set := a.settings(); in.AppID == "" && set.Kind == "mini" {
				in.AppID = set.AppID
			}
		}
		value, err := s.Code(kind, in.AppID, r.PathValue("id"))
		return fields{"code": value, "appid": in.AppID, "expires_in": int(codeLife.Seconds())}, err
	}
}

// phoneRow is a person on the page; the number is masked there.
type phoneRow struct {
	ID       string `json:"id"`
	Nickname string `json:"nickname"`
	Phone    string `json:"phone"`
}

func (s *Sandbox) phones() []phoneRow {
	rows := []phoneRow{}
	for _, u := range s.Users() {
		rows = append(rows, phoneRow{u.ID, u.Nickname, masked(u.Phone)})
	}
	return rows
}

func (s *Sandbox) listUsers(*http.Request) (any, error) { return fields{"users": s.Users()}, nil }

func (s *Sandbox) putUser(r *http.Request) (any, error) {
	var u User
	if err := input(r, &u); err != nil {
		return nil, err
	}
	if err := s.PutUser(u); err != nil {
		return nil, err
	}
	return s.user(u.ID)
}
