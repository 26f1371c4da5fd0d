package handlers

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"tongxin/internal/authz"
	"tongxin/internal/httpkit"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/live"
)

// lectures is the part of the table about lectures.
func lectures(api *httpkit.Surface, d Deps) {
	h := &rooms{d.Rooms}
	api.Get("/lectures", live.Host, "讲座列表", httpkit.Read(h.listLectures))
	api.Post("/lectures", live.Host, "计划讲座", httpkit.Create(h.createLecture))
	api.Get("/lectures/{id}", live.Host, "查看讲座", httpkit.Read(h.getLecture))
	api.Put("/lectures/{id}", live.Host, "修改讲座", httpkit.Edit(h.saveLecture, httpkit.About("until it is opened")))
	api.Delete("/lectures/{id}", live.Host, "删除讲座", httpkit.Done(h.deleteLecture, httpkit.About("until it is opened; asks for If-Match")))
	api.Post("/lectures/{id}/open", live.Host, "开播", httpkit.Do(h.openLecture))
	api.Post("/lectures/{id}/end", live.Host, "结束讲座", httpkit.Do(h.endLecture, httpkit.About("for good; everybody is disconnected within seconds")))
	api.Post("/lectures/{id}/lock", live.Host, "锁定讲座", httpkit.Do(h.lockLecture, httpkit.About("nobody new may come in")))
	api.Post("/lectures/{id}/unlock", live.Host, "解除锁定讲座", httpkit.Do(h.unlockLecture))
	api.Post("/lectures/{id}/remove", live.Host, "移出讲座", httpkit.Done(h.removeFromLecture, httpkit.About("who was removed cannot come back")))
	api.Post("/lectures/{id}/publish", live.Host, "推流凭证", httpkit.Do(h.publishLecture, httpkit.About("a pass for WHIP: ten minutes to connect, with obs twelve hours")))
	api.Get("/lectures/{id}/attendance", live.Host, "讲座签到与学时", httpkit.Read(h.lectureAttendance))
	api.Get("/lectures/{id}/attendance.xlsx", live.Host, "导出签到与学时", httpkit.Raw(h.lectureSheet, heavy(), httpkit.Produces(xlsxMime)))
}

type rooms struct{ svc *live.Service }

type listLecturesIn struct {
	httpkit.Paging
	State string `query:"state" enum:"planned,open,ended"`
}

func (h *rooms) listLectures(ctx context.Context, actor *authz.Actor, in *listLecturesIn) (*page.Result[live.Room], error) {
	var states []live.State
	if in.State != "" {
		states = []live.State{live.State(in.State)}
	}
	return h.svc.List(ctx, actor, states, in.Page)
}

type createLectureIn struct{ Body live.Input }

func (h *rooms) createLecture(ctx context.Context, actor *authz.Actor, in *createLectureIn) (*live.Room, error) {
	return h.svc.Create(ctx, actor, in.Body)
}

func (h *rooms) getLecture(ctx context.Context, actor *authz.Actor, in *idIn) (*live.Room, error) {
	return h.svc.Get(ctx, actor, in.ID.V)
}

type saveLectureIn struct {
	httpkit.ByID
	httpkit.Match
	Body live.Input
}

func (h *rooms) saveLecture(ctx context.Context, actor *authz.Actor, in *saveLectureIn) (*live.Room, error) {
	return h.svc.Save(ctx, actor, in.ID.V, in.Version, in.Body)
}

func (h *rooms) deleteLecture(ctx context.Context, actor *authz.Actor, in *httpkit.ByVersion) error {
	return h.svc.Delete(ctx, actor, in.ID.V, in.Version)
}

func (h *rooms) openLecture(ctx context.Context, actor *authz.Actor, in *idIn) (*live.Room, error) {
	return h.svc.Open(ctx, actor, in.ID.V)
}

func (h *rooms) endLecture(ctx context.Context, actor *authz.Actor, in *idIn) (*live.Room, error) {
	return h.svc.End(ctx, actor, in.ID.V)
}

func (h *rooms) lockLecture(ctx context.Context, actor *authz.Actor, in *idIn) (*live.Room, error) {
	return h.svc.Lock(ctx, actor, in.ID.V)
}

func (h *rooms) unlockLecture(ctx context.Context, actor *authz.Actor, in *idIn) (*live.Room, error) {
	return h.svc.Unlock(ctx, actor, in.ID.V)
}

type removeFromLectureIn struct {
	httpkit.ByID
	Body struct {
		PersonID ids.ID `json:"personId"`
	}
}

func (h *rooms) removeFromLecture(ctx context.Context, actor *authz.Actor, in *removeFromLectureIn) error {
	return h.svc.Remove(ctx, actor, in.ID.V, in.Body.PersonID)
}

type publishLectureIn struct {
	httpkit.ByID
	Body *struct {
		OBS bool `json:"obs,omitempty" doc:"for a program that cannot ask again"`
	}
}

func (h *rooms) publishLecture(ctx context.Context, actor *authz.Actor, in *publishLectureIn) (*live.Pass, error) {
	return h.svc.Publish(ctx, actor, in.ID.V, in.Body != nil && in.Body.OBS)
}

func (h *rooms) lectureAttendance(ctx context.Context, actor *authz.Actor, in *idIn) (*live.Attendance, error) {
	return h.svc.Attendance(ctx, actor, in.ID.V)
}

func (h *rooms) lectureSheet(c *fiber.Ctx) error {
	id, err := ids.Parse(c.Params("id"))
	if err != nil {
		id = 0
	}
	ctx := c.UserContext()
	name, body, err := h.svc.Sheet(ctx, httpkit.ActorOf(ctx), id)
	if err != nil {
		return err
	}
	return sendSheet(c, name, body)
}
