package handlers

import (
	"context"

	"tongxin/internal/authz"
	"tongxin/internal/httpkit"
	"tongxin/internal/page"
	"tongxin/notify"
)

// campaigns serves notices to members as staff see them.
type campaigns struct{ svc *notify.Service }

// notifying is the part of the table about notices.
func notifying(api, root *httpkit.Surface, d Deps) {
	c := &campaigns{svc: d.Notify}
	api.Post("/notify/audience/preview", notify.Send, "预览接收范围和消息", httpkit.Do(c.previewCampaign))
	api.Get("/notify/campaigns", notify.Send, "通知列表", httpkit.Read(c.listCampaigns))
	api.Post("/notify/campaigns", notify.Send, "新建通知", httpkit.Create(c.createCampaign))
	api.Get("/notify/campaigns/{id}", notify.Send, "查看通知", httpkit.Read(c.getCampaign))
	api.Put("/notify/campaigns/{id}", notify.Send, "修改通知", httpkit.Edit(c.saveCampaign))
	api.Delete("/notify/campaigns/{id}", notify.Send, "删除通知草稿", httpkit.Done(c.deleteCampaign))
	api.Post("/notify/campaigns/{id}/start", notify.Send, "发送通知", httpkit.Edit(c.startCampaign))
	api.Post("/notify/campaigns/{id}/pause", notify.Send, "暂停发送", httpkit.Edit(c.pauseCampaign))
	api.Post("/notify/campaigns/{id}/resume", notify.Send, "继续发送", httpkit.Edit(c.resumeCampaign))
	api.Post("/notify/campaigns/{id}/cancel", notify.Send, "取消发送", httpkit.Edit(c.cancelCampaign))
	api.Post("/notify/campaigns/{id}/retry", notify.Send, "重发未成功的消息", httpkit.Edit(c.retryCampaign))
	api.Get("/notify/campaigns/{id}/recipients", notify.Send, "接收人和结果", httpkit.Read(c.listRecipients))
	api.Get("/notify/campaigns/{id}/unread", notify.Send, "未读、未回复的党员", httpkit.Read(c.listUnread))
	api.Get("/notify/campaigns/{id}/branches", notify.Send, "各支部阅读情况", httpkit.Read(c.listCampaignBranches))
	api.Post("/notify/campaigns/{id}/remind", notify.Send, "一键提醒", httpkit.Create(c.remindCampaign))
	api.Get("/notify/templates", notify.Send, "消息模板和速率", httpkit.Read(c.getNotifySettings))
	api.Put("/notify/templates", notify.Send, "修改消息模板和速率", httpkit.Edit(c.saveNotifySettings))
	api.Get("/notify/grants/summary", notify.Send, "可推送的人数", httpkit.Read(c.grantSummary))

	p := &pictures{svc: d.Publish, sign: d.Pictures}
	root.Get("/pictures/{token}", httpkit.Public, "签名链接的图片", httpkit.Raw(p.getPicture, httpkit.CSP(pictureCSP)))
}

type campaignIn struct{ Body notify.Input }

func (h *campaigns) previewCampaign(ctx context.Context, actor *authz.Actor, in *campaignIn) (*notify.Preview, error) {
	return h.svc.Preview(ctx, actor, in.Body)
}

type listCampaignsIn struct {
	httpkit.Paging
	State    string `query:"state" enum:"draft,fanning,sending,paused,done,cancelled"`
	Q        string `query:"q" maxLength:"60" doc:"part of the title"`
	Received bool   `query:"received" doc:"also what organisations above have sent"`
}

func (h *campaigns) listCampaigns(ctx context.Context, actor *authz.Actor, in *listCampaignsIn) (*page.Result[notify.Campaign], error) {
	return h.svc.Campaigns(ctx, actor, notify.State(in.State), in.Q, in.Received, in.Page)
}

func (h *campaigns) createCampaign(ctx context.Context, actor *authz.Actor, in *campaignIn) (*notify.Campaign, error) {
	return h.svc.Create(ctx, actor, in.Body)
}

func (h *campaigns) getCampaign(ctx context.Context, actor *authz.Actor, in *idIn) (*notify.Campaign, error) {
	return h.svc.Campaign(ctx, actor, in.ID.V)
}

type saveCampaignIn struct {
	httpkit.ByID
	httpkit.Match
	Body notify.Input
}

func (h *campaigns) saveCampaign(ctx context.Context, actor *authz.Actor, in *saveCampaignIn) (*notify.Campaign, error) {
	return h.svc.Save(ctx, actor, in.ID.V, in.Version, in.Body)
}

