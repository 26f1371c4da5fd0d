package miniapp_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/httpkit"
	"tongxin/internal/ids"
	miniapp "tongxin/miniapp-api"
	"tongxin/quiz"
	"tongxin/storage"
	"tongxin/storage/storagetest"
)

// keyWord stands in everything that is key and in nothing else.
const keyWord = "机密"

// examBank holds one question of each kind that the program grades.
type examBank struct{ list []quiz.Content }

func (b examBank) Contents(_ context.Context, refs []quiz.Ref) ([]quiz.Content, error) {
	out := make([]quiz.Content, len(refs))
	for i, r := range refs {
		out[i] = b.list[r.ID-1]
	}
	return out, nil
}

func (b examBank) Pool(_ context.Context, q quiz.DrawQuery) (out []quiz.Ref, err error) {
	for i, c := range b.list {
		if q.Kind == "" || q.Kind == c.Kind {
			out = append(out, quiz.Ref{ID: ids.ID(i + 1), Revision: 1})
		}
	}
	return out, nil
}

func examQuestions() []quiz.Content {
	list := []quiz.Content{
		{Kind: quiz.Single, Options: []quiz.Option{{Text: "甲", Right: true}, {Text: "乙"}}},
		{Kind: quiz.Multiple, Options: []quiz.Option{{Text: "甲", Right: true}, {Text: "乙", Right: true}, {Text: "丙"}}},
		{Kind: quiz.TrueFalse, True: true},
		{Kind: quiz.Fill, Blanks: []quiz.Blank{{Accept: []string{keyWord}}}},
		{Kind: quiz.Order, Items: []string{"一", "二", "三"}},
		{Kind: quiz.Match, Pairs: []quiz.Pair{{Left: "一", Right: "甲"}, {Left: "二", Right: "乙"}}},
		{Kind: quiz.Short, Rubric: []quiz.Criterion{{Text: keyWord, Share: 1}}},
	}
	for i := range list {
		list[i].Stem = fmt.Sprintf("第 %d 题 ___", i+1)
		list[i].Explanation, list[i].Source, list[i].Topics, list[i].Difficulty = keyWord, keyWord, []string{"党章"}, 1
	}
	return list
}

// ofResults tells the routes of another domain, which this surface is built without.
func ofResults(path string) bool {
	return strings.HasPrefix(path, "/results") || strings.HasPrefix(path, "/certificates") || strings.HasSuffix(path, "/ranking")
}

