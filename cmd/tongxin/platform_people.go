package main

import (
	"context"
	"errors"
	"time"

	"tongxin/internal/errs"
	"tongxin/member/signin"
	"tongxin/publish"
	"tongxin/wechat"
)

// miniKeys are the mini-program's; no AppID when none is set up.
func miniKeys(set *settings) wechat.Credentials {
	return wechat.Credentials{AppID: *set.miniAppID, Secret: *set.miniSecret, Token: *set.miniToken, AESKey: *set.miniAESKey}
}

// miniProgram is the members' mini-program; nil when none is set up.
func (p *program) miniProgram() *wechat.Account {
	keys := miniKeys(p.set)
	if keys.AppID == "" {
		return nil
	}
	return p.wechat.Account(keys)
}

// wechatPeople proves who somebody is: by the mini-program of the settings, and
// by an official account of the console. It translates words and errors into
// sentences for the person, and decides nothing.
type wechatPeople struct {
	mini   *wechat.Account // nil: none is set up
	client *wechat.Client
	store  interface {
		AccountByApp(ctx context.Context, platform, appID string) (*publish.Account, error)
	}
	officialApp string // appid of the official account; empty: none is set up
}

func (p *program) people() wechatPeople {
	return wechatPeople{mini: p.miniProgram(), client: p.wechat, store: p.publish.Store, officialApp: *p.set.oauthAppID}
}

var _ signin.WeChat = wechatPeople{}

// Mini implements signin.WeChat.
func (w wechatPeople) Mini(ctx context.Context, code string) (signin.Identity, error) {
	if w.mini == nil {
		return signin.Identity{}, errs.New(errs.Unsupported, "还没有接入小程序，请联系管理员。")
	}
	id, err := w.mini.CodeSession(ctx, code)
	return signin.Identity(id), peopleError(err)
}

// Phone implements signin.WeChat, for numbers of mainland China.
func (w wechatPeople) Phone(ctx context.Context, code string) (string, error) {
	if w.mini == nil {
		return "", errs.New(errs.Unsupported, "还没有接入小程序，请联系管理员。")
	}
	phone, err := w.mini.PhoneNumber(ctx, code)
	if err != nil {
		return "", peopleError(err)
	}
	if phone.Country != "" && phone.Country != "86" {
		return "", errs.New(errs.Conflict, "您微信里的手机号不是中国大陆的号码，请向支部书记要一个邀请码。")
	}
	return phone.Number, nil
}

// official is the account whose page authorisation is used.
func (w wechatPeople) official(ctx context.Context) (*wechat.Account, error) {
	none := errs.New(errs.Unsupported, "还没有接入公众号网页登录，请在小程序里打开，或联系管理员。")
	if w.officialApp == "" {
		return nil, none
	}
	a, err := w.store.AccountByApp(ctx, publish.WeChat, w.officialApp)
	if errs.Is(err, errs.NotFound) {
		return nil, none
	}
	if err != nil {
		return nil, err
	}
	return w.client.Account(credentials(*a)), nil
}

// Web implements signin.WeChat.
func (w wechatPeople) Web(ctx context.Context, code string) (signin.Identity, error) {
	a, err := w.official(ctx)
	if err != nil {
		return signin.Identity{}, err
	}
	id, err := a.WebCode(ctx, code)
	if err == nil && id.Snapshot {
		err = errs.New(errs.Forbidden, "微信只展示了页面快照。请点页面下方的“使用完整服务”后再登录。")
	}
	if err != nil {
		return signin.Identity{}, peopleError(err)
	}
	return signin.Identity(id.Identity), nil
}

// WebURL implements signin.WeChat. WeChat takes a state of up to 128 letters and
// figures only.
func (w wechatPeople) WebURL(ctx context.Context, back, state string) (string, error) {
	a, err := w.official(ctx)
	if err != nil {
		return "", err
	}
	return a.AuthorizeURL(back, state), nil
}

// peopleError tells the person what to do. What the house must mend is said to
// be so; what WeChat said in English stays in the log.
func peopleError(err error) error {
	var we *wechat.Error
	if err == nil || !errors.As(err, &we) {
		return err
	}
	switch we.Code {
	case 40029, 40163:
		return errs.Wrap(err, errs.Unauthorized, "%s", wechat.Sentence(err))
	case 40226:
		return errs.Wrap(err, errs.Forbidden, "%s", wechat.Sentence(err))
	case 45011:
		e := errs.Wrap(err, errs.TooMany, "登录太频繁，请一分钟后再试。")
		e.RetryAfter = time.Minute
		return e
	}
	if we.Kind == wechat.Auth || we.Kind == wechat.Permanent {
		return errs.Wrap(err, errs.Upstream, "与微信的连接设置有误，请联系管理员。")
	}
	return errs.Wrap(err, errs.Upstream, "暂时没有收到微信的答复，请稍后重新打开页面再试。")
}
