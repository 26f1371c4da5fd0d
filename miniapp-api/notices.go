package miniapp

import (
	"context"

	"tongxin/internal/authz"
	"tongxin/internal/httpkit"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/notify"
)

// notices serves a member's inbox, the feed and what messages are allowed.
type notices struct{ svc *notify.Service }

// noticeRoutes is the part of the table about them.
func noticeRoutes(api *httpkit.Surface, d Deps) {
	n := &notices{svc: d.Notify}
	api.Get("/inbox", notify.Receive, "我的消息", httpkit.Read(n.listInbox))
	api.Get("/inbox/count", notify.Receive, "未读消息数", httpkit.Read(n.countInbox))
	api.Post("/inbox/read-all", notify.Receive, "全部消息已读", httpkit.Done(n.readInbox))
	api.Get("/inbox/{id}", notify.Receive, "查看消息", httpkit.Read(n.getInboxItem))
	api.Post("/inbox/{id}/read", notify.Receive, "消息已读", httpkit.Done(n.readInboxItem))
	api.Put("/inbox/{id}/answer", notify.Receive, "回复消息", httpkit.Do(n.answerInboxItem))
	api.Get("/feed", notify.Receive, "党组织发布的文章", httpkit.Read(n.listFeed))
	api.Get("/feed/{id}", notify.Receive, "阅读文章", httpkit.Read(n.getFeedPost))
	api.Get("/subscriptions", notify.Receive, "可订阅的提醒", httpkit.Read(n.listSubscriptions))
	api.Post("/subscriptions", notify.Receive, "提交订阅结果", httpkit.Done(n.subscribe))
}

type listInboxIn struct {
	httpkit.Paging
	Unread bool   `query:"unread" doc:"only what was not read"`
	Q      string `query:"q" maxLength:"60" doc:"part of title or summary"`
}

func (h *notices) listInbox(ctx context.Context, actor *authz.Actor, in *listInboxIn) (*page.Result[notify.Item], error) {
	return h.svc.Inbox(ctx, actor, in.Unread, in.Q, in.Page)
}

type inboxCount struct {
	Unread int `json:"unread"`
}

func (h *notices) countInbox(ctx context.Context, actor *authz.Actor, _ *struct{}) (*inboxCount, error) {
	n, err := h.svc.Unread(ctx, actor)
	return &inboxCount{Unread: n}, err
}

func (h *notices) getInboxItem(ctx context.Context, actor *authz.Actor, in *httpkit.ByID) (*notify.Item, error) {
	return h.svc.Item(ctx, actor, in.ID.V)
}

func (h *notices) readInboxItem(ctx context.Context, actor *authz.Actor, in *httpkit.ByID) error {
	return h.svc.Read(ctx, actor, in.ID.V)
}

type readInboxIn struct {
	Body struct {
		UpTo ids.ID `json:"upTo,omitempty" doc:"newest notice that was seen; absent: all"`
	}
}

func (h *notices) readInbox(ctx context.Context, actor *authz.Actor, in *readInboxIn) error {
	return h.svc.ReadAll(ctx, actor, in.Body.UpTo)
}

type answerInboxIn struct {
	httpkit.ByID
	Body struct {
		Choice int    `json:"choice" minimum:"0" maximum:"3" doc:"number of the option, from 0"`
		Text   string `json:"text,omitempty" maxLength:"200"`
	}
}

func (h *notices) answerInboxItem(ctx context.Context, actor *authz.Actor, in *answerInboxIn) (*notify.Item, error) {
	return h.svc.Reply(ctx, actor, in.ID.V, in.Body.Choice, in.Body.Text)
}

type listFeedIn struct {
	httpkit.Paging
	Q string `query:"q" maxLength:"60" doc:"part of titles, digests and texts"`
}

func (h *notices) listFeed(ctx context.Context, actor *authz.Actor, in *listFeedIn) (*page.Result[notify.FeedItem], error) {
	return h.svc.Feed(ctx, actor, in.Q, in.Page)
}

func (h *notices) getFeedPost(ctx context.Context, actor *authz.Actor, in *httpkit.ByID) (*notify.FeedPost, error) {
	return h.svc.FeedPost(ctx, actor, in.ID.V)
}

func (h *notices) listSubscriptions(ctx context.Context, actor *authz.Actor, _ *struct{}) (*notify.Subscriptions, error) {
	return h.svc.Subscriptions(ctx, actor)
}

type subscribeIn struct {
	Body struct {
		Results map[string]string `json:"results" doc:"template id → accept, reject, ban or filter, as the dialog answered"`
	}
}

func (h *notices) subscribe(ctx context.Context, actor *authz.Actor, in *subscribeIn) error {
	return h.svc.Subscribe(ctx, actor, in.Body.Results)
}