// Every route of the member surface that has to do with quizzes, at every stage
// of an exam: nothing tells what is right, whether an answer was, or why, before
// the paper allows it; and nobody reaches another's attempt.
func TestNoRouteTellsKeysEarly(t *testing.T) {
	c := clock.NewManual(time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC))
	db := storagetest.Open(t, storage.Options{DSN: t.TempDir() + "/test.db", Clock: c})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(db.Write(t.Context(), func(tx *storage.Tx) error {
		_, err := tx.Exec(`INSERT INTO orgs (id, parent_id, path, kind, name, short_name, settings, archived_at, version, created_at, updated_at, updated_by)
			VALUES (1, 0, '/1/', 'branch', '支部', '支部', '{}', 0, 1, 0, 0, 't')`)
		return err
	}))
	svc, err := quiz.NewExams(quiz.ExamConfig{
		Store: storage.NewExams(db), Bank: examBank{examQuestions()}, Clock: c, IDs: db.IDs(),
		Org: func(_ context.Context, id ids.ID) (quiz.Place, error) {
			if id != 1 {
				return quiz.Place{}, errs.Missing("组织")
			}
			return quiz.Place{ID: 1, Path: "/1/", Name: "支部"}, nil
		},
		HTML: func(md string) string { return md }, Recommends: func(context.Context, ids.ID) (bool, error) { return true, nil },
	})
	must(err)
	k := httpkit.New(httpkit.Config{Log: slog.New(slog.DiscardHandler), Clock: c, Random: rand.Reader})
	miniapp.Mount(k, miniapp.Deps{Clock: c, Random: rand.Reader, Exams: svc, Auth: func(_ context.Context, f *fiber.Ctx) (httpkit.Identity, error) {
		id, err := ids.Parse(f.Get("X-Member"))
		a := &authz.Actor{ID: id, Kind: authz.Member, Grants: []authz.Grant{{Role: "member", OrgID: 1, Path: "/1/", Rights: []authz.Right{quiz.Take}}}}
		return httpkit.Identity{Actor: a, Key: f.Get("X-Member")}, err
	}})
	call := func(member, method, path, body string) (int, string) {
		t.Helper()
		req := httptest.NewRequestWithContext(t.Context(), method, path, bytes.NewReader([]byte(body)))
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-Member", member)
		res, err := k.App().Test(req, 10_000)
		must(err)
		b, err := io.ReadAll(res.Body)
		must(err)
		return res.StatusCode, string(b)
	}

	boss := authz.SystemActor("test")
	in := quiz.PaperInput{OrgID: 1, Kind: quiz.ExamPaper, Title: "考试", Rules: quiz.PaperRules{
		ClosesAt: c.Now().Add(2 * time.Hour), Attempts: 1, Counting: quiz.CountBest, Partial: true,
		ShowScore: quiz.AfterSubmit, ShowKey: quiz.AfterClose, ShuffleQuestions: true, ShuffleOptions: true,
	}}
	for i := range examQuestions() {
		in.Items = append(in.Items, quiz.PaperItem{ID: ids.ID(i + 1), Points: 2})
	}
	p, err := svc.CreatePaper(t.Context(), boss, in)
	must(err)
	p, err = svc.PublishPaper(t.Context(), boss, p.ID, p.Version)
	must(err)

	attempt := "77"
	body := map[string]string{
		"/practice": `{"source":"topic"}`, "/attempts/{id}/answers": `{"answers":[{"n":1,"seq":3,"answer":{}}]}`,
		"/attempts/{id}/answers/{n}": `{"seq":2,"answer":{}}`, "/wrong/{id}/rate": `{"rating":"good"}`,
	}
	walk := func(stage, member string, mine bool, skip ...string) {
		t.Helper()
		routes := 0
		for _, r := range k.Routes() {
			path := strings.TrimPrefix(r.Path, "/api/member/v1")
			if r.Right != quiz.Take || strings.Contains(strings.Join(skip, " "), path) || ofResults(path) {
				continue
			}
			routes++
			id := attempt
			if strings.HasPrefix(path, "/papers") {
				id = p.ID.String()
			} else if strings.HasPrefix(path, "/wrong") {
				id = "1"
			}
			status, got := call(member, r.Method, strings.NewReplacer("{id}", id, "{n}", "1").Replace(r.Path), body[path])
			for _, word := range []string{keyWord, `"key"`, `"share"`, `"right":`, `"explanation"`, `"mark"`} {
				if strings.Contains(strings.ReplaceAll(got, `"rightShare"`, ""), word) && !strings.Contains(got, `"today"`) {
					t.Errorf("%s: %s %s tells %s: %s", stage, r.Method, path, word, got)
				}
			}
			if status >= 500 {
				t.Errorf("%s: %s %s: %d %s", stage, r.Method, path, status, got)
			}
			if !mine && strings.HasPrefix(path, "/attempts") && status != 404 {
				t.Errorf("%s: %s %s reaches another's attempt: %d %s", stage, r.Method, path, status, got)
			}
		}
		if routes < 8 {
			t.Fatalf("only %d routes: the table was not walked", routes)
		}
	}
	walk("before", "501", false, "/papers/{id}/attempts")
	status, sheet := call("501", "POST", "/api/member/v1/papers/"+p.ID.String()+"/attempts", "")
	if status != 200 {
		t.Fatal(status, sheet)
	}
	attempt = strings.SplitN(strings.SplitN(sheet, `"id":"`, 2)[1], `"`, 2)[0]
	walk("while open", "501", true, "/attempts/{id}/submit")
	walk("another member", "502", false, "/papers/{id}/attempts")
	if status, got := call("501", "POST", "/api/member/v1/attempts/"+attempt+"/submit", ""); status != 200 || strings.Contains(got, keyWord) {
		t.Fatal(status, got)
	}
	walk("submitted", "501", true)
	c.Add(3 * time.Hour)
	if status, got := call("501", "GET", "/api/member/v1/attempts/"+attempt+"/result", ""); status != 200 || !strings.Contains(got, keyWord) {
		t.Errorf("the key never comes: %d %s", status, got)
	}
}
