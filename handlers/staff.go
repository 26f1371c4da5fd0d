package handlers

import (
	"context"

	"tongxin/internal/authz"
	"tongxin/internal/httpkit"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/staff"
)

// people serves staff accounts and their roles.
type people struct{ svc *staff.Service }

type listStaffIn struct {
	httpkit.Paging
	OrgID httpkit.ID `query:"orgId"`
	State string     `query:"state" enum:"invited,active,disabled"`
	Role  string     `query:"role" maxLength:"32"`
	Q     string     `query:"q" maxLength:"50" doc:"part of the login or the name"`
}

func (h *people) listStaff(ctx context.Context, actor *authz.Actor, in *listStaffIn) (*page.Result[staff.Account], error) {
	f := staff.AccountFilter{OrgID: in.OrgID.V, State: staff.State(in.State), Role: in.Role, Query: in.Q}
	return h.svc.Accounts(ctx, actor, f, in.Page)
}

func (h *people) getStaff(ctx context.Context, actor *authz.Actor, in *idIn) (*staff.Account, error) {
	return h.svc.Account(ctx, actor, in.ID.V)
}

type roleView struct {
	Name         string   `json:"name"`
	Label        string   `json:"label"`
	Rights       []string `json:"rights"`
	SecondFactor bool     `json:"secondFactor" doc:"must bind a second factor when the policy asks for it"`
}

func (h *people) listRoles(context.Context, *authz.Actor, *struct{}) (*page.Result[roleView], error) {
	out := &page.Result[roleView]{Items: []roleView{}}
	for _, r := range h.svc.Roles() {
		v := roleView{Name: r.Name, Label: r.Label, Rights: []string{}, SecondFactor: r.SecondFactor}
		for _, right := range r.Rights {
			v.Rights = append(v.Rights, string(right))
		}
		out.Items = append(out.Items, v)
	}
	return out, nil
}

// invitedView is an account with its link. The link's token is in the fragment,
// which browsers send to no server and write into no Referer.
type invitedView struct {
	Account *staff.Account `json:"account"`
	Link    string         `json:"link,omitempty" doc:"one-time invitation, shown this once; absent when a repeated call found the account made"`
}

func (h *people) invited(a *staff.Account, token string) *invitedView {
	v := &invitedView{Account: a}
	if token != "" {
		v.Link = "/console/#/invite?token=" + token
	}
	return v
}

type createStaffIn struct {
	Body struct {
		staff.AccountInput
		Roles []staff.RoleAt `json:"roles,omitempty" maxItems:"20"`
	}
}

func (h *people) createStaff(ctx context.Context, actor *authz.Actor, in *createStaffIn) (*invitedView, error) {
	a, token, err := h.svc.CreateAccount(ctx, actor, in.Body.AccountInput, in.Body.Roles)
	if err != nil {
		return nil, err
	}
	return h.invited(a, token), nil
}

type saveStaffIn struct {
	httpkit.ByID
	httpkit.Match
	Body struct {
		Name  string `json:"name" minLength:"1" maxLength:"30"`
		Phone string `json:"phone,omitempty" maxLength:"20" doc:"empty keeps the number, - removes it"`
		OrgID ids.ID `json:"orgId,omitempty"`
	}
}

func (h *people) saveStaff(ctx context.Context, actor *authz.Actor, in *saveStaffIn) (*staff.Account, error) {
	return h.svc.SaveAccount(ctx, actor, in.ID.V, in.Version, staff.AccountInput{
		OrgID: in.Body.OrgID, Name: in.Body.Name, Phone: in.Body.Phone,
	})
}

type setStaffRolesIn struct {
	httpkit.ByID
	httpkit.Match
	Body struct {
		Roles []staff.RoleAt `json:"roles" maxItems:"20"`
	}
}

func (h *people) setStaffRoles(ctx context.Context, actor *authz.Actor, in *setStaffRolesIn) (*staff.Account, error) {
	return h.svc.SetRoles(ctx, actor, in.ID.V, in.Version, in.Body.Roles)
}

func (h *people) inviteStaff(ctx context.Context, actor *authz.Actor, in *idIn) (*invitedView, error) {
	a, token, err := h.svc.Invite(ctx, actor, in.ID.V)
	if err != nil {
		return nil, err
	}
	return h.invited(a, token), nil
}

func (h *people) disableStaff(ctx context.Context, actor *authz.Actor, in *idIn) (*staff.Account, error) {
	return h.svc.Disable(ctx, actor, in.ID.V)
}

func (h *people) enableStaff(ctx context.Context, actor *authz.Actor, in *idIn) (*staff.Account, error) {
	return h.svc.Enable(ctx, actor, in.ID.V)
}
