package handlers_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"html"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
	"tongxin/internal/typeset"
	"tongxin/quiz"
	"tongxin/quiz/results"
	"tongxin/staff"
	"tongxin/storage"
)

// results are those of the papers of the house.
func (h *house) results() *results.Service {
	setter, err := typeset.New()
	check(h.t, err)
	svc, err := results.New(results.Config{
		Store: storage.NewResults(h.db), Paper: storage.NewExams(h.db).Paper, Bank: storage.NewQuizBank(h.db), Clock: h.clock, IDs: h.db.IDs(), Random: rand.Reader,
		Setter: setter, PublicURL: "https://example.org", HTML: html.EscapeString,
		Unlisted: func(context.Context, []ids.ID) (map[ids.ID]bool, error) { return nil, nil },
		Org: func(ctx context.Context, id ids.ID) (quiz.Place, error) {
			o, err := h.staff.Org(ctx, authz.SystemActor("test"), id)
			if err != nil {
				return quiz.Place{}, err
			}
			return quiz.Place{ID: o.ID, Path: o.Path, Name: o.Name}, nil
		},
	})
	check(h.t, err)
	return svc
}

// passed lets a member of east take and pass a paper of root, and returns both.
func (h *house) passed() (paper, question string) {
	h.t.Helper()
	ctx := h.t.Context()
	question = h.newQuestion("root-admin", "root", "支部党员大会多久一次？", "active").field("id")
	in := h.paperBody(question)
	in["orgId"] = h.id("root")
	in["rules"].(map[string]any)["certificate"] = "合格证书"
	admin := h.as("root-admin")
	paper = admin.do("POST", api+"/papers", in).want(h.t, 201, `"certificate":"合格证书"`).field("id")
	admin.do("POST", api+"/papers/"+paper+"/publish", nil, "If-Match", `"1"`).want(h.t, 200)
	id := h.as("east-secretary").do("POST", api+"/members", person(h, "张小明", "13900000001")).want(h.t, 201).field("id")
	east := h.orgs["east"]
	actor := &authz.Actor{ID: mustID(h, id), Kind: authz.Member, Name: "张小明", Grants: []authz.Grant{{Role: "member", OrgID: east.ID, Path: east.Path, Rights: []authz.Right{quiz.Take}}}}
	exams := h.exams()
	sh, err := exams.Start(ctx, actor, mustID(h, paper))
	check(h.t, err)
	for i := range sh.Questions[0].Shown.Options { // the last answer stands: try each until it is right
		_, err = exams.SaveAnswer(ctx, actor, sh.ID, quiz.AnswerIn{N: 1, Seq: int64(i + 1), Answer: quiz.Answer{Choice: []int{i}}}, h.clock.Now())
		check(h.t, err)
		list, err := storage.NewQuizBank(h.db).Contents(ctx, []quiz.Ref{{ID: mustID(h, question), Revision: 1}})
		check(h.t, err)
		given, err := storage.NewExams(h.db).Givens(ctx, sh.ID)
		check(h.t, err)
		if share, _ := list[0].Grade(given[0].Answer, false); share == 1 {
			break
		}
	}
	_, err = exams.Submit(ctx, actor, sh.ID)
	check(h.t, err)
	return paper, question
}

func mustID(h *house, s string) ids.ID {
	id, err := ids.Parse(s)
	check(h.t, err)
	return id
}

