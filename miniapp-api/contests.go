package miniapp

import (
	"context"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/httpkit"
	"tongxin/internal/limit"
	"tongxin/internal/page"
	"tongxin/quiz/contest"
)

// liveContests is the part of the table about live contests. A hall of members
// shares one address and joins within a minute, so joining counts apart.
func liveContests(api *httpkit.Surface, clk clock.Clock, svc *contest.Service) {
	h := &contests{svc: svc}
	hall := httpkit.Apart(limit.New(clk, limit.Rate{PerSecond: 500, Burst: 6000}, 10_000), limit.New(clk, limit.Rate{PerSecond: 500, Burst: 6000}, 10_000))
	api.Get("/contests", contest.Play, "比赛", httpkit.Read(h.listContests))
	api.Post("/contests/join", contest.Play, "凭参赛码加入比赛", httpkit.Do(h.joinByCode, hall))
	api.Post("/contests/match", contest.Play, "双人或四人对战", httpkit.Do(h.joinMatch))
	api.Post("/contests/{id}/join", contest.Play, "加入比赛", httpkit.Do(h.joinContest, hall))
}

type contests struct{ svc *contest.Service }

type listContestsIn struct{ httpkit.Paging }

func (h *contests) listContests(ctx context.Context, actor *authz.Actor, in *listContestsIn) (*page.Result[contest.Card], error) {
	return h.svc.Cards(ctx, actor, in.Page)
}

type joinContestIn struct {
	httpkit.ByID
	Body *struct {
		Team string `json:"team,omitempty" maxLength:"60" doc:"in a team contest: one of its teams, or a name of up to 20 characters"`
	}
}

func (h *contests) joinContest(ctx context.Context, actor *authz.Actor, in *joinContestIn) (*contest.Entrance, error) {
	team := ""
	if in.Body != nil {
		team = in.Body.Team
	}
	return h.svc.Join(ctx, actor, in.ID.V, team)
}

type joinByCodeIn struct {
	Body struct {
		Code string `json:"code" minLength:"1" maxLength:"12"`
		Team string `json:"team,omitempty" maxLength:"60"`
	}
}

func (h *contests) joinByCode(ctx context.Context, actor *authz.Actor, in *joinByCodeIn) (*contest.Entrance, error) {
	return h.svc.JoinByCode(ctx, actor, in.Body.Code, in.Body.Team)
}

type joinMatchIn struct{ Body contest.MatchAsk }

func (h *contests) joinMatch(ctx context.Context, actor *authz.Actor, in *joinMatchIn) (*contest.Entrance, error) {
	return h.svc.Match(ctx, actor, in.Body)
}
