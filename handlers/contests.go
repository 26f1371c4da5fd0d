package handlers

import (
	"context"
	"strings"

	"github.com/gofiber/fiber/v2"

	"tongxin/internal/authz"
	"tongxin/internal/httpkit"
	"tongxin/internal/ids"
	"tongxin/internal/limit"
	"tongxin/internal/page"
	"tongxin/quiz/contest"
)

// liveContests is the part of the table about live contests.
func liveContests(api, root *httpkit.Surface, d Deps) {
	h := &contests{svc: d.Contests, publicURL: strings.TrimSuffix(strings.ToLower(d.PublicURL), "/")}
	api.Get("/contests", contest.Host, "比赛列表", httpkit.Read(h.listContests))
	api.Post("/contests", contest.Host, "新建比赛", httpkit.Create(h.createContest))
	api.Get("/contests/{id}", contest.Host, "查看比赛", httpkit.Read(h.getContest))
	api.Put("/contests/{id}", contest.Host, "修改比赛", httpkit.Edit(h.saveContest))
	api.Delete("/contests/{id}", contest.Host, "删除比赛", httpkit.Done(h.deleteContest, httpkit.About("drafts only; asks for If-Match")))
	api.Post("/contests/{id}/open", contest.Host, "开放比赛", httpkit.Do(h.openContest))
	api.Post("/contests/{id}/start", contest.Host, "开始比赛", httpkit.Do(h.command(contest.Start), httpkit.Named("startContest"), httpkit.About("shows the first question")))
	api.Post("/contests/{id}/next", contest.Host, "下一题", httpkit.Do(h.command(contest.Next), httpkit.Named("nextQuestion"), httpkit.About("after the last question: the end")))
	api.Post("/contests/{id}/skip", contest.Host, "跳过本题", httpkit.Do(h.command(contest.Skip), httpkit.Named("skipQuestion"), httpkit.About("the open question counts for nobody")))
	api.Post("/contests/{id}/pause", contest.Host, "暂停比赛", httpkit.Do(h.command(contest.Pause), httpkit.Named("pauseContest")))
	api.Post("/contests/{id}/resume", contest.Host, "继续比赛", httpkit.Do(h.command(contest.Resume), httpkit.Named("resumeContest")))
	api.Post("/contests/{id}/lock", contest.Host, "锁定比赛", httpkit.Do(h.command(contest.Lock), httpkit.Named("lockContest"), httpkit.About("nobody new may join")))
	api.Post("/contests/{id}/unlock", contest.Host, "解除锁定", httpkit.Do(h.command(contest.Unlock), httpkit.Named("unlockContest")))
	api.Post("/contests/{id}/remove", contest.Host, "移出选手", httpkit.Do(h.removePlayer, httpkit.About("who was removed cannot come back")))
	api.Post("/contests/{id}/end", contest.Host, "结束比赛", httpkit.Do(h.command(contest.End), httpkit.Named("endContest")))
	api.Post("/contests/{id}/host-ticket", contest.Host, "主持人连接凭证", httpkit.Do(h.view(contest.RoleHost), httpkit.Named("hostTicket")))
	api.Post("/contests/{id}/projector-ticket", contest.Host, "大屏连接凭证", httpkit.Do(h.view(contest.RoleProjector), httpkit.Named("projectorTicket")))
	api.Get("/contests/{id}/players", contest.Host, "选手名单", httpkit.Read(h.listPlayers))
	api.Get("/contests/{id}/results", contest.Host, "比赛成绩", httpkit.Read(h.contestResults))
	api.Get("/contests/{id}/results.xlsx", contest.Host, "导出比赛成绩", httpkit.Raw(h.contestSheet, heavy(), httpkit.Produces(xlsxMime)))
	// A hall of people shares one address: connecting does not count with what
	// else comes from there. The ticket is what lets somebody in.
	hall := httpkit.Apart(limit.New(d.Clock, limit.Rate{PerSecond: 500, Burst: 6000}, 10_000), limit.New(d.Clock, limit.Rate{PerSecond: 500, Burst: 6000}, 10_000))
	root.Get("/ws/contest", httpkit.Public, "现场比赛（WebSocket）", httpkit.Raw(h.socket, hall, httpkit.Query("ticket", "from join, host-ticket or projector-ticket")))
}

