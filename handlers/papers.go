package handlers

import (
	"context"

	"tongxin/internal/authz"
	"tongxin/internal/httpkit"
	"tongxin/internal/page"
	"tongxin/quiz"
)

// papers serves exams and practice to those who make and watch them.
type papers struct{ svc *quiz.Exams }

// paperRoutes is the part of the table about them.
func paperRoutes(api *httpkit.Surface, h *papers) {
	api.Get("/papers", quiz.Read, "试卷列表", httpkit.Read(h.listPapers))
	api.Post("/papers", quiz.Manage, "新建试卷", httpkit.Create(h.createPaper))
	api.Get("/papers/{id}", quiz.Read, "查看试卷", httpkit.Read(h.getPaper))
	api.Put("/papers/{id}", quiz.Manage, "修改试卷", httpkit.Edit(h.savePaper))
	api.Delete("/papers/{id}", quiz.Manage, "删除试卷草稿", httpkit.Done(h.deletePaper))
	api.Post("/papers/{id}/copy", quiz.Manage, "复制试卷", httpkit.Create(h.copyPaper))
	api.Get("/papers/{id}/preview", quiz.Manage, "预览试卷", httpkit.Read(h.previewPaper))
	api.Post("/papers/{id}/publish", quiz.Manage, "发布试卷", httpkit.Edit(h.publishPaper))
	api.Post("/papers/{id}/close", quiz.Manage, "结束考试", httpkit.Edit(h.closePaper))
}

type listPapersIn struct {
	httpkit.Paging
	OrgID httpkit.ID `query:"orgId"`
	State string     `query:"state" enum:"draft,published,closed"`
	Kind  string     `query:"kind" enum:"exam,daily,practice"`
	Q     string     `query:"q" maxLength:"50" doc:"part of the title"`
}

func (h *papers) listPapers(ctx context.Context, actor *authz.Actor, in *listPapersIn) (*page.Result[quiz.Paper], error) {
	return h.svc.Papers(ctx, actor, quiz.PaperAsk{OrgID: in.OrgID.V, State: quiz.PaperState(in.State), Kind: quiz.PaperKind(in.Kind), Query: in.Q}, in.Page)
}

func (h *papers) getPaper(ctx context.Context, actor *authz.Actor, in *idIn) (*quiz.Paper, error) {
	return h.svc.Paper(ctx, actor, in.ID.V)
}

type createPaperIn struct{ Body quiz.PaperInput }

func (h *papers) createPaper(ctx context.Context, actor *authz.Actor, in *createPaperIn) (*quiz.Paper, error) {
	return h.svc.CreatePaper(ctx, actor, in.Body)
}

type savePaperIn struct {
	httpkit.ByID
	httpkit.Match
	Body quiz.PaperInput
}

func (h *papers) savePaper(ctx context.Context, actor *authz.Actor, in *savePaperIn) (*quiz.Paper, error) {
	return h.svc.SavePaper(ctx, actor, in.ID.V, in.Version, in.Body)
}

func (h *papers) deletePaper(ctx context.Context, actor *authz.Actor, in *httpkit.ByVersion) error {
	return h.svc.DeletePaper(ctx, actor, in.ID.V, in.Version)
}

func (h *papers) copyPaper(ctx context.Context, actor *authz.Actor, in *idIn) (*quiz.Paper, error) {
	return h.svc.CopyPaper(ctx, actor, in.ID.V)
}

func (h *papers) previewPaper(ctx context.Context, actor *authz.Actor, in *idIn) (*quiz.Sheet, error) {
	return h.svc.PreviewPaper(ctx, actor, in.ID.V)
}

func (h *papers) publishPaper(ctx context.Context, actor *authz.Actor, in *httpkit.ByVersion) (*quiz.Paper, error) {
	return h.svc.PublishPaper(ctx, actor, in.ID.V, in.Version)
}

func (h *papers) closePaper(ctx context.Context, actor *authz.Actor, in *httpkit.ByVersion) (*quiz.Paper, error) {
	return h.svc.ClosePaper(ctx, actor, in.ID.V, in.Version)
}
