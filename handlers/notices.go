package handlers

import (
	"context"

	"tongxin/internal/authz"
	"tongxin/internal/httpkit"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/publish"
)

// notices serves a person's own reminders.
type notices struct{ svc *publish.Service }

type listNoticesIn struct {
	httpkit.Paging
	Unread bool `query:"unread" doc:"only what was not read"`
}

func (h *notices) listNotices(ctx context.Context, actor *authz.Actor, in *listNoticesIn) (*page.Result[publish.Notice], error) {
	res, err := h.svc.Notices(ctx, actor, in.Unread, in.Page)
	return &res, err
}

type noticeCount struct {
	Unread int `json:"unread"`
}

func (h *notices) countNotices(ctx context.Context, actor *authz.Actor, _ *struct{}) (*noticeCount, error) {
	n, err := h.svc.UnreadNotices(ctx, actor)
	return &noticeCount{Unread: n}, err
}

func (h *notices) readNotice(ctx context.Context, actor *authz.Actor, in *idIn) error {
	return h.svc.ReadNotice(ctx, actor, in.ID.V)
}

type readNoticesIn struct {
	Body struct {
		UpTo ids.ID `json:"upTo,omitempty" doc:"newest notice that was seen; absent: all"`
	}
}

func (h *notices) readNotices(ctx context.Context, actor *authz.Actor, in *readNoticesIn) error {
	return h.svc.ReadNotices(ctx, actor, in.Body.UpTo)
}
