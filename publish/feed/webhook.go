package feed

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/outbound"
	"tongxin/internal/page"
	"tongxin/internal/trail"
	"tongxin/publish"
)

// maxWebhooks of one account: each gets a job per message.
const maxWebhooks = 10

// NewWebhook is a webhook together with its secret, which is shown this once.
type NewWebhook struct {
	Webhook
	Secret string `json:"secret" doc:"signing secret, whsec_…; shown only in this answer"`
}

// accountFor loads a feed account and asks for a right on it.
func (s *Service) accountFor(ctx context.Context, actor *authz.Actor, id ids.ID, right authz.Right) (*publish.Account, error) {
	a, err := s.Account(ctx, id)
	if err != nil {
		return nil, err
	}
	switch {
	case !actor.Can(publish.AccountRead, a.OrgPath):
		return nil, errs.Missing("账号")
	case !actor.Can(right, a.OrgPath):
		return nil, errs.New(errs.Forbidden, "您可以查看这个账号，但没有权限管理它，请联系管理员。")
	case a.Platform != publish.Feed:
		return nil, errs.New(errs.Conflict, "只有订阅源账号可以设置推送地址。")
	}
	return a, nil
}

// AddWebhook adds an address that is told of every message of the account.
func (s *Service) AddWebhook(ctx context.Context, actor *authz.Actor, account ids.ID, address string) (*NewWebhook, error) {
	a, err := s.accountFor(ctx, actor, account, publish.AccountManage)
	if err != nil {
		return nil, err
	}
	address, err = s.checkURL(address)
	if err != nil {
		return nil, err
	}
	have, err := s.Store.Webhooks(ctx, account)
	if err != nil {
		return nil, err
	}
	if len(have) >= maxWebhooks {
		return nil, errs.New(errs.Conflict, "每个账号最多 %d 个推送地址，请先删除不用的。", maxWebhooks)
	}
	h := Webhook{ID: s.IDs.New(), AccountID: account, URL: address, Secret: make([]byte, 32), Enabled: true, CreatedBy: actor.Name, CreatedAt: s.Clock.Now()}
	if _, err := io.ReadFull(s.Rand, h.Secret); err != nil {
		return nil, fmt.Errorf("feed: no randomness: %w", err)
	}
	id, err := s.Store.AddWebhook(ctx, &h, s.entry(actor, a, "webhook.add", h.ID, address))
	if err != nil {
		return nil, err
	}
	made, err := s.Store.Webhook(ctx, id)
	if err != nil {
		return nil, err
	}
	return &NewWebhook{Webhook: *made, Secret: showSecret(made.Secret)}, nil
}

func (s *Service) entry(actor *authz.Actor, a *publish.Account, action string, id ids.ID, address string) trail.Entry {
	return trail.Entry{
		Actor: actor, Action: action, Object: "webhook", ID: id, OrgID: a.OrgID, OrgPath: a.OrgPath,
		Detail: map[string]string{"account": a.Name, "url": redactURL(address)},
	}
}

// Webhooks of an account; no secrets.
func (s *Service) Webhooks(ctx context.Context, actor *authz.Actor, account ids.ID) ([]Webhook, error) {
	if _, err := s.accountFor(ctx, actor, account, publish.AccountRead); err != nil {
		return nil, err
	}
	return s.Store.Webhooks(ctx, account)
}

// hookFor loads a webhook with its account and asks for the right to manage it.
func (s *Service) hookFor(ctx context.Context, actor *authz.Actor, id ids.ID) (*Webhook, *publish.Account, error) {
	h, err := s.Store.Webhook(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	a, err := s.accountFor(ctx, actor, h.AccountID, publish.AccountManage)
	if errs.Is(err, errs.NotFound) {
		err = errs.Missing("推送地址")
	}
	return h, a, err
}

// DeleteWebhook removes an address with its waiting jobs and its log.
func (s *Service) DeleteWebhook(ctx context.Context, actor *authz.Actor, id ids.ID) error {
	h, a, err := s.hookFor(ctx, actor, id)
	if err != nil {
		return err
	}
	return s.Store.DeleteWebhook(ctx, id, s.entry(actor, a, "webhook.delete", id, h.URL))
}

// EnableWebhook switches an address on again after it was switched off.
func (s *Service) EnableWebhook(ctx context.Context, actor *authz.Actor, id ids.ID) (*Webhook, error) {
	h, a, err := s.hookFor(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	h.Enabled, h.Note = true, ""
	return h, s.Store.SaveWebhook(ctx, h, s.entry(actor, a, "webhook.enable", id, h.URL))
}

// PingWebhook sends a "ping" event, to try the address.
func (s *Service) PingWebhook(ctx context.Context, actor *authz.Actor, id ids.ID) error {
	h, a, err := s.hookFor(ctx, actor, id)
	if err != nil {
		return err
	}
	if err := s.Store.AddJob(ctx, h, s.event(EventPing, *a, nil)); err != nil {
		return err
	}
	s.Wake()
	return nil
}

// Jobs is the visible log of an account's webhooks, newest first.
func (s *Service) Jobs(ctx context.Context, actor *authz.Actor, account ids.ID, r page.Request) (*page.Result[Job], error) {
	if _, err := s.accountFor(ctx, actor, account, publish.AccountRead); err != nil {
		return nil, err
	}
	jobs, err := s.Store.Jobs(ctx, account, r)
	if err != nil {
		return nil, err
	}
	res := page.Of(jobs, r.Limit, func(j Job) ids.ID { return j.ID })
	return &res, nil
}

// Attempts is the log of one job of the account.
func (s *Service) Attempts(ctx context.Context, actor *authz.Actor, account, job ids.ID) ([]Attempt, error) {
	if _, err := s.accountFor(ctx, actor, account, publish.AccountRead); err != nil {
		return nil, err
	}
	return s.Store.Attempts(ctx, account, job)
}

// checkURL judges an address when it is entered, so that the mistake shows at
// once. The client judges again when it connects.
func (s *Service) checkURL(raw string) (string, error) {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || u.Host == "" || u.Opaque != "" || len(raw) > 500 {
		return "", errs.Bad("url", "推送地址的格式不对，应为 https://域名/路径。")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !s.AllowPrivate) {
		return "", errs.Bad("url", "推送地址必须以 https:// 开头。")
	}
	if u.User != nil {
		return "", errs.Bad("url", "推送地址里不能带用户名和密码，接收方请用签名核对来源。")
	}
	if outbound.Inner(u) && !s.AllowPrivate {
		return "", errs.Bad("url", "推送地址不能指向本机或内部网络。")
	}
	u.Fragment = ""
	return u.String(), nil
}
