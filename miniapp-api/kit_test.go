package miniapp_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/httpkit"
	"tongxin/internal/ids"
	"tongxin/internal/seal"
	"tongxin/member"
	"tongxin/member/signin"
	miniapp "tongxin/miniapp-api"
	"tongxin/notify"
	"tongxin/quiz"
	"tongxin/quiz/contest"
	"tongxin/staff"
	"tongxin/storage"
	"tongxin/storage/storagetest"
)

const api = "/api/member/v1"

// house is the real member surface on a real database: a committee over the
// branches east and west with a member each.
type house struct {
	t       testing.TB
	db      *storage.DB
	clock   *clock.Manual
	box     *seal.Box
	kit     *httpkit.Kit
	surface *httpkit.Surface
	members *member.Service
	signin  *signin.Service
	log     *bytes.Buffer
	orgs    map[string]*staff.Org
	who     map[string]*member.Member
}

// noWeChat: these tests sign members in by links; WeChat is proved in cmd,
// against the sandbox.
type noWeChat struct{}

func (noWeChat) Mini(context.Context, string) (signin.Identity, error) {
	return signin.Identity{}, errs.New(errs.Unavailable, "小程序尚未配置。")
}

func (noWeChat) Phone(context.Context, string) (string, error) {
	return "", errs.New(errs.Unavailable, "小程序尚未配置。")
}

func (noWeChat) Web(context.Context, string) (signin.Identity, error) {
	return signin.Identity{AppID: "gh", OpenID: "o1"}, nil
}

func (noWeChat) WebURL(_ context.Context, back, state string) (string, error) {
	return "https://wx.test/authorize?back=" + back + "&state=" + state, nil
}

func build(t testing.TB) *house {
	t.Helper()
	h := &house{
		t: t, clock: clock.NewManual(time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)), log: &bytes.Buffer{},
		orgs: map[string]*staff.Org{}, who: map[string]*member.Member{},
	}
	h.db = storagetest.Open(t, storage.Options{DSN: t.TempDir() + "/test.db", Clock: h.clock})
	var err error
	h.box, err = seal.New("k1", map[string][]byte{"k1": bytes.Repeat([]byte{7}, seal.MinSecret)})
	h.check(err)
	people, err := staff.New(staff.Config{
		Store: storage.NewStaff(h.db), IDs: h.db.IDs(), Clock: h.clock, Random: rand.Reader, Sealer: h.box, CSRFKey: h.box.Derive("csrf"),
		Policy: staff.Policy{Hash: staff.HashParams{MemoryKiB: 64, Passes: 1, Threads: 1}},
	})
	h.check(err)
	sys := authz.SystemActor("seed")
	var orgs []member.Org
	for _, o := range []struct {
		name, parent string
		kind         staff.Kind
	}{{"root", "", staff.Committee}, {"east", "root", staff.Branch}, {"west", "root", staff.Branch}} {
		in := staff.OrgInput{Kind: o.kind, Name: o.name}
		if o.parent != "" {
			in.ParentID = h.orgs[o.parent].ID
		}
		made, err := people.CreateOrg(t.Context(), sys, in)
		h.check(err)
		h.orgs[o.name] = made
		orgs = append(orgs, member.Org{ID: made.ID, ParentID: made.ParentID, Path: made.Path, Branch: o.kind == staff.Branch, Name: made.Name})
	}
	h.members, err = member.New(member.Config{
		Store: storage.NewMembers(h.db), Sealer: h.box, Clock: h.clock, IDs: h.db.IDs(),
		Orgs:     func(context.Context) ([]member.Org, error) { return orgs, nil },
		Staff:    func(context.Context, ids.ID) (member.Person, error) { return member.Person{}, errs.Missing("账号") },
		OnChange: func() { h.signin.Forget() },
	})
	h.check(err)
	h.signin = signin.New(signin.Config{
		Store: storage.NewSignIn(h.db), Roster: h.members, WeChat: noWeChat{}, Clock: h.clock, IDs: h.db.IDs(), Random: rand.Reader,
		Keys: [][]byte{h.box.Derive("member-token")}, Rights: []authz.Right{notify.Receive, quiz.Take, contest.Play}, MiniAppID: "mini", OnChange: func() {},
	})
	for name, in := range map[string]member.Input{
		"east": {OrgID: h.orgs["east"].ID, Name: "马国强", Kind: member.Full, Phone: "13812345678", Posts: []string{"secretary"}},
		"west": {OrgID: h.orgs["west"].ID, Name: "孙秀英", Kind: member.Probationary, Phone: "13812345679", JoinedAt: "2025-07-01"},
	} {
		m, err := h.members.Create(t.Context(), sys, in)
		h.check(err)
		h.who[name] = m
	}
	h.kit = httpkit.New(httpkit.Config{Log: slog.New(httpkit.Redact(slog.NewJSONHandler(h.log, nil))), Clock: h.clock, Random: rand.Reader})
	h.surface = miniapp.Mount(h.kit, h.deps())
	h.check(h.kit.Verify())
	return h
}

