package handlers_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"tongxin/internal/httpkit"
	"tongxin/staff"
)

const rosterCSV = "姓名,所在党支部,党员类别,手机号,入党日期\n"

func person(h *house, name, phone string) map[string]any {
	return map[string]any{"orgId": h.id("east"), "name": name, "kind": "full", "phone": phone}
}

// sendRoster sends a file as the body of an import.
func (b *browser) sendRoster(query, kind, body string) *answer {
	return b.do("POST", api+"/members/import"+query, body, "Content-Type", kind)
}

func TestRosterOverHTTP(t *testing.T) {
	h := build(t, staff.Policy{})
	b := h.as("east-secretary")
	made := b.do("POST", api+"/members", person(h, "甲", "13812345678"), "Idempotency-Key", "key-00000001").want(t, 201, "138****5678").lacks(t, "13812345678", "v1.", "sealed", "index")
	again := b.do("POST", api+"/members", person(h, "甲", "13812345678"), "Idempotency-Key", "key-00000001").want(t, 201)
	id := made.field("id")
	if again.field("id") != id || made.header.Get("ETag") != `"1"` {
		t.Fatal("a repeated call made another member")
	}
	b.do("POST", api+"/members", person(h, "乙", "13812345678")).want(t, 409, `"phone"`).lacks(t, "甲", "13812345678")
	b.do("POST", api+"/members", person(h, "丙", "12")).want(t, 422, `"phone"`)
	b.do("GET", api+"/members", nil).want(t, 200, "甲", "138****5678").lacks(t, "13812345678", "v1.", "orgPath", "SealedPhone")
	b.do("GET", api+"/members?q=%E4%B9%99", nil).want(t, 200).lacks(t, "甲")
	b.do("POST", api+"/members/find", map[string]string{"number": "138 1234 5678"}).want(t, 200, "甲").lacks(t, "13812345678")
	edit := person(h, "甲某", "")
	b.do("PUT", api+"/members/"+id, edit).want(t, 428)
	b.do("PUT", api+"/members/"+id, edit, "If-Match", `"1"`).want(t, 200, `"version":2`, "138****5678")
	b.do("PUT", api+"/members/"+id, edit, "If-Match", `"1"`).want(t, 412, `"current"`, "甲某").lacks(t, "13812345678")
	b.do("POST", api+"/members/"+id+"/reveal", map[string]string{"reason": "看"}).want(t, 422).lacks(t, "13812345678")
	b.do("POST", api+"/members/"+id+"/reveal", map[string]string{"reason": "通知参加会议"}).want(t, 200, "13812345678")
	b.do("POST", api+"/members/"+id+"/data", map[string]string{"reason": "本人书面申请"}).want(t, 200, "13812345678", "retention")
	q := b.do("POST", api+"/members/"+id+"/requests", map[string]string{"kind": "correction", "text": "出生日期有误"}).want(t, 201, "出生日期有误")
	b.do("GET", api+"/members/requests?state=open", nil).want(t, 200, "出生日期有误")
	b.do("POST", api+"/members/requests/"+q.field("id")+"/decide", map[string]string{"state": "done", "answer": "已更正"}, "If-Match", `"1"`).want(t, 200, `"done"`)
	b.do("POST", api+"/members/"+id+"/leave", map[string]string{"state": "left", "date": "2026-03-01"}, "If-Match", `"2"`).want(t, 200, `"state":"left"`)
	b.do("GET", api+"/members?state=active", nil).want(t, 200).lacks(t, "甲")
	b.do("POST", api+"/members/"+id+"/return", nil, "If-Match", `"3"`).want(t, 200, `"active"`)
	b.do("GET", api+"/members/alarms", nil).want(t, 200, "branch_small", "2018-10-28").lacks(t, "west")
	b.do("GET", api+"/members/rules", nil).want(t, 200, "支部工作条例", "组织委员")
	h.as("root-auditor").do("GET", api+"/audit?action=member.", nil).want(t, 200, "member.reveal", "通知参加会议").lacks(t, "13812345678")
	if strings.Contains(h.log.String(), "13812345678") {
		t.Fatal("a phone number in the log")
	}
}

