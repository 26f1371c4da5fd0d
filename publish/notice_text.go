package publish

import (
	"strconv"
	"strings"
	"time"

	"tongxin/internal/clock"
)

// What notices say: what happened, and what to do.

func postNotice(p Post, kind NoticeKind, part, title, text string) Notice {
	return Notice{
		Dedupe: occasion(kind, p.ID.String(), part), OrgID: p.OrgID, Kind: kind, PostID: p.ID, Title: title, Text: text,
		Link: "/posts/" + p.ID.String(),
	}
}

// reviewNotice is about one level of one round of review: no other change of a
// post leaves it in review, so its version names the round and the level.
func reviewNotice(p Post, kind NoticeKind, part, title, text string) Notice {
	n := postNotice(p, kind, strconv.FormatInt(p.Version, 10)+part, title, text)
	n.Link += "/review"
	return n
}

func askedNotice(p Post) Notice {
	text := quoted(p.Title) + "由" + p.AuthorName + "提交，请您" + levelName(p.Level)
	if !p.ReviewDue.IsZero() {
		text += "，请在 " + clockText(p.ReviewDue) + " 前完成"
	}
	return reviewNotice(p, ReviewAsked, "", "请您"+levelName(p.Level), text+"。")
}

func dueSoonNotice(p Post) Notice {
	return reviewNotice(p, ReviewDueSoon, "", levelName(p.Level)+"即将到期",
		quoted(p.Title)+"的"+levelName(p.Level)+"将在 "+clockText(p.ReviewDue)+" 到期，请尽快审核。")
}

func overdueNotice(p Post, time int) Notice {
	return reviewNotice(p, ReviewOverdue, ":"+itoa(time), levelName(p.Level)+"已超时",
		quoted(p.Title)+"的"+levelName(p.Level)+"已在 "+clockText(p.ReviewDue)+" 到期，请马上审核；不便审核时，请联系同级的其他同志。")
}

func returnedNotice(p Post, r Review) Notice {
	text := quoted(p.Title) + "被退回"
	if r.Level >= 1 && r.Level <= MaxLevels {
		text = quoted(p.Title) + "被" + levelName(r.Level) + "退回"
	}
	if r.Reason != "" {
		text += "：" + strings.TrimRight(shortened(r.Reason, 200), "。")
	}
	return postNotice(p, PostReturned, strconv.FormatInt(p.Version, 10), "图文被退回", text+"。请修改后重新提交审核。")
}

// approvedNotice is about an approval: by its last passed level, or where the
// organisation asks for no review, by the content.
func approvedNotice(p Post, pass Review, plans bool) Notice {
	part := pass.ID.String()
	if part == "" {
		part = p.Hash[:min(16, len(p.Hash))]
	}
	text := quoted(p.Title) + "已通过审核，可以安排发布了。"
	if !plans {
		text += "请联系负责排期的同志选择账号和时间。"
	}
	return postNotice(p, PostApproved, part, "审核已通过", text)
}

func deliveryNotice(d Attention, kind NoticeKind, part, title, text string) Notice {
	return Notice{
		Dedupe: occasion(kind, d.ID.String()+part), OrgID: d.OrgID, Kind: kind, PostID: d.PostID, DeliveryID: d.ID,
		Title: title, Text: text, Link: "/posts/" + d.PostID.String(),
	}
}

func byHandNotice(d Attention, time int) Notice {
	title, waited := "请手动发布", ""
	if time > 0 {
		days := [...]string{"", "一天", "三天"}[time]
		title, waited = "还没有手动发布", "，已等待"+days
	}
	return deliveryNotice(d, DeliveryByHand, ":"+itoa(time), title, quoted(d.PostTitle)+"的草稿在“"+d.AccountName+"”的草稿箱里"+waited+
		"。请到公众平台手动发布，然后回来确认；不再发布时请取消。")
}

func unknownNotice(d Attention) Notice {
	return deliveryNotice(d, DeliveryUnknown, "", "发布结果待核对", quoted(d.PostTitle)+"提交到“"+d.AccountName+
		"”后没有得到明确答复。系统不会重复提交，正在核对；也请到公众平台查看是否已经发布，然后回来确认。")
}

func failedNotice(d Attention) Notice {
	why := "。"
	if d.Note != "" {
		why = "：" + strings.TrimRight(shortened(d.Note, 200), "。") + "。"
	}
	return deliveryNotice(d, DeliveryFailed, "", "发布失败", quoted(d.PostTitle)+"没有发布到“"+d.AccountName+"”"+why+"请查看原因，处理后可以重新发布。")
}

func publishedNotice(d Attention) Notice {
	return deliveryNotice(d, DeliveryPublished, "", "已发布", quoted(d.PostTitle)+"已发布到“"+d.AccountName+"”，可以打开查看文章链接。")
}

func accountNotice(a Account, day, text string) Notice {
	return Notice{
		Dedupe: occasion(AccountUnwell, a.ID.String(), day), OrgID: a.OrgID, Kind: AccountUnwell, Title: "账号需要处理",
		Text: text, Link: "/accounts",
	}
}

func unwellNotice(a Account, now time.Time) Notice {
	return accountNotice(a, shanghaiDay(now), "平台拒绝了“"+a.Name+"”的凭据或权限，要发布的图文正在等待。请检查密钥、IP 白名单和接口权限，改好后会自动继续。")
}

func unhealthyNotice(a Account) Notice {
	text := "“" + a.Name + "”检查没有通过"
	for _, c := range a.Health.Checks {
		if !c.OK && c.Note != "" {
			text += "：" + strings.TrimRight(shortened(c.Note, 200), "。")
			break
		}
	}
	return accountNotice(a, shanghaiDay(a.Health.At), text+"。请在账号页面查看并处理。")
}

func quoted(title string) string { return "《" + shortened(title, 40) + "》" }

// shortened cuts to so many characters.
func shortened(text string, most int) string {
	if r := []rune(text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}

func clockText(t time.Time) string { return t.In(clock.Shanghai()).Format("1月2日 15:04") }
