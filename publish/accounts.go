package publish

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
)

// accountFor loads an account the actor may see and asks for a right on it.
func (s *Service) accountFor(ctx context.Context, actor *authz.Actor, id ids.ID, right authz.Right) (*Account, error) {
	a, err := s.Store.Account(ctx, id)
	if err != nil {
		return nil, err
	}
	if !actor.Can(AccountRead, a.OrgPath) {
		return nil, errs.Missing("账号")
	}
	if !actor.Can(right, a.OrgPath) {
		return nil, errs.New(errs.Forbidden, "您可以查看这个账号，但没有权限管理它，请联系管理员。")
	}
	return a, nil
}

// Accounts lists the accounts the actor may see.
func (s *Service) Accounts(ctx context.Context, actor *authz.Actor) ([]Account, error) {
	list, err := s.Store.ListAccounts(ctx, actor.Scope(AccountRead))
	if err != nil {
		return nil, err
	}
	last, err := s.Store.LastSuccess(ctx, actor.Scope(AccountRead))
	for i := range list {
		list[i].Health.LastSuccess = last[list[i].ID]
	}
	return list, err
}

// Account returns one account the actor may see.
func (s *Service) Account(ctx context.Context, actor *authz.Actor, id ids.ID) (*Account, error) {
	a, err := s.accountFor(ctx, actor, id, AccountRead)
	if err != nil {
		return nil, err
	}
	last, err := s.Store.LastSuccess(ctx, authz.Scope{Paths: []string{a.OrgPath}})
	a.Health.LastSuccess = last[id]
	return a, err
}

// CreateAccount adds an account. errs.Conflict when the app id is taken.
func (s *Service) CreateAccount(ctx context.Context, actor *authz.Actor, in AccountInput) (*Account, error) {
	org, err := s.orgFor(ctx, actor, in.OrgID, AccountManage)
	if err != nil {
		return nil, err
	}
	a := &Account{
		ID: s.IDs.New(), AppID: strings.TrimSpace(in.AppID), OrgID: org.ID, OrgPath: org.Path, OrgName: org.Name, Platform: in.Platform,
		Limits: DefaultLimits(), Version: 1, Created: s.Clock.Now(),
	}
	in.apply(a)
	if err := s.checkAccount(a); err != nil {
		return nil, err
	}
	id, err := s.Store.CreateAccount(ctx, a, accountEntry(actor, a, "account.create", map[string]string{"platform": a.Platform}))
	if errs.Is(err, errs.Conflict) {
		return nil, s.taken(ctx, actor, a, err)
	}
	if err != nil {
		return nil, err
	}
	return s.Store.Account(ctx, id)
}

// taken says where an account is already, to those who may see it there.
func (s *Service) taken(ctx context.Context, actor *authz.Actor, a *Account, cause error) error {
	other, err := s.Store.AccountByApp(ctx, a.Platform, a.AppID)
	if err == nil && actor.Can(AccountRead, other.OrgPath) {
		return errs.Wrap(cause, errs.Conflict, "这个公众号已由“%s”以“%s”的名称添加，不能重复添加。", other.OrgName, other.Name)
	}
	return cause
}

// UpdateAccount changes what may change. expect is the version that was seen.
func (s *Service) UpdateAccount(ctx context.Context, actor *authz.Actor, id ids.ID, expect int64, in AccountInput) (*Account, error) {
	a, err := s.accountFor(ctx, actor, id, AccountManage)
	if err != nil {
		return nil, err
	}
	if a.Version != expect {
		return nil, staleAccount(a)
	}
	if err := in.sameIdentity(a); err != nil {
		return nil, err
	}
	before := *a
	in.apply(a)
	if err := s.checkAccount(a); err != nil {
		return nil, err
	}
	a.Version = expect + 1
	if err := s.saveAccount(ctx, a, expect, accountEntry(actor, a, "account.update", accountChanges(before, *a))); err != nil {
		return nil, err
	}
	if a.Secrets != before.Secrets { // posts that waited for better keys try again now
		if err := s.wakeAccount(ctx, id); err != nil {
			return nil, err
		}
	}
	return s.Store.Account(ctx, id)
}

func (s *Service) saveAccount(ctx context.Context, a *Account, expect int64, e trail.Entry) error {
	err := s.Store.SaveAccount(ctx, a, expect, e)
	if !errs.Is(err, errs.Stale) {
		return err
	}
	now, readErr := s.Store.Account(ctx, a.ID)
	if readErr != nil {
		return err
	}
	return staleAccount(now)
}

func staleAccount(now *Account) error {
	return &errs.Error{
		Code: errs.Stale, Details: map[string]any{"current": *now},
		Msg: "这个账号在您打开之后被修改过，您的修改没有保存。请核对最新内容后重新填写。",
	}
}

func (s *Service) wakeAccount(ctx context.Context, id ids.ID) error {
	if err := s.Store.WakeAccount(ctx, id, s.Clock.Now(), Waiting); err != nil {
		return err
	}
	s.queue.Wake()
	return nil
}

// PauseAccount holds the account's queue: what is under way ends, nothing new starts.
func (s *Service) PauseAccount(ctx context.Context, actor *authz.Actor, id ids.ID, reason string) (*Account, error) {
	if reason = strings.TrimSpace(reason); reason == "" || utf8.RuneCountInString(reason) > 200 {
		return nil, errs.Bad("reason", "请填写暂停的原因（200 字以内），其他同事会看到。")
	}
	return s.setPaused(ctx, actor, id, true, reason)
}

