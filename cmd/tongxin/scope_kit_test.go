package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/member"
	"tongxin/member/signin"
	"tongxin/notify"
	"tongxin/publish"
)

// scope is a demonstration house whose first branch owns one thing of each kind.
type scope struct {
	t                    *testing.T
	p                    *program
	one, two             string              // branches
	things               map[string][]string // ids by route pattern or its beginning
	callers              map[string]*caller
	memberOne, memberTwo *caller
	specs                map[string]spec // by surface
	values               map[string]any  // of fields and parameters that name the first branch's things
}

type caller struct {
	s              *scope
	cookie, bearer string
	csrf           string
	actor          *authz.Actor
}

func (c *caller) has(right authz.Right) bool {
	return c.actor != nil && slices.ContainsFunc(c.actor.Grants, func(g authz.Grant) bool { return slices.Contains(g.Rights, right) })
}

type answered struct {
	status int
	text   string
}

var quoted = `"%s":"([^"]*)"`

// get finds the first string of a name.
func (r answered) get(t *testing.T, name string) string {
	t.Helper()
	m := regexp.MustCompile(fmt.Sprintf(quoted, name)).FindStringSubmatch(r.text)
	if m == nil {
		t.Fatalf("no %s in %d %s", name, r.status, r.text)
	}
	return m[1]
}

func (c *caller) ask(method, path string, body any) answered {
	c.s.t.Helper()
	var in io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		c.s.check(err)
		in = bytes.NewReader(raw)
	}
	req := httptest.NewRequestWithContext(c.s.t.Context(), method, path, in)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("If-Match", `"1"`)
	if c.csrf != "" {
		req.Header.Set("X-CSRF-Token", c.csrf)
	}
	if c.cookie != "" {
		req.Header.Set("Cookie", "tx="+c.cookie+"; __Host-tx="+c.cookie)
	}
	if c.bearer != "" {
		req.Header.Set("Authorization", "Bearer "+c.bearer)
	}
	res, err := c.s.p.kit.App().Test(req, 60_000)
	c.s.check(err)
	raw, err := io.ReadAll(res.Body)
	c.s.check(err)
	c.s.check(res.Body.Close())
	return answered{res.StatusCode, string(raw)}
}

// made sends a call that must work and returns the first id of the answer.
func (c *caller) made(path string, body any) string {
	c.s.t.Helper()
	a := c.ask("POST", path, body)
	if a.status >= 300 {
		c.s.t.Fatalf("POST %s: %d %s", path, a.status, a.text)
	}
	return a.get(c.s.t, "id")
}

func (s *scope) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func id(t *testing.T, text string) ids.ID {
	t.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return ids.ID(n)
}

// staff signs an account in, once.
func (s *scope) staff(login string) *caller {
	if c := s.callers[login]; c != nil {
		return c
	}
	a, err := s.p.staff.ActorByLogin(s.t.Context(), login)
	s.check(err)
	token, err := s.p.staff.IssueSigninLink(s.t.Context(), a.ID, time.Hour)
	s.check(err)
	out, err := s.p.staff.SignInLink(s.t.Context(), token)
	s.check(err)
	c := &caller{s: s, cookie: out.Token, actor: a}
	c.csrf = c.ask("GET", "/api/staff/v1/session", nil).get(s.t, "csrf")
	s.callers[login] = c
	return c
}

// member signs the first member of a branch in.
func (s *scope) member(branch string) (*caller, *member.Member) {
	all, err := s.p.members.Members(s.t.Context(), authz.SystemActor("test"), member.Ask{OrgID: id(s.t, branch), State: member.Active}, page.Request{Limit: 1})
	s.check(err)
	m := &all.Items[0]
	link, err := s.p.signin.IssueLink(s.t.Context(), m.ID, time.Hour)
	s.check(err)
	out, err := s.p.signin.ByLink(s.t.Context(), link, signin.Device{Client: signin.Mini})
	s.check(err)
	return &caller{s: s, bearer: out.Tokens.Access, actor: memberActor(m)}, m
}

const staffAPI, memberAPI = "/api/staff/v1", "/api/member/v1"

