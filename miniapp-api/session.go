package miniapp

import (
	"context"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/httpkit"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/member"
	"tongxin/member/signin"
)

// ClientHeader is embedded by the inputs of sign-in routes.
type ClientHeader struct {
	XClient string `header:"X-Client" enum:"h5,mini" doc:"h5: the refresh token comes as a cookie that scripts cannot read; else in the body"`
}

func (f ClientHeader) kind() signin.Client {
	if f.XClient == string(signin.H5) {
		return signin.H5
	}
	return signin.Mini
}

type signedInView struct {
	State           string    `json:"state" enum:"signed_in,bind" doc:"bind: the roster does not know this WeChat yet, go on with the ticket"`
	Access          string    `json:"access,omitempty" doc:"goes into Authorization: Bearer"`
	AccessExpiresAt time.Time `json:"accessExpiresAt,omitzero"`
	Refresh         string    `json:"refresh,omitempty" doc:"good for one call of session/refresh"`
	Me              *meView   `json:"me,omitempty"`
	Ticket          string    `json:"ticket,omitempty"`
	ExpiresAt       time.Time `json:"expiresAt,omitzero" doc:"of the ticket"`
}

type meView struct {
	ID           ids.ID          `json:"id"`
	Name         string          `json:"name"`
	Kind         member.Kind     `json:"kind" enum:"full,probationary"`
	OrgID        ids.ID          `json:"orgId"`
	OrgName      string          `json:"orgName"`
	OrgPathNames []string        `json:"orgPathNames" doc:"from the top to the branch"`
	GroupName    string          `json:"groupName,omitempty"`
	Posts        []member.Post   `json:"posts"`
	Staff        bool            `json:"staff" doc:"has a staff account too"`
	Settings     signin.Settings `json:"settings"`
}

func (h *sessions) me(ctx context.Context, m *member.Member) (*meView, error) {
	place, err := h.d.Members.PlaceOf(ctx, m)
	if err != nil {
		return nil, err
	}
	set, err := h.d.SignIn.Settings(ctx, m.ID)
	return &meView{
		ID: m.ID, Name: m.Name, Kind: m.Kind, OrgID: m.OrgID, OrgName: m.OrgName, OrgPathNames: place.OrgNames, GroupName: m.GroupName,
		Posts: place.Posts, Staff: m.StaffID != 0, Settings: set,
	}, err
}

// enter answers a step of signing in.
func (h *sessions) enter(ctx context.Context, client signin.Client, out signin.Outcome, err error) (*signedInView, error) {
	if err != nil {
		return nil, err
	}
	if out.Ticket != "" {
		return &signedInView{State: "bind", Ticket: out.Ticket, ExpiresAt: out.Until}, nil
	}
	me, err := h.me(ctx, &out.Live.Member)
	if err != nil {
		return nil, err
	}
	return h.hand(ctx, client, out.Tokens, me), nil
}

// hand gives the tokens to the client: the refresh token in a cookie or in the body.
func (h *sessions) hand(ctx context.Context, client signin.Client, t signin.Tokens, me *meView) *signedInView {
	v := &signedInView{State: "signed_in", Access: t.Access, AccessExpiresAt: t.AccessExpiresAt, Refresh: t.Refresh, Me: me}
	if client == signin.H5 {
		v.Refresh = ""
		httpkit.SetCookie(ctx, h.cookie(t.Refresh, t.ExpiresAt))
	}
	return v
}

type miniIn struct {
	ClientHeader
	Body struct {
		Code   string `json:"code" minLength:"1" maxLength:"200" doc:"of wx.login"`
		Device string `json:"device,omitempty" maxLength:"100"`
	}
}

func (h *sessions) signInMini(ctx context.Context, _ *authz.Actor, in *miniIn) (*signedInView, error) {
	out, err := h.d.SignIn.ByMini(ctx, in.Body.Code, signin.Device{Client: signin.Mini, Name: in.Body.Device})
	return h.enter(ctx, signin.Mini, out, err)
}

