package handlers

import (
	"net/http"
	"runtime"
	"time"

	"github.com/gofiber/fiber/v2"

	"tongxin/audit"
	"tongxin/internal/httpkit"
	"tongxin/internal/limit"
	"tongxin/member"
	"tongxin/publish"
	"tongxin/publish/feed"
	"tongxin/staff"
)

// routes is the table of the staff surface: every route with the right it asks
// for. A route that is not here does not exist; Kit.Verify sees to that.
func routes(api, root *httpkit.Surface, d Deps, me *sessions, door httpkit.Option) {
	root.Get("/", httpkit.Public, "转到工作台", httpkit.Raw(func(c *fiber.Ctx) error { return c.Redirect("/console/", http.StatusFound) }))

	api.Post("/session", httpkit.Public, "登录", httpkit.Do(me.signIn, door))
	api.Post("/session/totp", httpkit.Public, "登录：动态口令", httpkit.Do(me.signInCode, door))
	api.Post("/session/link", httpkit.Public, "登录：一次性链接", httpkit.Do(me.signInLink, door))
	api.Get("/session", httpkit.SignedIn, "当前登录", httpkit.Read(me.getSession))
	api.Delete("/session", httpkit.SignedIn, "退出登录", httpkit.Done(me.signOut))
	api.Get("/sessions", httpkit.SignedIn, "我的登录设备", httpkit.Read(me.listSessions))
	api.Delete("/sessions", httpkit.SignedIn, "退出所有设备", httpkit.Done(me.endSessions))
	api.Delete("/sessions/{id}", httpkit.SignedIn, "退出某台设备", httpkit.Done(me.endSession))
	api.Post("/invitations/look", httpkit.Public, "查看邀请", httpkit.Do(me.lookInvitation, door))
	api.Post("/invitations/accept", httpkit.Public, "接受邀请并设置密码", httpkit.Do(me.acceptInvitation, door))
	api.Put("/me/password", httpkit.SignedIn, "修改我的密码", httpkit.Done(me.changePassword))
	api.Post("/me/totp", httpkit.SignedIn, "开始绑定动态口令", httpkit.Do(me.startTotp))
	api.Put("/me/totp", httpkit.SignedIn, "完成绑定动态口令", httpkit.Do(me.bindTotp))
	api.Delete("/me/totp", httpkit.SignedIn, "解除动态口令", httpkit.Done(me.dropTotp))

	o := &orgs{svc: d.Staff}
	api.Get("/orgs", staff.OrgRead, "组织列表", httpkit.Read(o.listOrgs))
	api.Post("/orgs", staff.OrgManage, "新建组织", httpkit.Create(o.createOrg))
	api.Get("/orgs/{id}", staff.OrgRead, "查看组织", httpkit.Read(o.getOrg))
	api.Put("/orgs/{id}", staff.OrgManage, "修改组织", httpkit.Edit(o.saveOrg))
	api.Delete("/orgs/{id}", staff.OrgManage, "停用组织", httpkit.Edit(o.archiveOrg))
	api.Post("/orgs/{id}/restore", staff.OrgManage, "恢复组织", httpkit.Edit(o.restoreOrg))
	api.Post("/orgs/{id}/move", staff.OrgManage, "移动组织", httpkit.Edit(o.moveOrg))
	api.Get("/orgs/{id}/settings", staff.OrgRead, "查看组织设置", httpkit.Read(o.getOrgSettings))
	api.Put("/orgs/{id}/settings", staff.OrgManage, "修改组织设置", httpkit.Edit(o.saveOrgSettings))

	p := &people{svc: d.Staff}
	api.Get("/roles", staff.StaffRead, "角色列表", httpkit.Read(p.listRoles))
	api.Get("/staff", staff.StaffRead, "人员列表", httpkit.Read(p.listStaff))
	api.Post("/staff", staff.StaffManage, "新建人员并邀请", httpkit.Create(p.createStaff))
	api.Get("/staff/{id}", staff.StaffRead, "查看人员", httpkit.Read(p.getStaff))
	api.Put("/staff/{id}", staff.StaffManage, "修改人员", httpkit.Edit(p.saveStaff))
	api.Put("/staff/{id}/roles", staff.StaffManage, "修改人员角色", httpkit.Edit(p.setStaffRoles))
	api.Post("/staff/{id}/invite", staff.StaffManage, "重新邀请（重置密码）", httpkit.Do(p.inviteStaff))
	api.Post("/staff/{id}/disable", staff.StaffManage, "停用人员", httpkit.Do(p.disableStaff))
	api.Post("/staff/{id}/enable", staff.StaffManage, "启用人员", httpkit.Do(p.enableStaff))

	a := &trails{svc: d.Audit}
	api.Get("/audit", audit.Read, "审计记录", httpkit.Read(a.listAudit))
	api.Get("/audit/verify", audit.Read, "校验审计记录", httpkit.Read(a.verifyAudit))
	api.Get("/audit/export", audit.Read, "导出审计记录", httpkit.Raw(a.exportAudit, httpkit.Produces("text/csv"),
		httpkit.Query("format", "csv or jsonl"), httpkit.Query("from", "RFC 3339"), httpkit.Query("to", "RFC 3339"), httpkit.Query("actor", ""), httpkit.Query("action", "beginning of the action"),
		httpkit.Query("object", ""), httpkit.Query("objectId", ""), httpkit.Query("result", "")))

	roster(api, d)
	moderation(api, d)
	publishing(api, root, d)
	notifying(api, root, d)
	library(api, root, d)
	bank(api, d)
	paperRoutes(api, &papers{d.Exams})
	resultRoutes(api, root, d)
	liveContests(api, root, d)
	liveMedia(root, d)
	lectures(api, d)
}

