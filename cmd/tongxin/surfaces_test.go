package main

import (
	"io"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"tongxin/handlers"
	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/httpkit"
	"tongxin/internal/page"
	"tongxin/member"
	"tongxin/member/signin"
)

// Every route of the real program, of both surfaces: what one surface gave to a
// person counts for nothing on the other, and nobody gets in without any.
func TestSurfacesDoNotMix(t *testing.T) {
	p := seeded(t)
	cookie, bearer := signedInStaff(t, p), signedInMember(t, p)
	if a := ask(t, p, "GET", "/api/staff/v1/session", cookie, ""); a != 200 {
		t.Fatalf("the administrator is not signed in: %d", a)
	}
	if a := ask(t, p, "GET", "/api/member/v1/session", "", bearer); a != 200 {
		t.Fatalf("the member is not signed in: %d", a)
	}
	seen := map[string]int{}
	for _, r := range p.kit.Routes() {
		if r.Right == httpkit.Public {
			continue
		}
		path := strings.NewReplacer("{hash}", strings.Repeat("0", 64), "{n}", "1", "{version}", "1", "*", "").Replace(r.Path)
		for strings.Contains(path, "{") {
			path = path[:strings.Index(path, "{")] + "1" + path[strings.Index(path, "}")+1:]
		}
		wrongCookie, wrongBearer := "", bearer
		if strings.HasPrefix(r.Path, "/api/member/") {
			wrongCookie, wrongBearer = cookie, ""
		}
		for who, status := range map[string]int{
			"nobody": ask(t, p, r.Method, path, "", ""), "somebody of the other surface": ask(t, p, r.Method, path, wrongCookie, wrongBearer),
		} {
			if status != 401 {
				t.Errorf("%s %s by %s: %d", r.Method, r.Path, who, status)
			}
		}
		seen[strings.Split(r.Path, "/")[2]]++
	}
	if seen["staff"] < 100 || seen["member"] < 30 {
		t.Fatalf("the table was not walked: %v", seen)
	}
}

// A refresh token that comes back after it was used twice over has two holders:
// its session ends, and the member reads in the inbox why.
func TestMemberIsToldOfAStolenToken(t *testing.T) {
	p := seeded(t)
	link := func() signin.Outcome {
		all, err := p.members.Members(t.Context(), authz.SystemActor("test"), member.Ask{State: member.Active}, page.Request{Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		token, err := p.signin.IssueLink(t.Context(), all.Items[0].ID, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		out, err := p.signin.ByLink(t.Context(), token, signin.Device{Client: signin.Mini, Name: "旧手机"})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	first := link()
	newest := first.Tokens
	for range 2 {
		next, _, err := p.signin.Refresh(t.Context(), newest.Refresh)
		if err != nil {
			t.Fatal(err)
		}
		newest = next
	}
	if _, _, err := p.signin.Refresh(t.Context(), first.Tokens.Refresh); !errs.Is(err, errs.Unauthorized) {
		t.Fatalf("a token of long ago: %v", err)
	}
	if a := ask(t, p, "GET", "/api/member/v1/session", "", newest.Access); a != 401 {
		t.Errorf("the session lives on: %d", a)
	}
	if err := p.notify.WriteInboxes(t.Context()); err != nil {
		t.Fatal(err)
	}
	inbox, err := p.notify.Inbox(t.Context(), link().Live.Actor, false, "登录安全提醒", page.Request{Limit: 10})
	if err != nil || len(inbox.Items) != 1 || !strings.Contains(inbox.Items[0].Title, "登录安全提醒") {
		t.Errorf("the inbox: %+v %v", inbox, err)
	}
}

// No right of members is one of staff, so that a grant of one surface can never
// be read as one of the other.
func TestMembersHoldNoRightOfStaff(t *testing.T) {
	for _, role := range handlers.Roles() {
		for _, right := range handlers.MemberRights() {
			if slices.Contains(role.Rights, right) {
				t.Errorf("%s holds the members' right %s", role.Name, right)
			}
		}
	}
}

// seeded is the program with the demonstration's organisation, not yet serving.
func seeded(t *testing.T, more ...string) *program {
	t.Helper()
	set, err := load(newPlace(t, append(more, "TONGXIN_RATE_ADDRESS=0", "TONGXIN_RATE_ACTOR=0")...).env)
	if err != nil {
		t.Fatal(err)
	}
	p, err := build(t.Context(), set, slog.New(slog.DiscardHandler), options{publicURL: *set.publicURL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := p.seed(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p
}

func signedInStaff(t *testing.T, p *program) string {
	t.Helper()
	a, err := p.staff.ActorByLogin(t.Context(), "admin")
	if err != nil {
		t.Fatal(err)
	}
	link, err := p.staff.IssueSigninLink(t.Context(), a.ID, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.staff.SignInLink(t.Context(), link)
	if err != nil {
		t.Fatal(err)
	}
	return out.Token
}

func signedInMember(t *testing.T, p *program) string {
	t.Helper()
	all, err := p.members.Members(t.Context(), authz.SystemActor("test"), member.Ask{State: member.Active}, page.Request{Limit: 1})
	if err != nil || len(all.Items) == 0 {
		t.Fatalf("no member: %v", err)
	}
	link, err := p.signin.IssueLink(t.Context(), all.Items[0].ID, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.signin.ByLink(t.Context(), link, signin.Device{Client: signin.Mini})
	if err != nil {
		t.Fatal(err)
	}
	return out.Tokens.Access
}

func ask(t *testing.T, p *program, method, path, cookie, bearer string) int {
	t.Helper()
	var body io.Reader
	if method == "POST" || method == "PUT" {
		body = strings.NewReader("{}")
	}
	req := httptest.NewRequestWithContext(t.Context(), method, path, body)
	req.Header.Set("Content-Type", "application/json")
	if cookie != "" {
		req.Header.Set("Cookie", "tx="+cookie+"; __Host-tx="+cookie)
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	res, err := p.kit.App().Test(req, 30_000)
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode
}
