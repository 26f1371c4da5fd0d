package handlers

import (
	"tongxin/audit"
	"tongxin/internal/authz"
	"tongxin/live"
	"tongxin/member"
	"tongxin/moderate"
	"tongxin/notify"
	"tongxin/publish"
	"tongxin/quiz"
	"tongxin/quiz/contest"
	"tongxin/staff"
)

// Roles is what each role may do: the one place where rights of all domains
// meet. A role counts on an organisation and everything under it.
//
// System, security and audit administration stay apart (GB/T 22239-2019): who
// manages accounts writes no posts and reads no audit, the auditor reads the
// audit and nothing else.
func Roles() []staff.Role {
	review := func(level int) []authz.Right {
		return []authz.Right{publish.PostRead, publish.ReviewRight(level), publish.MediaRead, publish.AccountRead, staff.OrgRead}
	}
	return []staff.Role{
		{Name: staff.AdminRole, Label: "管理员", SecondFactor: true, Rights: []authz.Right{
			staff.OrgRead, staff.OrgManage, staff.StaffRead, staff.StaffManage, publish.AccountRead, publish.AccountManage,
			publish.WordsManage, publish.MediaRead, publish.MediaWrite, publish.PostRead, publish.PostSchedule, publish.PostRetract,
			member.Read, member.Manage, member.Reveal,
			moderate.Review, quiz.Read, quiz.Manage, quiz.Grade, quiz.Results,
			notify.Send,
			contest.Host, live.Host,
		}},
		{Name: "editor", Label: "宣传编辑", Rights: []authz.Right{
			publish.PostRead, publish.PostWrite, publish.PostSchedule, publish.MediaRead, publish.MediaWrite, publish.AccountRead, staff.OrgRead,
			moderate.Review, quiz.Read, quiz.Manage,
			notify.Send, contest.Host, live.Host,
		}},
		{Name: "reviewer1", Label: "初审", Rights: review(1)},
		{Name: "reviewer2", Label: "复审", Rights: review(2)},
		{Name: "reviewer3", Label: "终审", Rights: review(3)},
		{Name: "secretary", Label: "支部书记", Rights: []authz.Right{
			publish.PostRead, publish.PostWrite, publish.MediaRead, publish.MediaWrite, publish.AccountRead, staff.OrgRead,
			member.Read, member.Manage, member.Reveal,
			moderate.Review, quiz.Read, quiz.Manage, quiz.Grade, quiz.Results,
			notify.Send,
			contest.Host, live.Host,
		}},
		{Name: "auditor", Label: "审计员", SecondFactor: true, Rights: []authz.Right{audit.Read}},
	}
}

// MemberRights is what a member may do on the own branch and with what
// organisations above it offer.
func MemberRights() []authz.Right {
	return []authz.Right{notify.Receive, quiz.Take, contest.Play, live.Watch}
}
