package miniapp

import "tongxin/internal/httpkit"

// routes is the table of the member surface: every route with the right it asks
// for. A route that is not here does not exist; Kit.Verify sees to that.
func routes(api *httpkit.Surface, d Deps, me *sessions, door httpkit.Option) {
	i := &info{d}
	api.Get("/info", httpkit.Public, "服务信息", httpkit.Read(i.getInfo))

	api.Post("/session/mini", httpkit.Public, "登录：小程序", httpkit.Do(me.signInMini, door))
	api.Post("/session/bind", httpkit.Public, "绑定党员身份", httpkit.Do(me.bindMember, door))
	api.Post("/session/link", httpkit.Public, "登录：一次性链接", httpkit.Do(me.signInMemberLink, door))
	api.Post("/session/refresh", httpkit.Public, "续期登录", httpkit.Do(me.refreshSession))
	api.Get("/session/oauth", httpkit.Public, "登录：公众号网页", httpkit.Raw(me.startWeb, door, httpkit.Query("back", "page to come back to")))
	api.Get("/session/oauth/callback", httpkit.Public, "公众号网页授权返回", httpkit.Raw(me.finishWeb, door, httpkit.Query("code", ""), httpkit.Query("state", "")))
	api.Get("/session", httpkit.SignedIn, "我是谁", httpkit.Read(me.getMemberSession))
	api.Delete("/session", httpkit.SignedIn, "退出登录", httpkit.Done(me.signOutMember))
	api.Get("/sessions", httpkit.SignedIn, "我的登录设备", httpkit.Read(me.listDevices))
	api.Delete("/sessions", httpkit.SignedIn, "退出所有设备", httpkit.Done(me.signOutDevices))
	api.Delete("/sessions/{id}", httpkit.SignedIn, "退出某台设备", httpkit.Done(me.signOutDevice))

	api.Get("/me/settings", httpkit.SignedIn, "我的设置", httpkit.Read(me.getSettings))
	api.Put("/me/settings", httpkit.SignedIn, "修改我的设置", httpkit.Do(me.saveSettings))
	api.Get("/me/data", httpkit.SignedIn, "我的个人信息", httpkit.Read(me.ownData))
	api.Get("/me/requests", httpkit.SignedIn, "我的更正与删除申请", httpkit.Read(me.listOwnRequests))
	api.Post("/me/requests", httpkit.SignedIn, "申请更正或删除", httpkit.Create(me.askAboutOwn))
}
