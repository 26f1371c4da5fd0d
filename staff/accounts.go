package staff

import (
	"context"
	"slices"
	"strings"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
)

func accountEntry(actor *authz.Actor, action string, a *Account, detail map[string]string) trail.Entry {
	return trail.Entry{Actor: actor, Action: action, Object: "account", ID: a.ID, OrgID: a.OrgID, OrgPath: a.OrgPath, Detail: detail}
}

// PhoneUse is the context that binds a sealed phone to its account; a rotation
// of keys needs it too.
func PhoneUse(id ids.ID) string { return "staff.phone:" + id.String() }

// Accounts lists accounts of organisations the actor may see staff of.
func (s *Service) Accounts(ctx context.Context, actor *authz.Actor, f AccountFilter, r page.Request) (*page.Result[Account], error) {
	f.Scope = actor.Scope(StaffRead)
	rows, err := s.cfg.Store.Accounts(ctx, f, r)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		if err := s.showPhone(&rows[i]); err != nil {
			return nil, err
		}
	}
	res := page.Of(rows, r.Limit, func(a Account) ids.ID { return a.ID })
	return &res, nil
}

// Account returns one account; NotFound outside the actor's scope.
func (s *Service) Account(ctx context.Context, actor *authz.Actor, id ids.ID) (*Account, error) {
	a, err := s.cfg.Store.Account(ctx, id)
	if err != nil {
		return nil, err
	}
	if !actor.Can(StaffRead, a.OrgPath) {
		return nil, errs.Missing("账号")
	}
	return a, s.showPhone(a)
}

// Actor is an active account with its present rights, for what runs in
// somebody's name without a session (a calendar subscription). NotFound when
// there is no such account, or it may not sign in any more.
func (s *Service) Actor(ctx context.Context, id ids.ID) (*authz.Actor, error) {
	a, err := s.cfg.Store.Account(ctx, id)
	if err != nil {
		return nil, err
	}
	if a.State != Active {
		return nil, errs.Missing("账号")
	}
	return s.actor(a), nil
}

func (s *Service) showPhone(a *Account) error {
	if a.SealedPhone == "" {
		return nil
	}
	p, err := s.cfg.Sealer.Open(a.SealedPhone, PhoneUse(a.ID))
	if err != nil {
		return err
	}
	a.Phone = maskPhone(string(p))
	return nil
}

// manage reads an account the actor may change: its organisation and every one
// it has a role on lie where the actor manages staff. Otherwise a branch's
// administrator could reset the password of somebody with a role above them.
func (s *Service) manage(ctx context.Context, actor *authz.Actor, id ids.ID) (*Account, error) {
	a, err := s.cfg.Store.Account(ctx, id)
	if err != nil {
		return nil, err
	}
	if !actor.Can(StaffRead, a.OrgPath) && !actor.Can(StaffManage, a.OrgPath) {
		return nil, errs.Missing("账号")
	}
	if actor.ID == a.ID && actor.Kind == authz.Staff {
		return nil, errs.New(errs.Forbidden, "不能修改自己的账号和角色，请由其他管理员操作。")
	}
	scope := actor.Scope(StaffManage)
	if !scope.Covers(a.OrgPath) {
		return nil, errs.New(errs.Forbidden, "您没有管理这个账号的权限。")
	}
	for _, r := range a.Roles {
		if !scope.Covers(r.Path) {
			return nil, errs.New(errs.Forbidden, "这个账号在您管理范围以外的“%s”有角色，请由上级管理员操作。", r.OrgName)
		}
	}
	return a, nil
}

