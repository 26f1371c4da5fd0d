package handlers_test

import (
	"context"
	"crypto/rand"
	"log/slog"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
	"tongxin/internal/signed"
	"tongxin/live"
	"tongxin/storage"
)

func (h *house) rooms() *live.Service {
	return live.New(live.Config{
		Store: storage.NewLive(h.db), Signer: signed.New([]byte("key"), "seat", h.clock), Clock: h.clock, IDs: h.db.IDs(), Random: rand.Reader,
		Log: slog.New(slog.DiscardHandler), Node: "test", Media: true,
		Org: func(ctx context.Context, id ids.ID) (live.Org, error) {
			o, err := h.staff.Org(ctx, authz.SystemActor("test"), id)
			if err != nil {
				return live.Org{}, err
			}
			return live.Org{ID: o.ID, Name: o.Name, Path: o.Path}, nil
		},
	})
}