func TestResultsOverHTTP(t *testing.T) {
	h := build(t, staff.Policy{})
	paper, question := h.passed()
	admin, secretary := h.as("root-admin"), h.as("east-secretary")
	admin.do("GET", api+"/results/papers", nil).want(t, 200, paper, `"took":1`)
	for _, b := range []*browser{admin, secretary} {
		b.do("GET", api+"/papers/"+paper+"/results", nil).want(t, 200, "张小明", `"rank":1`, `"passed":true`, `"took":1`).lacks(t, "1390", "orgPath", "sealed")
		b.do("GET", api+"/papers/"+paper+"/turnout", nil).want(t, 200, `"orgName":"east"`, `"took":1`)
	}
	secretary.do("GET", api+"/papers/"+paper+"/turnout", nil).want(t, 200).lacks(t, `"west"`)
	admin.do("GET", api+"/papers/"+paper+"/analysis", nil).want(t, 200, "支部党员大会多久一次", `"attempts":1`, `"facility":100`).lacks(t, `"right"`)
	admin.do("GET", api+"/papers/"+paper+"/analysis/"+question, nil).want(t, 200, `"count":1`, `"key"`)
	secretary.do("GET", api+"/papers/"+paper+"/analysis", nil).want(t, 409).lacks(t, "支部党员大会")
	secretary.do("GET", api+"/papers/"+paper+"/analysis/"+question, nil).want(t, 409).lacks(t, "支部党员大会", `"key"`)

	f, err := excelize.OpenReader(bytes.NewReader(admin.file("/papers/" + paper + "/results.xlsx")))
	check(t, err)
	if rows, err := f.GetRows("成绩"); err != nil || len(rows) != 2 || rows[1][1] != "张小明" {
		t.Errorf("%v %v", rows, err)
	}
	h.as("root-auditor").do("GET", api+"/audit?action=results.", nil).want(t, 200, "results.export")

	west := h.as("west-admin")
	west.do("GET", api+"/papers/"+paper+"/results", nil).want(t, 200, `"items":[]`).lacks(t, "张小明")
	west.do("GET", api+"/papers/"+paper+"/results?orgId="+h.id("east"), nil).want(t, 404)
	west.do("GET", api+"/results/topics?orgId="+h.id("east"), nil).want(t, 404)
	west.do("GET", api+"/papers/"+paper+"/certificates", nil).want(t, 200, `"items":[]`)
	h.as("east-editor").do("GET", api+"/papers/"+paper+"/results", nil).want(t, 403).lacks(t, "张小明")

	h.clock.Add(72 * time.Hour)
	delete(h.login, "east-secretary") // that session has ended too
	secretary = h.as("east-secretary")
	secretary.do("GET", api+"/papers/"+paper+"/analysis/"+question, nil).want(t, 200, "支部党员大会").lacks(t, `"key"`)
	secretary.do("GET", api+"/results/topics", nil).want(t, 200, `"verdict":"few"`)
}

func TestCertificatesOverHTTP(t *testing.T) {
	h := build(t, staff.Policy{})
	paper, _ := h.passed()
	admin := h.as("root-admin")
	list := admin.do("GET", api+"/papers/"+paper+"/certificates", nil).want(t, 200, "张小明", "2026-000001")
	id, code := list.field("items.0.id"), list.field("items.0.code")
	if pdf := admin.file("/certificates/" + id + "/file.pdf"); !bytes.HasPrefix(pdf, []byte("%PDF-")) {
		t.Errorf("%.40q", pdf)
	}
	if pic := admin.file("/certificates/" + id + "/file.png"); !bytes.HasPrefix(pic, []byte("\x89PNG")) {
		t.Errorf("%.40q", pic)
	}
	h.as("west-admin").do("GET", api+"/certificates/"+id+"/file.pdf", nil).want(t, 404)
	admin.do("GET", api+"/certificates/x/file.pdf", nil).want(t, 404)

	anybody := h.as("")
	page := anybody.do("GET", "/c/"+code, nil).want(t, 200, "证书有效", "张*明", "2026-000001", "应知应会", "root", "2026年3月2日").lacks(t, "张小明", "<script", "east", "139")
	csp := page.header.Get("Content-Security-Policy")
	if !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") || !strings.Contains(page.header.Get("Content-Type"), "text/html") {
		t.Errorf("%q %v", csp, page.header)
	}
	anybody.do("GET", "/c/"+strings.ToLower(strings.ReplaceAll(code, "-", "")), nil).want(t, 200, "证书有效")
	if r := anybody.do("GET", "/c?code="+url.QueryEscape(code+" "), nil); r.status != 303 || !strings.HasPrefix(r.header.Get("Location"), "/c/") {
		t.Errorf("%d %v", r.status, r.header)
	}
	anybody.do("GET", "/c", nil).want(t, 200, "<form").lacks(t, "张")
	anybody.do("GET", "/c/"+url.PathEscape("<script>alert(1)</script>"), nil).want(t, 404, "没有找到").lacks(t, "alert(1)")

	admin.do("POST", api+"/certificates/"+id+"/revoke", map[string]string{"reason": "查实替考"}).want(t, 428)
	admin.do("POST", api+"/certificates/"+id+"/revoke", map[string]string{"reason": "查实替考"}, "If-Match", `"1"`).want(t, 200, "查实替考")
	anybody.do("GET", "/c/"+code, nil).want(t, 200, "证书已撤销").lacks(t, "证书有效", "查实替考")
	admin.do("GET", api+"/certificates/"+id+"/file.pdf", nil).want(t, 409)
	h.as("root-auditor").do("GET", api+"/audit?action=certificate.", nil).want(t, 200, "certificate.issue", "certificate.revoke", "查实替考")
}

// Whoever tries codes is soon told to wait.
func TestVerifyingIsLimited(t *testing.T) {
	h := build(t, staff.Policy{})
	last := 0
	for i := range 40 {
		last = h.as("").do("GET", fmt.Sprint("/c/3333333333333", 100+i), nil).status
	}
	if last != 429 {
		t.Errorf("status %d after 40 tries in a moment", last)
	}
}