// CreateAccount adds an account and returns it with the token of its first
// invitation. The token is empty when a repeated call found the account made.
func (s *Service) CreateAccount(ctx context.Context, actor *authz.Actor, in AccountInput, roles []RoleAt) (*Account, string, error) {
	if err := in.check(); err != nil {
		return nil, "", err
	}
	org, err := s.orgWith(ctx, actor, StaffManage, in.OrgID)
	if err != nil {
		return nil, "", err
	}
	now := s.cfg.Clock.Now()
	a := &Account{
		ID: s.cfg.IDs.New(), OrgID: org.ID, OrgName: org.Name, OrgPath: org.Path, Login: in.Login, Name: in.Name,
		State: Invited, Version: 1, CreatedAt: now, UpdatedAt: now, UpdatedBy: actor.Name,
	}
	if a.Roles, err = s.grantable(ctx, actor, nil, roles); err != nil {
		return nil, "", err
	}
	if err := s.sealPhone(a, in.Phone); err != nil {
		return nil, "", err
	}
	token, l, err := s.newLink(InviteLink, a.ID, s.policy.InviteAge)
	if err != nil {
		return nil, "", err
	}
	e := accountEntry(actor, "account.create", a, map[string]string{"login": a.Login, "name": a.Name, "roles": rolesText(a.Roles)})
	id, fresh, err := s.cfg.Store.CreateAccount(ctx, a, l, e)
	if err != nil {
		return nil, "", err
	}
	if !fresh {
		token = ""
	}
	made, err := s.Account(ctx, actor, id)
	return made, token, err
}

func (s *Service) sealPhone(a *Account, phone string) (err error) {
	a.SealedPhone = ""
	if phone != "" {
		a.SealedPhone, err = s.cfg.Sealer.Seal([]byte(phone), PhoneUse(a.ID))
	}
	return err
}

