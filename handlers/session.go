package handlers

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/httpkit"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/staff"
)

// sessions serves signing in and out and a person's own sign-in matters.
type sessions struct {
	svc   *staff.Service
	https bool
}

// cookieName: the __Host- prefix binds the cookie to this very host over
// https; browsers refuse it on plain http, which only a loopback uses.
func (h *sessions) cookieName() string {
	if h.https {
		return "__Host-tx"
	}
	return "tx"
}

// authenticate is the surface's httpkit.Authenticator.
func (h *sessions) authenticate(ctx context.Context, c *fiber.Ctx) (httpkit.Identity, error) {
	live, err := h.svc.Resolve(ctx, c.Cookies(h.cookieName()))
	if err != nil || live == nil {
		return httpkit.Identity{}, err
	}
	return httpkit.Identity{Actor: live.Actor, Key: live.Key, CSRF: live.CSRF, Refusal: live.Refusal, Session: live}, nil
}

// known is the surface's SurfaceConfig.Known.
func (h *sessions) known(ctx context.Context, cookie func(string) string) bool {
	live, err := h.svc.Resolve(ctx, cookie(h.cookieName()))
	return err == nil && live != nil
}

func current(ctx context.Context) *staff.Live {
	l, _ := httpkit.SessionOf(ctx).(*staff.Live)
	return l
}

func (h *sessions) setCookie(ctx context.Context, token string, age time.Duration) {
	// No Max-Age for a session: it ends with the browser, and on the server anyway.
	c := &fiber.Cookie{Name: h.cookieName(), Value: token, Path: "/", HTTPOnly: true, Secure: h.https, SameSite: "Lax", SessionOnly: age == 0}
	if age < 0 {
		c.Expires = time.Unix(1, 0)
	}
	httpkit.SetCookie(ctx, c)
}

// signInView is a step of signing in: done, with Me, or the second factor.
type signInView struct {
	Need   string  `json:"need,omitempty" enum:"totp" doc:"what is still asked for"`
	Ticket string  `json:"ticket,omitempty" doc:"goes with the code"`
	Me     *meView `json:"me,omitempty" doc:"who is signed in now"`
}

type meView struct {
	Account     meAccount `json:"account"`
	Roles       []meRole  `json:"roles"`
	Rights      []string  `json:"rights" doc:"held anywhere"`
	Orgs        []meOrg   `json:"orgs" doc:"organisations this person may see, parents first"`
	CSRF        string    `json:"csrf" doc:"goes into X-CSRF-Token of every changing request"`
	TOTP        bool      `json:"totp"`
	MustEnrol   bool      `json:"mustEnrol" doc:"a second factor must be bound before anything else"`
	PasswordDue bool      `json:"passwordDue" doc:"the password must be changed before anything else"`
	Notice      string    `json:"notice,omitempty"`
	SessionID   ids.ID    `json:"sessionId"`
	ExpiresAt   time.Time `json:"expiresAt"`
}

type meAccount struct {
	ID      ids.ID `json:"id"`
	Login   string `json:"login"`
	Name    string `json:"name"`
	OrgID   ids.ID `json:"orgId"`
	OrgName string `json:"orgName"`
}

type meRole struct {
	Role    string `json:"role"`
	Label   string `json:"label"`
	OrgID   ids.ID `json:"orgId"`
	OrgName string `json:"orgName"`
}

type meOrg struct {
	ID       ids.ID     `json:"id"`
	Name     string     `json:"name"`
	Short    string     `json:"shortName"`
	Path     string     `json:"path"`
	ParentID ids.ID     `json:"parentId"`
	Kind     staff.Kind `json:"kind"`
}

func (h *sessions) me(ctx context.Context, l *staff.Live) (*meView, error) {
	a := &l.Account
	v := &meView{
		Account: meAccount{ID: a.ID, Login: a.Login, Name: a.Name, OrgID: a.OrgID, OrgName: a.OrgName},
		Roles:   []meRole{}, Rights: []string{}, Orgs: []meOrg{}, CSRF: l.CSRF, TOTP: a.SecondFactor,
		MustEnrol: l.MustEnrol, PasswordDue: l.PasswordDue, Notice: l.Refusal, SessionID: l.Session.ID, ExpiresAt: l.Session.ExpiresAt,
	}
	seen := map[authz.Right]bool{}
	for _, r := range a.Roles {
		v.Roles = append(v.Roles, meRole{Role: r.Role, Label: h.svc.Label(r.Role), OrgID: r.OrgID, OrgName: r.OrgName})
	}
	for _, g := range l.Actor.Grants {
		for _, right := range g.Rights {
			if !seen[right] {
				seen[right] = true
				v.Rights = append(v.Rights, string(right))
			}
		}
	}
	orgs, err := h.svc.Orgs(ctx, l.Actor, false)
	for _, o := range orgs {
		v.Orgs = append(v.Orgs, meOrg{ID: o.ID, Name: o.Name, Short: o.ShortName, Path: o.Path, ParentID: o.ParentID, Kind: o.Kind})
	}
	return v, err
}

// enter answers a finished step: a cookie and who it is, or the next step.
func (h *sessions) enter(ctx context.Context, out staff.Outcome, err error) (*signInView, error) {
	if err != nil {
		return nil, err
	}
	if out.Ticket != "" {
		return &signInView{Need: "totp", Ticket: out.Ticket}, nil
	}
	l, err := h.svc.Resolve(ctx, out.Token)
	if err != nil {
		return nil, err
	}
	if l == nil {
		return nil, errs.New(errs.Unauthorized, "登录没有成功，请重试。")
	}
	h.setCookie(ctx, out.Token, 0)
	me, err := h.me(ctx, l)
	return &signInView{Me: me}, err
}

