package handlers

import (
	"context"

	"tongxin/internal/authz"
	"tongxin/internal/httpkit"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/publish"
)

func (h *posts) submitPost(ctx context.Context, actor *authz.Actor, in *matchIn) (*publish.Post, error) {
	return h.svc.Submit(ctx, actor, in.ID.V, in.Version)
}

func (h *posts) withdrawPost(ctx context.Context, actor *authz.Actor, in *idIn) (*publish.Post, error) {
	return h.svc.Withdraw(ctx, actor, in.ID.V)
}

type reviewPostIn struct {
	httpkit.ByID
	Body publish.Verdict
}

func (h *posts) reviewPost(ctx context.Context, actor *authz.Actor, in *reviewPostIn) (*publish.Post, error) {
	return h.svc.Decide(ctx, actor, in.ID.V, in.Body)
}

type listAwaitingIn struct{ httpkit.Paging }

func (h *posts) listAwaitingReview(ctx context.Context, actor *authz.Actor, in *listAwaitingIn) (*page.Result[publish.Summary], error) {
	res, err := h.svc.AwaitingReview(ctx, actor, in.Page)
	return &res, err
}

func (h *posts) reviewSheet(ctx context.Context, actor *authz.Actor, in *idIn) (*publish.Sheet, error) {
	return h.svc.Sheet(ctx, actor, in.ID.V)
}

type commentsView struct {
	Items []publish.Comment `json:"items"`
}

func (h *posts) listComments(ctx context.Context, actor *authz.Actor, in *idIn) (*commentsView, error) {
	list, err := h.svc.Comments(ctx, actor, in.ID.V)
	return &commentsView{Items: list}, err
}

type addCommentIn struct {
	httpkit.ByID
	Body struct {
		ParentID ids.ID `json:"parentId,omitempty"`
		Article  int    `json:"article,omitempty" minimum:"0" maximum:"7"`
		Quote    string `json:"quote,omitempty" maxLength:"500"`
		Prefix   string `json:"prefix,omitempty" maxLength:"64"`
		Suffix   string `json:"suffix,omitempty" maxLength:"64"`
		Body     string `json:"body" minLength:"1" maxLength:"1000"`
	}
}

func (h *posts) addComment(ctx context.Context, actor *authz.Actor, in *addCommentIn) (*publish.Comment, error) {
	b := in.Body
	return h.svc.AddComment(ctx, actor, publish.Comment{
		PostID: in.ID.V, ParentID: b.ParentID, Article: b.Article,
		Quote: b.Quote, Prefix: b.Prefix, Suffix: b.Suffix, Body: b.Body,
	})
}

func (h *posts) resolveComment(ctx context.Context, actor *authz.Actor, in *idIn) (*publish.Comment, error) {
	return h.svc.ResolveComment(ctx, actor, in.ID.V)
}
