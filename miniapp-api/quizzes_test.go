package miniapp_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"tongxin/internal/httpkit"
	"tongxin/internal/ids"
	"tongxin/member"
	miniapp "tongxin/miniapp-api"
	"tongxin/quiz"
	"tongxin/storage"
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
	h := build(t)
	another, err := h.members.Create(t.Context(), sys(), member.Input{OrgID: h.orgs["east"].ID, Name: "何志远", Kind: member.Full, Phone: "13812345670"})
	h.check(err)
	h.who["another"] = another
	east := h.orgs["east"]
	svc, err := quiz.NewExams(quiz.ExamConfig{
		Store: storage.NewExams(h.db), Bank: examBank{examQuestions()}, Clock: h.clock, IDs: h.db.IDs(),
		Org: func(context.Context, ids.ID) (quiz.Place, error) {
			return quiz.Place{ID: east.ID, Path: east.Path, Name: east.Name}, nil
		},
		HTML: func(md string) string { return md }, Recommends: func(context.Context, ids.ID) (bool, error) { return true, nil },
	})
	h.check(err)
	d := h.deps()
	d.Exams = svc
	h.kit = httpkit.New(httpkit.Config{Log: slog.New(slog.DiscardHandler), Clock: h.clock, Random: rand.Reader})
	miniapp.Mount(h.kit, d)
	taker, other := h.as("east"), h.as("another")

	in := quiz.PaperInput{OrgID: east.ID, Kind: quiz.ExamPaper, Title: "考试", Rules: quiz.PaperRules{
		ClosesAt: h.clock.Now().Add(2 * time.Hour), Attempts: 1, Counting: quiz.CountBest, Partial: true,
		ShowScore: quiz.AfterSubmit, ShowKey: quiz.AfterClose, ShuffleQuestions: true, ShuffleOptions: true,
	}}
	for i := range examQuestions() {
		in.Items = append(in.Items, quiz.PaperItem{ID: ids.ID(i + 1), Points: 2})
	}
	p, err := svc.CreatePaper(t.Context(), sys(), in)
	h.check(err)
	p, err = svc.PublishPaper(t.Context(), sys(), p.ID, p.Version)
	h.check(err)

	attempt := "77"
	body := map[string]json.RawMessage{
		"/practice": json.RawMessage(`{"source":"topic"}`), "/attempts/{id}/answers": json.RawMessage(`{"answers":[{"n":1,"seq":3,"answer":{}}]}`),
		"/attempts/{id}/answers/{n}": json.RawMessage(`{"seq":2,"answer":{}}`), "/wrong/{id}/rate": json.RawMessage(`{"rating":"good"}`),
	}
	walk := func(stage string, who *phone, mine bool, skip ...string) {
		t.Helper()
		routes := 0
		for _, r := range h.kit.Routes() {
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
			var in any
			if b := body[path]; b != nil {
				in = b
			}
			a := who.do(r.Method, strings.NewReplacer("{id}", id, "{n}", "1").Replace(r.Path), in)
			status, got := a.status, a.body
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
	walk("before", taker, false, "/papers/{id}/attempts")
	sheet := taker.do("POST", "/papers/"+p.ID.String()+"/attempts", nil).want(t, 200)
	attempt = sheet.text(t, "id")
	walk("while open", taker, true, "/attempts/{id}/submit")
	walk("another member", other, false, "/papers/{id}/attempts")
	taker.do("POST", "/attempts/"+attempt+"/submit", nil).want(t, 200).lacks(t, keyWord)
	walk("submitted", taker, true)
	h.clock.Add(3 * time.Hour)
	taker.enter("east") // the key of before is long over
	taker.do("GET", "/attempts/"+attempt+"/result", nil).want(t, 200, keyWord)
}
