package handlers

import (
	"context"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/httpkit"
	"tongxin/internal/ids"
	"tongxin/publish"
)

type calendarIn struct {
	From      time.Time  `query:"from" required:"true"`
	To        time.Time  `query:"to" required:"true"`
	AccountID httpkit.ID `query:"accountId"`
	OrgID     httpkit.ID `query:"orgId"`
	State     []string   `query:"state"`
}

func (in *calendarIn) filter() publish.CalendarFilter {
	return publish.CalendarFilter{From: in.From, To: in.To, AccountID: in.AccountID.V, OrgID: in.OrgID.V, States: states(in.State)}
}

func (h *posts) getCalendar(ctx context.Context, actor *authz.Actor, in *calendarIn) (*publish.Calendar, error) {
	return h.svc.CalendarOf(ctx, actor, in.filter())
}

type slotsView struct {
	Items []publish.Slot `json:"items"`
}

func (h *posts) listSlots(ctx context.Context, actor *authz.Actor, _ *struct{}) (*slotsView, error) {
	list, err := h.svc.Slots(ctx, actor)
	return &slotsView{Items: list}, err
}

type addSlotIn struct {
	Body struct {
		AccountID ids.ID `json:"accountId"`
		Weekday   int    `json:"weekday" minimum:"1" maximum:"7" doc:"1 Monday … 7 Sunday"`
		Minute    int    `json:"minute" minimum:"0" maximum:"1439" doc:"minutes after midnight in Asia/Shanghai"`
		Label     string `json:"label,omitempty" maxLength:"40"`
	}
}

func (h *posts) addSlot(ctx context.Context, actor *authz.Actor, in *addSlotIn) (*publish.Slot, error) {
	b := in.Body
	return h.svc.AddSlot(ctx, actor, publish.Slot{AccountID: b.AccountID, Weekday: b.Weekday, Minute: b.Minute, Label: b.Label})
}

func (h *posts) deleteSlot(ctx context.Context, actor *authz.Actor, in *idIn) error {
	return h.svc.DeleteSlot(ctx, actor, in.ID.V)
}

type nextSlotIn struct {
	AccountID httpkit.ID `query:"accountId" required:"true"`
}

type nextSlotView struct {
	DueAt time.Time `json:"dueAt"`
}

func (h *posts) nextSlot(ctx context.Context, actor *authz.Actor, in *nextSlotIn) (*nextSlotView, error) {
	at, err := h.svc.NextSlot(ctx, actor, in.AccountID.V)
	return &nextSlotView{DueAt: at}, err
}

type linkView struct {
	URL string `json:"url" doc:"secret address of the .ics feed; shown once, the older one is dead"`
}

func (h *posts) newCalendarLink(ctx context.Context, actor *authz.Actor, _ *struct{}) (*linkView, error) {
	token, err := h.svc.NewCalendarLink(ctx, actor)
	return &linkView{URL: h.publicURL + "/calendar/" + token + ".ics"}, err
}

// calendarFeed serves /calendar/{token}.ics to calendar programs.
func (h *posts) calendarFeed(c *fiber.Ctx) error {
	token, ok := strings.CutSuffix(c.Params("token"), ".ics")
	if !ok {
		return errs.Missing("日历")
	}
	body, err := h.svc.ICS(c.UserContext(), token)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "text/calendar; charset=utf-8")
	c.Set(fiber.HeaderCacheControl, "private, max-age=300")
	return c.Send(body)
}

func (h *posts) exportCalendar(c *fiber.Ctx) error {
	from, err1 := time.Parse(time.RFC3339, c.Query("from"))
	to, err2 := time.Parse(time.RFC3339, c.Query("to"))
	if err1 != nil || err2 != nil {
		return errs.Bad("from", "请选择导出的起止时间。")
	}
	ctx := c.UserContext()
	body, err := h.svc.ExportCalendar(ctx, httpkit.ActorOf(ctx), publish.CalendarFilter{From: from, To: to})
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "text/csv; charset=utf-8")
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="calendar.csv"`)
	return c.Send(body)
}

// importCalendar takes a CSV file as the request body.
func (h *posts) importCalendar(c *fiber.Ctx) error {
	ctx := c.UserContext()
	rep, err := h.svc.ImportCalendar(ctx, httpkit.ActorOf(ctx), c.Body(), c.QueryBool("dryRun"))
	if err != nil {
		return err
	}
	return c.JSON(rep)
}
