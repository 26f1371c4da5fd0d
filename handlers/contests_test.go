package handlers_test

import (
	"context"
	"crypto/rand"
	"log/slog"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
	"tongxin/quiz/contest"
	"tongxin/storage"
)

func (h *house) contests() *contest.Service {
	svc, err := contest.New(contest.Config{
		Store: storage.NewContests(h.db), Bank: storage.NewQuizBank(h.db), HTML: func(md string) string { return md },
		Org: func(ctx context.Context, id ids.ID) (contest.Org, error) {
			o, err := h.staff.Org(ctx, authz.SystemActor("test"), id)
			if err != nil {
				return contest.Org{}, err
			}
			return contest.Org{ID: o.ID, Name: o.Name, Path: o.Path}, nil
		},
		Clock: h.clock, IDs: h.db.IDs(), Random: rand.Reader, Node: "test", Alone: true, Log: slog.New(slog.DiscardHandler), PerMember: 3,
	})
	check(h.t, err)
	return svc
}
