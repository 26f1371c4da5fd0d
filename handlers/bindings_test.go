package handlers_test

import (
	"context"
	"crypto/rand"
	"testing"

	"tongxin/handlers"
	"tongxin/internal/errs"
	"tongxin/internal/seal"
	"tongxin/member"
	"tongxin/member/signin"
	"tongxin/staff"
	"tongxin/storage"
)

// nobodyInWeChat: what WeChat says is proved in cmd, against the sandbox.
type nobodyInWeChat struct{}

func (nobodyInWeChat) Mini(context.Context, string) (signin.Identity, error) {
	return signin.Identity{AppID: "mini", OpenID: "o1"}, nil
}

func (nobodyInWeChat) Phone(context.Context, string) (string, error) {
	return "", errs.Missing("手机号")
}

func (nobodyInWeChat) Web(context.Context, string) (signin.Identity, error) {
	return signin.Identity{}, errs.Missing("微信")
}

func (nobodyInWeChat) WebURL(context.Context, string, string) (string, error) {
	return "", errs.Missing("微信")
}

func (h *house) signIn(roster *member.Service, box *seal.Box) *signin.Service {
	h.members = signin.New(signin.Config{
		Store: storage.NewSignIn(h.db), Roster: roster, WeChat: nobodyInWeChat{}, Clock: h.clock, IDs: h.db.IDs(), Random: rand.Reader,
		Keys: [][]byte{box.Derive("member-token")}, Rights: handlers.MemberRights(), MiniAppID: "mini", OnChange: func() {},
	})
	return h.members
}

// A secretary makes a code, the member binds with it, the secretary sees the
// binding and takes it away; nobody else can.
func TestInviteAndUnbind(t *testing.T) {
	h := build(t, staff.Policy{})
	east, west := h.as("east-secretary"), h.as("west-admin")
	id := east.do("POST", api+"/members", map[string]any{"orgId": h.id("east"), "name": "马国强", "kind": "full", "phone": "13812345678", "joinedAt": "2000-07-01"}).
		want(t, 201).field("id")
	for _, b := range []*browser{west, h.as("east-editor")} {
		if a := b.do("POST", api+"/members/"+id+"/invite", nil); a.status != 404 && a.status != 403 {
			t.Errorf("somebody else invites: %d %s", a.status, a.body)
		}
		if a := b.do("GET", api+"/members/"+id+"/bindings", nil); a.status != 404 && a.status != 403 {
			t.Errorf("somebody else sees bindings: %d %s", a.status, a.body)
		}
	}
	code := east.do("POST", api+"/members/"+id+"/invite", nil).want(t, 200, "expiresAt").lacks(t, "hash", "Hash").field("code")
	east.do("GET", api+"/members/"+id+"/bindings", nil).want(t, 200, `"items":[]`)
	out, err := h.members.ByMini(t.Context(), "c", signin.Device{})
	check(t, err)
	in, err := h.members.BindInvite(t.Context(), out.Ticket, code, "马国强", signin.Device{})
	check(t, err)
	list := east.do("GET", api+"/members/"+id+"/bindings", nil).want(t, 200, `"how":"invite"`, `"mini":true`).lacks(t, "o1")
	binding := in.Live.Session.BindingID.String()
	list.want(t, 200, binding)
	west.do("DELETE", api+"/members/"+id+"/bindings/"+binding, nil).want(t, 404)
	east.do("DELETE", api+"/members/"+id+"/bindings/"+binding, nil).want(t, 204)
	live, err := h.members.Resolve(t.Context(), in.Tokens.Access)
	check(t, err)
	if live != nil {
		t.Error("the member is still signed in")
	}
}
