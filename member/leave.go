package member

import (
	"context"
	"strings"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
)

// Leaving says how and when a member left the roster.
type Leaving struct {
	State State  `json:"state" enum:"left,deceased,transferred_out"`
	Date  Date   `json:"date" maxLength:"10" doc:"the day it took effect, not in the future"`
	Why   string `json:"why,omitempty" maxLength:"100" doc:"no phone or ID numbers: it is kept in clear"`
}

// Leave takes a member off the active roster. Numbers stay until the retention
// rule deletes them; the phone is free for somebody else at once.
func (s *Service) Leave(ctx context.Context, actor *authz.Actor, id ids.ID, version int64, l Leaving) (*Member, error) {
	m, err := s.managed(ctx, actor, id, version)
	if err != nil {
		return nil, err
	}
	if m.State != Active {
		return nil, errs.New(errs.Conflict, "这位党员已经不在册，请刷新页面。")
	}
	var f errs.Fields
	if l.Why = strings.TrimSpace(l.Why); len([]rune(l.Why)) > 100 || tellsNumber(l.Why) {
		f.Add("why", "说明最多 100 个字，并且不要写手机号或身份证号。")
	}
	if l.State != Left && l.State != Deceased && l.State != TransferredOut {
		f.Add("state", "请选择离开的原因。")
	}
	if l.Date == "" || !l.Date.valid() || l.Date > s.today() {
		f.Add("date", "请填写生效日期，不能晚于今天。")
	}
	if err := f.Err(); err != nil {
		return nil, err
	}
	m.State, m.LeftAt, m.LeftWhy = l.State, l.Date, l.Why
	detail := map[string]string{"name": m.Name, "state": string(l.State), "date": string(l.Date), "reason": l.Why}
	return s.keep(ctx, actor, Write{Member: m, Expect: version, Entry: entry(actor, "member.leave", m, detail)})
}

// Return puts a member who left back on the active roster: for a mistake, or
// somebody who comes back. errs.Conflict when another active member has the
// phone by now.
func (s *Service) Return(ctx context.Context, actor *authz.Actor, id ids.ID, version int64) (*Member, error) {
	m, err := s.managed(ctx, actor, id, version)
	if err != nil {
		return nil, err
	}
	if m.State == Active {
		return nil, errs.New(errs.Conflict, "这位党员已经在册，请刷新页面。")
	}
	phone, number, err := s.numbers(m)
	if err != nil {
		return nil, err
	}
	m.State, m.LeftAt, m.LeftWhy = Active, "", ""
	w := Write{Member: m, Expect: version, Keys: s.keys(phone, number), Entry: entry(actor, "member.return", m, map[string]string{"name": m.Name})}
	return s.keep(ctx, actor, w)
}

func (s *Service) managed(ctx context.Context, actor *authz.Actor, id ids.ID, version int64) (*Member, error) {
	m, err := s.with(ctx, actor, Manage, id)
	if err != nil {
		return nil, err
	}
	if m.Version != version {
		return nil, s.stale(m)
	}
	return m, nil
}
