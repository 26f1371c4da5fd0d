package handlers

import (
	"context"

	"tongxin/internal/authz"
	"tongxin/internal/httpkit"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/publish"
	"tongxin/publish/feed"
)

// accounts serves official accounts and feeds, with the webhooks of the latter.
type accounts struct {
	svc  *publish.Service
	feed *feed.Service
}

// accountView is an account with what its form needs. Secrets are never in it.
type accountView struct {
	publish.Account
	Feed  *feed.Links `json:"feed,omitempty" doc:"public addresses of a feed"`
	Hints []string    `json:"hints" doc:"what the mode means for this account"`
}

func (h *accounts) view(a *publish.Account, err error) (*accountView, error) {
	if err != nil {
		return nil, err
	}
	v := &accountView{Account: *a, Hints: a.ModeHints()}
	if a.Platform == publish.Feed {
		links := h.feed.Links(a.ID)
		v.Feed = &links
	}
	return v, nil
}

func (h *accounts) listAccounts(ctx context.Context, actor *authz.Actor, _ *struct{}) (*page.Result[accountView], error) {
	list, err := h.svc.Accounts(ctx, actor)
	if err != nil {
		return nil, err
	}
	out := &page.Result[accountView]{Items: make([]accountView, len(list))}
	for i := range list {
		v, err := h.view(&list[i], nil)
		if err != nil {
			return nil, err
		}
		out.Items[i] = *v
	}
	return out, nil
}

// accountBody holds lengths only; the domain knows the forms.
type accountBody struct {
	OrgID    ids.ID                `json:"orgId,omitempty" doc:"cannot be changed later"`
	Platform string                `json:"platform,omitempty" enum:"wechat,feed" doc:"cannot be changed later"`
	Name     string                `json:"name" minLength:"1" maxLength:"40"`
	Kind     string                `json:"kind,omitempty" enum:"subscription,service,feed"`
	Mode     publish.Mode          `json:"mode,omitempty" enum:"publish,mass,draft"`
	AppID    string                `json:"appId,omitempty" maxLength:"64" doc:"cannot be changed later"`
	Secrets  *accountSecrets       `json:"secrets,omitempty" doc:"write-only"`
	Limits   *publish.AccountLimit `json:"limits,omitempty"`
}

type accountSecrets struct {
	AppSecret *string `json:"appSecret,omitempty" maxLength:"64" doc:"absent: keep"`
	Token     *string `json:"token,omitempty" maxLength:"64" doc:"absent: keep, empty: clear"`
	AESKey    *string `json:"aesKey,omitempty" maxLength:"64" doc:"absent: keep, empty: clear"`
}

func (b accountBody) input() publish.AccountInput {
	in := publish.AccountInput{OrgID: b.OrgID, Platform: b.Platform, Name: b.Name, Kind: b.Kind, Mode: b.Mode, AppID: b.AppID, Limits: b.Limits}
	if b.Secrets != nil {
		in.Secrets = publish.SecretsInput{AppSecret: b.Secrets.AppSecret, Token: b.Secrets.Token, AESKey: b.Secrets.AESKey}
	}
	return in
}

type createAccountIn struct{ Body accountBody }

func (h *accounts) createAccount(ctx context.Context, actor *authz.Actor, in *createAccountIn) (*accountView, error) {
	return h.view(h.svc.CreateAccount(ctx, actor, in.Body.input()))
}

func (h *accounts) getAccount(ctx context.Context, actor *authz.Actor, in *idIn) (*accountView, error) {
	return h.view(h.svc.Account(ctx, actor, in.ID.V))
}

type saveAccountIn struct {
	httpkit.ByVersion
	Body accountBody
}

func (h *accounts) saveAccount(ctx context.Context, actor *authz.Actor, in *saveAccountIn) (*accountView, error) {
	return h.view(h.svc.UpdateAccount(ctx, actor, in.ID.V, in.Version, in.Body.input()))
}

func (h *accounts) deleteAccount(ctx context.Context, actor *authz.Actor, in *idIn) error {
	return h.svc.DeleteAccount(ctx, actor, in.ID.V)
}

type pauseAccountIn struct {
	httpkit.ByID
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"200"`
	}
}

func (h *accounts) pauseAccount(ctx context.Context, actor *authz.Actor, in *pauseAccountIn) (*accountView, error) {
	return h.view(h.svc.PauseAccount(ctx, actor, in.ID.V, in.Body.Reason))
}

func (h *accounts) resumeAccount(ctx context.Context, actor *authz.Actor, in *idIn) (*accountView, error) {
	return h.view(h.svc.ResumeAccount(ctx, actor, in.ID.V))
}

func (h *accounts) checkAccount(ctx context.Context, actor *authz.Actor, in *idIn) (*accountView, error) {
	return h.view(h.svc.CheckAccount(ctx, actor, in.ID.V))
}

func (h *accounts) listWebhooks(ctx context.Context, actor *authz.Actor, in *idIn) (*page.Result[feed.Webhook], error) {
	list, err := h.feed.Webhooks(ctx, actor, in.ID.V)
	return &page.Result[feed.Webhook]{Items: list}, err
}

type addWebhookIn struct {
	httpkit.ByID
	Body struct {
		URL string `json:"url" minLength:"1" maxLength:"500"`
	}
}

func (h *accounts) addWebhook(ctx context.Context, actor *authz.Actor, in *addWebhookIn) (*feed.NewWebhook, error) {
	return h.feed.AddWebhook(ctx, actor, in.ID.V, in.Body.URL)
}

func (h *accounts) deleteWebhook(ctx context.Context, actor *authz.Actor, in *idIn) error {
	return h.feed.DeleteWebhook(ctx, actor, in.ID.V)
}

func (h *accounts) enableWebhook(ctx context.Context, actor *authz.Actor, in *idIn) (*feed.Webhook, error) {
	return h.feed.EnableWebhook(ctx, actor, in.ID.V)
}

func (h *accounts) pingWebhook(ctx context.Context, actor *authz.Actor, in *idIn) error {
	return h.feed.PingWebhook(ctx, actor, in.ID.V)
}

type listWebhookJobsIn struct {
	httpkit.ByID
	httpkit.Paging
}

func (h *accounts) listWebhookJobs(ctx context.Context, actor *authz.Actor, in *listWebhookJobsIn) (*page.Result[feed.Job], error) {
	return h.feed.Jobs(ctx, actor, in.ID.V, in.Page)
}

type getWebhookJobIn struct {
	httpkit.ByID
	Job httpkit.ID `path:"job"`
}

func (h *accounts) listWebhookAttempts(ctx context.Context, actor *authz.Actor, in *getWebhookJobIn) (*page.Result[feed.Attempt], error) {
	list, err := h.feed.Attempts(ctx, actor, in.ID.V, in.Job.V)
	return &page.Result[feed.Attempt]{Items: list}, err
}