// ResumeAccount lets the queue go on; what is overdue starts at once.
func (s *Service) ResumeAccount(ctx context.Context, actor *authz.Actor, id ids.ID) (*Account, error) {
	a, err := s.setPaused(ctx, actor, id, false, "")
	if err != nil {
		return nil, err
	}
	return a, s.wakeAccount(ctx, id)
}

func (s *Service) setPaused(ctx context.Context, actor *authz.Actor, id ids.ID, paused bool, note string) (*Account, error) {
	a, err := s.accountFor(ctx, actor, id, AccountManage)
	if err != nil {
		return nil, err
	}
	action := "account.resume"
	if paused {
		action = "account.pause"
	}
	a.Paused, a.Note = paused, note
	expect := a.Version
	a.Version++
	if err := s.saveAccount(ctx, a, expect, accountEntry(actor, a, action, map[string]string{"reason": note})); err != nil {
		return nil, err
	}
	return s.Store.Account(ctx, id)
}

// DeleteAccount removes an account that never had a delivery: history must keep
// saying where something was published.
func (s *Service) DeleteAccount(ctx context.Context, actor *authz.Actor, id ids.ID) error {
	a, err := s.accountFor(ctx, actor, id, AccountManage)
	if err != nil {
		return err
	}
	used, err := s.Store.ListDeliveries(ctx, DeliveryFilter{Scope: authz.Scope{All: true}, AccountID: id}, page.Request{Limit: 1})
	if err != nil {
		return err
	}
	if len(used) > 0 {
		return errs.New(errs.Conflict, "这个账号已有发布记录，不能删除。不再使用时请暂停它。")
	}
	return s.Store.DeleteAccount(ctx, id, a.Version, accountEntry(actor, a, "account.delete", nil))
}

// CheckAccount asks the platform how the account is and stores the answer.
func (s *Service) CheckAccount(ctx context.Context, actor *authz.Actor, id ids.ID) (*Account, error) {
	a, err := s.accountFor(ctx, actor, id, AccountManage) // it spends the account's quota
	if err != nil {
		return nil, err
	}
	if err := s.look(ctx, a); err != nil {
		return nil, err
	}
	return s.Account(ctx, actor, id)
}

// healthAge is how old a look at an account may grow: a look costs some of its
// daily calls, so once a day.
const healthAge = 24 * time.Hour

// CheckAccounts looks at every account in use that nobody looked at for a day,
// so that a right or an address that was lost shows before a post is due. It
// returns how many it looked at.
func (s *Service) CheckAccounts(ctx context.Context) (int, error) {
	list, err := s.Store.ListAccounts(ctx, authz.Scope{All: true})
	if err != nil {
		return 0, err
	}
	n := 0
	for _, row := range list {
		if row.Paused || s.Clock.Now().Sub(row.Health.At) < healthAge {
			continue
		}
		a, err := s.Store.Account(ctx, row.ID) // lists hold no secrets
		if err != nil {
			return n, err
		}
		if err := s.look(ctx, a); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// look asks the platform about an account and stores the answer.
func (s *Service) look(ctx context.Context, a *Account) (err error) {
	p, ok := s.Platforms[a.Platform]
	if !ok {
		return errs.New(errs.Conflict, "系统没有启用这个平台，请联系管理员检查配置。")
	}
	h := Health{At: s.Clock.Now()}
	h.Checks, err = p.Health(ctx, *a)
	if err != nil {
		pe := AsPlatformError(err)
		s.Log.Warn("account: health not read", "account", a.ID, "kind", pe.Kind, "code", pe.Code, "err", pe.Cause)
		h.Checks = []Check{{Name: "credentials", Note: pe.Msg}}
	}
	h.forgive(a.Mode)
	h.OK = len(h.Checks) > 0 && !slices.ContainsFunc(h.Checks, func(c Check) bool { return !c.OK })
	for i := range h.Checks {
		h.Checks[i].Note = a.Secrets.redact(h.Checks[i].Note)
	}
	if err := s.Store.SaveHealth(ctx, a.ID, h); err != nil {
		return err
	}
	s.remindSoon()
	return nil
}

// forgive passes a missing right that the account's mode does not need: one
// that only keeps drafts is well without publishing.
func (h *Health) forgive(mode Mode) {
	for i := range h.Checks {
		if c := &h.Checks[i]; mode == ModeDraft && c.Name == "publish" && !c.OK {
			c.OK, c.Note = true, "没有自动发布权限。这个账号按“仅存草稿”使用，不受影响。"
		}
	}
}

// redact removes the secrets from text that a platform wrote.
func (x Secrets) redact(text string) string {
	for _, secret := range []string{x.AppSecret, x.Token, x.AESKey} {
		if len(secret) >= 3 {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return text
}

func accountEntry(actor *authz.Actor, a *Account, action string, detail map[string]string) trail.Entry {
	if detail == nil {
		detail = map[string]string{}
	}
	detail["name"] = a.Name
	return trail.Entry{Actor: actor, Action: action, Object: "account", ID: a.ID, OrgID: a.OrgID, OrgPath: a.OrgPath, Detail: detail}
}