func (h *campaigns) deleteCampaign(ctx context.Context, actor *authz.Actor, in *httpkit.ByVersion) error {
	return h.svc.Delete(ctx, actor, in.ID.V, in.Version)
}

func (h *campaigns) startCampaign(ctx context.Context, actor *authz.Actor, in *httpkit.ByVersion) (*notify.Campaign, error) {
	return h.svc.Act(ctx, actor, in.ID.V, in.Version, notify.Start)
}

func (h *campaigns) pauseCampaign(ctx context.Context, actor *authz.Actor, in *httpkit.ByVersion) (*notify.Campaign, error) {
	return h.svc.Act(ctx, actor, in.ID.V, in.Version, notify.Pause)
}

func (h *campaigns) resumeCampaign(ctx context.Context, actor *authz.Actor, in *httpkit.ByVersion) (*notify.Campaign, error) {
	return h.svc.Act(ctx, actor, in.ID.V, in.Version, notify.Resume)
}

func (h *campaigns) cancelCampaign(ctx context.Context, actor *authz.Actor, in *httpkit.ByVersion) (*notify.Campaign, error) {
	return h.svc.Act(ctx, actor, in.ID.V, in.Version, notify.Cancel)
}

func (h *campaigns) retryCampaign(ctx context.Context, actor *authz.Actor, in *httpkit.ByVersion) (*notify.Campaign, error) {
	return h.svc.Act(ctx, actor, in.ID.V, in.Version, notify.Retry)
}

type listRecipientsIn struct {
	httpkit.Paging
	httpkit.ByID
	OrgID   httpkit.ID `query:"orgId" doc:"this organisation and everything under it"`
	Outcome string     `query:"outcome" enum:"inbox,waiting,sending,sent,failed,unknown,skipped,stopped"`
	Kind    string     `query:"kind" enum:"later,give_up,field,grant,follower,quota,token" doc:"of the refusal"`
}

func (h *campaigns) listRecipients(ctx context.Context, actor *authz.Actor, in *listRecipientsIn) (*page.Result[notify.Recipient], error) {
	f := notify.RecipientFilter{Campaign: in.ID.V, Outcome: in.Outcome, Kind: notify.OutcomeKind(in.Kind)}
	return h.svc.Recipients(ctx, actor, f, in.OrgID.V, in.Page)
}

type listUnreadIn struct {
	httpkit.Paging
	httpkit.ByID
	OrgID httpkit.ID `query:"orgId" doc:"this organisation and everything under it"`
	For   string     `query:"for" enum:"read,answer" default:"read" doc:"who did not read, or did not answer"`
}

func (h *campaigns) listUnread(ctx context.Context, actor *authz.Actor, in *listUnreadIn) (*page.Result[notify.Recipient], error) {
	return h.svc.Recipients(ctx, actor, notify.RecipientFilter{Campaign: in.ID.V, Missing: in.For}, in.OrgID.V, in.Page)
}

func (h *campaigns) listCampaignBranches(ctx context.Context, actor *authz.Actor, in *idIn) (*notify.BranchCounts, error) {
	return h.svc.Branches(ctx, actor, in.ID.V)
}

type remindIn struct {
	httpkit.ByID
	Body struct {
		For  string `json:"for,omitempty" enum:"read,answer" default:"read"`
		Push bool   `json:"push,omitempty" default:"true" doc:"also by message"`
	}
}

func (h *campaigns) remindCampaign(ctx context.Context, actor *authz.Actor, in *remindIn) (*notify.Campaign, error) {
	return h.svc.Remind(ctx, actor, in.ID.V, in.Body.For, in.Body.Push)
}

func (h *campaigns) getNotifySettings(ctx context.Context, actor *authz.Actor, _ *struct{}) (*notify.Settings, error) {
	return h.svc.Settings(ctx, actor)
}

type saveNotifySettingsIn struct {
	httpkit.Match
	Body notify.Settings
}

func (h *campaigns) saveNotifySettings(ctx context.Context, actor *authz.Actor, in *saveNotifySettingsIn) (*notify.Settings, error) {
	return h.svc.SaveSettings(ctx, actor, in.Version, in.Body)
}

func (h *campaigns) grantSummary(ctx context.Context, actor *authz.Actor, _ *struct{}) (*notify.GrantCounts, error) {
	return h.svc.Grants(ctx, actor)
}
