package handlers_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"html"
	"image"
	"image/png"
	"strings"
	"testing"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/publish"
	"tongxin/publish/render"
	"tongxin/quiz"
	"tongxin/staff"
	"tongxin/storage"
)

// bank is the question bank over the library of posts.
func (h *house) bank(posts *publish.Service) *quiz.Bank {
	return quiz.NewBank(quiz.BankConfig{
		Store: storage.NewQuizBank(h.db), Clock: h.clock, IDs: h.db.IDs(),
		Place: func(ctx context.Context, id ids.ID) (quiz.Place, error) {
			o, err := h.staff.Org(ctx, authz.SystemActor("test"), id)
			if err != nil {
				return quiz.Place{}, err
			}
			return quiz.Place{ID: o.ID, Path: o.Path, Name: o.Name}, nil
		},
		HTML: func(md string) string {
			res, err := render.Render(render.Source{Format: render.Markdown, Text: md}, render.Options{Embedded: true})
			if err != nil {
				return html.EscapeString(md)
			}
			return res.HTML
		},
		Picture: func(ctx context.Context, actor *authz.Actor, hash string) (bool, error) {
			_, err := posts.Store.Asset(ctx, actor.Scope(publish.MediaRead), hash)
			if errs.Is(err, errs.NotFound) {
				return false, nil
			}
			return err == nil, err
		},
		Upload: func(ctx context.Context, actor *authz.Actor, org ids.ID, a quiz.Attachment, dry bool) (string, error) {
			if dry {
				return "", nil
			}
			v, err := posts.UploadMedia(ctx, actor, publish.MediaUpload{OrgID: org, Name: a.Name, Data: a.Data})
			if err != nil {
				return "", err
			}
			return v.Hash, nil
		},
	})
}

// choice is a complete single-choice question.
func choice(stem string) map[string]any {
	return map[string]any{
		"kind": "single", "stem": stem, "topics": []string{"三会一课"}, "difficulty": 2, "explanation": "见**条例**", "source": "支部工作条例",
		"options": []map[string]any{{"text": "每月"}, {"text": "每季度", "right": true}, {"text": "每年"}},
	}
}

func (h *house) newQuestion(login, org, stem, state string) *answer {
	body := map[string]any{"orgId": h.id(org), "content": choice(stem)}
	if state != "" {
		body["state"] = state
	}
	return h.as(login).do("POST", api+"/questions", body).want(h.t, 201)
}

func TestQuestionsOverHTTP(t *testing.T) {
	h := build(t, staff.Policy{})
	b := h.as("east-secretary")
	in := map[string]any{"orgId": h.id("east"), "content": choice("支部党员大会一般多久一次？")}
	made := b.do("POST", api+"/questions", in, "Idempotency-Key", "key-00000001").want(t, 201, `"state":"draft"`, `"revision":1`, `"editable":true`, `"alike":[]`).lacks(t, "orgPath", "StemKey")
	again := b.do("POST", api+"/questions", in, "Idempotency-Key", "key-00000001").want(t, 201)
	id := made.field("id")
	if again.field("id") != id || made.header.Get("ETag") != `"1"` {
		t.Fatal("a repeated call made another question")
	}
	b.do("POST", api+"/questions", in).want(t, 201, `"alike":[{`, id) // allowed, but told
	b.do("GET", api+"/questions?q=%E5%A4%A7%E4%BC%9A&kind=single&topic=%E4%B8%89%E4%BC%9A%E4%B8%80%E8%AF%BE&difficulty=2&state=draft", nil).want(t, 200, id)
	b.do("GET", api+"/questions?kind=match", nil).want(t, 200, `"items":[]`)
	edit := map[string]any{"content": choice("支部党员大会一般几个月一次？"), "state": "active"}
	b.do("PUT", api+"/questions/"+id, edit).want(t, 428)
	b.do("PUT", api+"/questions/"+id, edit, "If-Match", `"1"`).want(t, 200, `"version":2`, `"revision":2`, `"state":"active"`, "activeAt")
	b.do("PUT", api+"/questions/"+id, edit, "If-Match", `"1"`).want(t, 412, `"current"`, "几个月")
	b.do("PUT", api+"/questions/"+id, edit, "If-Match", `"2"`).want(t, 200, `"version":2`) // nothing changed
	b.do("GET", api+"/questions/"+id+"/revisions", nil).want(t, 200, "几个月", "多久一次")
	b.do("DELETE", api+"/questions/"+id, nil, "If-Match", `"2"`).want(t, 409, "停用")
	b.do("POST", api+"/questions/"+id+"/retire", nil, "If-Match", `"2"`).want(t, 200, `"state":"retired"`)
	b.do("POST", api+"/questions/"+id+"/restore", nil, "If-Match", `"3"`).want(t, 200, `"state":"active"`)
	b.do("GET", api+"/topics", nil).want(t, 200, `"name":"三会一课","all":2,"active":1`)
	draft := h.newQuestion("east-secretary", "east", "草稿题", "").field("id")
	b.do("POST", api+"/questions/states", map[string]any{"ids": []string{draft, id, "77"}, "state": "retired"}).want(t, 200, `"changed":2`, "没有找到这个题目")
	other := h.newQuestion("east-secretary", "east", "要删的题", "").field("id")
	b.do("DELETE", api+"/questions/"+other, nil).want(t, 428)
	b.do("DELETE", api+"/questions/"+other, nil, "If-Match", `"1"`).want(t, 204)
	b.do("GET", api+"/questions/"+other, nil).want(t, 404)
	h.as("root-auditor").do("GET", api+"/audit?action=question.", nil).want(t, 200, "question.create", "question.save", "question.retire", "question.delete")
}

