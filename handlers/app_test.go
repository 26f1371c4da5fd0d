package handlers_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"tongxin/audit"
	"tongxin/handlers"
	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/httpkit"
	"tongxin/internal/ids"
	"tongxin/internal/seal"
	"tongxin/internal/signed"
	"tongxin/live/sfu"
	"tongxin/member"
	"tongxin/member/signin"
	"tongxin/moderate"
	"tongxin/publish"
	"tongxin/publish/feed"
	"tongxin/quiz/contest"
	"tongxin/staff"
	"tongxin/storage"
	"tongxin/storage/blob"
	"tongxin/storage/storagetest"
)

// house is the real staff surface on a real database, with a small tree:
// a committee "root" over branches "east" and "west", and one account per role
// on east (named after the role) and an editor and administrator elsewhere.
type house struct {
	t       testing.TB
	db      *storage.DB
	clock   *clock.Manual
	staff   *staff.Service
	kit     *httpkit.Kit
	check   *moderate.Service
	members *signin.Service
	live    *contest.Service
	node    *sfu.Node // made, not started
	feed    *feed.Service
	log     *bytes.Buffer
	orgs    map[string]*staff.Org
	who     map[string]*staff.Account
	login   map[string]*browser
}

const password = "春眠不觉晓 处处闻啼鸟"

func build(t *testing.T, policy staff.Policy) *house {
	t.Helper()
	var log bytes.Buffer
	h := buildFor(t, policy, slog.New(httpkit.Redact(slog.NewJSONHandler(&log, nil))))
	h.log = &log
	return h
}

func buildFor(t testing.TB, policy staff.Policy, log *slog.Logger) *house {
	t.Helper()
	h := &house{
		t: t, clock: clock.NewManual(time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)),
		orgs: map[string]*staff.Org{}, who: map[string]*staff.Account{}, login: map[string]*browser{},
	}
	h.db = storagetest.Open(t, storage.Options{DSN: t.TempDir() + "/test.db", Clock: h.clock})
	box, err := seal.New("k1", map[string][]byte{"k1": bytes.Repeat([]byte{7}, seal.MinSecret)})
	check(t, err)
	policy.Hash = staff.HashParams{MemoryKiB: 64, Passes: 1, Threads: 1} // the real figures are tested in staff
	h.staff, err = staff.New(staff.Config{
		Store: storage.NewStaff(h.db), IDs: h.db.IDs(), Clock: h.clock, Random: rand.Reader, Sealer: box,
		CSRFKey: box.Derive("csrf"), Roles: handlers.Roles(), Issuer: "同心", Policy: policy,
	})
	check(t, err)
	h.kit = httpkit.New(httpkit.Config{
		Log:   log,
		Clock: h.clock, Random: rand.Reader,
	})
	h.node, err = sfu.New(sfu.Config{Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}, Clock: h.clock, Log: log})
	check(t, err)
	_, err = handlers.Mount(h.kit, h.deps(box))
	check(t, err)
	h.seed()
	return h
}

func (h *house) seed() {
	sys := authz.SystemActor("seed")
	ctx := h.t.Context()
	add := func(name, parent string, kind staff.Kind) {
		in := staff.OrgInput{Kind: kind, Name: name}
		if parent != "" {
			in.ParentID = h.orgs[parent].ID
		}
		o, err := h.staff.CreateOrg(ctx, sys, in)
		check(h.t, err)
		h.orgs[name] = o
	}
	add("root", "", staff.Committee)
	add("east", "root", staff.Branch)
	add("west", "root", staff.Branch)
	add("east group", "east", staff.Group)
	person := func(login, role, org string) {
		a, _, err := h.staff.CreateAccount(ctx, sys, staff.AccountInput{OrgID: h.orgs[org].ID, Login: login, Name: login, Phone: "13812345678"},
			[]staff.RoleAt{{Role: role, OrgID: h.orgs[org].ID}})
		check(h.t, err)
		h.who[login] = a
	}
	person("root-admin", "admin", "root")
	for _, r := range handlers.Roles() {
		person("east-"+r.Name, r.Name, "east")
	}
	person("west-admin", "admin", "west")
	person("west-editor", "editor", "west")
	person("root-auditor", "auditor", "root")
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// browser is a client with one cookie.
type browser struct {
	h      *house
	cookie string
	csrf   string
}

// as signs an account in by a one-time link, once per test.
func (h *house) as(login string) *browser {
	if login == "" {
		return &browser{h: h}
	}
	if b := h.login[login]; b != nil {
		return b
	}
	token, err := h.staff.IssueSigninLink(h.t.Context(), h.who[login].ID, time.Hour)
	check(h.t, err)
	b := &browser{h: h}
	r := b.do("POST", "/api/staff/v1/session/link", map[string]string{"token": token})
	if r.status != 200 {
		h.t.Fatalf("sign-in link of %s: %d %s", login, r.status, r.body)
	}
	b.take(r)
	h.login[login] = b
	return b
}

// take keeps the cookie and the CSRF token of an answer.
func (b *browser) take(r *answer) {
	for _, c := range r.cookies {
		b.cookie = c.Value
	}
	var v struct {
		Me struct{ CSRF string } `json:"me"`
	}
	if json.Unmarshal([]byte(r.body), &v) == nil && v.Me.CSRF != "" {
		b.csrf = v.Me.CSRF
	}
}

type answer struct {
	status  int
	body    string
	header  http.Header
	cookies []*http.Cookie
}

// field reads a value of a JSON answer by its path, "items.0.id".
func (a *answer) field(path string) string {
	var v any
	if json.Unmarshal([]byte(a.body), &v) != nil {
		return ""
	}
	for p := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[p]
		case []any:
			i := 0
			if _, err := fmt.Sscan(p, &i); err != nil || i >= len(x) {
				return ""
			}
			v = x[i]
		}
	}
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// do sends one request; headers come in pairs.
func (b *browser) do(method, path string, body any, headers ...string) *answer {
	b.h.t.Helper()
	var rd io.Reader
	switch x := body.(type) {
	case nil:
	case string:
		rd = strings.NewReader(x)
	default:
		raw, err := json.Marshal(x)
		check(b.h.t, err)
		rd = bytes.NewReader(raw)
	}
	req := httptest.NewRequestWithContext(context.Background(), method, path, rd)
	if rd != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if b.cookie != "" {
		req.AddCookie(&http.Cookie{Name: "tx", Value: b.cookie})
	}
	if b.csrf != "" {
		req.Header.Set(httpkit.HeaderCSRF, b.csrf)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Del(headers[i])
		if headers[i+1] != "" {
			req.Header.Set(headers[i], headers[i+1])
		}
	}
	res, err := b.h.kit.App().Test(req, -1)
	check(b.h.t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	check(b.h.t, err)
	return &answer{status: res.StatusCode, body: string(raw), header: res.Header, cookies: res.Cookies()}
}

func (a *answer) want(t testing.TB, status int, parts ...string) *answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	for _, p := range parts {
		if !strings.Contains(a.body, p) {
			t.Fatalf("answer lacks %q: %s", p, a.body)
		}
	}
	return a
}

