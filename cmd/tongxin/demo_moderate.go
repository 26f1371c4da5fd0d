package main

import (
	"context"

	"tongxin/internal/authz"
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
	if err := p.notify.WriteInboxes(ctx); err != nil {
		return err
	}
	for i, text := range []string{"腿脚不便，想跟车过去，可以安排吗？", "建议以后放在周末，平时要上班。"} {
		if _, err := p.notify.Reply(ctx, memberActor(&people.Items[3+i]), id, i, text); err != nil {
			return err
		}
	}
	return nil
}