func TestQuestionInputIsHeldToItsFields(t *testing.T) {
	h := build(t, staff.Policy{})
	b := h.as("east-editor")
	bad := choice("没有正确答案")
	bad["options"] = []map[string]any{{"text": "甲"}, {"text": "甲"}}
	b.do("POST", api+"/questions", map[string]any{"orgId": h.id("east"), "content": bad}).want(t, 422, `"options"`, `"options[1].text"`)
	away := choice("看图 ![](https://example.com/a.png)")
	b.do("POST", api+"/questions", map[string]any{"orgId": h.id("east"), "content": away}).want(t, 422, `"stem"`, "素材库")
	gone := choice("看图 ![](asset:" + strings.Repeat("0", 64) + ")")
	b.do("POST", api+"/questions", map[string]any{"orgId": h.id("east"), "content": gone}).want(t, 422, `"stem"`, "素材库里没有这张图片")
	b.do("POST", api+"/questions/preview", map[string]any{"content": bad}).want(t, 200, `"problems":[{`, `"options":[`)
	seen := b.do("POST", api+"/questions/preview", map[string]any{"content": choice("多久**一次**？"), "seed": 3}).want(t, 200, "<strong", `"problems":[]`, `"key":{"answer":{"choice":[`)
	if i, j := strings.Index(seen.body, `"shown":`), strings.Index(seen.body, `"key":`); i > j || strings.Contains(seen.body[i:j], "条例") {
		t.Fatalf("what is shown holds the explanation: %s", seen.body)
	}
}

func TestQuestionsOfOtherBranches(t *testing.T) {
	h := build(t, staff.Policy{})
	east := h.newQuestion("east-secretary", "east", "东支部的题", "active").field("id")
	top := h.newQuestion("root-admin", "root", "党委的题", "active").field("id")
	for _, login := range []string{"west-admin", "west-editor"} {
		west := h.as(login)
		west.do("GET", api+"/questions", nil).want(t, 200, "党委的题").lacks(t, "东支部", east)
		west.do("GET", api+"/questions?q=%E4%B8%9C", nil).want(t, 200, `"items":[]`)
		west.do("GET", api+"/questions?orgId="+h.id("east"), nil).want(t, 200, `"items":[]`)
		for _, path := range []string{"", "/revisions"} {
			west.do("GET", api+"/questions/"+east+path, nil).want(t, 404).lacks(t, "东支部")
		}
		west.do("PUT", api+"/questions/"+east, map[string]any{"content": choice("改")}, "If-Match", `"1"`).want(t, 404)
		west.do("POST", api+"/questions/"+east+"/retire", nil, "If-Match", `"1"`).want(t, 404)
		west.do("POST", api+"/questions/"+east+"/restore", nil, "If-Match", `"1"`).want(t, 404)
		west.do("DELETE", api+"/questions/"+east, nil, "If-Match", `"1"`).want(t, 404)
		west.do("POST", api+"/questions/states", map[string]any{"ids": []string{east, top}, "state": "retired"}).want(t, 200, `"changed":0`).lacks(t, "东支部")
		west.do("POST", api+"/questions", map[string]any{"orgId": h.id("east"), "content": choice("塞进来")}).want(t, 422, `"orgId"`)
		west.do("POST", api+"/questions/preview", map[string]any{"content": choice("东支部的题")}).want(t, 200, `"alike":[]`)
		west.do("GET", api+"/topics", nil).want(t, 200, `"all":1`)
		// The committee's question may be read and used below, and not changed.
		west.do("GET", api+"/questions/"+top, nil).want(t, 200, `"editable":false`)
		west.do("PUT", api+"/questions/"+top, map[string]any{"content": choice("改")}, "If-Match", `"1"`).want(t, 403)
		west.do("POST", api+"/questions/"+top+"/retire", nil, "If-Match", `"1"`).want(t, 403)
		west.do("DELETE", api+"/questions/"+top, nil, "If-Match", `"1"`).want(t, 403)
		west.do("POST", api+"/questions", map[string]any{"orgId": h.id("root"), "content": choice("塞进来")}).want(t, 403)
	}
	h.as("root-admin").do("GET", api+"/questions", nil).want(t, 200, east, top)
	for login, status := range map[string]int{"": 401, "east-auditor": 403, "east-reviewer1": 403} {
		b := h.as(login)
		b.do("GET", api+"/questions", nil).want(t, status)
		b.do("GET", api+"/questions/"+top, nil).want(t, status).lacks(t, "党委的题")
		b.do("POST", api+"/questions", map[string]any{}).want(t, status)
		b.do("POST", api+"/questions/preview", map[string]any{}).want(t, status)
		b.do("GET", api+"/topics", nil).want(t, status)
	}
}

