package handlers_test

import (
	"strings"
	"testing"

	"tongxin/staff"
)

func TestAuditTellsAndKeepsApart(t *testing.T) {
	h := build(t, staff.Policy{})
	admin := h.as("root-admin")
	admin.do("PUT", api+"/orgs/"+h.id("west"), map[string]any{"kind": "branch", "name": "=west()"}, "If-Match", `"1"`, "User-Agent", "=cmd|' /C calc'!A0").want(t, 200)
	h.invite("xiaohong", "editor", "east")
	signIn(h, "xiaohong", "my-wrong-secret").want(t, 401)
	signIn(h, "someone-typed-a-password-here", "x").want(t, 401)

	all := h.as("root-auditor")
	list := all.do("GET", api+"/audit?limit=200", nil).want(t, 200, "org.save", "signin.link", "signin.password", `"result":"failed"`, "account.create")
	list.lacks(t, "my-wrong-secret", "someone-typed-a-password-here", "13987654321", password, "argon2")
	all.do("GET", api+"/audit?action=signin.&result=failed", nil).want(t, 200, "signin.password").lacks(t, "org.save", `"result":"ok"`)
	page := all.do("GET", api+"/audit?limit=3", nil).want(t, 200)
	next := all.do("GET", api+"/audit?limit=3&cursor="+page.field("next"), nil).want(t, 200)
	if page.field("items.2.hash") == "" || page.field("items.2.hash") == next.field("items.0.hash") {
		t.Fatal("pages of the audit overlap")
	}

	east := h.as("east-auditor")
	east.do("GET", api+"/audit?limit=200", nil).want(t, 200, "xiaohong").lacks(t, "west", "root-admin\",\"action\":\"org")
	east.do("GET", api+"/orgs", nil).want(t, 403)
	east.do("GET", api+"/staff", nil).want(t, 403)
	admin.do("GET", api+"/audit", nil).want(t, 403)

	csv := all.do("GET", api+"/audit/export", nil).want(t, 200, "时间,操作人", "'=cmd|")
	if !strings.HasPrefix(csv.body, "\xef\xbb\xbf") || strings.Contains(csv.body, ",=cmd") || !strings.Contains(csv.header.Get("Content-Disposition"), "attachment") {
		t.Fatal("the export is not safe for a spreadsheet")
	}
	lines := all.do("GET", api+"/audit/export?format=jsonl&action=signin.", nil).want(t, 200, `"hash":"`, `"prev":"`)
	lines.lacks(t, "org.save")
	all.do("GET", api+"/audit/export?format=xlsx", nil).want(t, 422)
	all.do("GET", api+"/audit?action=audit.export", nil).want(t, 200, "root-auditor", "jsonl")
	all.do("GET", api+"/audit/verify", nil).want(t, 200, `"intact":true`)
}
