package handlers

import (
	"context"
	"mime"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/httpkit"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/member"
)

// xlsxMime is the media type of a spreadsheet.
const xlsxMime = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// members serves the roster. Numbers of persons come in bodies only, never in
// an address, which proxies and browsers keep.
type members struct{ svc *member.Service }

type listMembersIn struct {
	httpkit.Paging
	OrgID   httpkit.ID `query:"orgId" doc:"this organisation and everything under it"`
	GroupID httpkit.ID `query:"groupId"`
	Kind    string     `query:"kind" enum:"full,probationary"`
	State   string     `query:"state" enum:"active,left,deceased,transferred_out"`
	Post    string     `query:"post" maxLength:"32"`
	Q       string     `query:"q" maxLength:"30" doc:"part of the name"`
}

func (h *members) listMembers(ctx context.Context, actor *authz.Actor, in *listMembersIn) (*page.Result[member.Member], error) {
	return h.svc.Members(ctx, actor, member.Ask{
		OrgID: in.OrgID.V, GroupID: in.GroupID.V, Kind: member.Kind(in.Kind),
		State: member.State(in.State), Post: in.Post, Query: in.Q,
	}, in.Page)
}

type findMembersIn struct {
	Body struct {
		Number string `json:"number" minLength:"11" maxLength:"24" doc:"a whole phone or ID number"`
	}
}

func (h *members) findMembers(ctx context.Context, actor *authz.Actor, in *findMembersIn) (*page.Result[member.Member], error) {
	return h.svc.Find(ctx, actor, in.Body.Number)
}

func (h *members) getMember(ctx context.Context, actor *authz.Actor, in *idIn) (*member.Member, error) {
	return h.svc.Member(ctx, actor, in.ID.V)
}

type createMemberIn struct{ Body member.Input }

func (h *members) createMember(ctx context.Context, actor *authz.Actor, in *createMemberIn) (*member.Member, error) {
	return h.svc.Create(ctx, actor, in.Body)
}

type saveMemberIn struct {
	httpkit.ByID
	httpkit.Match
	Body member.Input
}

func (h *members) saveMember(ctx context.Context, actor *authz.Actor, in *saveMemberIn) (*member.Member, error) {
	return h.svc.Save(ctx, actor, in.ID.V, in.Version, in.Body)
}

type reasonIn struct {
	httpkit.ByID
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"100" doc:"kept in the audit"`
	}
}

func (h *members) revealMember(ctx context.Context, actor *authz.Actor, in *reasonIn) (*member.Numbers, error) {
	return h.svc.RevealNumbers(ctx, actor, in.ID.V, in.Body.Reason)
}

func (h *members) personalData(ctx context.Context, actor *authz.Actor, in *reasonIn) (*member.PersonalData, error) {
	return h.svc.Personal(ctx, actor, in.ID.V, in.Body.Reason)
}

type leaveMemberIn struct {
	httpkit.ByID
	httpkit.Match
	Body member.Leaving
}

func (h *members) leaveMember(ctx context.Context, actor *authz.Actor, in *leaveMemberIn) (*member.Member, error) {
	return h.svc.Leave(ctx, actor, in.ID.V, in.Version, in.Body)
}

func (h *members) returnMember(ctx context.Context, actor *authz.Actor, in *httpkit.ByVersion) (*member.Member, error) {
	return h.svc.Return(ctx, actor, in.ID.V, in.Version)
}

type orgIn struct {
	OrgID httpkit.ID `query:"orgId" doc:"this organisation and everything under it; absent: all"`
}

func (h *members) listAlarms(ctx context.Context, actor *authz.Actor, in *orgIn) (*member.Alarms, error) {
	return h.svc.Alarms(ctx, actor, in.OrgID.V)
}

func (h *members) memberRules(_ context.Context, actor *authz.Actor, _ *struct{}) (*member.Rules, error) {
	return h.svc.Rules(actor)
}

func sendSheet(c *fiber.Ctx, name string, body []byte) error {
	c.Set(fiber.HeaderContentType, xlsxMime)
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderContentDisposition, "attachment; filename*=UTF-8''"+url.PathEscape(name))
	return c.Send(body)
}

func (h *members) memberTemplate(c *fiber.Ctx) error {
	body, err := h.svc.Template()
	if err != nil {
		return err
	}
	return sendSheet(c, "党员名册模板.xlsx", body)
}

func (h *members) exportMembers(c *fiber.Ctx) error {
	org, err := queryID(c, "orgId")
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	body, err := h.svc.ExportRoster(ctx, httpkit.ActorOf(ctx), member.Ask{OrgID: org, State: member.State(c.Query("state", string(member.Active)))})
	if err != nil {
		return err
	}
	return sendSheet(c, "党员名册.xlsx", body)
}

func queryID(c *fiber.Ctx, name string) (ids.ID, error) {
	id, err := ids.Parse(c.Query(name))
	if err != nil {
		return 0, errs.Bad(name, "编号格式不正确。")
	}
	return id, nil
}

// importMembers takes the file as the body; its media type says what it is.
func (h *members) importMembers(c *fiber.Ctx) error {
	org, err := queryID(c, "orgId")
	if err != nil {
		return err
	}
	kind, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	format, ok := map[string]member.Format{xlsxMime: member.XLSX, "text/csv": member.CSV}[kind]
	if err != nil || !ok {
		return errs.New(errs.Unsupported, "请上传 .xlsx 表格或 CSV 文件。")
	}
	ctx := c.UserContext()
	rep, err := h.svc.Import(ctx, httpkit.ActorOf(ctx), c.Body(), member.ImportAsk{
		Format: format, OrgID: org,
		DryRun: c.QueryBool("dryRun"), SkipWrong: c.QueryBool("skipWrong"),
	})
	if err != nil {
		return err
	}
	return c.JSON(rep)
}

type listRequestsIn struct {
	httpkit.Paging
	MemberID httpkit.ID `query:"memberId"`
	State    string     `query:"state" enum:"open,done,refused"`
}

func (h *members) listMemberRequests(ctx context.Context, actor *authz.Actor, in *listRequestsIn) (*page.Result[member.Request], error) {
	return h.svc.Requests(ctx, actor, in.MemberID.V, member.RequestState(in.State), in.Page)
}

type createRequestIn struct {
	httpkit.ByID
	Body member.RequestInput
}

func (h *members) createMemberRequest(ctx context.Context, actor *authz.Actor, in *createRequestIn) (*member.Request, error) {
	return h.svc.AskFor(ctx, actor, in.ID.V, in.Body)
}

type decideRequestIn struct {
	httpkit.ByID
	httpkit.Match
	Body member.Verdict
}

func (h *members) decideMemberRequest(ctx context.Context, actor *authz.Actor, in *decideRequestIn) (*member.Request, error) {
	return h.svc.Decide(ctx, actor, in.ID.V, in.Version, in.Body)
}
