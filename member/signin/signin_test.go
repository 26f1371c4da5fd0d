package signin_test

import (
	"strings"
	"testing"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/member"
	"tongxin/member/signin"
	"tongxin/storage"
	"tongxin/storage/storagetest"
)

// The whole way on both dialects: unknown to the roster, bound by phone, known
// from then on, known in the other app by the same unionid.
func TestBindAndComeBack(t *testing.T) {
	c := start()
	storagetest.EachOptions(t, storage.Options{Clock: c}, func(t *testing.T, db *storage.DB) {
		h := newHouse(t, db, c)
		m := h.member("马国强", "13812345678")
		h.wx.mini["c1"] = signin.Identity{AppID: "mini", OpenID: "o1", UnionID: "u1"}
		h.wx.web["w1"] = signin.Identity{AppID: "gh", OpenID: "g1", UnionID: "u1"}
		h.wx.phones["p1"], h.wx.phones["p2"] = "13900000000", "+86 138 1234 5678"
		ctx, d := t.Context(), signin.Device{}

		out, err := h.svc.ByMini(ctx, "c1", d)
		h.check(err)
		if out.Ticket == "" || out.Live != nil || out.Tokens.Access != "" {
			t.Fatalf("an unknown person got %+v", out)
		}
		_, err = h.svc.BindPhone(ctx, out.Ticket, "p1", d)
		h.want(err, errs.NotFound)
		if strings.Contains(err.Error(), "139") {
			t.Errorf("the answer tells the number: %v", err)
		}
		in, err := h.svc.BindPhone(ctx, out.Ticket, "p2", d)
		h.check(err)
		if in.Live.Member.ID != m.ID || !h.good(in.Tokens.Access) || !in.Live.Actor.Within("quiz.take", m.OrgPath) {
			t.Fatalf("bound as %+v", in.Live)
		}
		_, err = h.svc.BindPhone(ctx, out.Ticket, "p2", d)
		h.want(err, errs.Unauthorized) // the ticket is spent

		back, err := h.svc.ByMini(ctx, "c1", d)
		h.check(err)
		if back.Live == nil || back.Live.Member.ID != m.ID {
			t.Fatalf("a known person got %+v", back)
		}
		web, err := h.svc.ByWeb(ctx, "w1", d)
		h.check(err)
		if web.Live == nil || web.Live.Member.ID != m.ID || web.Live.Session.Client != signin.H5 {
			t.Fatalf("the same unionid got %+v", web)
		}
		list, err := h.svc.Bindings(ctx, h.system, m.ID)
		h.check(err)
		if len(list) != 2 || list[0].How != "phone" || !list[0].Mini || list[1].How != "union" || list[1].Mini {
			t.Fatalf("bindings %+v", list)
		}
		h.check(h.svc.Unbind(ctx, h.system, m.ID, list[0].ID))
		if h.good(in.Tokens.Access) || h.good(back.Tokens.Access) {
			t.Error("the devices of an unbound WeChat are still signed in")
		}
		if !h.good(web.Tokens.Access) {
			t.Error("unbinding one app signed out the other")
		}
		h.want(h.svc.Unbind(ctx, h.system, m.ID, list[0].ID), errs.NotFound)
	})
}

func TestInviteCode(t *testing.T) {
	h := sqliteHouse(t)
	m, other := h.member("马国强", ""+"13812345678"), h.member("孙秀英", "13812345679")
	ctx, d := t.Context(), signin.Device{}
	secretary := &authz.Actor{Kind: authz.Staff, ID: 5, Name: "书记", Grants: []authz.Grant{{Path: m.OrgPath, Rights: []authz.Right{member.Manage}}}}
	stranger := &authz.Actor{Kind: authz.Staff, ID: 6, Name: "外人", Grants: []authz.Grant{{Path: "/9/", Rights: []authz.Right{member.Manage}}}}
	_, err := h.svc.Invite(ctx, stranger, m.ID)
	h.want(err, errs.NotFound)
	inv, err := h.svc.Invite(ctx, secretary, m.ID)
	h.check(err)
	if len(inv.Code) != 9 || strings.ContainsAny(inv.Code, "0O1IL2Z5S8B") {
		t.Errorf("code %q", inv.Code)
	}
	n := 0
	ticket := func() string {
		n++
		code := strings.Repeat("x", n)
		h.wx.mini[code] = signin.Identity{AppID: "mini", OpenID: "o" + code}
		out, err := h.svc.ByMini(ctx, code, d)
		h.check(err)
		return out.Ticket
	}
	one := ticket()
	for range 4 {
		_, err = h.svc.BindInvite(ctx, one, "AAAA-AAAA", "马国强", d)
		h.want(err, errs.Invalid)
	}
	_, err = h.svc.BindInvite(ctx, one, inv.Code, other.Name, d) // overheard, and whose it is guessed wrong
	h.want(err, errs.Invalid)
	_, err = h.svc.BindInvite(ctx, one, inv.Code, "马国强", d)
	h.want(err, errs.Unauthorized) // five wrong guesses end a ticket, also for the right one
	two := ticket()
	in, err := h.svc.BindInvite(ctx, two, strings.ToLower(strings.ReplaceAll(inv.Code, "-", " ")), " 马 国强", d)
	h.check(err)
	if in.Live.Member.ID != m.ID {
		t.Fatalf("bound as %+v", in.Live.Member)
	}
	_, err = h.svc.BindInvite(ctx, ticket(), inv.Code, "马国强", d)
	h.want(err, errs.Invalid) // once
	late, err := h.svc.Invite(ctx, secretary, m.ID)
	h.check(err)
	h.clock.Add(signin.InviteAge)
	_, err = h.svc.BindInvite(ctx, ticket(), late.Code, "马国强", d)
	h.want(err, errs.Invalid) // not for ever
}