type contests struct {
	svc       *contest.Service
	publicURL string
}

type listContestsIn struct {
	httpkit.Paging
	State string `query:"state" enum:"draft,lobby,running,paused,finished"`
}

func (h *contests) listContests(ctx context.Context, actor *authz.Actor, in *listContestsIn) (*page.Result[contest.Contest], error) {
	var states []contest.State
	if in.State != "" {
		states = []contest.State{contest.State(in.State)}
	}
	return h.svc.List(ctx, actor, states, in.Page)
}

type createContestIn struct{ Body contest.Input }

func (h *contests) createContest(ctx context.Context, actor *authz.Actor, in *createContestIn) (*contest.Contest, error) {
	return h.svc.Create(ctx, actor, in.Body)
}

func (h *contests) getContest(ctx context.Context, actor *authz.Actor, in *idIn) (*contest.Contest, error) {
	return h.svc.Get(ctx, actor, in.ID.V)
}

type saveContestIn struct {
	httpkit.ByID
	httpkit.Match
	Body contest.Input
}

func (h *contests) saveContest(ctx context.Context, actor *authz.Actor, in *saveContestIn) (*contest.Contest, error) {
	return h.svc.Save(ctx, actor, in.ID.V, in.Version, in.Body)
}

func (h *contests) deleteContest(ctx context.Context, actor *authz.Actor, in *httpkit.ByVersion) error {
	return h.svc.Delete(ctx, actor, in.ID.V, in.Version)
}

func (h *contests) openContest(ctx context.Context, actor *authz.Actor, in *idIn) (*contest.Contest, error) {
	return h.svc.Open(ctx, actor, in.ID.V)
}

type commandIn struct {
	httpkit.ByID
	Body *struct {
		Seen *int `json:"seen,omitempty" minimum:"0" doc:"question that the host sees; when the contest is at another one, nothing is done"`
	}
}

func (h *contests) command(verb contest.Verb) httpkit.Func[commandIn, contest.Contest] {
	return func(ctx context.Context, actor *authz.Actor, in *commandIn) (*contest.Contest, error) {
		cmd := contest.Command{Verb: verb}
		if in.Body != nil {
			cmd.Seen = in.Body.Seen
		}
		return h.svc.Command(ctx, actor, in.ID.V, cmd)
	}
}

type removePlayerIn struct {
	httpkit.ByID
	Body struct {
		PlayerID ids.ID `json:"playerId"`
	}
}

func (h *contests) removePlayer(ctx context.Context, actor *authz.Actor, in *removePlayerIn) (*contest.Contest, error) {
	return h.svc.Command(ctx, actor, in.ID.V, contest.Command{Verb: contest.Remove, Player: in.Body.PlayerID})
}

func (h *contests) view(role contest.Role) httpkit.Func[idIn, contest.Entrance] {
	return func(ctx context.Context, actor *authz.Actor, in *idIn) (*contest.Entrance, error) {
		return h.svc.View(ctx, actor, in.ID.V, role)
	}
}

type listPlayersIn struct {
	httpkit.ByID
	httpkit.Paging
	Q string `query:"q" maxLength:"30" doc:"part of the name"`
}

func (h *contests) listPlayers(ctx context.Context, actor *authz.Actor, in *listPlayersIn) (*page.Result[contest.Player], error) {
	return h.svc.Players(ctx, actor, in.ID.V, strings.TrimSpace(in.Q), in.Page)
}

func (h *contests) contestResults(ctx context.Context, actor *authz.Actor, in *idIn) (*contest.Outcome, error) {
	return h.svc.Results(ctx, actor, in.ID.V)
}

func (h *contests) contestSheet(c *fiber.Ctx) error {
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
