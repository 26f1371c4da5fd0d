package main

import (
	"context"
	"errors"

	"tongxin/internal/errs"
	"tongxin/notify"
	"tongxin/publish"
	"tongxin/wechat"
)

// wechatPush makes the WeChat client a notify.Pusher: it finds the account and
// translates words and errors; what to do about them is the domain's business.
type wechatPush struct {
	client *wechat.Client
	mini   wechat.Credentials
	store  interface {
		AccountByApp(ctx context.Context, platform, appID string) (*publish.Account, error)
	}
}

var _ notify.Pusher = wechatPush{}

// Push implements notify.Pusher.
func (w wechatPush) Push(ctx context.Context, m notify.Message) (string, error) {
	acc, err := w.account(ctx, m.AppID)
	if err != nil {
		return "", err
	}
	out := wechat.Message{OpenID: m.OpenID, TemplateID: m.TemplateID, Page: m.Page, Ref: m.Ref, Data: m.Values}
	send := acc.SubscribeSend
	switch m.Channel {
	case notify.Official:
		send, out.MiniAppID = acc.TemplateSend, w.mini.AppID
	case notify.Subscribe:
		send, out.MiniAppID = acc.BizSend, w.mini.AppID
	}
	id, err := send(ctx, out)
	return id, pushError(err)
}

// account by its AppID: the mini-program of the settings, or an official
// account of the console.
func (w wechatPush) account(ctx context.Context, appID string) (*wechat.Account, error) {
	if appID == w.mini.AppID && appID != "" {
		return w.client.Account(w.mini), nil
	}
	a, err := w.store.AccountByApp(ctx, publish.WeChat, appID)
	if errs.Is(err, errs.NotFound) {
		return nil, &notify.PushError{Kind: notify.Token, Msg: "消息模板所属的账号没有接入，请在“账号”里添加，或修改消息模板。"}
	}
	if err != nil { // our own database: nothing was sent
		return nil, &notify.PushError{Kind: notify.Later, Msg: "读取账号时出错，稍后自动再试。", Cause: err}
	}
	return w.client.Account(credentials(*a)), nil
}

// pushError translates a failed call.
func pushError(err error) error {
	if err == nil {
		return nil
	}
	out := &notify.PushError{Code: wechat.CodeOf(err), Unknown: wechat.OutcomeUnknown(err), Msg: wechat.Sentence(err), Kind: notify.Later, Cause: err}
	switch wechat.KindOf(err) {
	case wechat.Permanent, wechat.Content:
		out.Kind = notify.GiveUp
	case wechat.Auth:
		out.Kind = notify.Token
	case wechat.Quota:
		out.Kind = notify.Quota
	}
	var we *wechat.Error
	if errors.As(err, &we) {
		out.Field, out.RetryAt = we.Field, we.RetryAt
	}
	return out
}

// takeNotifyEvents hears what people allow and what became of messages. Events
// that nobody signed are left: anybody may have written them.
func (p *program) takeNotifyEvents() {
	take := func(ctx context.Context, in pushed) error {
		if !in.signed {
			return nil
		}
		for _, ev := range grantEvents(in) {
			if err := p.notify.TakeGrantEvent(ctx, ev); err != nil {
				return err
			}
		}
		return nil
	}
	for _, name := range []string{"subscribe_msg_popup_event", "subscribe_msg_change_event", "subscribe_msg_sent_event"} {
		p.takers[name] = take
	}
}

// grantEvents reads the rows of one event.
func grantEvents(in pushed) []notify.GrantEvent {
	var out []notify.GrantEvent
	ev := notify.GrantEvent{AppID: in.appID, OpenID: in.event.From, At: in.event.Created}
	for _, c := range in.event.Choices {
		ev.Template, ev.What = c.TemplateID, "reject"
		switch {
		case c.Accepted && in.event.Name == "subscribe_msg_popup_event":
			ev.What = "accept"
		case !c.Accepted && in.event.Name == "subscribe_msg_change_event":
			ev.What = "off"
		}
		out = append(out, ev)
	}
	for _, s := range in.event.Sent {
		ev.Template, ev.MsgID, ev.Code, ev.What, ev.Note = s.TemplateID, s.MsgID, s.Code, "sent", ""
		if s.Code != 0 {
			ev.What, ev.Note = "failed", "微信没有送达这条消息，可能被对方拒收。"
		}
		out = append(out, ev)
	}
	return out
}