// furnish makes the things of the first branch, through the doors that people
// use. What it puts into s.things stands for every route that begins with it.
func (s *scope) furnish() {
	t, ctx := s.t, s.t.Context()
	admin := s.staff("admin")
	orgs, err := s.p.staff.Orgs(ctx, authz.SystemActor("test"), true)
	s.check(err)
	for _, o := range orgs {
		switch o.ShortName {
		case "第一党支部":
			s.one = o.ID.String()
		case "第二党支部":
			s.two = o.ID.String()
		}
	}
	for login, place := range map[string]string{"secretary2": s.two, "editor2": s.two, "editor1": s.one} {
		name := login
		if place == s.one {
			name = marker
		}
		made := admin.ask("POST", staffAPI+"/staff", map[string]any{
			"orgId": place, "login": login, "name": name, "roles": []map[string]string{{"role": strings.TrimRight(login, "12"), "orgId": place}},
		})
		if made.status != 201 {
			t.Fatalf("%s: %d %s", login, made.status, made.text)
		}
		if login == "editor1" {
			s.things[staffAPI+"/staff/"] = []string{made.get(t, "id")}
		}
	}
	one := s.staff("secretary")
	s.things[staffAPI+"/orgs/"] = []string{s.one}
	var m *member.Member
	s.memberOne, m = s.member(s.one)
	s.memberTwo, _ = s.member(s.two)

	person := one.made(staffAPI+"/members", map[string]any{"orgId": s.one, "name": marker, "kind": "full", "phone": "19900008888", "joinedAt": "2001-07-01", "fullAt": "2002-07-01"})
	s.things[staffAPI+"/members/"] = []string{person, "1"}
	s.things[staffAPI+"/members/requests/"] = []string{one.made(staffAPI+"/members/"+person+"/requests", map[string]any{"kind": "correction", "text": marker})}
	s.sessions(one)
	s.publishing(admin, one)
	s.notices(one, m)
	s.quizzes(one, m)
	now := time.Now().UTC()
	s.values = map[string]any{
		"orgId": s.one, "parentId": s.one, "orgs": []string{s.one}, "members": []string{person}, "ids": s.things[staffAPI+"/questions/"],
		"accountId": s.things[staffAPI+"/accounts/"][0], "format": "gift",
		"from": now.Format(time.RFC3339), "to": now.AddDate(0, 0, 7).Format(time.RFC3339),
	}
}

func (s *scope) sessions(one *caller) {
	s.things[staffAPI+"/sessions/"] = []string{one.ask("GET", staffAPI+"/sessions", nil).get(s.t, "id")}
	s.things[memberAPI+"/sessions/"] = []string{s.memberOne.ask("GET", memberAPI+"/sessions", nil).get(s.t, "id")}
}

func (s *scope) publishing(admin, one *caller) {
	t, ctx := s.t, s.t.Context()
	branch := id(t, s.one)
	account := admin.made(staffAPI+"/accounts", map[string]any{"orgId": s.one, "platform": "feed", "kind": "feed", "mode": "publish", "name": marker})
	s.things[staffAPI+"/accounts/"] = []string{account, "1"}
	s.things[staffAPI+"/webhooks/"] = []string{admin.made(staffAPI+"/accounts/"+account+"/webhooks", map[string]any{"url": "https://example.org/" + "hook"})}
	s.things[staffAPI+"/slots/"] = []string{admin.made(staffAPI+"/slots", map[string]any{"accountId": account, "weekday": 2, "minute": 600, "label": marker})}
	s.things[staffAPI+"/words/"] = []string{admin.made(staffAPI+"/words", map[string]any{"text": "一支部的词", "kind": "typo", "suggest": "改法"})}
	asset, err := s.p.publish.UploadMedia(ctx, one.actor, publish.MediaUpload{OrgID: branch, Name: marker + ".png", Alt: marker, Data: demoPicture(3)})
	s.check(err)
	s.things[staffAPI+"/media/"] = []string{asset.Hash}
	post, err := s.p.publish.Create(ctx, one.actor, branch, publish.Content{Articles: []publish.Article{{
		Kind: publish.News, Title: marker, Author: "一支部", Digest: marker, Format: "markdown", Body: marker, Theme: "plain", Cover: publish.Cover{Asset: asset.Hash},
	}}})
	s.check(err)
	post, err = s.p.publish.Submit(ctx, one.actor, post.ID, post.Version)
	s.check(err)
	post, err = s.p.publish.Decide(ctx, s.staff("reviewer").actor, post.ID, publish.Verdict{Level: 1, Decision: publish.Pass, Hash: post.Hash})
	s.check(err)
	_, err = s.p.publish.Schedule(ctx, admin.actor, post.ID, post.Version, time.Time{}, []publish.Target{{AccountID: id(t, account)}})
	s.check(err)
	s.things[staffAPI+"/posts/"] = []string{post.ID.String(), "1"}
	s.things[staffAPI+"/deliveries/"] = []string{admin.ask("GET", staffAPI+"/deliveries?postId="+post.ID.String(), nil).get(t, "id")}
	s.things[memberAPI+"/feed/"] = []string{post.ID.String()}
	comment, err := s.p.publish.AddComment(ctx, one.actor, publish.Comment{PostID: post.ID, Body: marker})
	s.check(err)
	s.things[staffAPI+"/comments/"] = []string{comment.ID.String()}
}