type bindIn struct {
	ClientHeader
	Body struct {
		Ticket     string `json:"ticket" minLength:"1" maxLength:"100"`
		PhoneCode  string `json:"phoneCode,omitempty" maxLength:"200" doc:"of the phone button of the mini-program"`
		InviteCode string `json:"inviteCode,omitempty" maxLength:"20"`
		Name       string `json:"name,omitempty" maxLength:"30" doc:"goes with the invite code"`
		Device     string `json:"device,omitempty" maxLength:"100"`
	}
}

func (h *sessions) bindMember(ctx context.Context, _ *authz.Actor, in *bindIn) (*signedInView, error) {
	d := signin.Device{Client: in.kind(), Name: in.Body.Device}
	if in.Body.PhoneCode != "" {
		out, err := h.d.SignIn.BindPhone(ctx, in.Body.Ticket, in.Body.PhoneCode, d)
		return h.enter(ctx, in.kind(), out, err)
	}
	out, err := h.d.SignIn.BindInvite(ctx, in.Body.Ticket, in.Body.InviteCode, in.Body.Name, d)
	return h.enter(ctx, in.kind(), out, err)
}

type memberLinkIn struct {
	ClientHeader
	Body struct {
		Token  string `json:"token" minLength:"1" maxLength:"100"`
		Device string `json:"device,omitempty" maxLength:"100"`
	}
}

func (h *sessions) signInMemberLink(ctx context.Context, _ *authz.Actor, in *memberLinkIn) (*signedInView, error) {
	out, err := h.d.SignIn.ByLink(ctx, in.Body.Token, signin.Device{Client: in.kind(), Name: in.Body.Device})
	return h.enter(ctx, in.kind(), out, err)
}

type refreshIn struct {
	ClientHeader
	Cookie       string `cookie:"txm" hidden:"true"`
	SecureCookie string `cookie:"__Secure-txm" hidden:"true"`
	Body         struct {
		Refresh string `json:"refresh,omitempty" maxLength:"100" doc:"mini-program only; the page's comes by cookie"`
	}
}

func (h *sessions) refreshSession(ctx context.Context, _ *authz.Actor, in *refreshIn) (*signedInView, error) {
	token := in.Body.Refresh
	if in.kind() == signin.H5 {
		if token = in.Cookie; h.https {
			token = in.SecureCookie
		}
	}
	t, l, err := h.d.SignIn.Refresh(ctx, token)
	if err != nil {
		if in.kind() == signin.H5 {
			httpkit.SetCookie(ctx, h.cookie("", time.Time{}))
		}
		return nil, err
	}
	me, err := h.me(ctx, &l.Member)
	if err != nil {
		return nil, err
	}
	return h.hand(ctx, in.kind(), t, me), nil
}

func (h *sessions) getMemberSession(ctx context.Context, _ *authz.Actor, _ *struct{}) (*meView, error) {
	return h.me(ctx, &current(ctx).Member)
}

type deviceView struct {
	signin.Session
	Current bool `json:"current"`
}

func (h *sessions) listDevices(ctx context.Context, _ *authz.Actor, _ *struct{}) (*page.Result[deviceView], error) {
	all, err := h.d.SignIn.Sessions(ctx, current(ctx))
	out := &page.Result[deviceView]{Items: []deviceView{}}
	for _, x := range all {
		out.Items = append(out.Items, deviceView{Session: x, Current: x.ID == current(ctx).Session.ID})
	}
	return out, err
}

func (h *sessions) signOutMember(ctx context.Context, _ *authz.Actor, _ *struct{}) error {
	httpkit.SetCookie(ctx, h.cookie("", time.Time{}))
	return h.d.SignIn.SignOut(ctx, current(ctx), current(ctx).Session.ID)
}

func (h *sessions) signOutDevice(ctx context.Context, _ *authz.Actor, in *httpkit.ByID) error {
	return h.d.SignIn.SignOut(ctx, current(ctx), in.ID.V)
}

func (h *sessions) signOutDevices(ctx context.Context, _ *authz.Actor, _ *struct{}) error {
	httpkit.SetCookie(ctx, h.cookie("", time.Time{}))
	return h.d.SignIn.SignOut(ctx, current(ctx), 0)
}