// roster is the part of the table about members.
func roster(api *httpkit.Surface, d Deps) {
	m := &members{svc: d.Members}
	api.Get("/members", member.Read, "党员名册", httpkit.Read(m.listMembers))
	api.Post("/members", member.Manage, "新增党员", httpkit.Create(m.createMember))
	api.Post("/members/find", member.Read, "按完整号码查找党员", httpkit.Do(m.findMembers))
	api.Get("/members/rules", member.Read, "名册规则", httpkit.Read(m.memberRules))
	api.Get("/members/alarms", member.Read, "名册提醒", httpkit.Read(m.listAlarms))
	api.Get("/members/template.xlsx", member.Read, "名册模板", httpkit.Raw(m.memberTemplate, httpkit.Produces(xlsxMime)))
	api.Get("/members/export.xlsx", member.Read, "导出名册", httpkit.Raw(m.exportMembers, heavy(), httpkit.Produces(xlsxMime),
		httpkit.Query("orgId", "this organisation and everything under it"), httpkit.Query("state", "active when absent"), httpkit.Timeout(2*time.Minute)))
	api.Post("/members/import", member.Manage, "导入名册", httpkit.Raw(m.importMembers, heavy(), httpkit.MaxBody(member.MaxFile), httpkit.Consumes(xlsxMime),
		httpkit.Produces("application/json"), httpkit.About("the body is the file: .xlsx or text/csv"), httpkit.Timeout(2*time.Minute),
		httpkit.Query("dryRun", "true: check only"), httpkit.Query("skipWrong", "true: write the rows that are well although others are not"),
		httpkit.Query("orgId", "branch of rows that name none")))
	api.Get("/members/requests", member.Manage, "个人信息申请", httpkit.Read(m.listMemberRequests))
	api.Post("/members/requests/{id}/decide", member.Manage, "处理个人信息申请", httpkit.Edit(m.decideMemberRequest))
	api.Get("/members/{id}", member.Read, "查看党员", httpkit.Read(m.getMember))
	api.Put("/members/{id}", member.Manage, "修改党员", httpkit.Edit(m.saveMember))
	api.Post("/members/{id}/reveal", member.Reveal, "查看完整号码", httpkit.Do(m.revealMember))
	api.Post("/members/{id}/data", member.Reveal, "导出本人信息", httpkit.Do(m.personalData))
	api.Post("/members/{id}/leave", member.Manage, "党员离开名册", httpkit.Edit(m.leaveMember))
	api.Post("/members/{id}/return", member.Manage, "恢复在册", httpkit.Edit(m.returnMember))
	b := &bindings{svc: d.SignIn}
	api.Post("/members/{id}/invite", member.Manage, "生成邀请码", httpkit.Do(b.inviteMember))
	api.Get("/members/{id}/bindings", member.Manage, "微信绑定", httpkit.Read(b.listBindings))
	api.Delete("/members/{id}/bindings/{binding}", member.Manage, "解除微信绑定", httpkit.Done(b.unbindMember))
	api.Post("/members/{id}/requests", member.Manage, "登记个人信息申请", httpkit.Create(m.createMemberRequest))
}

