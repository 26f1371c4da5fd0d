package handlers_test

import (
	"context"
	"log/slog"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
	"tongxin/notify"
	"tongxin/staff"
	"tongxin/storage"
)

// notices is the domain of notices over the house's organisations.
func (h *house) notices() *notify.Service {
	svc, err := notify.New(notify.Config{
		Store: storage.NewNotify(h.db), Clock: h.clock, IDs: h.db.IDs(), Log: slog.New(slog.DiscardHandler), Owner: "test",
		Org: func(ctx context.Context, id ids.ID) (notify.Org, error) {
			o, err := h.staff.Org(ctx, authz.SystemActor("test"), id)
			if err != nil {
				return notify.Org{}, err
			}
			return notify.Org{ID: o.ID, Path: o.Path, Name: o.Name, Branch: o.Kind == staff.Branch, Group: o.Kind == staff.Group}, nil
		},
		Render: func(markdown string) (string, string, error) { return "<p>" + markdown + "</p>", markdown, nil },
	})
	check(h.t, err)
	return svc
}