func (b *browser) sendQuestions(query, body string) *answer {
	return b.do("POST", api+"/questions/import?"+query, body, "Content-Type", "application/octet-stream")
}

func TestQuestionImportOverHTTP(t *testing.T) {
	h := build(t, staff.Policy{})
	b := h.as("east-secretary")
	east := "&orgId=" + h.id("east")
	good, bad := "::甲::支部党员大会多久一次？{=每季度 ~每月}\n\n", "没有答案的题\n\n"
	b.sendQuestions("format=gift&dryRun=true"+east, good).want(t, 200, `"created":1`, `"written":false`)
	b.do("GET", api+"/questions", nil).want(t, 200, `"items":[]`)
	b.sendQuestions("format=gift"+east, good+bad).want(t, 200, `"wrong":1`, `"written":false`, `"line":3`, "大括号")
	b.do("GET", api+"/questions", nil).want(t, 200, `"items":[]`)
	b.sendQuestions("format=gift&skipWrong=true&state=active&topic=%E5%85%9A%E8%AF%BE&difficulty=4"+east, good+bad+good).want(t, 200, `"created":1`, `"same":1`, `"written":true`)
	b.do("GET", api+"/questions?topic=%E5%85%9A%E8%AF%BE", nil).want(t, 200, "支部党员大会", `"difficulty":4`, `"state":"active"`)
	b.sendQuestions("format=gift&topic=%E5%85%9A%E8%AF%BE&difficulty=4"+east, good).want(t, 200, `"same":1`, `"created":0`)
	b.sendQuestions("format=gift&topic=x"+east, good).want(t, 200, `"created":1`, "题干相同")
	b.sendQuestions("format=word"+east, good).want(t, 422, `"format"`)
	b.sendQuestions("format=gift", good).want(t, 422, `"orgId"`)
	b.sendQuestions("format=gift&state=retired"+east, good).want(t, 422, `"state"`)
	b.sendQuestions("format=xlsx"+east, "nothing").want(t, 422, ".xlsx")
	h.as("west-admin").sendQuestions("format=gift"+east, good).want(t, 422, `"orgId"`)
	h.as("east-auditor").sendQuestions("format=gift"+east, good).want(t, 403)
	h.as("").sendQuestions("format=gift"+east, good).want(t, 401)

	b.do("GET", api+"/questions/export?format=gift", nil).want(t, 200, "[tag:党课]", "=每季度")
	b.do("GET", api+"/questions/export?format=pdf", nil).want(t, 422, `"format"`)
	h.as("west-admin").do("GET", api+"/questions/export?format=gift&state=all", nil).want(t, 200).lacks(t, "每季度")
	h.as("west-admin").do("GET", api+"/questions/export?format=gift"+east, nil).want(t, 404)
	h.as("east-auditor").do("GET", api+"/questions/export?format=gift", nil).want(t, 403)
	book := b.file("/questions/export?format=xlsx&state=all")
	b.sendQuestions("format=xlsx"+east, string(book)).want(t, 200, `"same":2`, `"created":0`)
	b.sendQuestions("format=xlsx"+east, string(b.file("/questions/template.xlsx"))).want(t, 422, "没有题目")
	h.as("root-auditor").do("GET", api+"/audit?action=question.", nil).want(t, 200, "question.import", "question.export")
}

func TestPicturesOfAnImportGoIntoTheLibrary(t *testing.T) {
	h := build(t, staff.Policy{})
	b := h.as("east-secretary")
	data := base64.StdEncoding.EncodeToString(picturePNG(t))
	file := `<quiz><question type="truefalse"><name><text>图</text></name><questiontext format="html"><text><![CDATA[<p>这是党徽 <img src="@@PLUGINFILE@@/a.png"></p>]]></text>
		<file name="a.png" path="/" encoding="base64">` + data + `</file></questiontext><answer fraction="100"><text>true</text></answer></question></quiz>`
	query := "format=moodle&orgId=" + h.id("east")
	b.sendQuestions(query+"&dryRun=true", file).want(t, 200, `"created":1`)
	b.do("GET", api+"/media", nil).want(t, 200, `"items":[]`)
	b.sendQuestions(query, file).want(t, 200, `"created":1`, `"written":true`)
	kept := b.do("GET", api+"/media", nil).want(t, 200, "a.png", `"used":1`)
	_, hash, _ := strings.Cut(kept.body, `"hash":"`)
	b.do("DELETE", api+"/media/"+hash[:64], nil).want(t, 409, "图文或题目")
	b.sendQuestions(query, file).want(t, 200, `"same":1`)
}

func picturePNG(t *testing.T) []byte {
	var b bytes.Buffer
	check(t, png.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8))))
	return b.Bytes()
}
