package miniapp

import (
	"context"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/httpkit"
	"tongxin/internal/limit"
	"tongxin/internal/page"
	"tongxin/live"
)

// lectureRoutes is the part of the table about lectures. A hall of members shares
// one address and joins within a minute, so joining counts apart.
func lectureRoutes(api *httpkit.Surface, clk clock.Clock, svc *live.Service) {
	h := &rooms{svc}
	hall := httpkit.Apart(limit.New(clk, limit.Rate{PerSecond: 500, Burst: 6000}, 10_000), limit.New(clk, limit.Rate{PerSecond: 500, Burst: 6000}, 10_000))
	api.Get("/lectures", live.Watch, "直播讲座", httpkit.Read(h.listLectures))
	api.Post("/lectures/join", live.Watch, "凭观看码进入讲座", httpkit.Do(h.joinLectureByCode, hall))
	api.Get("/lectures/{id}", live.Watch, "查看讲座", httpkit.Read(h.getLecture))
	api.Post("/lectures/{id}/join", live.Watch, "进入讲座", httpkit.Do(h.joinLecture, hall, httpkit.About("asked for again before connecting anew after expiresAt")))
}

type rooms struct{ svc *live.Service }

type listLecturesIn struct{ httpkit.Paging }

func (h *rooms) listLectures(ctx context.Context, actor *authz.Actor, in *listLecturesIn) (*page.Result[live.Card], error) {
	return h.svc.Cards(ctx, actor, in.Page)
}

type lectureIn struct{ httpkit.ByID }

func (h *rooms) getLecture(ctx context.Context, actor *authz.Actor, in *lectureIn) (*live.Card, error) {
	return h.svc.Card(ctx, actor, in.ID.V)
}

func (h *rooms) joinLecture(ctx context.Context, actor *authz.Actor, in *lectureIn) (*live.Pass, error) {
	return h.svc.Join(ctx, actor, in.ID.V)
}

type joinLectureByCodeIn struct {
	Body struct {
		Code string `json:"code" minLength:"1" maxLength:"12"`
	}
}

func (h *rooms) joinLectureByCode(ctx context.Context, actor *authz.Actor, in *joinLectureByCodeIn) (*live.Pass, error) {
	return h.svc.JoinByCode(ctx, actor, in.Body.Code)
}
