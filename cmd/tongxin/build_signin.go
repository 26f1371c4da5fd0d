package main

import (
	"context"
	"crypto/rand"

	"tongxin/handlers"
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
		Rights: handlers.MemberRights(), WeChat: p.people(), MiniAppID: *p.set.miniAppID, OnChange: func() { p.hint(bus.SubjectConfig) },
		Alone: p.db.Dialect() == "sqlite", // the file is locked: there is one process
		OnUse: p.visited,
	})
	return p.listen(bus.SubjectConfig, p.signin.Forget)
}