func TestAccessEndsAtOnce(t *testing.T) {
	h := sqliteHouse(t)
	m := h.member("马国强", "13812345678")
	ctx := t.Context()
	a, b := h.byLink(m), h.byLink(m)
	devices, err := h.svc.Sessions(ctx, a.Live)
	h.check(err)
	if len(devices) != 2 {
		t.Fatalf("devices %+v", devices)
	}
	h.check(h.svc.SignOut(ctx, a.Live, b.Live.Session.ID))
	if !h.good(a.Tokens.Access) || h.good(b.Tokens.Access) {
		t.Error("signing one device out")
	}
	other := h.byLink(h.member("孙秀英", "13812345679"))
	h.want(h.svc.SignOut(ctx, a.Live, other.Live.Session.ID), errs.NotFound)
	if !h.good(other.Tokens.Access) {
		t.Error("somebody signed out somebody else")
	}
	_, err = h.members.Leave(ctx, h.system, m.ID, m.Version, member.Leaving{State: member.TransferredOut, Date: "2026-03-01"})
	h.check(err)
	if h.good(a.Tokens.Access) {
		t.Error("a member who left still has access")
	}
	_, _, err = h.svc.Refresh(ctx, a.Tokens.Refresh)
	h.want(err, errs.Unauthorized)
	left, err := h.members.Who(ctx, m.ID)
	h.check(err)
	_, err = h.members.Return(ctx, h.system, m.ID, left.Version)
	h.check(err)
	if h.good(a.Tokens.Access) {
		t.Error("a session came back with its member")
	}
	again := h.byLink(m)
	h.check(h.svc.SignOut(ctx, again.Live, 0))
	if h.good(again.Tokens.Access) {
		t.Error("signed out everywhere and still in")
	}
	h.clock.Add(signin.AccessAge)
	if h.good(other.Tokens.Access) {
		t.Error("an access token outlived its time")
	}
}

func TestSessionsEndByThemselves(t *testing.T) {
	h := sqliteHouse(t)
	m := h.member("马国强", "13812345678")
	ctx := t.Context()
	idle, busy := h.byLink(m), h.byLink(m)
	token := busy.Tokens.Refresh
	for passed := time.Duration(0); passed < signin.SessionAge-48*time.Hour; passed += 24 * time.Hour {
		h.clock.Add(24 * time.Hour)
		next, _, err := h.svc.Refresh(ctx, token)
		h.check(err)
		token = next.Refresh
	}
	_, _, err := h.svc.Refresh(ctx, idle.Tokens.Refresh)
	h.want(err, errs.Unauthorized) // not used for thirty days
	h.clock.Add(48 * time.Hour)
	_, _, err = h.svc.Refresh(ctx, token)
	h.want(err, errs.Unauthorized) // ninety days at most
	h.clock.Add(30 * 24 * time.Hour)
	n, err := h.svc.Sweep(ctx)
	h.check(err)
	if n < 2 {
		t.Errorf("swept %d rows", n)
	}
}

func TestSettings(t *testing.T) {
	h := sqliteHouse(t)
	a := h.byLink(h.member("马国强", "13812345678"))
	ctx := t.Context()
	got, err := h.svc.Settings(ctx, a.Live.Member.ID)
	h.check(err)
	if got != signin.Defaults() {
		t.Errorf("defaults %+v", got)
	}
	want := signin.Settings{TextSize: "larger", HighContrast: true}
	h.check(h.svc.SaveSettings(ctx, a.Live, want))
	if got, err = h.svc.Settings(ctx, a.Live.Member.ID); err != nil || got != want {
		t.Errorf("settings %+v, %v", got, err)
	}
	h.want(h.svc.SaveSettings(ctx, a.Live, signin.Settings{TextSize: "huge"}), errs.Invalid)
	if got, err := h.svc.Settings(ctx, ids.ID(1)); err != nil || got != signin.Defaults() {
		t.Errorf("somebody else's settings %+v, %v", got, err)
	}
}
