package miniapp

import (
	"context"
	"net/url"
	"runtime"

	"github.com/gofiber/fiber/v2"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/httpkit"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/quiz"
	"tongxin/quiz/results"
)

// outcomes serves the member's own results, strengths and gaps, rankings and
// certificates.
type outcomes struct{ svc *results.Service }

// resultRoutes is the part of the table about them.
func resultRoutes(api *httpkit.Surface, h *outcomes) {
	draw := httpkit.Through(httpkit.NewGate(2 * runtime.GOMAXPROCS(0)))
	api.Get("/results", quiz.Take, "我的成绩", httpkit.Read(h.listResults))
	api.Get("/results/topics", quiz.Take, "我的强项和薄弱点", httpkit.Read(h.ownTopics))
	api.Get("/papers/{id}/ranking", quiz.Take, "排名", httpkit.Read(h.getRanking))
	api.Get("/certificates", quiz.Take, "我的证书", httpkit.Read(h.listCertificates))
	api.Get("/certificates/{id}/file.pdf", quiz.Take, "下载我的证书（PDF）", httpkit.Raw(h.certificatePDF, draw, httpkit.Produces("application/pdf")))
	api.Get("/certificates/{id}/file.png", quiz.Take, "下载我的证书（图片）", httpkit.Raw(h.certificatePNG, draw, httpkit.Produces("image/png")))
}

func (h *outcomes) listResults(ctx context.Context, actor *authz.Actor, in *struct{ httpkit.Paging }) (*page.Result[results.OwnResult], error) {
	return h.svc.OwnResults(ctx, actor, in.Page)
}

func (h *outcomes) ownTopics(ctx context.Context, actor *authz.Actor, _ *struct{}) (*results.Topics, error) {
	return h.svc.OwnTopics(ctx, actor)
}

func (h *outcomes) getRanking(ctx context.Context, actor *authz.Actor, in *httpkit.ByID) (*results.Ranking, error) {
	return h.svc.Ranking(ctx, actor, in.ID.V)
}

func (h *outcomes) listCertificates(ctx context.Context, actor *authz.Actor, in *struct{ httpkit.Paging }) (*page.Result[results.Certificate], error) {
	return h.svc.OwnCertificates(ctx, actor, in.Page)
}

func (h *outcomes) certificatePDF(c *fiber.Ctx) error {
	return sendCertificate(c, "application/pdf", h.svc.CertificatePDF)
}

func (h *outcomes) certificatePNG(c *fiber.Ctx) error {
	return sendCertificate(c, "image/png", h.svc.CertificatePNG)
}

func sendCertificate(c *fiber.Ctx, kind string, draw func(context.Context, *authz.Actor, ids.ID) (*results.File, error)) error {
	id, err := ids.Parse(c.Params("id"))
	if err != nil || id == 0 {
		return errs.Missing("证书")
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
