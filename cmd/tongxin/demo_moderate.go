package main

import (
	"context"
	"time"

	"tongxin/handlers"
	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/member"
	"tongxin/notify"
)

// seedAnswers sends a notice that asks and lets two members answer it in their
// own words. Nobody opened the mini-program yet, so both wait in the review list.
func (p *program) seedAnswers(ctx context.Context, system *authz.Actor, branch ids.ID) error {
	id, err := p.notify.Announce(ctx, system, "demo.answers", notify.Input{
		OrgID: branch, Kind: notify.Notice, Title: "本月主题党日：参观社区红色展馆",
		Body: "本月主题党日安排参观社区红色展馆，集合地点为社区广场。请回复能否参加；有困难或建议，请写在附言里。",
		Ask:  &notify.Ask{Options: []string{"参加", "请假"}}, Audience: notify.Audience{Orgs: []ids.ID{branch}},
	})
	if err != nil {
		return err
	}
	people, err := p.members.Members(ctx, system, member.Ask{OrgID: branch, State: member.Active}, page.Request{Limit: 10})
	if err != nil {
		return err
	}
	delivered, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	done := make(chan struct{})
	go func() { // inboxes are written by the running program, which this one is not yet
		defer close(done)
		p.notify.Run(delivered)
	}()
	defer func() { stop(); <-done }()
	for i, text := range []string{"腿脚不便，想跟车过去，可以安排吗？", "建议以后放在周末，平时要上班。"} {
		m := people.Items[3+i]
		actor := &authz.Actor{ID: m.ID, Kind: authz.Member, Name: m.Name, Grants: []authz.Grant{
			{Role: "member", OrgID: m.OrgID, Path: m.OrgPath, Rights: handlers.MemberRights()},
		}}
		for {
			_, err := p.notify.Reply(ctx, actor, id, i, text)
			if err == nil {
				break
			}
			if !errs.Is(err, errs.NotFound) || delivered.Err() != nil {
				return err
			}
			select {
			case <-delivered.Done():
			case <-time.After(50 * time.Millisecond):
			}
		}
	}
	return nil
}
