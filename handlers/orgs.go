package handlers

import (
	"context"

	"tongxin/internal/authz"
	"tongxin/internal/httpkit"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/staff"
)

// orgs serves the tree of organisations.
type orgs struct{ svc *staff.Service }

type listOrgsIn struct {
	Archived bool `query:"archived" doc:"also those that are closed"`
}

// listOrgs answers the whole visible tree: it is small and a tree cut into
// pages is no tree.
func (h *orgs) listOrgs(ctx context.Context, actor *authz.Actor, in *listOrgsIn) (*page.Result[staff.Org], error) {
	list, err := h.svc.Orgs(ctx, actor, in.Archived)
	if list == nil {
		list = []staff.Org{}
	}
	return &page.Result[staff.Org]{Items: list}, err
}

func (h *orgs) getOrg(ctx context.Context, actor *authz.Actor, in *idIn) (*staff.Org, error) {
	return h.svc.Org(ctx, actor, in.ID.V)
}

type createOrgIn struct{ Body staff.OrgInput }

func (h *orgs) createOrg(ctx context.Context, actor *authz.Actor, in *createOrgIn) (*staff.Org, error) {
	return h.svc.CreateOrg(ctx, actor, in.Body)
}

type saveOrgIn struct {
	httpkit.ByID
	httpkit.Match
	Body staff.OrgInput
}

func (h *orgs) saveOrg(ctx context.Context, actor *authz.Actor, in *saveOrgIn) (*staff.Org, error) {
	return h.svc.SaveOrg(ctx, actor, in.ID.V, in.Version, in.Body)
}

type moveOrgIn struct {
	httpkit.ByID
	httpkit.Match
	Body struct {
		ParentID ids.ID `json:"parentId"`
	}
}

func (h *orgs) moveOrg(ctx context.Context, actor *authz.Actor, in *moveOrgIn) (*staff.Org, error) {
	return h.svc.MoveOrg(ctx, actor, in.ID.V, in.Version, in.Body.ParentID)
}

func (h *orgs) archiveOrg(ctx context.Context, actor *authz.Actor, in *matchIn) (*staff.Org, error) {
	return h.svc.ArchiveOrg(ctx, actor, in.ID.V, in.Version, true)
}

func (h *orgs) restoreOrg(ctx context.Context, actor *authz.Actor, in *matchIn) (*staff.Org, error) {
	return h.svc.ArchiveOrg(ctx, actor, in.ID.V, in.Version, false)
}

// settingsView shows what counts for an organisation and what it sets itself.
type settingsView struct {
	Own       staff.Overrides `json:"own"`
	Effective staff.Settings  `json:"effective"`
	Version   int64           `json:"version"`
}

func (h *orgs) getOrgSettings(ctx context.Context, actor *authz.Actor, in *idIn) (*settingsView, error) {
	o, err := h.svc.Org(ctx, actor, in.ID.V)
	if err != nil {
		return nil, err
	}
	_, effective, err := h.svc.Effective(ctx, o.ID)
	return &settingsView{Own: o.Overrides, Effective: effective, Version: o.Version}, err
}

type saveOrgSettingsIn struct {
	httpkit.ByID
	httpkit.Match
	Body staff.Overrides
}

func (h *orgs) saveOrgSettings(ctx context.Context, actor *authz.Actor, in *saveOrgSettingsIn) (*settingsView, error) {
	o, err := h.svc.SaveSettings(ctx, actor, in.ID.V, in.Version, in.Body)
	if err != nil {
		return nil, err
	}
	_, effective, err := h.svc.Effective(ctx, o.ID)
	return &settingsView{Own: o.Overrides, Effective: effective, Version: o.Version}, err
}
