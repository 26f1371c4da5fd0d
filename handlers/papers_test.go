package handlers_test

import (
	"context"
	"html"
	"testing"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
	"tongxin/quiz"
	"tongxin/staff"
	"tongxin/storage"
)

// exams are papers over the bank of the house.
func (h *house) exams() *quiz.Exams {
	svc, err := quiz.NewExams(quiz.ExamConfig{
		Store: storage.NewExams(h.db), Bank: storage.NewQuizBank(h.db), Clock: h.clock, IDs: h.db.IDs(), HTML: html.EscapeString,
		Org: func(ctx context.Context, id ids.ID) (quiz.Place, error) {
			o, err := h.staff.Org(ctx, authz.SystemActor("test"), id)
			if err != nil {
				return quiz.Place{}, err
			}
			return quiz.Place{ID: o.ID, Path: o.Path, Name: o.Name}, nil
		},
		Recommends: func(context.Context, ids.ID) (bool, error) { return true, nil },
	})
	check(h.t, err)
	return svc
}

func (h *house) paperBody(questions ...string) map[string]any {
	items := []map[string]any{}
	for _, id := range questions {
		items = append(items, map[string]any{"id": id, "points": 2})
	}
	return map[string]any{
		"orgId": h.id("east"), "kind": "exam", "title": "应知应会", "items": items,
		"rules": map[string]any{
			"closesAt": h.clock.Now().Add(48 * time.Hour).Format(time.RFC3339), "durationSec": 1800, "attempts": 1, "counting": "best", "passPoints": 1,
			"partial": true, "showScore": "after_submit", "showKey": "after_close", "shuffleQuestions": true, "shuffleOptions": true,
		},
	}
}

func TestPapersOverHTTP(t *testing.T) {
	h := build(t, staff.Policy{})
	b := h.as("east-secretary")
	q := h.newQuestion("east-secretary", "east", "支部党员大会多久一次？", "active").field("id")
	in := h.paperBody(q)
	made := b.do("POST", api+"/papers", in, "Idempotency-Key", "key-00000001").want(t, 201, `"state":"draft"`, `"questions":1`, `"points":2`).lacks(t, "Pinned", "orgPath")
	id := made.field("id")
	if b.do("POST", api+"/papers", in, "Idempotency-Key", "key-00000001").want(t, 201).field("id") != id || made.header.Get("ETag") != `"1"` {
		t.Fatal("a repeated call made another paper")
	}
	b.do("PUT", api+"/papers/"+id, in).want(t, 428)
	in["title"] = "应知应会测试"
	b.do("PUT", api+"/papers/"+id, in, "If-Match", `"1"`).want(t, 200, `"version":2`, "应知应会测试")
	b.do("PUT", api+"/papers/"+id, in, "If-Match", `"1"`).want(t, 412, `"current"`)
	b.do("PUT", api+"/papers/"+id, h.paperBody("77"), "If-Match", `"2"`).want(t, 422, "items[0].id")
	b.do("GET", api+"/papers/"+id+"/preview", nil).want(t, 200, `"shown"`, "支部党员大会").lacks(t, `"right"`, `"key"`, "解析", "条例")
	west := h.as("west-admin")
	for _, path := range []string{"", "/preview"} {
		west.do("GET", api+"/papers/"+id+path, nil).want(t, 404, "没有找到")
	}
	west.do("GET", api+"/papers", nil).want(t, 200, `"items":[]`)
	west.do("POST", api+"/papers/"+id+"/publish", nil, "If-Match", `"2"`).want(t, 404)
	b.do("POST", api+"/papers/"+id+"/publish", nil, "If-Match", `"2"`).want(t, 200, `"state":"published"`)
	b.do("PUT", api+"/papers/"+id, in, "If-Match", `"3"`).want(t, 409, "不能再改")
	b.do("DELETE", api+"/papers/"+id, nil, "If-Match", `"3"`).want(t, 409)
	copied := b.do("POST", api+"/papers/"+id+"/copy", nil).want(t, 201, `"state":"draft"`, "副本").field("id")
	b.do("POST", api+"/papers/"+copied+"/publish", nil, "If-Match", `"1"`).want(t, 422, "closesAt")
	b.do("DELETE", api+"/papers/"+copied, nil, "If-Match", `"1"`).want(t, 204)
	b.do("POST", api+"/papers/"+id+"/close", nil, "If-Match", `"3"`).want(t, 200, `"state":"closed"`, "closedAt")
	b.do("GET", api+"/papers?state=closed&kind=exam&q=%E6%B5%8B%E8%AF%95", nil).want(t, 200, id)
}