func (a *answer) lacks(t testing.TB, parts ...string) *answer {
	t.Helper()
	for _, p := range parts {
		if p != "" && strings.Contains(a.body, p) {
			t.Fatalf("answer must not hold %q: %s", p, a.body)
		}
	}
	return a
}

// deps are the real services. There is no platform: no test here publishes.
func (h *house) deps(box *seal.Box) handlers.Deps {
	files, err := blob.NewDir(h.t.TempDir(), h.clock.Now())
	check(h.t, err)
	feeds, err := feed.New(feed.Config{
		Store: storage.NewFeeds(h.db, box), Blobs: blobs{files}, Account: storage.NewPublishing(h.db, box).Account,
		PublicURL: "http://example.com", Owner: "test", Clock: h.clock, IDs: h.db.IDs(), Rand: rand.Reader, Log: slog.New(slog.DiscardHandler),
	})
	check(h.t, err)
	h.feed = feeds
	posts, err := publish.New(publish.Config{
		Store: storage.NewPublishing(h.db, box), Blobs: blobs{files}, Platforms: map[string]publish.Platform{publish.Feed: feeds, publish.WeChat: sickly{}},
		Org: func(ctx context.Context, id ids.ID) (publish.Org, error) {
			o, set, err := h.staff.Effective(ctx, id)
			if err != nil {
				return publish.Org{}, err
			}
			return publish.Org{ID: o.ID, Path: o.Path, Name: o.Name, ReviewLevels: set.ReviewLevels}, nil
		},
		Actor: h.staff.Actor, Clock: h.clock, IDs: h.db.IDs(), Log: slog.New(slog.DiscardHandler), Token: rand.Text,
	})
	check(h.t, err)
	roster, err := member.New(member.Config{
		Store: storage.NewMembers(h.db), Sealer: box, Clock: h.clock, IDs: h.db.IDs(),
		Orgs: func(ctx context.Context) ([]member.Org, error) {
			list, err := h.staff.Orgs(ctx, authz.SystemActor("test"), false)
			out := make([]member.Org, len(list))
			for i, o := range list {
				out[i] = member.Org{ID: o.ID, ParentID: o.ParentID, Path: o.Path, Branch: o.Kind == staff.Branch, Group: o.Kind == staff.Group, Name: o.Name, Short: o.ShortName}
			}
			return out, err
		},
		Staff: func(ctx context.Context, id ids.ID) (member.Person, error) {
			a, err := h.staff.Account(ctx, authz.SystemActor("test"), id)
			if err != nil {
				return member.Person{}, err
			}
			return member.Person{Name: a.Name, OrgPath: a.OrgPath}, nil
		},
	})
	check(h.t, err)
	return handlers.Deps{
		Live: h.node, LiveAdmit: admitLive, Rooms: h.rooms(),
		Members: roster, SignIn: h.signIn(roster, box), Bank: h.bank(posts), Contests: h.contests(), Exams: h.exams(), Results: h.results(), Moderate: h.checker(box), Notify: h.notices(), Pictures: signed.New(box.Derive("pictures"), "picture", h.clock),
		Feed: feeds, PublicURL: "http://example.com", Clock: h.clock, Staff: h.staff, Audit: audit.New(storage.NewAudit(h.db), h.clock), Publish: posts, Version: "test",
		Callback: func(context.Context, string, string, url.Values, []byte) (string, error) {
			return "", errs.Missing("公众号")
		},
	}
}

// blobs narrows what Open returns to what the domain asks for.
type blobs struct{ *blob.Dir }

func (b blobs) Open(ctx context.Context, key string) (io.ReadCloser, int64, error) {
	return b.Dir.Open(ctx, key)
}

func (h *house) id(org string) string { return h.orgs[org].ID.String() }

func (h *house) account(login string) string { return h.who[login].ID.String() }
