package main

import (
	"context"
	"crypto/rand"

	"tongxin/handlers"
	"tongxin/internal/errs"
	"tongxin/member/signin"
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
		Rights: handlers.MemberRights(), WeChat: noWeChat{}, OnChange: func() { p.hint(bus.SubjectConfig) },
		OnUse: p.visited,
	})
	return p.listen(bus.SubjectConfig, p.signin.Forget)
}

// noWeChat is the signin.WeChat of a house without mini-program.
type noWeChat struct{}

func notSet(what string) error {
	return errs.New(errs.Unavailable, "%s尚未配置，请联系管理员。", what)
}

// Mini implements signin.WeChat.
func (noWeChat) Mini(context.Context, string) (signin.Identity, error) {
	return signin.Identity{}, notSet("小程序")
}

// Phone implements signin.WeChat.
func (noWeChat) Phone(context.Context, string) (string, error) { return "", notSet("小程序") }

// Web implements signin.WeChat.
func (noWeChat) Web(context.Context, string) (signin.Identity, error) {
	return signin.Identity{}, notSet("公众号网页登录")
}

// WebURL implements signin.WeChat.
func (noWeChat) WebURL(context.Context, string, string) (string, error) {
	return "", notSet("公众号网页登录")
}
