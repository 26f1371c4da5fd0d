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
	api.Get("/papers/{id}/attempts", quiz.Results, "答卷与进度", httpkit.Read(h.listSeats))
	api.Get("/papers/{id}/flags", quiz.Results, "异常提示", httpkit.Read(h.paperFlags, heavy()))
	api.Post("/papers/{id}/regrade", quiz.Grade, "更正答案后重新评分", httpkit.Do(h.regradePaper))
	api.Post("/attempts/{id}/extend", quiz.Manage, "为一人延长时间", httpkit.Do(h.extendAttempt))
	api.Get("/grading", quiz.Grade, "待评简答题", httpkit.Read(h.listWaiting))
	api.Post("/grading/{id}/{n}", quiz.Grade, "评分", httpkit.Edit(h.gradeAnswer))
	api.Get("/orgs/{id}/daily-quiz", quiz.Read, "每日答题设置", httpkit.Read(h.getDailySetting))
	api.Put("/orgs/{id}/daily-quiz", quiz.Manage, "修改每日答题设置", httpkit.Edit(h.saveDailySetting))
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

type listSeatsIn struct {
	httpkit.ByID
	httpkit.Paging
	State string `query:"state" enum:"open,submitted,expired,graded"`
}

func (h *papers) listSeats(ctx context.Context, actor *authz.Actor, in *listSeatsIn) (*page.Result[quiz.Seat], error) {
	return h.svc.Seats(ctx, actor, in.ID.V, quiz.AttemptState(in.State), in.Page)
}

func (h *papers) paperFlags(ctx context.Context, actor *authz.Actor, in *idIn) (*quiz.Flags, error) {
	return h.svc.Flags(ctx, actor, in.ID.V)
}

type regradeIn struct {
	httpkit.ByID
	Body quiz.RegradeInput
}

func (h *papers) regradePaper(ctx context.Context, actor *authz.Actor, in *regradeIn) (*quiz.Regraded, error) {
	return h.svc.Regrade(ctx, actor, in.ID.V, in.Body)
}

type extendIn struct {
	httpkit.ByID
	Body quiz.Extension
}

func (h *papers) extendAttempt(ctx context.Context, actor *authz.Actor, in *extendIn) (*quiz.Seat, error) {
	return h.svc.Extend(ctx, actor, in.ID.V, in.Body)
}

type listWaitingIn struct {
	httpkit.Paging
	PaperID httpkit.ID `query:"paperId"`
	Names   bool       `query:"names" doc:"show who answered: audited; graders should not need it"`
}

func (h *papers) listWaiting(ctx context.Context, actor *authz.Actor, in *listWaitingIn) (*page.Result[quiz.Waiting], error) {
	return h.svc.Queue(ctx, actor, in.PaperID.V, in.Names, in.Page)
}

type gradeIn struct {
	httpkit.ByID
	httpkit.Match
	N    int `path:"n" minimum:"1" maximum:"200"`
	Body quiz.GradeInput
}

func (h *papers) gradeAnswer(ctx context.Context, actor *authz.Actor, in *gradeIn) (*quiz.Waiting, error) {
	return h.svc.GradeAnswer(ctx, actor, in.ID.V, in.N, in.Version, in.Body)
}

func (h *papers) getDailySetting(ctx context.Context, actor *authz.Actor, in *idIn) (*quiz.Daily, error) {
	return h.svc.DailySetting(ctx, actor, in.ID.V)
}

type saveDailyIn struct {
	httpkit.ByID
	httpkit.Match
	Body quiz.DailyInput
}

func (h *papers) saveDailySetting(ctx context.Context, actor *authz.Actor, in *saveDailyIn) (*quiz.Daily, error) {
	return h.svc.SaveDaily(ctx, actor, in.ID.V, in.Version, in.Body)
}