type signInIn struct {
	Body struct {
		Login    string `json:"login" minLength:"1" maxLength:"100"`
		Password string `json:"password" minLength:"1" maxLength:"500"`
	}
}

func (h *sessions) signIn(ctx context.Context, _ *authz.Actor, in *signInIn) (*signInView, error) {
	out, err := h.svc.SignIn(ctx, in.Body.Login, in.Body.Password)
	return h.enter(ctx, out, err)
}

type signInCodeIn struct {
	Body struct {
		Ticket string `json:"ticket" minLength:"1" maxLength:"100"`
		Code   string `json:"code" minLength:"6" maxLength:"20" doc:"six figures, or a recovery code"`
	}
}

func (h *sessions) signInCode(ctx context.Context, _ *authz.Actor, in *signInCodeIn) (*signInView, error) {
	out, err := h.svc.SignInCode(ctx, in.Body.Ticket, in.Body.Code)
	return h.enter(ctx, out, err)
}

type tokenIn struct {
	Body struct {
		Token string `json:"token" minLength:"1" maxLength:"100"`
	}
}

// signInLink is a POST from the page of the link, so that programs that look
// at links in messages do not use it up.
func (h *sessions) signInLink(ctx context.Context, _ *authz.Actor, in *tokenIn) (*signInView, error) {
	out, err := h.svc.SignInLink(ctx, in.Body.Token)
	return h.enter(ctx, out, err)
}

func (h *sessions) lookInvitation(ctx context.Context, _ *authz.Actor, in *tokenIn) (*staff.Invitation, error) {
	return h.svc.Invitation(ctx, in.Body.Token)
}

type acceptInvitationIn struct {
	Body struct {
		Token    string `json:"token" minLength:"1" maxLength:"100"`
		Password string `json:"password" minLength:"1" maxLength:"500"`
	}
}

func (h *sessions) acceptInvitation(ctx context.Context, _ *authz.Actor, in *acceptInvitationIn) (*signInView, error) {
	out, err := h.svc.AcceptInvitation(ctx, in.Body.Token, in.Body.Password)
	return h.enter(ctx, out, err)
}

func (h *sessions) getSession(ctx context.Context, _ *authz.Actor, _ *struct{}) (*meView, error) {
	return h.me(ctx, current(ctx))
}

func (h *sessions) signOut(ctx context.Context, _ *authz.Actor, _ *struct{}) error {
	l := current(ctx)
	h.setCookie(ctx, "", -1)
	return h.svc.SignOut(ctx, l, l.Session.ID)
}

type sessionView struct {
	staff.Session
	Current bool `json:"current"`
}

func (h *sessions) listSessions(ctx context.Context, actor *authz.Actor, _ *struct{}) (*page.Result[sessionView], error) {
	all, err := h.svc.Sessions(ctx, actor)
	out := &page.Result[sessionView]{Items: []sessionView{}}
	for _, x := range all {
		out.Items = append(out.Items, sessionView{Session: x, Current: x.ID == current(ctx).Session.ID})
	}
	return out, err
}

func (h *sessions) endSession(ctx context.Context, _ *authz.Actor, in *idIn) error {
	return h.svc.SignOut(ctx, current(ctx), in.ID.V)
}

func (h *sessions) endSessions(ctx context.Context, _ *authz.Actor, _ *struct{}) error {
	h.setCookie(ctx, "", -1)
	return h.svc.SignOut(ctx, current(ctx), 0)
}

type changePasswordIn struct {
	Body struct {
		Current  string `json:"current,omitempty" maxLength:"500" doc:"not asked for when no password was set yet"`
		Password string `json:"password" minLength:"1" maxLength:"500"`
	}
}

func (h *sessions) changePassword(ctx context.Context, actor *authz.Actor, in *changePasswordIn) error {
	return h.svc.ChangePassword(ctx, actor, current(ctx).Session.ID, in.Body.Current, in.Body.Password)
}

func (h *sessions) startTotp(ctx context.Context, actor *authz.Actor, _ *struct{}) (*staff.Enrolment, error) {
	return h.svc.StartSecondFactor(ctx, actor)
}

type bindTotpIn struct {
	Body struct {
		Ticket string `json:"ticket" minLength:"1" maxLength:"500"`
		Code   string `json:"code" minLength:"6" maxLength:"10"`
	}
}

type recoveryView struct {
	Codes []string `json:"codes" doc:"one-time codes for a lost phone; shown this once"`
}

func (h *sessions) bindTotp(ctx context.Context, actor *authz.Actor, in *bindTotpIn) (*recoveryView, error) {
	codes, err := h.svc.BindSecondFactor(ctx, actor, in.Body.Ticket, in.Body.Code)
	return &recoveryView{Codes: codes}, err
}

type dropTotpIn struct {
	Body struct {
		Password string `json:"password" minLength:"1" maxLength:"500"`
	}
}

func (h *sessions) dropTotp(ctx context.Context, actor *authz.Actor, in *dropTotpIn) error {
	return h.svc.DropSecondFactor(ctx, actor, in.Body.Password)
}
