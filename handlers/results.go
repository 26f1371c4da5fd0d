package handlers

import (
	"context"
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/httpkit"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/quiz/results"
)

// outcomes serves the results of papers to those who may see them, and the
// public page that verifies a certificate.
type outcomes struct{ svc *results.Service }

// resultRoutes is the part of the table about them.
func resultRoutes(api, root *httpkit.Surface, d Deps) {
	h := &outcomes{svc: d.Results}
	draw := heavy() // certificates and analyses cost tenths of a second to seconds
	api.Get("/results/papers", results.Right, "有成绩的试卷", httpkit.Read(h.listResultPapers))
	api.Get("/results/topics", results.Right, "知识点强弱", httpkit.Read(h.topicResults, draw))
	api.Get("/papers/{id}/results", results.Right, "试卷成绩", httpkit.Read(h.paperResults))
	api.Get("/papers/{id}/turnout", results.Right, "参加情况", httpkit.Read(h.paperTurnout))
	api.Get("/papers/{id}/analysis", results.Right, "题目分析", httpkit.Read(h.paperAnalysis, draw))
	api.Get("/papers/{id}/analysis/{question}", results.Right, "一道题的作答情况", httpkit.Read(h.questionAnswers, draw))
	api.Get("/papers/{id}/results.xlsx", results.Right, "导出成绩和题目分析", httpkit.Raw(h.exportResults, draw, httpkit.Produces(xlsxMime),
		httpkit.Query("orgId", "this organisation and everything under it"), httpkit.Timeout(2*time.Minute)))
	api.Get("/papers/{id}/certificates", results.Right, "证书列表", httpkit.Read(h.listCertificates))
	api.Post("/certificates/{id}/revoke", results.Right, "撤销证书", httpkit.Edit(h.revokeCertificate))
	api.Get("/certificates/{id}/file.pdf", results.Right, "下载证书（PDF）", httpkit.Raw(h.certificatePDF, draw, httpkit.Produces("application/pdf")))
	api.Get("/certificates/{id}/file.png", results.Right, "下载证书（图片）", httpkit.Raw(h.certificatePNG, draw, httpkit.Produces("image/png")))
	verifyRoutes(root, d)
}

func (h *outcomes) listResultPapers(ctx context.Context, actor *authz.Actor, in *struct{ httpkit.Paging }) (*page.Result[results.Held], error) {
	return h.svc.Papers(ctx, actor, in.Page)
}

func (h *outcomes) topicResults(ctx context.Context, actor *authz.Actor, in *orgIn) (*results.Topics, error) {
	return h.svc.Topics(ctx, actor, in.OrgID.V)
}

type paperResultsIn struct {
	httpkit.ByID
	httpkit.Paging
	OrgID httpkit.ID `query:"orgId" doc:"this organisation and everything under it; absent: all you may see"`
}

func (h *outcomes) paperResults(ctx context.Context, actor *authz.Actor, in *paperResultsIn) (*results.Sheet, error) {
	return h.svc.Sheet(ctx, actor, in.ID.V, in.OrgID.V, in.Page)
}

func (h *outcomes) listCertificates(ctx context.Context, actor *authz.Actor, in *paperResultsIn) (*page.Result[results.Certificate], error) {
	return h.svc.PaperCertificates(ctx, actor, in.ID.V, in.OrgID.V, in.Page)
}

type paperOrgIn struct {
	httpkit.ByID
	OrgID httpkit.ID `query:"orgId" doc:"this organisation and everything under it; absent: all you may see"`
}

func (h *outcomes) paperTurnout(ctx context.Context, actor *authz.Actor, in *paperOrgIn) (*results.TurnoutList, error) {
	return h.svc.Turnout(ctx, actor, in.ID.V, in.OrgID.V)
}

func (h *outcomes) paperAnalysis(ctx context.Context, actor *authz.Actor, in *paperOrgIn) (*results.Analysis, error) {
	return h.svc.Analyse(ctx, actor, in.ID.V, in.OrgID.V)
}

type questionAnswersIn struct {
	httpkit.ByID
	Question httpkit.ID `path:"question"`
	OrgID    httpkit.ID `query:"orgId"`
}

func (h *outcomes) questionAnswers(ctx context.Context, actor *authz.Actor, in *questionAnswersIn) (*results.ItemAnswers, error) {
	return h.svc.Item(ctx, actor, in.ID.V, in.Question.V, in.OrgID.V)
}

type revokeCertificateIn struct {
	httpkit.ByID
	httpkit.Match
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"100" doc:"kept in the audit, shown to the member"`
	}
}

func (h *outcomes) revokeCertificate(ctx context.Context, actor *authz.Actor, in *revokeCertificateIn) (*results.Certificate, error) {
	return h.svc.Revoke(ctx, actor, in.ID.V, in.Version, in.Body.Reason)
}

func (h *outcomes) exportResults(c *fiber.Ctx) error {
	id, err := pathID(c, "试卷")
	if err != nil {
		return err
	}
	org, err := queryID(c, "orgId")
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	f, err := h.svc.Export(ctx, httpkit.ActorOf(ctx), id, org)
	if err != nil {
		return err
	}
	return sendSheet(c, f.Name, f.Data)
}

func (h *outcomes) certificatePDF(c *fiber.Ctx) error {
	return sendCertificate(c, "application/pdf", h.svc.CertificatePDF)
}

func (h *outcomes) certificatePNG(c *fiber.Ctx) error {
	return sendCertificate(c, "image/png", h.svc.CertificatePNG)
}

func sendCertificate(c *fiber.Ctx, kind string, draw func(context.Context, *authz.Actor, ids.ID) (*results.File, error)) error {
	id, err := pathID(c, "证书")
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	f, err := draw(ctx, httpkit.ActorOf(ctx), id)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, kind)
	c.Set(fiber.HeaderContentDisposition, "attachment; filename*=UTF-8''"+url.PathEscape(f.Name))
	return c.Send(f.Data)
}

// pathID reads {id} of a raw route; what is no id names nothing.
func pathID(c *fiber.Ctx, thing string) (ids.ID, error) {
	id, err := ids.Parse(c.Params("id"))
	if err != nil || id == 0 {
		return 0, errs.Missing(thing)
	}
	return id, nil
}