func (s *scope) notices(one *caller, m *member.Member) {
	t, ctx := s.t, s.t.Context()
	notice, err := s.p.notify.Announce(ctx, one.actor, "test.scope", notify.Input{
		OrgID: m.OrgID, Kind: notify.Notice, Title: marker, Body: marker,
		Ask: &notify.Ask{Options: []string{"参加", "请假"}}, Audience: notify.Audience{Orgs: []ids.ID{m.OrgID}},
	})
	s.check(err)
	s.check(s.p.notify.WriteInboxes(ctx))
	s.things[staffAPI+"/notify/campaigns/"] = []string{notice.String()}
	s.things[memberAPI+"/inbox/"] = []string{notice.String()}
	_, err = s.p.notify.Reply(ctx, memberActor(m), notice, 0, marker)
	s.check(err)
	s.things[staffAPI+"/moderation/"] = []string{one.ask("GET", staffAPI+"/moderation", nil).get(t, "id")}
	s.things[staffAPI+"/notices/"] = []string{"1"}
}

func (s *scope) quizzes(one *caller, m *member.Member) {
	t, ctx := s.t, s.t.Context()
	content := map[string]any{"kind": "truefalse", "stem": marker, "true": true, "topics": []string{marker}, "difficulty": 1}
	question := one.made(staffAPI+"/questions", map[string]any{"orgId": s.one, "state": "active", "content": content})
	essay := one.made(staffAPI+"/questions", map[string]any{"orgId": s.one, "state": "active", "content": map[string]any{
		"kind": "short", "stem": marker, "topics": []string{marker}, "difficulty": 1, "rubric": []map[string]any{{"text": marker, "share": 1}},
	}})
	s.things[staffAPI+"/questions/"] = []string{question}
	paper := func(title string, questions ...string) string {
		items := []map[string]any{}
		for _, q := range questions {
			items = append(items, map[string]any{"id": q, "points": 2})
		}
		made := one.made(staffAPI+"/papers", map[string]any{"orgId": s.one, "kind": "exam", "title": title, "items": items, "rules": map[string]any{
			"closesAt": time.Now().Add(48 * time.Hour).UTC().Format(time.RFC3339), "durationSec": 1800, "attempts": 1, "counting": "best", "passPoints": 2,
			"certificate": marker, "ranking": true, "partial": true, "showScore": "after_submit", "showKey": "after_submit", "shuffleQuestions": true, "shuffleOptions": true,
		}})
		if a := one.ask("POST", staffAPI+"/papers/"+made+"/publish", nil); a.status != 200 {
			t.Fatalf("publish: %d %s", a.status, a.text)
		}
		return made
	}
	sit := func(paper string, answers map[string]any) string {
		sheet, err := s.p.exams.Start(ctx, s.memberOne.actor, id(t, paper))
		s.check(err)
		path := memberAPI + "/attempts/" + sheet.ID.String()
		for _, q := range sheet.Questions {
			if a := s.memberOne.ask("PUT", path+"/answers/"+strconv.Itoa(q.N), map[string]any{"seq": 1, "answer": answers[string(q.Shown.Kind)]}); a.status != 200 {
				t.Fatalf("answer: %d %s", a.status, a.text)
			}
		}
		if a := s.memberOne.ask("POST", path+"/submit", nil); a.status != 200 {
			t.Fatalf("submit: %d %s", a.status, a.text)
		}
		return sheet.ID.String()
	}
	answers := map[string]any{"truefalse": map[string]any{"choice": []int{1}}, "short": map[string]any{"text": marker}}
	open := paper(marker, question)
	attempt := sit(open, answers)
	s.things[staffAPI+"/papers/"] = []string{open, question}
	s.things[staffAPI+"/attempts/"] = []string{attempt, "1"}
	s.things[memberAPI+"/papers/"] = []string{open}
	s.things[memberAPI+"/attempts/"] = []string{attempt, "1"}
	written := sit(paper(marker+"（简答）", essay), answers)
	s.things[staffAPI+"/grading/"] = []string{written, "1"}
	certificate := s.memberOne.ask("GET", memberAPI+"/certificates", nil).get(t, "id")
	s.things[staffAPI+"/certificates/"] = []string{certificate}
	s.things[memberAPI+"/certificates/"] = []string{certificate}
	sit(paper(marker+"（错题）", question), map[string]any{"truefalse": map[string]any{"choice": []int{0}}})
	_, err := s.p.exams.BookKnown(ctx)
	s.check(err)
	s.things[memberAPI+"/wrong/"] = []string{question}
	game := one.made(staffAPI+"/contests", map[string]any{
		"orgId": s.one, "title": marker, "mode": "solo", "seconds": 20, "questions": []map[string]any{{"id": question, "revision": 1}},
	})
	if a := one.ask("POST", staffAPI+"/contests/"+game+"/open", nil); a.status != 200 {
		t.Fatalf("open: %d %s", a.status, a.text)
	}
	s.things[staffAPI+"/contests/"] = []string{game}
	s.things[memberAPI+"/contests/"] = []string{game}
	s.lecture(one)
}

