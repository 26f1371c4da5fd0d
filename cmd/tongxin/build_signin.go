package main

import (
	"context"
	"crypto/rand"

	"tongxin/handlers"
	"tongxin/member/signin"
	"tongxin/notify"
	"tongxin/storage"
	"tongxin/storage/bus"
)

// buildSignIn makes the members' sign-in. It stands on the roster.
func (p *program) buildSignIn(context.Context, options) error {
	keys := p.box.DeriveAll("member-token")
	signing := [][]byte{keys[p.box.Current()]}
	for id, k := range keys {
		if id != p.box.Current() {
			signing = append(signing, k)
		}
	}
	p.signin = signin.New(signin.Config{
		Store: storage.NewSignIn(p.db), Roster: p.members, Clock: p.clock, IDs: p.db.IDs(), Random: rand.Reader, Keys: signing,
		Rights: handlers.MemberRights(), WeChat: p.people(), MiniAppID: *p.set.miniAppID, OnChange: func() { p.hint(bus.SubjectConfig) },
		Alone: p.db.Dialect() == "sqlite", // the file is locked: there is one process
		OnUse: p.visited, OnStolen: p.tellStolen,
	})
	return p.listen(bus.SubjectConfig, p.signin.Forget)
}

// tellStolen lets a member know in the inbox: the device that was signed out
// may be the thief's, and then nothing else would tell.
func (p *program) tellStolen(ctx context.Context, l *signin.Live) {
	device := l.Session.Device
	if device == "" {
		device = "一台设备"
	}
	err := p.notify.Tell(ctx, l.Member.OrgID, l.Member.ID, "signin.stolen:"+l.Session.ID.String(), notify.Input{
		Title: "登录安全提醒",
		Body:  "“" + device + "”的登录凭证被重复使用，可能被他人拿到，系统已让这台设备退出登录。如果不是您本人更换了手机，请在“我的 → 登录设备”中查看，并退出所有设备。",
	})
	if err != nil {
		p.log.Warn("signin: a member was not told of a stolen token", "err", err)
	}
}
