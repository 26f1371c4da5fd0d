package main

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tongxin/internal/httpkit"
)

// marker stands in every text of the things that belong to the first branch
// alone: who may not see them may not see it either, wherever it would show.
const marker = "仅一支部可见"

// Every route of both surfaces, asked by people of the branch that owns the
// things and by others: a member and a secretary and an editor of another
// branch, and nobody. The others get "not found" or "no right" for each thing,
// no list shows them a trace of it, and after all their tries it is still there.
func TestOtherBranchesGetNothing(t *testing.T) {
	s := newScope(t)
	s.furnish()
	jobs := newJobs(t.Context())
	jobs.run(s.p.publish.Queue().Run) // brings the post into the members' feed
	t.Cleanup(jobs.wait)
	until(t, "the post is published", func() bool { return strings.Contains(s.memberOne.ask("GET", memberAPI+"/feed", nil).text, marker) })
	strangers := map[string]*caller{"secretary of another branch": s.staff("secretary2"), "editor of another branch": s.staff("editor2")}
	owner := s.staff("secretary")
	seen, met := map[string]bool{}, map[string]int{}
	for _, r := range s.p.kit.Routes() {
		if r.Right == httpkit.Public || !strings.HasPrefix(r.Path, "/api/") {
			continue
		}
		member := strings.HasPrefix(r.Path, "/api/member/")
		mine, others := owner, strangers
		if member {
			mine, others = s.memberOne, map[string]*caller{"member of another branch": s.memberTwo}
		}
		path, known := s.concrete(r.Path)
		if !known {
			t.Errorf("%s %s: the test has no thing for it; give it one in furnish", r.Method, r.Path)
			continue
		}
		path += s.query(r.Method, r.Path)
		body := s.body(r.Method, r.Path)
		if a := (&caller{s: s}).ask(r.Method, path, body); a.status != http.StatusUnauthorized || strings.Contains(a.text, marker) {
			t.Errorf("%s %s by nobody: %d %s", r.Method, r.Path, a.status, a.text)
		}
		if member {
			// An editor of the very branch is no member: the other surface does not know the account.
			if a := s.staff("editor1").ask(r.Method, path, body); a.status != http.StatusUnauthorized {
				t.Errorf("%s %s by an editor: %d", r.Method, r.Path, a.status)
			}
		}
		one := strings.Contains(r.Path, "{")
		for who, c := range others {
			if !one && r.Method != http.MethodGet && slices.Contains(ownThings(), r.Method+" "+r.Path[len("/api"):]) {
				continue
			}
			a := c.ask(r.Method, path, body)
			met[strings.Fields(who)[0]]++
			switch {
			case strings.Contains(a.text, marker):
				t.Errorf("%s %s by %s shows what is not theirs: %s", r.Method, r.Path, who, a.text)
			case one && a.status != http.StatusNotFound && a.status != http.StatusForbidden:
				t.Errorf("%s %s by %s: %d %s", r.Method, path, who, a.status, a.text)
			case r.Path == staffAPI+"/questions/states" && strings.Contains(a.text, `"changed":0`): // says for each which it did not change
			case !one && r.Method != http.MethodGet && (a.status < 400 || a.status >= 500):
				t.Errorf("%s %s for another branch by %s: %d %s", r.Method, path, who, a.status, a.text)
			case a.status >= 500:
				t.Errorf("%s %s by %s: %d %s", r.Method, path, who, a.status, a.text)
			}
		}
		if r.Method == http.MethodGet {
			a := mine.ask(r.Method, path, nil)
			if held := mine.has(r.Right) || r.Right == httpkit.SignedIn; member || held {
				if a.status != http.StatusOK && r.Path != staffAPI+"/accounts/{id}/webhooks/jobs/{job}" && a.status != http.StatusNoContent {
					t.Errorf("%s %s by who it belongs to: %d %s", r.Method, path, a.status, a.text)
				}
			} else if a.status != http.StatusForbidden {
				t.Errorf("%s %s without the right: %d %s", r.Method, path, a.status, a.text)
			}
			if strings.Contains(a.text, marker) {
				seen[r.Path] = true
			}
		}
	}
	if met["secretary"] < 120 || met["editor"] < 120 || met["member"] < 30 || len(seen) < 30 {
		t.Fatalf("the tables were not walked: %v, and only %d answers show what is theirs: %v", met, len(seen), slices.Sorted(maps.Keys(seen)))
	}
	if !seen[memberAPI+"/me/data"] {
		t.Error("a member's own data lack what the member wrote and answered")
	}
	// A second walk: whatever the strangers tried, nothing of it happened.
	for _, r := range s.p.kit.Routes() {
		if !seen[r.Path] || r.Method != http.MethodGet {
			continue
		}
		mine := owner
		if strings.HasPrefix(r.Path, "/api/member/") {
			mine = s.memberOne
		}
		path, _ := s.concrete(r.Path)
		path += s.query(r.Method, r.Path)
		if a := mine.ask(r.Method, path, nil); a.status != http.StatusOK || !strings.Contains(a.text, marker) {
			t.Errorf("%s %s changed after others tried: %d %s", r.Method, path, a.status, a.text)
		}
	}
}

// ownThings are calls that change what belongs to whoever calls, or compute
// from what the caller sends: with them another branch is out of reach by
// nature. Everything else without a thing in its path must refuse the first
// branch named in its body.
func ownThings() []string {
	return []string{
		"DELETE /staff/v1/session", "DELETE /staff/v1/sessions", "POST /staff/v1/notices/read-all", "PUT /staff/v1/me/password",
		"POST /staff/v1/me/totp", "PUT /staff/v1/me/totp", "DELETE /staff/v1/me/totp", "POST /staff/v1/calendar/link",
		"POST /staff/v1/render", "POST /staff/v1/paste", "POST /staff/v1/questions/preview",
		"DELETE /member/v1/session", "DELETE /member/v1/sessions", "PUT /member/v1/me/settings", "POST /member/v1/me/requests",
		"POST /member/v1/inbox/read-all", "POST /member/v1/subscriptions", "POST /member/v1/practice", "POST /member/v1/contests/match",
	}
}

var param = regexp.MustCompile(`\{[a-zA-Z]+\}`)

// concrete puts the ids of the first branch's things into a pattern.
func (s *scope) concrete(path string) (string, bool) {
	ids, ok := s.things[path]
	if !ok {
		longest := ""
		for prefix := range s.things {
			if strings.HasPrefix(path, prefix) && len(prefix) > len(longest) {
				longest = prefix
			}
		}
		ids = s.things[longest]
	}
	n := 0
	out := param.ReplaceAllStringFunc(path, func(string) string {
		n++
		if n > len(ids) {
			return "?"
		}
		return ids[n-1]
	})
	return out, !strings.Contains(out, "?")
}

func newScope(t *testing.T) *scope {
	t.Helper()
	s := &scope{t: t, p: seeded(t, "TONGXIN_SECOND_FACTOR=false"), things: map[string][]string{}, callers: map[string]*caller{}, specs: map[string]spec{}}
	s.readSpecs()
	return s
}
