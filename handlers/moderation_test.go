package handlers_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
	"tongxin/internal/seal"
	"tongxin/moderate"
	"tongxin/staff"
	"tongxin/storage"
)

// noProgram is a house without a mini-program: people decide everything.
type noProgram struct{}

func (noProgram) CheckText(context.Context, moderate.Ask) (moderate.Answer, error) {
	return moderate.Answer{}, &moderate.Trouble{Why: moderate.NoProgram}
}

func (noProgram) CheckPicture(context.Context, moderate.Ask) (string, error) {
	return "", &moderate.Trouble{Why: moderate.NoProgram}
}

func (h *house) checker(box *seal.Box) *moderate.Service {
	svc, err := moderate.New(moderate.Config{
		Store: storage.NewModeration(h.db), Checker: noProgram{}, Sealer: box, Clock: h.clock, IDs: h.db.IDs(), Log: slog.New(slog.DiscardHandler),
		OrgPath: func(ctx context.Context, id ids.ID) (string, error) {
			o, err := h.staff.Org(ctx, authz.SystemActor("test"), id)
			if err != nil {
				return "", err
			}
			return o.Path, nil
		},
	})
	check(h.t, err)
	svc.OnDecided(moderate.Kind{Name: "answer", Label: "通知回复"}, func(context.Context, moderate.Decision) error { return nil })
	h.check = svc
	return svc
}

func (h *house) handIn(org string, object ids.ID, text string) string {
	h.t.Helper()
	r, err := h.check.Text(h.t.Context(), moderate.Words{Kind: "answer", ObjectID: object, Revision: 1, OrgID: h.orgs[org].ID, Scene: moderate.Comment, Text: text})
	check(h.t, err)
	return r.ID.String()
}

func TestModerationOverHTTP(t *testing.T) {
	h := build(t, staff.Policy{})
	id := h.handIn("east", 1, "我想说几句心里话")
	h.handIn("west", 2, "西边的话")
	b := h.as("east-editor")
	b.do("GET", api+"/moderation/count", nil).want(t, 200, `"open":1`)
	b.do("GET", api+"/moderation/kinds", nil).want(t, 200, "通知回复")
	b.do("GET", api+"/moderation", nil).want(t, 200, "我想说几句心里话", "尚未配置小程序", "通知回复").lacks(t, "西边的话", "Sealed", "orgPath", "lease")
	b.do("GET", api+"/moderation?state=passed", nil).want(t, 200).lacks(t, "心里话")
	b.do("GET", api+"/moderation?state=todo&kind=answer&orgId="+h.id("east"), nil).want(t, 200, "心里话")
	b.do("GET", api+"/moderation?orgId="+h.id("west"), nil).want(t, 200).lacks(t, "话\"")
	b.do("GET", api+"/moderation?state=nonsense", nil).want(t, 422)
	got := b.do("GET", api+"/moderation/"+id, nil).want(t, 200, "心里话")
	tag := got.header.Get("ETag")
	b.do("POST", api+"/moderation/"+id+"/decide", map[string]any{"pass": true}).want(t, 428)
	b.do("POST", api+"/moderation/"+id+"/decide", map[string]any{"pass": true}, "If-Match", `"77"`).want(t, 412)
	b.do("POST", api+"/moderation/"+id+"/decide", map[string]any{"pass": false}, "If-Match", tag).want(t, 422, `"reason"`)
	for _, login := range []string{"west-editor", "west-admin"} {
		h.as(login).do("GET", api+"/moderation/"+id, nil).want(t, 404, "没有找到").lacks(t, "心里话")
		h.as(login).do("POST", api+"/moderation/"+id+"/decide", map[string]any{"pass": true}, "If-Match", tag).want(t, 404)
		h.as(login).do("GET", api+"/moderation", nil).want(t, 200, "西边的话").lacks(t, "心里话")
		h.as(login).do("GET", api+"/moderation/count", nil).want(t, 200, `"open":1`)
	}
	h.as("east-reviewer1").do("GET", api+"/moderation", nil).want(t, 403).lacks(t, "心里话")
	h.as("root-auditor").do("GET", api+"/moderation/"+id, nil).want(t, 403)
	h.as("root-admin").do("GET", api+"/moderation", nil).want(t, 200, "心里话", "西边的话")
	b.do("POST", api+"/moderation/"+id+"/decide", map[string]any{"pass": false, "reason": "请不要点名"}, "If-Match", tag).want(t, 200, `"refused"`, "请不要点名", `"by":"person"`)
	b.do("POST", api+"/moderation/"+id+"/decide", map[string]any{"pass": true}, "If-Match", tag).want(t, 412)
	b.do("GET", api+"/moderation/count", nil).want(t, 200, `"open":0`)
	h.as("root-auditor").do("GET", api+"/audit?action=moderate.", nil).want(t, 200, "moderate.refuse", "请不要点名", "moderate.review").lacks(t, "心里话")
	if strings.Contains(h.log.String(), "心里话") {
		t.Fatal("what members write is in the log")
	}
}
