package main

import (
	"context"
	"fmt"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/member"
	"tongxin/staff"
)

// demoNames are invented. The secretary of the demonstration is the first.
func demoNames() [][]string {
	return [][]string{
		{"刘芳", "马国强", "孙秀英", "何志远", "林小燕", "高文博", "郑海涛", "谢丽娟", "韩晓东", "唐雪梅", "冯立新", "于倩", "董浩然", "程思雨"},
		{"曹建华", "袁桂兰", "邓永康", "许春梅", "傅明杰", "沈佳宁", "曾庆林", "彭雅静", "吕长河", "苏晓彤", "卢志刚", "蒋海燕", "蔡文轩"},
		{"周德胜", "贾玉珍", "丁福生", "魏淑芬", "薛万里", "叶秋菊", "阎宝山", "余桂香", "潘守义", "杜月娥", "戴根生", "夏凤英", "钟长贵"},
	}
}

// demoNumber makes an identity number that passes the check and belongs to
// nobody: no place has the code 000000.
func demoNumber(born member.Date, n int) string {
	first := fmt.Sprintf("000000%s%03d", born.Time().Format("20060102"), n)
	sum, weight := 0, 2
	for i := len(first) - 1; i >= 0; i-- {
		sum += int(first[i]-'0') * weight
		weight = weight * 2 % 11
	}
	return first + string("10X98765432"[sum%11])
}

// seedMembers fills the rosters: 40 members, one probation overdue and one that
// ends soon.
func (p *program) seedMembers(ctx context.Context, system *authz.Actor, branches []ids.ID) error {
	group, err := p.staff.CreateOrg(ctx, system, staff.OrgInput{ParentID: branches[0], Kind: staff.Group, Name: "第一党小组"})
	if err != nil {
		return err
	}
	posts := [][]string{{"secretary"}, {"deputy_secretary"}, {"organisation"}, {"publicity"}, {"discipline"}}
	today := p.clock.Now()
	for b, names := range demoNames() {
		for i, name := range names {
			year := 1968 + (i*7+b*5)%34
			if b == 2 {
				year = 1941 + i*2 // the retired
			}
			born := member.Date(fmt.Sprintf("%d-%02d-%02d", year, 1+(i*5+b)%12, 1+(i*11+b*3)%28))
			joined := member.DateOf(born.Time().AddDate(22, (i*3)%40, 9))
			in := member.Input{
				OrgID: branches[b], Name: name, Kind: member.Full, JoinedAt: joined, FullAt: member.DateOf(joined.Time().AddDate(1, 0, 0)),
				Phone: fmt.Sprintf("1990000%02d%02d", b+1, i), IDNumber: demoNumber(born, 100+i*7+b),
			}
			if i < len(posts) {
				in.Posts = posts[i]
			}
			if b == 0 && i%3 == 0 {
				in.GroupID = group.ID
			}
			switch late := len(names) - 1 - i; { // the last of the first two branches
			case b == 0 && late == 0:
				in = demoProbation(in, today.AddDate(-1, 0, -20))
			case b == 1 && late == 0:
				in = demoProbation(in, today.AddDate(-1, 0, 12))
			}
			if _, err := p.members.Create(ctx, system, in); err != nil {
				return fmt.Errorf("member %d of branch %d: %w", i, b, err)
			}
		}
	}
	return nil
}

func demoProbation(in member.Input, joined time.Time) member.Input {
	in.Kind, in.JoinedAt, in.FullAt = member.Probationary, member.DateOf(joined), ""
	return in
}

// memberLink is the line of the welcome for a member: the one whom the
// demonstration shows, by a one-time link.
func (p *program) memberLink(ctx context.Context, url string) (string, error) {
	name := demoNames()[0][1]
	all, err := p.members.Members(ctx, authz.SystemActor("demo"), member.Ask{Query: name, State: member.Active}, page.Request{Limit: 1})
	if err != nil || len(all.Items) == 0 {
		return "", err // somebody removed this member: nothing to print
	}
	token, err := p.signin.IssueLink(ctx, all.Items[0].ID, linkLife)
	return fmt.Sprintf("  党员（%s）  %s/m/#/pages/enter/index?token=%s\n", name, url, token), err
}
