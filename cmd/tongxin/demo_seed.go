package main

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/ids"
	"tongxin/publish"
	"tongxin/staff"
)

// demoApp is the official account of the demonstration, known to the sandbox
// that runs in the same process. Its keys are worth nothing anywhere else.
type demoApp struct{ appID, name, secret, token, aesKey string }

func demoApps() []demoApp {
	return []demoApp{
		{"wx00000000000de301", "城关先锋", "0000demo0000sandbox0000only00000", "demotoken", "ZGVtb2RlbW9kZW1vZGVtb2RlbW9kZW1vZGVtb2RlbW8"},
		{"wx00000000000de302", "城关党建（仅草稿）", "0000demo0000sandbox0000only00000", "demotoken", "ZGVtb2RlbW9kZW1vZGVtb2RlbW9kZW1vZGVtb2RlbW8"},
	}
}

// demoPeople are the accounts of the demonstration: login, name, role, branch.
func demoPeople() []struct{ login, name, role, label, org string } {
	return []struct{ login, name, role, label, org string }{
		{"admin", "李建国", staff.AdminRole, "管理员", "root"},
		{"editor", "王丽", "editor", "宣传编辑", "root"},
		{"reviewer", "张卫东", "reviewer1", "审核员（初审）", "root"},
		{"reviewer2", "赵敏", "reviewer2", "审核员（复审）", "root"},
		{"reviewer3", "陈志强", "reviewer3", "审核员（终审）", "root"},
		{"secretary", "刘芳", "secretary", "支部书记", "branch"},
		{"auditor", "周正", "auditor", "审计员", "root"},
	}
}

// seed fills an empty house with a small organisation, once.
func (p *program) seed(ctx context.Context) error {
	system := authz.SystemActor("初始化")
	orgs, err := p.staff.Orgs(ctx, system, true)
	if err != nil || len(orgs) > 0 {
		return err
	}
	root, branches, err := p.seedOrgs(ctx, system)
	if err != nil {
		return err
	}
	branch := branches[0]
	for _, person := range demoPeople() {
		org := root
		if person.org == "branch" {
			org = branch
		}
		if _, _, err := p.staff.CreateAccount(ctx, system,
			staff.AccountInput{OrgID: org, Login: person.login, Name: person.name},
			[]staff.RoleAt{{Role: person.role, OrgID: org}}); err != nil {
			return err
		}
	}
	if err := p.seedMembers(ctx, system, branches); err != nil {
		return err
	}
	if err := p.seedNotices(ctx, root, branches); err != nil {
		return err
	}
	if err := p.seedBank(ctx, system, root); err != nil {
		return err
	}
	if err := p.seedContests(ctx, root); err != nil {
		return err
	}
	if err := p.seedRooms(ctx, root); err != nil {
		return err
	}
	if err := p.seedQuizzes(ctx, system, root); err != nil {
		return err
	}
	accounts, err := p.seedAccounts(ctx, system, root)
	if err != nil {
		return err
	}
	if err := p.seedAnswers(ctx, system, branch); err != nil {
		return err
	}
	return p.seedPosts(ctx, root, accounts)
}

func (p *program) seedOrgs(ctx context.Context, system *authz.Actor) (root ids.ID, branches []ids.ID, err error) {
	one := 1
	top, err := p.staff.CreateOrg(ctx, system, staff.OrgInput{
		Kind: staff.Committee, Name: "城关街道党工委", ShortName: "城关街道",
		Settings: staff.Overrides{ReviewLevels: &one},
	})
	if err != nil {
		return 0, nil, err
	}
	general, err := p.staff.CreateOrg(ctx, system, staff.OrgInput{ParentID: top.ID, Kind: staff.GeneralBranch, Name: "幸福社区党总支", ShortName: "幸福社区"})
	if err != nil {
		return 0, nil, err
	}
	for _, name := range []string{"第一党支部", "第二党支部", "退休职工党支部"} {
		b, err := p.staff.CreateOrg(ctx, system, staff.OrgInput{ParentID: general.ID, Kind: staff.Branch, Name: "幸福社区" + name, ShortName: name})
		if err != nil {
			return 0, nil, err
		}
		branches = append(branches, b.ID)
	}
	return top.ID, branches, nil
}

func (p *program) seedAccounts(ctx context.Context, system *authz.Actor, org ids.ID) ([]ids.ID, error) {
	var out []ids.ID
	for i, app := range demoApps() {
		mode := publish.ModePublish
		if i == 1 {
			mode = publish.ModeDraft
		}
		a, err := p.publish.CreateAccount(ctx, system, publish.AccountInput{
			OrgID: org, Platform: publish.WeChat, Name: app.name,
			Kind: "subscription", Mode: mode, AppID: app.appID,
			Secrets: publish.SecretsInput{AppSecret: &app.secret, Token: &app.token, AESKey: &app.aesKey},
		})
		if err != nil {
			return nil, err
		}
		out = append(out, a.ID)
	}
	feed, err := p.publish.CreateAccount(ctx, system, publish.AccountInput{
		OrgID: org, Platform: publish.Feed, Name: "城关先锋公开订阅",
		Kind: "feed", Mode: publish.ModePublish,
	})
	if err != nil {
		return nil, err
	}
	if _, err := p.publish.AddSlot(ctx, system, publish.Slot{AccountID: out[0], Weekday: 1, Minute: 8 * 60, Label: "周一早读"}); err != nil {
		return nil, err
	}
	if _, err := p.publish.AddSlot(ctx, system, publish.Slot{AccountID: out[0], Weekday: 5, Minute: 18*60 + 30, Label: "周五要闻"}); err != nil {
		return nil, err
	}
	return append(out, feed.ID), nil
}

