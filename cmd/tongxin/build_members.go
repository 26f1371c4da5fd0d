package main

import (
	"context"
	"fmt"

	"tongxin/handlers"
	"tongxin/internal/authz"
	"tongxin/internal/page"
	"tongxin/member"
	"tongxin/moderate"
	"tongxin/storage"
)

// mostKept is how many things of one part a person's own data list.
const mostKept = 200

// keptElsewhere collects what the other domains keep about a member.
func (p *program) keptElsewhere(ctx context.Context, m *member.Member) ([]member.Part, error) {
	out := []member.Part{}
	for _, part := range []func(context.Context, *member.Member) (member.Part, error){p.keptTexts, p.keptResults, p.keptSignIns} {
		got, err := part(ctx, m)
		if err != nil {
			return nil, err
		}
		if len(got.Items) > 0 {
			out = append(out, got)
		}
	}
	return out, nil
}

// keptTexts are the member's own words and what the check said of them.
func (p *program) keptTexts(ctx context.Context, m *member.Member) (member.Part, error) {
	out := member.Part{Title: "我写过的内容"}
	list, err := p.moderate.About(ctx, m.ID, mostKept)
	for _, it := range list {
		text := it.Text
		switch {
		case it.Media == moderate.Picture:
			text = "（图片）"
		case text == "":
			text = "（保存期限已过，原文已删除）"
		}
		out.Items = append(out.Items, member.PartItem{At: it.CreatedAt, Label: it.KindName, Text: text})
	}
	out.More = len(list) == mostKept
	return out, err
}

// keptResults are the member's attempts at exams and quizzes.
func (p *program) keptResults(ctx context.Context, m *member.Member) (member.Part, error) {
	out := member.Part{Title: "答题记录"}
	list, err := p.results.OwnResults(ctx, memberActor(m), page.Request{Limit: mostKept})
	if err != nil {
		return out, err
	}
	for _, r := range list.Items {
		text := r.Hidden
		if r.Score != nil {
			text = fmt.Sprintf("%g 分（满分 %g 分）", *r.Score, r.Points)
		}
		out.Items = append(out.Items, member.PartItem{At: r.SubmittedAt, Label: r.Title, Text: text})
	}
	out.More = list.Next != ""
	return out, nil
}

// keptSignIns are the WeChat identities that the member is known by. Devices
// have a page of their own, and their names end with their sessions.
func (p *program) keptSignIns(ctx context.Context, m *member.Member) (member.Part, error) {
	out := member.Part{Title: "绑定的微信"}
	list, err := storage.NewSignIn(p.db).Bindings(ctx, m.ID)
	how := map[string]string{"phone": "用手机号绑定", "invite": "用邀请码绑定", "union": "按同一微信绑定"}
	for _, b := range list {
		where := "公众号"
		if b.Mini {
			where = "小程序"
		}
		out.Items = append(out.Items, member.PartItem{At: b.BoundAt, Label: where, Text: how[b.How]})
	}
	return out, err
}

// memberActor is a member as the sign-in would give it, for what the program
// does in a member's place.
func memberActor(m *member.Member) *authz.Actor {
	return &authz.Actor{ID: m.ID, Kind: authz.Member, Name: m.Name, Grants: []authz.Grant{
		{Role: "member", OrgID: m.OrgID, Path: m.OrgPath, Rights: handlers.MemberRights()},
	}}
}
