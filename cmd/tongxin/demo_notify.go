package main

import (
	"context"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/member"
	"tongxin/notify"
	"tongxin/wechat/sandbox"
)

// demoTemplates are the message templates of the demonstration's mini-program
// at the sandbox.
func demoTemplates() []sandbox.MsgTemplate {
	return []sandbox.MsgTemplate{
		{ID: "demo-notice-0001", Use: "mini", Title: "通知提醒", Fields: []string{"thing1", "time2", "thing3"}},
		{ID: "demo-study-0002", Use: "mini", Title: "学习提醒", Fields: []string{"thing1", "thing2"}},
	}
}

// withTemplates gives the mini-programs among the simulator's accounts the
// templates of the demonstration.
func withTemplates(list []sandbox.Account) []sandbox.Account {
	for i := range list {
		if list[i].Kind == "mini" {
			list[i].Templates = demoTemplates()
		}
	}
	return list
}

// seedNotices sends two notices, which some have read, and leaves a draft. The
// secretary of the first branch is the sender.
func (p *program) seedNotices(ctx context.Context, root ids.ID, branches []ids.ID) error {
	if app := *p.set.miniAppID; app != "" {
		if _, err := p.notify.SaveSettings(ctx, authz.SystemActor("初始化"), 0, demoNotifySettings(app)); err != nil {
			return err
		}
	}
	secretary, err := p.staff.ActorByLogin(ctx, "secretary")
	if err != nil {
		return err
	}
	editor, err := p.staff.ActorByLogin(ctx, "editor")
	if err != nil {
		return err
	}
	friday := p.clock.Now().Add(72 * time.Hour).Truncate(time.Hour)
	meeting, err := p.notify.Announce(ctx, secretary, "demo:meeting", notify.Input{
		OrgID: branches[0], Kind: notify.Meeting, Title: "关于召开第一党支部党员大会的通知", EventAt: friday, Place: "社区党群服务中心二楼",
		Body: "## 议程\n\n1. 学习《支部工作条例》\n2. 讨论预备党员转正\n3. 布置主题党日\n\n请**提前十分钟**到会，不能参加的同志请说明原因。",
		Ask:  &notify.Ask{Options: []string{"能参加", "请假"}}, Audience: notify.Audience{Orgs: branches[:1]}, Push: true,
	})
	if err != nil {
		return err
	}
	if _, err := p.notify.Announce(ctx, editor, "demo:study", notify.Input{
		OrgID: root, Title: "本月学习安排", Body: "本月重点学习支部工作条例，请在月底前完成“每日答题”。", Audience: notify.Audience{Orgs: []ids.ID{root}}, Push: true,
	}); err != nil {
		return err
	}
	if _, err := p.notify.Create(ctx, secretary, notify.Input{
		OrgID: branches[0], Title: "主题党日活动报名（草稿）", Body: "周六上午到三号楼院清理楼道。", Ask: &notify.Ask{Options: []string{"参加", "不参加"}},
		Audience: notify.Audience{Orgs: branches[:1]},
	}); err != nil {
		return err
	}
	if err := p.notify.WriteInboxes(ctx); err != nil {
		return err
	}
	return p.seedReceipts(ctx, branches[0], meeting)
}

// seedReceipts lets half of a branch read a notice and most of those answer it.
func (p *program) seedReceipts(ctx context.Context, branch, notice ids.ID) error {
	list, err := p.members.Members(ctx, authz.SystemActor("初始化"), member.Ask{OrgID: branch}, page.Request{Limit: 50})
	if err != nil {
		return err
	}
	for i, m := range list.Items[:len(list.Items)/2] {
		who := memberActor(&m)
		if err := p.notify.Read(ctx, who, notice); err != nil {
			return err
		}
		if i%3 == 2 {
			continue
		}
		choice, text := 0, ""
		if i == 4 {
			choice, text = 1, "外出学习"
		}
		if _, err := p.notify.Reply(ctx, who, notice, choice, text); err != nil {
			return err
		}
	}
	return nil
}

func demoNotifySettings(app string) notify.Settings {
	return notify.Settings{Templates: []notify.Template{
		{
			Channel: notify.Mini, AppID: app, ID: "demo-notice-0001", Title: "通知提醒", About: "有新的会议或通知时提醒您", Page: "pages/notice/index?id={id}",
			Kinds:  []notify.Kind{notify.Notice, notify.Meeting, notify.Post, notify.System},
			Fields: []notify.Field{{Key: "thing1", Source: "title"}, {Key: "time2", Source: "time"}, {Key: "thing3", Source: "place", Text: "见通知"}},
		},
		{
			Channel: notify.Mini, AppID: app, ID: "demo-study-0002", Title: "学习提醒", About: "有新的答题或竞赛时提醒您", Page: "pages/notice/index?id={id}",
			Kinds:  []notify.Kind{notify.Quiz, notify.Contest},
			Fields: []notify.Field{{Key: "thing1", Source: "title"}, {Key: "thing2", Source: "summary"}},
		},
	}}
}