// seedPosts leaves one post published, one planned, one in review and one draft.
func (p *program) seedPosts(ctx context.Context, org ids.ID, accounts []ids.ID) error {
	editor, err := p.staff.ActorByLogin(ctx, "editor")
	if err != nil {
		return err
	}
	reviewer, err := p.staff.ActorByLogin(ctx, "reviewer")
	if err != nil {
		return err
	}
	now := p.clock.Now().In(clock.Shanghai())
	tomorrow := time.Date(now.Year(), now.Month(), now.Day()+1, 9, 0, 0, 0, now.Location()).UTC()
	for i, d := range demoPosts() {
		cover, err := p.publish.UploadMedia(ctx, editor, publish.MediaUpload{OrgID: org, Name: d.title + ".png", Alt: "《" + d.title + "》封面", Data: demoPicture(i)})
		if err != nil {
			return err
		}
		post, err := p.publish.Create(ctx, editor, org, publish.Content{Articles: []publish.Article{{
			Kind: publish.News, Title: d.title,
			Author: "城关先锋", Digest: d.digest, Format: "markdown", Body: d.body + "\n\n![" + cover.Alt + "](asset:" + cover.Hash + ")\n",
			Theme: d.theme, Cover: publish.Cover{Asset: cover.Hash},
		}}})
		if err != nil {
			return err
		}
		if d.until == publish.Draft {
			continue
		}
		if post, err = p.publish.Submit(ctx, editor, post.ID, post.Version); err != nil {
			return err
		}
		if d.until == publish.InReview {
			continue
		}
		if post, err = p.publish.Decide(ctx, reviewer, post.ID, publish.Verdict{Level: 1, Decision: publish.Pass, Hash: post.Hash}); err != nil {
			return err
		}
		due, targets := time.Time{}, []publish.Target{{AccountID: accounts[0]}, {AccountID: accounts[2]}}
		if d.later {
			due, targets = tomorrow, targets[:1]
		}
		if _, err := p.publish.Schedule(ctx, editor, post.ID, post.Version, due, targets); err != nil {
			return err
		}
	}
	return nil
}

type demoPost struct {
	title, digest, theme, body string
	until                      publish.PostState
	later                      bool
}

func demoPosts() []demoPost {
	return []demoPost{
		{"幸福社区开展“我为群众办实事”主题党日", "党员志愿者走进楼院，为老人检修水电、讲解手机使用。", "red", demoBody1, publish.Queued, false},
		{"本周学习提示：党支部工作条例的十个要点", "三会一课怎么开，会议记录怎么记，一篇看懂。", "blue", demoBody2, publish.Queued, true},
		{"退休职工党支部：把课堂搬到小院里", "老党员讲老故事，年轻人听得进、记得住。", "plain", demoBody3, publish.InReview, false},
		{"冬季用电安全提醒（草稿）", "", "large", demoBody4, publish.Draft, false},
	}
}

const demoBody1 = `## 上门服务暖人心

本周六上午，幸福社区第一党支部组织 **18 名党员** 走进三号楼院，开展“我为群众办实事”主题党日活动。

> 老人最盼的是有人常来看看，搭把手。

- 检修水龙头和灯具 **26 处**
- 帮助 **31 位** 老人学会手机挂号
- 收集意见建议 **12 条**，当场答复 9 条

| 项目 | 参加人数 | 完成情况 |
| --- | --- | --- |
| 水电检修 | 6 | 已完成 |
| 手机课堂 | 8 | 已完成 |
| 意见收集 | 4 | 3 条转交社区办理 |
`

const demoBody2 = `## 三会一课怎么开

1. 支部党员大会一般**每季度**召开一次。
2. 支部委员会会议一般**每月**召开一次。
3. 党小组会一般**每月**召开一次。

## 会议记录记什么

会议名称、时间、地点、应到人数、实到人数、缺席人员和原因、主持人、记录人、议程、发言要点、决议和表决结果。
`

const demoBody3 = `## 小院里的党课

七十八岁的老党员周师傅搬来小板凳，讲起当年修水渠的故事。

> 那时候大家拧成一股绳，再难的石头也啃得动。

年轻党员小陈说，这样的课听得进、记得住。
`

const demoBody4 = `## 三个提醒

- 不用大功率电器时请关闭电源。
- 插线板不要放在被褥旁。
- 发现线路发热，请立即联系社区电工。
`

// demoPicture draws a cover: a quiet gradient with rising bands.
func demoPicture(n int) []byte {
	base := []color.RGBA{{0xB0, 0x1C, 0x1C, 255}, {0x1F, 0x4E, 0x79, 255}, {0x8A, 0x6D, 0x3B, 255}, {0x2E, 0x6B, 0x4F, 255}}[n%4]
	const w, h = 1175, 500
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			light := float64(x)/w*0.25 + float64(h-y)/h*0.2
			for band := range 4 {
				top := float64(h)*(0.55+0.12*float64(band)) - 0.00018*float64((x-w/3)*(x-w/3))*(1-0.2*float64(band))
				if float64(y) > top {
					light -= 0.07
				}
			}
			mix := func(c uint8) uint8 { return uint8(max(0, min(255, float64(c)+light*255))) }
			img.SetRGBA(x, y, color.RGBA{mix(base.R), mix(base.G), mix(base.B), 255})
		}
	}
	var buf bytes.Buffer
	if err := png.Encode(&buf, img); err != nil { // a picture in memory always encodes
		return nil
	}
	return buf.Bytes()
}
