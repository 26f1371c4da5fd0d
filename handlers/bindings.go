package handlers

import (
	"context"

	"tongxin/internal/authz"
	"tongxin/internal/httpkit"
	"tongxin/internal/page"
	"tongxin/member/signin"
)

// bindings lets a secretary bring members in and take their WeChat off again.
type bindings struct{ svc *signin.Service }

func (h *bindings) inviteMember(ctx context.Context, actor *authz.Actor, in *idIn) (*signin.Invite, error) {
	return h.svc.Invite(ctx, actor, in.ID.V)
}

func (h *bindings) listBindings(ctx context.Context, actor *authz.Actor, in *idIn) (*page.Result[signin.Binding], error) {
	list, err := h.svc.Bindings(ctx, actor, in.ID.V)
	if list == nil {
		list = []signin.Binding{}
	}
	return &page.Result[signin.Binding]{Items: list}, err
}

type bindingIn struct {
	httpkit.ByID
	Binding httpkit.ID `path:"binding"`
}

func (h *bindings) unbindMember(ctx context.Context, actor *authz.Actor, in *bindingIn) error {
	return h.svc.Unbind(ctx, actor, in.ID.V, in.Binding.V)
}