// publishing is the part of the table about posts, their review, the calendar
// and the queue.
func publishing(api, root *httpkit.Surface, d Deps) {
	w := &posts{svc: d.Publish, publicURL: d.PublicURL}
	big := httpkit.MaxBody(4 << 20) // eight articles with tables
	api.Get("/dashboard", httpkit.SignedIn, "工作台", httpkit.Read(w.getDashboard))
	api.Get("/posts", publish.PostRead, "图文列表", httpkit.Read(w.listPosts))
	api.Post("/posts", publish.PostWrite, "新建图文", httpkit.Create(w.createPost, big))
	api.Get("/posts/{id}", publish.PostRead, "查看图文", httpkit.Read(w.getPost))
	api.Put("/posts/{id}", publish.PostWrite, "保存图文", httpkit.Edit(w.editPost, big))
	api.Delete("/posts/{id}", publish.PostWrite, "删除图文", httpkit.Done(w.deletePost))
	api.Post("/posts/{id}/copy", publish.PostWrite, "复制图文", httpkit.Create(w.copyPost))
	api.Get("/posts/{id}/revisions", publish.PostRead, "修改历史", httpkit.Read(w.listRevisions))
	api.Get("/posts/{id}/revisions/{version}", publish.PostRead, "查看历史版本", httpkit.Read(w.getRevision))
	api.Get("/posts/{id}/diff", publish.PostRead, "比较两个版本", httpkit.Read(w.diffPost))
	api.Post("/posts/{id}/restore", publish.PostWrite, "恢复历史版本", httpkit.Edit(w.restorePost))
	api.Get("/posts/{id}/lint", publish.PostRead, "检查图文", httpkit.Read(w.lintPost))
	api.Post("/render", publish.PostRead, "预览一条内容", httpkit.Do(w.renderArticle, big, heavy()))
	api.Get("/themes", publish.PostRead, "排版主题", httpkit.Read(w.listThemes))

	api.Post("/posts/{id}/submit", publish.PostWrite, "提交审核", httpkit.Edit(w.submitPost))
	api.Post("/posts/{id}/withdraw", publish.PostWrite, "撤回审核", httpkit.Do(w.withdrawPost))
	api.Post("/posts/{id}/review", publish.PostRead, "审核", httpkit.Do(w.reviewPost, httpkit.About("the domain asks for the right of the level that is due")))
	api.Get("/posts/{id}/sheet", publish.PostRead, "审核单", httpkit.Read(w.reviewSheet))
	api.Get("/reviews", publish.PostRead, "待我审核", httpkit.Read(w.listAwaitingReview))
	api.Get("/posts/{id}/comments", publish.PostRead, "批注列表", httpkit.Read(w.listComments))
	api.Post("/posts/{id}/comments", publish.PostRead, "添加批注", httpkit.Create(w.addComment))
	api.Put("/comments/{id}/resolved", publish.PostRead, "批注已处理", httpkit.Do(w.resolveComment))

	api.Post("/posts/{id}/schedule", publish.PostSchedule, "安排发布", httpkit.Edit(w.schedulePost))
	api.Post("/posts/{id}/reschedule", publish.PostSchedule, "改期", httpkit.Do(w.reschedulePost))
	api.Post("/posts/{id}/cancel", publish.PostSchedule, "取消发布", httpkit.Do(w.cancelPost))
	api.Get("/deliveries", publish.PostRead, "发布记录", httpkit.Read(w.listDeliveries))
	api.Get("/deliveries/{id}", publish.PostRead, "查看发布记录", httpkit.Read(w.getDelivery))
	api.Post("/deliveries/{id}/resolve", publish.PostSchedule, "核实结果", httpkit.Do(w.resolveDelivery))
	api.Post("/deliveries/{id}/by-hand", publish.PostSchedule, "确认已手动发布", httpkit.Do(w.confirmByHand))
	api.Post("/deliveries/{id}/retract", publish.PostRetract, "撤下文章", httpkit.Do(w.retractDelivery))
	api.Post("/deliveries/{id}/retry", publish.PostSchedule, "重新发布", httpkit.Do(w.retryDelivery))

	api.Get("/calendar", publish.PostRead, "日历", httpkit.Read(w.getCalendar))
	api.Post("/calendar/link", httpkit.SignedIn, "日历订阅地址", httpkit.Do(w.newCalendarLink))
	api.Get("/calendar/export", publish.PostRead, "导出日历", httpkit.Raw(w.exportCalendar, httpkit.Produces("text/csv"), httpkit.Query("from", "RFC 3339"), httpkit.Query("to", "RFC 3339")))
	api.Post("/calendar/import", publish.PostSchedule, "导入日历", httpkit.Raw(w.importCalendar, httpkit.Consumes("text/csv"), httpkit.Query("dryRun", "1: check only")))
	root.Get("/calendar/{token}", httpkit.Public, "日历订阅", httpkit.Raw(w.calendarFeed))
	api.Get("/slots", publish.PostRead, "固定时段", httpkit.Read(w.listSlots))
	api.Post("/slots", publish.PostSchedule, "添加固定时段", httpkit.Create(w.addSlot))
	api.Get("/slots/next", publish.PostRead, "下一个空闲时段", httpkit.Read(w.nextSlot))
	api.Delete("/slots/{id}", publish.PostSchedule, "删除固定时段", httpkit.Done(w.deleteSlot))

	n := &notices{svc: d.Publish}
	api.Get("/notices", httpkit.SignedIn, "我的提醒", httpkit.Read(n.listNotices))
	api.Get("/notices/count", httpkit.SignedIn, "未读提醒数", httpkit.Read(n.countNotices))
	api.Post("/notices/{id}/read", httpkit.SignedIn, "提醒已读", httpkit.Done(n.readNotice))
	api.Post("/notices/read-all", httpkit.SignedIn, "全部提醒已读", httpkit.Done(n.readNotices))

	in := &callbacks{take: d.Callback}
	// The platform sends the events of all accounts from a few addresses.
	events := httpkit.Apart(limit.New(d.Clock, limit.Rate{PerSecond: 200, Burst: 1000}, 10_000), limit.New(d.Clock, limit.Rate{PerSecond: 1000, Burst: 4000}, 10_000))
	root.Get("/wechat/{appid}", httpkit.Public, "公众号回调地址验证", httpkit.Raw(in.wechat, events))
	root.Post("/wechat/{appid}", httpkit.Public, "公众号回调", httpkit.Raw(in.wechat, events, httpkit.NoCSRF(), httpkit.MaxBody(64<<10)))
	if d.Sandbox != nil {
		box := httpkit.Raw(simulator(d.Sandbox), httpkit.NoCSRF(), httpkit.Hidden())
		root.Get("/sandbox/*", httpkit.Public, "微信沙箱", box)
		root.Post("/sandbox/*", httpkit.Public, "微信沙箱", box)
		root.Put("/sandbox/*", httpkit.Public, "微信沙箱", box)
		root.Delete("/sandbox/*", httpkit.Public, "微信沙箱", box)
	}
}