// lecture is open, and the first branch's member was let in.
func (s *scope) lecture(one *caller) {
	room := one.made(staffAPI+"/lectures", map[string]any{"orgId": s.one, "title": marker, "startsAt": time.Now().UTC().Format(time.RFC3339)})
	if a := one.ask("POST", staffAPI+"/lectures/"+room+"/open", nil); a.status != 200 {
		s.t.Fatalf("open: %d %s", a.status, a.text)
	}
	if a := s.memberOne.ask("POST", memberAPI+"/lectures/"+room+"/join", nil); a.status != 200 {
		s.t.Fatalf("join: %d %s", a.status, a.text)
	}
	s.things[staffAPI+"/lectures/"] = []string{room}
	s.things[memberAPI+"/lectures/"] = []string{room}
}

// spec is the OpenAPI document of a surface, as far as bodies go.
type spec struct {
	Paths map[string]map[string]struct {
		Parameters []struct {
			Name     string `json:"name"`
			In       string `json:"in"`
			Required bool   `json:"required"`
			Schema   schema `json:"schema"`
		} `json:"parameters"`
		RequestBody struct {
			Content map[string]struct {
				Schema schema `json:"schema"`
			} `json:"content"`
		} `json:"requestBody"`
	} `json:"paths"`
	Components struct {
		Schemas map[string]schema `json:"schemas"`
	} `json:"components"`
}

type schema struct {
	Ref        string            `json:"$ref"`
	Type       any               `json:"type"`
	Format     string            `json:"format"`
	Enum       []any             `json:"enum"`
	Minimum    float64           `json:"minimum"`
	MinLength  int               `json:"minLength"`
	MinItems   int               `json:"minItems"`
	Required   []string          `json:"required"`
	Properties map[string]schema `json:"properties"`
	Items      *schema           `json:"items"`
}

func (s *scope) readSpecs() {
	for _, surface := range []string{staffAPI, memberAPI} {
		a := (&caller{s: s}).ask("GET", surface+"/openapi.json", nil)
		var doc spec
		s.check(json.Unmarshal([]byte(a.text), &doc))
		s.specs[surface] = doc
	}
}

// body is the least that the contract of a call accepts, with the first branch
// wherever an organisation is named: what is refused then is refused for whose
// it is, not for its form.
func (s *scope) body(method, path string) any {
	if path == memberAPI+"/attempts/{id}/answers/{n}" {
		return map[string]any{"seq": 9, "answer": map[string]any{"choice": []int{0}}} // decoded by hand, for speed
	}
	for surface, doc := range s.specs {
		rest, ok := strings.CutPrefix(path, surface)
		if !ok {
			continue
		}
		content := doc.Paths[rest][strings.ToLower(method)].RequestBody.Content
		if c, ok := content["application/json"]; ok {
			return s.least(doc, c.Schema, "")
		}
	}
	return nil
}

// query holds the parameters that a call must have.
func (s *scope) query(method, path string) string {
	out := url.Values{}
	for surface, doc := range s.specs {
		rest, ok := strings.CutPrefix(path, surface)
		if !ok {
			continue
		}
		for _, p := range doc.Paths[rest][strings.ToLower(method)].Parameters {
			if p.In == "query" && (p.Required || s.values[p.Name] != nil) {
				out.Set(p.Name, fmt.Sprint(s.least(doc, p.Schema, p.Name)))
			}
		}
	}
	if len(out) == 0 {
		return ""
	}
	return "?" + out.Encode()
}

func (s *scope) least(doc spec, sc schema, name string) any {
	if sc.Ref != "" {
		return s.least(doc, doc.Components.Schemas[sc.Ref[strings.LastIndex(sc.Ref, "/")+1:]], name)
	}
	kind, _ := sc.Type.(string)
	if list, ok := sc.Type.([]any); ok {
		kind, _ = list[0].(string)
	}
	switch v := s.values[name]; {
	case v != nil && len(sc.Enum) == 0 && kind != "integer":
		return v
	case len(sc.Enum) > 0:
		return sc.Enum[0]
	}
	switch kind {
	case "object":
		out := map[string]any{}
		for field, sub := range sc.Properties {
			if slices.Contains(sc.Required, field) || s.values[field] != nil {
				out[field] = s.least(doc, sub, field)
			}
		}
		return out
	case "array":
		out := []any{}
		for range sc.MinItems {
			out = append(out, s.least(doc, *sc.Items, ""))
		}
		return out
	case "integer", "number":
		return max(sc.Minimum, 1)
	case "boolean":
		return false
	}
	if sc.Format == "date-time" {
		return time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	}
	return strings.Repeat("1", max(sc.MinLength, 1))
}
