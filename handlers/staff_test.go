package handlers_test

import (
	"strings"
	"testing"

	"tongxin/internal/authz"
	"tongxin/staff"
)

func TestOrgLifeCycle(t *testing.T) {
	h := build(t, staff.Policy{})
	admin := h.as("root-admin")
	made := admin.do("POST", api+"/orgs", map[string]any{
		"parentId": h.id("root"), "kind": "branch", "name": "第三支部",
		"settings": map[string]any{"reviewLevels": 1},
	}).want(t, 201, "第三支部")
	id := made.field("id")
	if made.header.Get("ETag") != `"1"` || !strings.HasPrefix(made.field("path"), h.orgs["root"].Path) {
		t.Fatalf("etag %s path %s", made.header.Get("ETag"), made.field("path"))
	}
	admin.do("GET", api+"/orgs/"+id+"/settings", nil).want(t, 200, `"reviewLevels":1`, `"reviewHours":24`)
	edit := map[string]any{"kind": "branch", "name": "第三党支部"}
	admin.do("PUT", api+"/orgs/"+id, edit).want(t, 428, "If-Match")
	admin.do("PUT", api+"/orgs/"+id, edit, "If-Match", "1").want(t, 428)
	admin.do("PUT", api+"/orgs/"+id, edit, "If-Match", `"1"`).want(t, 200, `"version":2`)
	stale := admin.do("PUT", api+"/orgs/"+id, edit, "If-Match", `"1"`).want(t, 412, "已被root-admin修改", `"current"`, "第三党支部")
	if stale.field("code") != "stale" || stale.field("details.updatedBy") != "root-admin" {
		t.Fatal(stale.body)
	}
	moved := admin.do("POST", api+"/orgs/"+id+"/move", map[string]string{"parentId": h.id("east")}, "If-Match", `"2"`)
	moved.want(t, 422, "不能设在") // a branch under a branch
	admin.do("POST", api+"/orgs/"+h.id("root")+"/move", map[string]string{"parentId": id}, "If-Match", `"1"`).want(t, 409)
	admin.do("DELETE", api+"/orgs/"+h.id("east"), nil, "If-Match", `"1"`).want(t, 409, "下级组织")
	admin.do("DELETE", api+"/orgs/"+id, nil, "If-Match", `"2"`).want(t, 200, "archivedAt")
	admin.do("GET", api+"/orgs", nil).want(t, 200).lacks(t, "第三党支部")
	admin.do("GET", api+"/orgs?archived=true", nil).want(t, 200, "第三党支部")
	admin.do("POST", api+"/orgs/"+id+"/restore", nil, "If-Match", `"3"`).want(t, 200).lacks(t, "archivedAt")
}

func TestSettingsComeFromTheNearest(t *testing.T) {
	h := build(t, staff.Policy{})
	admin := h.as("root-admin")
	admin.do("PUT", api+"/orgs/"+h.id("root")+"/settings", map[string]any{"reviewLevels": 2, "reviewHours": 48}, "If-Match", `"1"`).want(t, 200)
	admin.do("PUT", api+"/orgs/"+h.id("east")+"/settings", map[string]any{"reviewLevels": 0}, "If-Match", `"1"`).want(t, 200)
	admin.do("GET", api+"/orgs/"+h.id("east group")+"/settings", nil).want(t, 200, `"reviewLevels":0`, `"reviewHours":48`, `"own":{}`)
	admin.do("PUT", api+"/orgs/"+h.id("east")+"/settings", map[string]any{"reviewLevels": 4}, "If-Match", `"2"`).want(t, 422, `"reviewLevels"`)
}

func TestMovedSubtreeTakesItsRightsAlong(t *testing.T) {
	h := build(t, staff.Policy{})
	admin, west, east := h.as("root-admin"), h.as("west-admin"), h.as("east-admin")
	group := h.id("east group")
	east.do("GET", api+"/orgs/"+group, nil).want(t, 200)
	admin.do("POST", api+"/orgs/"+group+"/move", map[string]string{"parentId": h.id("west")}, "If-Match", `"1"`).want(t, 200, h.orgs["west"].Path)
	west.do("GET", api+"/orgs/"+group, nil).want(t, 200)
	east.do("GET", api+"/orgs/"+group, nil).want(t, 404)
}

func TestIdempotentCreate(t *testing.T) {
	h := build(t, staff.Policy{})
	admin := h.as("root-admin")
	post := func(name, key string) *answer {
		return admin.do("POST", api+"/orgs", map[string]any{"parentId": h.id("root"), "kind": "branch", "name": name}, "Idempotency-Key", key)
	}
	first := post("四支部", "key-00000001").want(t, 201)
	if again := post("四支部", "key-00000001").want(t, 201); again.field("id") != first.field("id") {
		t.Fatal("the same call made two organisations")
	}
	post("五支部", "key-00000001").want(t, 409)
	post("五支部", "short").want(t, 422, "Idempotency-Key")
	if n := strings.Count(admin.do("GET", api+"/orgs", nil).body, "四支部"); n != 2 { // name and short name
		t.Fatalf("the organisation is listed %d times", n)
	}
	person := map[string]any{"orgId": h.id("east"), "login": "newcomer", "name": "新人"}
	one := admin.do("POST", api+"/staff", person, "Idempotency-Key", "key-00000002").want(t, 201, "token=")
	two := admin.do("POST", api+"/staff", person, "Idempotency-Key", "key-00000002").want(t, 201).lacks(t, "token=")
	if one.field("account.id") != two.field("account.id") {
		t.Fatal("two accounts")
	}
	admin.do("POST", api+"/staff", person).want(t, 409, `"login"`, "已有人使用")
}