// heavy bounds how many requests of one route compute at once: rendering costs
// processor time and pasted pictures cost memory.
func heavy() httpkit.Option { return httpkit.Through(httpkit.NewGate(2 * runtime.GOMAXPROCS(0))) }

// library is the part of the table about pictures, accounts, words and the
// public feeds.
func library(api, root *httpkit.Surface, d Deps) {
	m := &media{svc: d.Publish}
	api.Get("/media", publish.MediaRead, "素材库", httpkit.Read(m.listMedia))
	api.Post("/media", publish.MediaWrite, "上传图片", httpkit.Raw(m.uploadMedia, httpkit.MaxBody(uploadBody), httpkit.Consumes("multipart/form-data"),
		httpkit.Produces("application/json"), httpkit.About("fields: file, orgId, alt; answers 201 with the asset"), httpkit.Timeout(2*time.Minute)))
	api.Get("/media/{hash}", publish.MediaRead, "图片", httpkit.Raw(m.getMedia, httpkit.Produces("image/*"), httpkit.CSP(pictureCSP), httpkit.Query("size", "0, 200 or 800")))
	api.Put("/media/{hash}", publish.MediaWrite, "修改图片说明", httpkit.Do(m.saveMedia))
	api.Delete("/media/{hash}", publish.MediaWrite, "删除图片", httpkit.Done(m.deleteMedia))
	api.Post("/paste", publish.MediaWrite, "整理粘贴的内容", httpkit.Do(m.cleanPaste, heavy(), httpkit.MaxBody(pasteBody), httpkit.Timeout(2*time.Minute)))

	a := &accounts{svc: d.Publish, feed: d.Feed}
	api.Get("/accounts", publish.AccountRead, "账号列表", httpkit.Read(a.listAccounts))
	api.Post("/accounts", publish.AccountManage, "添加账号", httpkit.Create(a.createAccount))
	api.Get("/accounts/{id}", publish.AccountRead, "查看账号", httpkit.Read(a.getAccount))
	api.Put("/accounts/{id}", publish.AccountManage, "修改账号", httpkit.Edit(a.saveAccount))
	api.Delete("/accounts/{id}", publish.AccountManage, "删除账号", httpkit.Done(a.deleteAccount))
	api.Post("/accounts/{id}/pause", publish.AccountManage, "暂停账号", httpkit.Do(a.pauseAccount))
	api.Post("/accounts/{id}/resume", publish.AccountManage, "恢复账号", httpkit.Do(a.resumeAccount))
	api.Post("/accounts/{id}/check", publish.AccountManage, "检查账号", httpkit.Do(a.checkAccount, httpkit.Timeout(time.Minute)))
	api.Get("/accounts/{id}/webhooks", publish.AccountRead, "推送地址", httpkit.Read(a.listWebhooks))
	api.Post("/accounts/{id}/webhooks", publish.AccountManage, "添加推送地址", httpkit.Create(a.addWebhook))
	api.Get("/accounts/{id}/webhooks/jobs", publish.AccountRead, "推送记录", httpkit.Read(a.listWebhookJobs))
	api.Get("/accounts/{id}/webhooks/jobs/{job}", publish.AccountRead, "一次推送的经过", httpkit.Read(a.listWebhookAttempts))
	api.Delete("/webhooks/{id}", publish.AccountManage, "删除推送地址", httpkit.Done(a.deleteWebhook))
	api.Post("/webhooks/{id}/enable", publish.AccountManage, "重新启用推送地址", httpkit.Do(a.enableWebhook))
	api.Post("/webhooks/{id}/ping", publish.AccountManage, "试推送", httpkit.Done(a.pingWebhook))

	v := &words{svc: d.Publish}
	api.Get("/words", publish.PostRead, "词表", httpkit.Read(v.listWords))
	api.Post("/words", publish.WordsManage, "添加词语", httpkit.Create(v.createWord))
	api.Put("/words/{id}", publish.WordsManage, "修改词语", httpkit.Do(v.saveWord))
	api.Delete("/words/{id}", publish.WordsManage, "删除词语", httpkit.Done(v.deleteWord))

	f := &feeds{svc: d.Feed}
	page := httpkit.CSP(feed.PageCSP())
	root.Get("/feeds/{account}", httpkit.Public, "订阅源主页", httpkit.Raw(f.document(feed.Page), page))
	root.Get("/feeds/{account}/rss.xml", httpkit.Public, "RSS", httpkit.Raw(f.document(feed.RSS)))
	root.Get("/feeds/{account}/atom.xml", httpkit.Public, "Atom", httpkit.Raw(f.document(feed.Atom)))
	root.Get("/feeds/{account}/feed.json", httpkit.Public, "JSON Feed", httpkit.Raw(f.document(feed.JSONFeed)))
	root.Get("/feeds/{account}/items/{id}", httpkit.Public, "公开文章", httpkit.Raw(f.feedItem, page))
	root.Get("/feeds/{account}/pictures/{name}", httpkit.Public, "公开文章的图片", httpkit.Raw(f.feedPicture, httpkit.CSP(pictureCSP)))
}