func TestRosterOfAnotherBranch(t *testing.T) {
	h := build(t, staff.Policy{})
	id := h.as("east-secretary").do("POST", api+"/members", person(h, "东边的人", "13812345678")).want(t, 201).field("id")
	west := h.as("west-admin")
	for _, path := range []string{"/members", "/members/requests", "/members?q=%E4%B8%9C", "/members/alarms"} {
		west.do("GET", api+path, nil).want(t, 200).lacks(t, "东边", id, h.id("east"))
	}
	west.do("POST", api+"/members/find", map[string]string{"number": "13812345678"}).want(t, 200, `"items":[]`)
	west.do("GET", api+"/members/"+id, nil).want(t, 404).lacks(t, "东边")
	west.do("GET", api+"/members?orgId="+h.id("east"), nil).want(t, 404)
	west.do("GET", api+"/members/alarms?orgId="+h.id("east"), nil).want(t, 404)
	west.do("PUT", api+"/members/"+id, person(h, "x", ""), "If-Match", `"1"`).want(t, 404)
	west.do("POST", api+"/members", person(h, "x", "13900000000")).want(t, 404)
	for _, path := range []string{"/reveal", "/data"} {
		west.do("POST", api+"/members/"+id+path, map[string]string{"reason": "想看一看"}).want(t, 404).lacks(t, "138")
	}
	west.do("POST", api+"/members/"+id+"/leave", map[string]string{"state": "left", "date": "2026-03-01"}, "If-Match", `"1"`).want(t, 404)
	west.do("POST", api+"/members/"+id+"/return", nil, "If-Match", `"1"`).want(t, 404)
	west.do("POST", api+"/members/"+id+"/requests", map[string]string{"kind": "deletion", "text": "删"}).want(t, 404)
	west.sendRoster("?skipWrong=true", "text/csv", rosterCSV+"新人,east,正式党员,13900000009,2010-07-01\n").want(t, 200, `"wrong":1`, `"created":0`)
	west.sendRoster("?dryRun=true", "text/csv", rosterCSV+"新人,west,正式党员,13812345678,2010-07-01\n").want(t, 200, `"wrong":1`, "管理范围以外").lacks(t, "东边")
	editor := h.as("east-editor")
	editor.do("GET", api+"/members", nil).want(t, 403)
	editor.do("POST", api+"/members/"+id+"/reveal", map[string]string{"reason": "想看一看"}).want(t, 403)
}

func TestRosterImportOverHTTP(t *testing.T) {
	h := build(t, staff.Policy{})
	b := h.as("east-secretary")
	good, bad := "甲,east,正式党员,13812345678,2010-07-01\n", "乙,east,党员,123,\n"
	b.sendRoster("?dryRun=true", "text/csv; charset=utf-8", rosterCSV+good).want(t, 200, `"created":1`, `"written":false`)
	b.do("GET", api+"/members", nil).want(t, 200, `"items":[]`)
	b.sendRoster("", "text/csv", rosterCSV+good+bad).want(t, 200, `"wrong":1`, `"written":false`, "党员类别", "手机号")
	b.do("GET", api+"/members", nil).want(t, 200, `"items":[]`)
	b.sendRoster("?skipWrong=true", "text/csv", rosterCSV+good+bad).want(t, 200, `"created":1`, `"written":true`)
	b.sendRoster("", "text/csv", rosterCSV+good).want(t, 200, `"same":1`, `"created":0`)
	b.sendRoster("", "application/pdf", "x").want(t, 415)

	template := b.file("/members/template.xlsx")
	f, err := excelize.OpenReader(bytes.NewReader(template))
	check(t, err)
	check(t, f.SetSheetRow("党员名册", "A2", &[]any{"丙", "east", "east group", "预备党员", "", "女", "", "13812345670", "", "2026-01-01", ""}))
	var buf bytes.Buffer
	check(t, f.Write(&buf))
	b.sendRoster("", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", buf.String()).want(t, 200, `"created":1`)
	out, err := excelize.OpenReader(bytes.NewReader(b.file("/members/export.xlsx")))
	check(t, err)
	rows, err := out.GetRows("党员名册")
	check(t, err)
	if len(rows) != 3 || rows[1][7] != "138****5678" {
		t.Fatal(rows)
	}
}

// file downloads bytes, which do not survive answer.body as text would.
func (b *browser) file(path string) []byte {
	b.h.t.Helper()
	req := httptest.NewRequest("GET", api+path, nil)
	req.AddCookie(&http.Cookie{Name: "tx", Value: b.cookie})
	req.Header.Set(httpkit.HeaderCSRF, b.csrf)
	res, err := b.h.kit.App().Test(req, -1)
	check(b.h.t, err)
	defer res.Body.Close()
	var buf bytes.Buffer
	if _, err := buf.ReadFrom(res.Body); err != nil || res.StatusCode != 200 || !strings.Contains(res.Header.Get("Content-Disposition"), "attachment; filename*=") {
		b.h.t.Fatalf("%s: %d %v", path, res.StatusCode, err)
	}
	return buf.Bytes()
}
