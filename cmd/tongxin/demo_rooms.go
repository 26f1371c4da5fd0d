package main

import (
	"context"
	"time"

	"tongxin/internal/clock"
	"tongxin/internal/ids"
	"tongxin/live"
)

// seedRooms plans a lecture for tomorrow and opens one: it waits for whoever
// turns a camera on.
func (p *program) seedRooms(ctx context.Context, root ids.ID) error {
	host, err := p.staff.ActorByLogin(ctx, "editor")
	if err != nil {
		return err
	}
	now := p.clock.Now().In(clock.Shanghai())
	if _, err := p.rooms.Create(ctx, host, live.Input{
		OrgID: root, Title: "专题党课：基层治理中的党员先锋作用", Speaker: "区委党校 李老师",
		StartsAt: time.Date(now.Year(), now.Month(), now.Day()+1, 14, 30, 0, 0, now.Location()),
		Agenda:   []string{"导学：为什么要学", "主题讲解", "交流讨论"},
	}); err != nil {
		return err
	}
	r, err := p.rooms.Create(ctx, host, live.Input{
		OrgID: root, Title: "微党课：社区里的红色故事", Speaker: "退休职工党支部 马国强", StartsAt: now, Agenda: []string{"老物件里的故事", "大家谈"},
	})
	if err != nil || p.live == nil {
		return err
	}
	_, err = p.rooms.Open(ctx, host, r.ID)
	return err
}
