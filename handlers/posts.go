package handlers

import (
	"context"

	"tongxin/internal/authz"
	"tongxin/internal/httpkit"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/publish"
	"tongxin/publish/lint"
)

// posts serves writing, history and review of image-text posts.
type posts struct {
	svc       *publish.Service
	publicURL string
}

// Inputs of routes with {id}. They are aliases: huma passes over embedded
// structs whose own name is not exported, so inputs embed httpkit.ByID itself.
type (
	idIn    = httpkit.ByID
	matchIn = httpkit.ByVersion
)

type listPostsIn struct {
	httpkit.Paging
	State     string     `query:"state" enum:"draft,in_review,returned,approved,queued,finished"`
	Delivery  string     `query:"delivery" enum:"waiting,submitting,submitted,unknown,by_hand,published,failed,cancelled,retracted" doc:"posts with a delivery in this state"`
	OrgID     httpkit.ID `query:"orgId"`
	AccountID httpkit.ID `query:"accountId"`
	Mine      bool       `query:"mine" doc:"only posts that the caller started"`
	Q         string     `query:"q" maxLength:"100" doc:"part of the title"`
}

func (h *posts) listPosts(ctx context.Context, actor *authz.Actor, in *listPostsIn) (*page.Result[publish.Summary], error) {
	f := publish.PostFilter{
		State: publish.PostState(in.State), Delivery: publish.DeliveryState(in.Delivery),
		OrgID: in.OrgID.V, AccountID: in.AccountID.V, Query: in.Q,
	}
	if in.Mine {
		f.AuthorID = actor.ID
	}
	res, err := h.svc.List(ctx, actor, f, in.Page)
	return &res, err
}

type createPostIn struct {
	Body struct {
		OrgID   ids.ID          `json:"orgId"`
		Content publish.Content `json:"content,omitzero"`
	}
}

func (h *posts) createPost(ctx context.Context, actor *authz.Actor, in *createPostIn) (*publish.Post, error) {
	return h.svc.Create(ctx, actor, in.Body.OrgID, in.Body.Content)
}

func (h *posts) getPost(ctx context.Context, actor *authz.Actor, in *idIn) (*publish.Detail, error) {
	return h.svc.Get(ctx, actor, in.ID.V)
}

type editPostIn struct {
	httpkit.ByID
	httpkit.Match
	Body struct {
		Content publish.Content `json:"content"`
		Auto    bool            `json:"auto,omitempty" doc:"saved by the editor itself; thinned out after a day"`
	}
}

func (h *posts) editPost(ctx context.Context, actor *authz.Actor, in *editPostIn) (*publish.Post, error) {
	return h.svc.Edit(ctx, actor, in.ID.V, in.Version, in.Body.Content, in.Body.Auto)
}

func (h *posts) deletePost(ctx context.Context, actor *authz.Actor, in *matchIn) error {
	return h.svc.Delete(ctx, actor, in.ID.V, in.Version)
}

func (h *posts) copyPost(ctx context.Context, actor *authz.Actor, in *idIn) (*publish.Post, error) {
	return h.svc.Copy(ctx, actor, in.ID.V)
}

type listRevisionsIn struct {
	httpkit.ByID
	httpkit.Paging
}

func (h *posts) listRevisions(ctx context.Context, actor *authz.Actor, in *listRevisionsIn) (*page.Result[publish.Revision], error) {
	res, err := h.svc.Revisions(ctx, actor, in.ID.V, in.Page)
	return &res, err
}

type getRevisionIn struct {
	httpkit.ByID
	Version int64 `path:"version"`
}

// revisionView is one stored version with its content.
type revisionView struct {
	Revision publish.Revision `json:"revision"`
	Content  publish.Content  `json:"content"`
}

func (h *posts) getRevision(ctx context.Context, actor *authz.Actor, in *getRevisionIn) (*revisionView, error) {
	rev, err := h.svc.RevisionContent(ctx, actor, in.ID.V, in.Version)
	if err != nil {
		return nil, err
	}
	return &revisionView{Revision: *rev, Content: rev.Content}, nil
}

type diffPostIn struct {
	httpkit.ByID
	From int64 `query:"from" required:"true" minimum:"1"`
	To   int64 `query:"to" required:"true" minimum:"1"`
}

type diffView struct {
	Articles []publish.ArticleDiff `json:"articles"`
}

func (h *posts) diffPost(ctx context.Context, actor *authz.Actor, in *diffPostIn) (*diffView, error) {
	list, err := h.svc.Diff(ctx, actor, in.ID.V, in.From, in.To)
	return &diffView{Articles: list}, err
}

type restorePostIn struct {
	httpkit.ByID
	httpkit.Match
	Body struct {
		Version int64 `json:"version" minimum:"1"`
	}
}

func (h *posts) restorePost(ctx context.Context, actor *authz.Actor, in *restorePostIn) (*publish.Post, error) {
	return h.svc.Restore(ctx, actor, in.ID.V, in.Version, in.Body.Version)
}

type renderIn struct {
	Body struct {
		Article publish.Article `json:"article"`
	}
}

func (h *posts) renderArticle(ctx context.Context, actor *authz.Actor, in *renderIn) (*publish.Preview, error) {
	return h.svc.Preview(ctx, actor, in.Body.Article)
}

type themesView struct {
	Items []publish.Theme `json:"items"`
}

func (h *posts) listThemes(context.Context, *authz.Actor, *struct{}) (*themesView, error) {
	return &themesView{Items: h.svc.Themes()}, nil
}

type findingsView struct {
	Findings []lint.Finding `json:"findings"`
}

func (h *posts) lintPost(ctx context.Context, actor *authz.Actor, in *idIn) (*findingsView, error) {
	list, err := h.svc.Lint(ctx, actor, in.ID.V)
	return &findingsView{Findings: list}, err
}
