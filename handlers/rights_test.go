package handlers_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"tongxin/audit"
	"tongxin/handlers"
	"tongxin/internal/authz"
	"tongxin/internal/httpkit"
	"tongxin/staff"
)

func TestEveryRouteIsInTheTable(t *testing.T) {
	h := build(t, staff.Policy{})
	check(t, h.kit.Verify())
	h.kit.App().Get("/smuggled", nil)
	if err := h.kit.Verify(); err == nil || !strings.Contains(err.Error(), "/smuggled") {
		t.Fatalf("a route that went around the table passed: %v", err)
	}
}

// concrete fills the parameters of a pattern.
func concrete(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		switch {
		case p == "{hash}":
			parts[i] = strings.Repeat("0", 64)
		case strings.HasPrefix(p, "{"):
			parts[i] = "1"
		case p == "*":
			parts[i] = ""
		}
	}
	return strings.Join(parts, "/")
}

// public is the whole list of what anybody may reach. A new public route must
// be added here by hand, which is the moment to think about it.
func public() []string {
	return []string{
		"GET /", "GET /healthz", "GET /readyz", "GET /console", "GET /console/*", "HEAD /console", "HEAD /console/*",
		"GET /m", "GET /m/*", "HEAD /m", "HEAD /m/*", "GET /api/staff/v1/openapi.json",
		"POST /api/staff/v1/session", "POST /api/staff/v1/session/totp", "POST /api/staff/v1/session/link",
		"POST /api/staff/v1/invitations/look", "POST /api/staff/v1/invitations/accept",
		"GET /wechat/{appid}", "POST /wechat/{appid}", "GET /calendar/{token}",
		"GET /feeds/{account}", "GET /feeds/{account}/rss.xml", "GET /feeds/{account}/atom.xml", "GET /feeds/{account}/feed.json",
		"GET /feeds/{account}/items/{id}", "GET /feeds/{account}/pictures/{name}", "GET /pictures/{token}", "GET /c", "GET /c/{code}", "GET /ws/contest",
		"POST /whip/{room}", "OPTIONS /whip/{room}", "PATCH /whip/{room}/{session}", "DELETE /whip/{room}/{session}", "OPTIONS /whip/{room}/{session}",
		"POST /whep/{room}", "OPTIONS /whep/{room}", "PATCH /whep/{room}/{session}", "DELETE /whep/{room}/{session}", "OPTIONS /whep/{room}/{session}",
	}
}

func TestPublicRoutesAreNamed(t *testing.T) {
	h := build(t, staff.Policy{})
	for _, r := range h.kit.Routes() {
		if r.Right == httpkit.Public && !slices.Contains(public(), r.Method+" "+r.Path) {
			t.Errorf("%s %s is public and not in the list", r.Method, r.Path)
		}
	}
}

// Every route × nobody, a forged session, every role on east, every role on a
// foreign branch: who lacks the right gets 401 or 403 and nothing else, who has
// it gets past the gate.
func TestRightsMatrix(t *testing.T) {
	h := build(t, staff.Policy{})
	nobody := &browser{h: h}
	forged := &browser{h: h, cookie: strings.Repeat("A", 43), csrf: "x"}
	roles := map[string]map[authz.Right]bool{}
	for _, r := range handlers.Roles() {
		roles["east-"+r.Name] = map[authz.Right]bool{}
		for _, right := range r.Rights {
			roles["east-"+r.Name][right] = true
		}
		h.as("east-" + r.Name)
	}
	calls := 0
	for _, r := range h.kit.Routes() {
		if r.Right == httpkit.Public {
			continue
		}
		path := concrete(r.Path)
		for _, b := range []*browser{nobody, forged} {
			a := b.do(r.Method, path, bodyFor(r.Method))
			if a.status != http.StatusUnauthorized || !strings.Contains(a.body, "请先登录") {
				t.Errorf("%s %s by nobody: %d %s", r.Method, r.Path, a.status, a.body)
			}
			calls++
		}
		if r.Right == httpkit.SignedIn {
			continue // a person's own things: any role may
		}
		for login, rights := range roles {
			a := h.as(login).do(r.Method, path, bodyFor(r.Method))
			refused := a.status == http.StatusForbidden && strings.Contains(a.body, "您没有进行此操作的权限")
			if refused == rights[r.Right] {
				t.Errorf("%s %s by %s: %d, right held: %v: %s", r.Method, r.Path, login, a.status, rights[r.Right], a.body)
			}
			if a.status >= 500 {
				lines := strings.Split(strings.TrimSpace(h.log.String()), "\n")
				t.Errorf("%s %s by %s: %d %s\n%s", r.Method, r.Path, login, a.status, a.body, lines[len(lines)-1])
			}
			calls++
		}
	}
	if calls < 300 {
		t.Fatalf("only %d calls: the table was not walked", calls)
	}
}

func bodyFor(method string) any {
	if method == "GET" || method == "HEAD" || method == "DELETE" {
		return nil
	}
	return map[string]any{}
}

func TestAuditorHoldsNothingElse(t *testing.T) {
	for _, r := range handlers.Roles() {
		if (r.Name == "auditor") != slices.Contains(r.Rights, audit.Read) {
			t.Errorf("%s: audit.read", r.Name)
		}
		if r.Name == "auditor" && len(r.Rights) != 1 {
			t.Errorf("the auditor holds %v", r.Rights)
		}
	}
}

// A foreign branch: everything about east looks as if it did not exist.
func TestForeignBranchSeesNothing(t *testing.T) {
	h := build(t, staff.Policy{})
	west := h.as("west-admin")
	east, person := h.id("east"), h.account("east-editor")
	for _, path := range []string{"/orgs/" + east, "/orgs/" + east + "/settings", "/orgs/" + h.id("root"), "/staff/" + person} {
		west.do("GET", api+path, nil).want(t, 404, "没有找到").lacks(t, "east", person)
	}
	for _, path := range []string{"/orgs", "/staff", "/session", "/staff?orgId=" + east, "/staff?q=east"} {
		west.do("GET", api+path, nil).want(t, 200).lacks(t, "east", `"name":"root"`, person)
	}
	org := map[string]any{"kind": "branch", "name": "x"}
	west.do("PUT", api+"/orgs/"+east, org, "If-Match", `"1"`).want(t, 404)
	west.do("DELETE", api+"/orgs/"+east, nil, "If-Match", `"1"`).want(t, 404)
	west.do("POST", api+"/orgs/"+h.id("west")+"/move", map[string]string{"parentId": east}, "If-Match", `"1"`).want(t, 404)
	west.do("POST", api+"/orgs", map[string]any{"kind": "group", "name": "x", "parentId": east}).want(t, 404)
	west.do("POST", api+"/staff", map[string]any{"orgId": east, "login": "spy", "name": "x"}).want(t, 404)
	west.do("POST", api+"/staff", map[string]any{
		"orgId": h.id("west"), "login": "spy", "name": "x",
		"roles": []map[string]string{{"role": "admin", "orgId": h.id("root")}},
	}).want(t, 404)
	for _, path := range []string{"/invite", "/disable", "/enable"} {
		west.do("POST", api+"/staff/"+person+path, nil).want(t, 404)
	}
	west.do("PUT", api+"/staff/"+person+"/roles", map[string]any{"roles": []any{}}, "If-Match", `"1"`).want(t, 404)
}