func TestStaffAnswersHoldNoSecrets(t *testing.T) {
	h := build(t, staff.Policy{})
	admin := h.as("root-admin")
	h.invite("xiaohong", "editor", "east")
	list := admin.do("GET", api+"/staff?limit=200", nil).want(t, 200, "xiaohong", "139****4321")
	list.lacks(t, "13987654321", "argon2", "$", "hash", "Hash", "sealed", "v1.k1", "otpauth", "recovery", "orgPath")
	first := admin.do("GET", api+"/staff?limit=4", nil).want(t, 200)
	next := admin.do("GET", api+"/staff?limit=4&cursor="+first.field("next"), nil).want(t, 200)
	if first.field("items.3.id") == "" || first.field("items.3.id") == next.field("items.0.id") || first.field("items.4.id") != "" {
		t.Fatal("pages overlap or have the wrong size")
	}
	admin.do("GET", api+"/staff?cursor=%2A%2A", nil).want(t, 422, "翻页位置无效")
	admin.do("GET", api+"/staff?limit=9999", nil).want(t, 422, "不能大于 200")
	admin.do("GET", api+"/staff?role=auditor", nil).want(t, 200, "root-auditor").lacks(t, "east-editor")
}

func TestNobodyWorksOnThemselvesOrAbove(t *testing.T) {
	h := build(t, staff.Policy{})
	root, east := h.as("root-admin"), h.as("east-admin")
	self := h.account("root-admin")
	roles := func(list ...map[string]string) map[string]any { return map[string]any{"roles": list} }
	root.do("PUT", api+"/staff/"+self+"/roles", roles(), "If-Match", `"2"`).want(t, 403, "不能修改自己")
	root.do("POST", api+"/staff/"+self+"/disable", nil).want(t, 403)

	// Somebody of east who also has a role on root is out of east's hands.
	boss, _, err := h.staff.CreateAccount(t.Context(), authz.SystemActor("test"), staff.AccountInput{OrgID: h.orgs["east"].ID, Login: "boss", Name: "boss"},
		[]staff.RoleAt{{Role: "reviewer3", OrgID: h.orgs["root"].ID}})
	check(t, err)
	east.do("POST", api+"/staff/"+boss.ID.String()+"/invite", nil).want(t, 403, "上级管理员").lacks(t, "token")
	east.do("POST", api+"/staff/"+boss.ID.String()+"/disable", nil).want(t, 403)
	// And east gives no role on root.
	one := east.do("GET", api+"/staff/"+h.account("east-editor"), nil).want(t, 200)
	east.do("PUT", api+"/staff/"+h.account("east-editor")+"/roles", roles(map[string]string{"role": "editor", "orgId": h.id("root")}),
		"If-Match", one.header.Get("ETag")).want(t, 404)
	east.do("PUT", api+"/staff/"+h.account("east-editor")+"/roles", roles(map[string]string{"role": "emperor", "orgId": h.id("east")}),
		"If-Match", one.header.Get("ETag")).want(t, 422)
	east.do("PUT", api+"/staff/"+h.account("east-editor")+"/roles", roles(map[string]string{"role": "reviewer1", "orgId": h.id("east group")}),
		"If-Match", one.header.Get("ETag")).want(t, 200, "reviewer1")
}

func TestLastAdministratorStays(t *testing.T) {
	h := build(t, staff.Policy{})
	first := h.as("root-admin")
	second, _, err := h.staff.CreateAccount(t.Context(), authz.SystemActor("test"), staff.AccountInput{OrgID: h.orgs["root"].ID, Login: "second", Name: "second"},
		[]staff.RoleAt{{Role: "admin", OrgID: h.orgs["root"].ID}})
	check(t, err)
	h.who["second"] = second
	other := h.as("second")
	other.do("POST", api+"/staff/"+h.account("root-admin")+"/disable", nil).want(t, 200)
	first.do("GET", api+"/session", nil).want(t, 401)
	_, err = h.staff.Disable(t.Context(), authz.SystemActor("test"), second.ID)
	if err == nil || !strings.Contains(err.Error(), "最后一位管理员") {
		t.Fatalf("the last administrator was disabled: %v", err)
	}
	if _, _, err := h.staff.Invite(t.Context(), authz.SystemActor("test"), second.ID); err == nil {
		t.Fatal("the last administrator was reset")
	}
	other.do("GET", api+"/session", nil).want(t, 200)
}

func TestResetVoidsEverything(t *testing.T) {
	h := build(t, staff.Policy{})
	b := h.invite("xiaohong", "editor", "east")
	admin := h.as("root-admin")
	id := b.do("GET", api+"/session", nil).field("account.id")
	reset := admin.do("POST", api+"/staff/"+id+"/invite", nil).want(t, 200, "token=", `"state":"invited"`)
	b.do("GET", api+"/session", nil).want(t, 401)
	signIn(h, "xiaohong", password).want(t, 401)
	_, token, _ := strings.Cut(reset.field("link"), "token=")
	again := admin.do("POST", api+"/staff/"+id+"/invite", nil).want(t, 200)
	accept := func(token, pass string) *answer {
		return (&browser{h: h}).do("POST", api+"/invitations/accept", map[string]string{"token": token, "password": pass})
	}
	accept(token, "红军不怕远征难 万水千山").want(t, 401) // replaced by the newer link
	_, token, _ = strings.Cut(again.field("link"), "token=")
	accept(token, password).want(t, 422, "最近用过")
	accept(token, "红军不怕远征难 万水千山").want(t, 200)
}
