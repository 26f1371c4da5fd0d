package handlers_test

import (
	"testing"

	"tongxin/internal/ids"
	"tongxin/publish"
	"tongxin/staff"
	"tongxin/storage"
)

// notify stores a notice as the reminders would.
func (h *house) notify(login, org, occasion string, kind publish.NoticeKind) {
	h.t.Helper()
	_, err := storage.NewPublishing(h.db, nil).AddNotices(h.t.Context(), []publish.Notice{{
		AccountID: h.who[login].ID, OrgID: h.orgs[org].ID,
		Dedupe: occasion, Kind: kind, PostID: ids.ID(7), Title: "提醒" + occasion, Text: "请处理" + occasion + "。", Link: "/posts/7",
	}})
	check(h.t, err)
}

func TestNoticesOverHTTP(t *testing.T) {
	h := build(t, staff.Policy{})
	base := api + "/notices"
	for _, occasion := range []string{"甲", "乙", "丙"} {
		h.notify("east-reviewer1", "east", occasion, publish.ReviewAsked)
	}
	h.notify("east-editor", "east", "丁", publish.PostReturned)
	h.notify("east-auditor", "east", "戊", publish.PostReturned) // has no right to posts
	me := h.as("east-reviewer1")
	me.do("GET", base+"/count", nil).want(t, 200, `"unread":3`)
	one := me.do("GET", base+"?limit=2", nil).want(t, 200, "请处理丙", "请处理乙", `"kind":"review_asked"`, `"link":"/posts/7"`, `"postId":"7"`).
		lacks(t, "请处理甲", "请处理丁", "readAt", "dedupe", "accountId")
	two := me.do("GET", base+"?limit=2&cursor="+one.field("next"), nil).want(t, 200, "请处理甲").lacks(t, "请处理乙", `"next"`)

	other := h.as("east-editor")
	other.do("POST", base+"/"+two.field("items.0.id")+"/read", nil).want(t, 404, "没有找到")
	me.do("GET", base+"/count", nil).want(t, 200, `"unread":3`)
	me.do("POST", base+"/"+two.field("items.0.id")+"/read", nil).want(t, 204)
	me.do("POST", base+"/"+two.field("items.0.id")+"/read", nil).want(t, 204)
	me.do("GET", base+"?unread=true", nil).want(t, 200, "请处理乙", "请处理丙").lacks(t, "请处理甲")
	me.do("GET", base, nil).want(t, 200, "请处理甲", `"readAt"`)

	// What came after the list was shown stays unread.
	h.notify("east-reviewer1", "east", "新", publish.ReviewAsked)
	me.do("POST", base+"/read-all", map[string]string{"upTo": one.field("items.0.id")}).want(t, 204)
	me.do("GET", base+"?unread=true", nil).want(t, 200, "请处理新").lacks(t, "请处理乙", "请处理丙")
	me.do("POST", base+"/read-all", map[string]string{}).want(t, 204)
	me.do("GET", base+"/count", nil).want(t, 200, `"unread":0`)
	other.do("GET", base+"/count", nil).want(t, 200, `"unread":1`)

	auditor := h.as("east-auditor")
	auditor.do("GET", base, nil).want(t, 200, `"items":[]`)
	auditor.do("GET", base+"/count", nil).want(t, 200, `"unread":0`)
	for _, path := range []string{"", "/count"} {
		h.as("").do("GET", base+path, nil).want(t, 401)
	}
	h.as("").do("POST", base+"/read-all", map[string]string{}).want(t, 401)
	me.do("POST", base+"/read-all", map[string]string{}, "X-CSRF-Token", "").want(t, 403)
}