// SaveAccount changes name, phone and organisation; the login stays. An empty
// phone keeps the one that is there, "-" removes it: lists never show it whole,
// so a form cannot send it back.
func (s *Service) SaveAccount(ctx context.Context, actor *authz.Actor, id ids.ID, version int64, in AccountInput) (*Account, error) {
	a, err := s.manage(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	if a.Version != version {
		return nil, s.staleAccount(a)
	}
	drop := in.Phone == "-"
	if drop {
		in.Phone = ""
	}
	in.Login = a.Login
	if err := in.check(); err != nil {
		return nil, err
	}
	detail := map[string]string{}
	note(detail, "name", a.Name, in.Name)
	a.Name = in.Name
	if in.OrgID != 0 && in.OrgID != a.OrgID {
		org, err := s.orgWith(ctx, actor, StaffManage, in.OrgID)
		if err != nil {
			return nil, err
		}
		note(detail, "org", a.OrgName, org.Name)
		a.OrgID, a.OrgPath, a.OrgName = org.ID, org.Path, org.Name
	}
	if drop || in.Phone != "" {
		detail["phone"] = "changed"
		if err := s.sealPhone(a, in.Phone); err != nil {
			return nil, err
		}
	}
	return s.keep(ctx, actor, a, func(expect int64) error {
		return s.cfg.Store.SaveAccount(ctx, a, expect, accountEntry(actor, "account.save", a, detail))
	})
}

// keep stamps the next version of a, writes it and returns what stands now.
func (s *Service) keep(ctx context.Context, actor *authz.Actor, a *Account, write func(expect int64) error) (*Account, error) {
	expect := a.Version
	a.Version++
	a.UpdatedAt, a.UpdatedBy = s.cfg.Clock.Now(), actor.Name
	if err := write(expect); err != nil {
		return nil, err
	}
	s.changed()
	now, err := s.cfg.Store.Account(ctx, a.ID)
	if err != nil {
		return nil, err
	}
	return now, s.showPhone(now)
}

func (s *Service) staleAccount(a *Account) error {
	e := errs.New(errs.Stale, "在您编辑期间，账号已被%s修改。请查看最新内容后再保存。", a.UpdatedBy)
	if err := s.showPhone(a); err != nil {
		return err
	}
	e.Details = map[string]any{"current": a, "updatedBy": a.UpdatedBy, "updatedAt": a.UpdatedAt}
	return e
}

// SetRoles replaces the roles of an account. What is added or taken away must
// lie where the actor manages staff.
func (s *Service) SetRoles(ctx context.Context, actor *authz.Actor, id ids.ID, version int64, roles []RoleAt) (*Account, error) {
	a, err := s.manage(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	if a.Version != version {
		return nil, s.staleAccount(a)
	}
	next, err := s.grantable(ctx, actor, a.Roles, roles)
	if err != nil {
		return nil, err
	}
	before := rolesText(a.Roles)
	return s.keep(ctx, actor, a, func(expect int64) error {
		e := accountEntry(actor, "account.roles", a, map[string]string{"before": before, "after": rolesText(next)})
		return s.cfg.Store.SetRoles(ctx, a, expect, next, e)
	})
}

// grantable checks a new set of roles against what the actor may give, and
// fills in names and paths. Roles that were there already may stay.
func (s *Service) grantable(ctx context.Context, actor *authz.Actor, had, want []RoleAt) ([]RoleAt, error) {
	var out []RoleAt
	for i, r := range want {
		if _, ok := s.roles[r.Role]; !ok {
			return nil, errs.Bad("roles", "第 %d 个角色不存在。", i+1)
		}
		o, err := s.orgWith(ctx, actor, StaffManage, r.OrgID)
		if err != nil {
			return nil, err
		}
		if !o.ArchivedAt.IsZero() && !hasRole(had, r) {
			return nil, errs.Bad("roles", "“%s”已停用，不能在其中授予角色。", o.Name)
		}
		if !hasRole(out, r) {
			out = append(out, RoleAt{Role: r.Role, OrgID: o.ID, OrgName: o.Name, Path: o.Path})
		}
	}
	if len(out) > 20 {
		return nil, errs.Bad("roles", "一个账号最多 20 个角色。")
	}
	return out, nil
}

func hasRole(list []RoleAt, r RoleAt) bool {
	return slices.ContainsFunc(list, func(x RoleAt) bool { return x.Role == r.Role && x.OrgID == r.OrgID })
}

func rolesText(roles []RoleAt) string {
	parts := make([]string, len(roles))
	for i, r := range roles {
		parts[i] = r.Role + "@" + r.OrgName
	}
	return strings.Join(parts, ", ")
}

// Invite makes a new invitation link for an account that has no password yet,
// or resets one that has: password, second factor and sessions are void then.
func (s *Service) Invite(ctx context.Context, actor *authz.Actor, id ids.ID) (*Account, string, error) {
	a, err := s.manage(ctx, actor, id)
	if err != nil {
		return nil, "", err
	}
	if a.State == Disabled {
		return nil, "", errs.New(errs.Conflict, "账号已停用，请先启用。")
	}
	token, l, err := s.newLink(InviteLink, a.ID, s.policy.InviteAge)
	if err != nil {
		return nil, "", err
	}
	action := "account.invite"
	if a.State == Active {
		action = "account.reset"
	}
	now, err := s.keep(ctx, actor, a, func(expect int64) error {
		return s.cfg.Store.Reset(ctx, a, expect, l, accountEntry(actor, action, a, nil))
	})
	return now, token, err
}

// Disable ends an account's sessions and keeps it out; Enable lets it in again.
func (s *Service) Disable(ctx context.Context, actor *authz.Actor, id ids.ID) (*Account, error) {
	return s.setState(ctx, actor, id, Disabled, "account.disable")
}

// Enable returns a disabled account to Invited, so that a fresh link is needed:
// whoever left may have left the password somewhere.
func (s *Service) Enable(ctx context.Context, actor *authz.Actor, id ids.ID) (*Account, error) {
	return s.setState(ctx, actor, id, Invited, "account.enable")
}

func (s *Service) setState(ctx context.Context, actor *authz.Actor, id ids.ID, to State, action string) (*Account, error) {
	a, err := s.manage(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	if (a.State == Disabled) == (to == Disabled) {
		return nil, errs.New(errs.Conflict, "账号已经是这个状态，请刷新页面。")
	}
	return s.keep(ctx, actor, a, func(expect int64) error {
		return s.cfg.Store.SetState(ctx, a, expect, to, accountEntry(actor, action, a, nil))
	})
}
