package handlers

import (
	"context"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/httpkit"
	"tongxin/internal/page"
	"tongxin/publish"
)

type schedulePostIn struct {
	httpkit.ByVersion
	Body struct {
		DueAt   time.Time        `json:"dueAt,omitzero" doc:"absent or past: now"`
		Targets []publish.Target `json:"targets" minItems:"1" maxItems:"50"`
	}
}

func (h *posts) schedulePost(ctx context.Context, actor *authz.Actor, in *schedulePostIn) (*publish.Detail, error) {
	return h.svc.Schedule(ctx, actor, in.ID.V, in.Version, in.Body.DueAt, in.Body.Targets)
}

type reschedulePostIn struct {
	httpkit.ByID
	Body struct {
		DueAt time.Time `json:"dueAt"`
	}
}

func (h *posts) reschedulePost(ctx context.Context, actor *authz.Actor, in *reschedulePostIn) (*publish.Detail, error) {
	return h.svc.Reschedule(ctx, actor, in.ID.V, in.Body.DueAt)
}

func (h *posts) cancelPost(ctx context.Context, actor *authz.Actor, in *idIn) (*publish.Detail, error) {
	return h.svc.Cancel(ctx, actor, in.ID.V)
}

type listDeliveriesIn struct {
	httpkit.Paging
	State     []string   `query:"state" doc:"one or several states"`
	AccountID httpkit.ID `query:"accountId"`
	OrgID     httpkit.ID `query:"orgId"`
}

func (h *posts) listDeliveries(ctx context.Context, actor *authz.Actor, in *listDeliveriesIn) (*page.Result[publish.Delivery], error) {
	res, err := h.svc.Deliveries(ctx, actor, publish.DeliveryFilter{States: states(in.State), AccountID: in.AccountID.V, OrgID: in.OrgID.V}, in.Page)
	return &res, err
}

func states(names []string) []publish.DeliveryState {
	var out []publish.DeliveryState
	for _, n := range names {
		out = append(out, publish.DeliveryState(n))
	}
	return out
}

func (h *posts) getDelivery(ctx context.Context, actor *authz.Actor, in *idIn) (*publish.DeliveryDetail, error) {
	return h.svc.Delivery(ctx, actor, in.ID.V)
}

type resolveDeliveryIn struct {
	httpkit.ByID
	Body struct {
		Answer     publish.Answer `json:"answer" enum:"published,not_published,look_again"`
		ArticleURL string         `json:"articleUrl,omitempty" maxLength:"1000"`
		Reason     string         `json:"reason,omitempty" maxLength:"1000"`
	}
}

func (h *posts) resolveDelivery(ctx context.Context, actor *authz.Actor, in *resolveDeliveryIn) (*publish.Delivery, error) {
	return h.svc.Resolve(ctx, actor, in.ID.V, in.Body.Answer, in.Body.ArticleURL, in.Body.Reason)
}

type confirmByHandIn struct {
	httpkit.ByID
	Body struct {
		ArticleURL string `json:"articleUrl,omitempty" maxLength:"1000" doc:"absent: the program looks for the article itself"`
	}
}

func (h *posts) confirmByHand(ctx context.Context, actor *authz.Actor, in *confirmByHandIn) (*publish.Delivery, error) {
	return h.svc.ConfirmByHand(ctx, actor, in.ID.V, in.Body.ArticleURL)
}

type retractIn struct {
	httpkit.ByID
	Body struct {
		Confirm string `json:"confirm" doc:"the post's title, typed again"`
		Reason  string `json:"reason" minLength:"1" maxLength:"1000"`
	}
}

func (h *posts) retractDelivery(ctx context.Context, actor *authz.Actor, in *retractIn) (*publish.Delivery, error) {
	return h.svc.Retract(ctx, actor, in.ID.V, in.Body.Confirm, in.Body.Reason)
}

func (h *posts) retryDelivery(ctx context.Context, actor *authz.Actor, in *idIn) (*publish.Detail, error) {
	return h.svc.Retry(ctx, actor, in.ID.V)
}

func (h *posts) getDashboard(ctx context.Context, actor *authz.Actor, _ *struct{}) (*publish.Dashboard, error) {
	return h.svc.Dashboard(ctx, actor)
}
