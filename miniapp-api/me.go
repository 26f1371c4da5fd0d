package miniapp

import (
	"context"

	"tongxin/internal/authz"
	"tongxin/internal/httpkit"
	"tongxin/internal/page"
	"tongxin/member"
	"tongxin/member/signin"
)

func (h *sessions) getSettings(ctx context.Context, actor *authz.Actor, _ *struct{}) (*signin.Settings, error) {
	v, err := h.d.SignIn.Settings(ctx, actor.ID)
	return &v, err
}

type settingsIn struct{ Body signin.Settings }

func (h *sessions) saveSettings(ctx context.Context, _ *authz.Actor, in *settingsIn) (*signin.Settings, error) {
	return &in.Body, h.d.SignIn.SaveSettings(ctx, current(ctx), in.Body)
}

// ownData is everything that is kept about the member, numbers in full: it is
// the member who asks. Every look is audited.
func (h *sessions) ownData(ctx context.Context, actor *authz.Actor, _ *struct{}) (*member.PersonalData, error) {
	return h.d.Members.Personal(ctx, actor, actor.ID, "")
}

func (h *sessions) listOwnRequests(ctx context.Context, actor *authz.Actor, in *httpkit.Paging) (*page.Result[member.Request], error) {
	return h.d.Members.OwnRequests(ctx, actor.ID, in.Page)
}

type ownRequestIn struct{ Body member.RequestInput }

func (h *sessions) askAboutOwn(ctx context.Context, actor *authz.Actor, in *ownRequestIn) (*member.Request, error) {
	return h.d.Members.AskFor(ctx, actor, actor.ID, in.Body)
}
