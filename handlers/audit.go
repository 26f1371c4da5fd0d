package handlers

import (
	"context"
	"io"
	"time"

	"github.com/gofiber/fiber/v2"

	"tongxin/audit"
	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/httpkit"
	"tongxin/internal/ids"
	"tongxin/internal/page"
)

// trails serves the audit.
type trails struct{ svc *audit.Service }

type listAuditIn struct {
	Actor    httpkit.ID `query:"actor"`
	Action   string     `query:"action" maxLength:"64" doc:"beginning of the action, such as signin."`
	Object   string     `query:"object" maxLength:"32"`
	ObjectID httpkit.ID `query:"objectId"`
	Result   string     `query:"result" enum:"ok,denied,failed"`
	From     time.Time  `query:"from"`
	To       time.Time  `query:"to"`
	Cursor   string     `query:"cursor" maxLength:"200"`
	Limit    int        `query:"limit" minimum:"1" maximum:"200"`
}

func (h *trails) listAudit(ctx context.Context, actor *authz.Actor, in *listAuditIn) (*page.Result[audit.Row], error) {
	f := audit.Filter{ActorID: in.Actor.V, Action: in.Action, Object: in.Object, ObjectID: in.ObjectID.V, Result: in.Result, From: in.From, To: in.To}
	return h.svc.List(ctx, actor, f, in.Cursor, in.Limit)
}

func (h *trails) verifyAudit(ctx context.Context, actor *authz.Actor, _ *struct{}) (*audit.Report, error) {
	return h.svc.Verify(ctx, actor)
}

// exportAudit streams: an audit grows without end.
func (h *trails) exportAudit(c *fiber.Ctx) error {
	ctx := c.UserContext()
	f, err := exportFilter(c)
	if err != nil {
		return err
	}
	format := audit.Format(c.Query("format", string(audit.CSV)))
	write, err := h.svc.Begin(ctx, httpkit.ActorOf(ctx), f, format)
	if err != nil {
		return err
	}
	ctype, name := "text/csv; charset=utf-8", "审计记录.csv"
	if format == audit.JSONLines {
		ctype, name = "application/x-ndjson; charset=utf-8", "审计记录.jsonl"
	}
	return httpkit.Stream(c, ctype, name, 10*time.Minute, func(ctx context.Context, w io.Writer) error { return write(ctx, w) })
}

func exportFilter(c *fiber.Ctx) (f audit.Filter, err error) {
	f.Action, f.Object, f.Result = c.Query("action"), c.Query("object"), c.Query("result")
	for name, id := range map[string]*ids.ID{"actor": &f.ActorID, "objectId": &f.ObjectID} {
		if *id, err = ids.Parse(c.Query(name)); err != nil {
			return f, errs.Bad(name, "编号格式不正确。")
		}
	}
	for name, t := range map[string]*time.Time{"from": &f.From, "to": &f.To} {
		if s := c.Query(name); s != "" {
			if *t, err = time.Parse(time.RFC3339, s); err != nil {
				return f, errs.Bad(name, "时间格式不正确。")
			}
		}
	}
	return f, nil
}
