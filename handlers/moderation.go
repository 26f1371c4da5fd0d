package handlers

import (
	"context"

	"tongxin/internal/authz"
	"tongxin/internal/httpkit"
	"tongxin/internal/page"
	"tongxin/moderate"
)

// moderations serves the review list of what members wrote.
type moderations struct{ svc *moderate.Service }

// moderation is the part of the table about it.
func moderation(api *httpkit.Surface, d Deps) {
	m := &moderations{svc: d.Moderate}
	api.Get("/moderation", moderate.Review, "内容审核列表", httpkit.Read(m.listModeration))
	api.Get("/moderation/count", moderate.Review, "待审核内容数", httpkit.Read(m.countModeration))
	api.Get("/moderation/kinds", moderate.Review, "内容种类", httpkit.Read(m.listModerationKinds))
	api.Get("/moderation/{id}", moderate.Review, "查看一条内容", httpkit.Read(m.getModeration))
	api.Post("/moderation/{id}/decide", moderate.Review, "审核内容", httpkit.Edit(m.decideModeration))
}

type listModerationIn struct {
	httpkit.Paging
	State string     `query:"state" enum:"todo,waiting,review,passed,refused,replaced" doc:"todo: what a person is asked to decide"`
	Kind  string     `query:"kind" maxLength:"32"`
	OrgID httpkit.ID `query:"orgId" doc:"this organisation and everything under it"`
}

func (h *moderations) listModeration(ctx context.Context, actor *authz.Actor, in *listModerationIn) (*page.Result[moderate.Item], error) {
	return h.svc.List(ctx, actor, moderate.Query{OrgID: in.OrgID.V, Kind: in.Kind, State: moderate.State(in.State)}, in.Page)
}

type moderationCount struct {
	Open int `json:"open" doc:"what a person is asked to decide"`
}

func (h *moderations) countModeration(ctx context.Context, actor *authz.Actor, _ *struct{}) (*moderationCount, error) {
	n, err := h.svc.Open(ctx, actor)
	return &moderationCount{Open: n}, err
}

type moderationKinds struct {
	Items []moderate.Kind `json:"items"`
}

func (h *moderations) listModerationKinds(context.Context, *authz.Actor, *struct{}) (*moderationKinds, error) {
	return &moderationKinds{Items: h.svc.Kinds()}, nil
}

func (h *moderations) getModeration(ctx context.Context, actor *authz.Actor, in *httpkit.ByID) (*moderate.Item, error) {
	return h.svc.Get(ctx, actor, in.ID.V)
}

type decideModerationIn struct {
	httpkit.ByID
	httpkit.Match
	Body moderate.Verdict
}

func (h *moderations) decideModeration(ctx context.Context, actor *authz.Actor, in *decideModerationIn) (*moderate.Item, error) {
	return h.svc.Decide(ctx, actor, in.ID.V, in.Version, in.Body)
}