func (h *house) check(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// phone is one person at the surface.
type phone struct {
	h       *house
	access  string
	refresh string
	cookies map[string]string
	h5      bool
}

type answer struct {
	status  int
	body    string
	headers http.Header
}

// as signs a member in by a one-time link, as the mini-program does.
func (h *house) as(name string) *phone {
	h.t.Helper()
	p := &phone{h: h, cookies: map[string]string{}}
	p.enter(name)
	return p
}

func (p *phone) enter(name string) {
	p.h.t.Helper()
	token, err := p.h.signin.IssueLink(p.h.t.Context(), p.h.who[name].ID, time.Hour)
	p.h.check(err)
	a := p.do("POST", "/session/link", map[string]string{"token": token, "device": "测试手机"}).want(p.h.t, 200)
	p.access, p.refresh = a.text(p.h.t, "access"), a.text(p.h.t, "refresh")
}

func (p *phone) do(method, path string, body any, headers ...string) answer {
	p.h.t.Helper()
	var r io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		p.h.check(err)
		r = bytes.NewReader(b)
	}
	if !strings.HasPrefix(path, "/api/") && !strings.HasPrefix(path, "http") {
		path = api + path
	}
	req := httptest.NewRequestWithContext(p.h.t.Context(), method, path, r)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if p.access != "" {
		req.Header.Set("Authorization", "Bearer "+p.access)
	}
	if p.h5 {
		req.Header.Set("X-Client", "h5")
	}
	for name, v := range p.cookies {
		req.AddCookie(&http.Cookie{Name: name, Value: v})
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := p.h.kit.App().Test(req, 10_000)
	p.h.check(err)
	b, err := io.ReadAll(res.Body)
	p.h.check(err)
	p.h.check(res.Body.Close())
	for _, c := range res.Cookies() {
		if c.Value == "" || c.Expires.Before(p.h.clock.Now()) && !c.Expires.IsZero() {
			delete(p.cookies, c.Name)
		} else {
			p.cookies[c.Name] = c.Value
		}
	}
	return answer{res.StatusCode, string(b), res.Header}
}

func (a answer) want(t testing.TB, status int, has ...string) answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	for _, s := range has {
		if !strings.Contains(a.body, s) {
			t.Fatalf("the answer lacks %q: %s", s, a.body)
		}
	}
	return a
}

func (a answer) lacks(t testing.TB, not ...string) answer {
	t.Helper()
	for _, s := range not {
		if s != "" && strings.Contains(a.body, s) {
			t.Fatalf("the answer has %q: %s", s, a.body)
		}
	}
	return a
}

// text reads one field of a JSON answer.
func (a answer) text(t testing.TB, name string) string {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(a.body), &m); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	s, _ := m[name].(string)
	return s
}
