package main

import (
	"context"
	"log/slog"
	"net/url"

	"tongxin/internal/errs"
	"tongxin/publish"
	"tongxin/wechat"
)

// pushed is one event as a callback brought it.
type pushed struct {
	appID string
	event *wechat.Event
	// signed tells that the signature of the callback covered its body. Without
	// it anybody may have written it: take it for a hint and ask the platform.
	signed bool
}

// eventTakers hear of events by the name the platform gives them. A step of
// build adds what its domain wants; an error makes the platform send again, so
// a taker must not mind to hear twice (wechat.Event.DedupeKey tells).
type eventTakers map[string]func(ctx context.Context, in pushed) error

// wechatCallbacks turns requests of WeChat into events of the domains: of the
// mini-program in the settings, and of the official accounts in the console.
type wechatCallbacks struct {
	store interface {
		AccountByApp(ctx context.Context, platform, appID string) (*publish.Account, error)
	}
	platform wechatPlatform
	svc      *publish.Service
	mini     wechat.Credentials // no AppID: there is none
	takers   eventTakers
	log      *slog.Logger
}

func (h wechatCallbacks) take(ctx context.Context, appID, method string, query url.Values, body []byte) (string, error) {
	refused := errs.New(errs.Forbidden, "请求未通过验证。")
	keys, account, err := h.keys(ctx, appID)
	if errs.Is(err, errs.NotFound) {
		return "", refused
	}
	if err != nil {
		return "", err
	}
	call, err := wechat.CallbackParser{Clock: h.platform.clock}.Parse(keys, method, query, body)
	if err != nil {
		h.log.Warn("wechat: callback refused", "app", keys.AppID, "err", err)
		return "", refused
	}
	if call.Event == nil {
		return call.Echo, nil
	}
	in := pushed{appID: appID, event: call.Event, signed: keys.AESKey != ""}
	if take, ok := h.takers[call.Event.Name]; ok && call.Event.MsgType == "event" {
		err = take(ctx, in)
	} else if account != nil {
		err = h.publishing(ctx, *account, in)
	}
	if err != nil {
		return "", err
	}
	return wechat.CallbackSuccess, nil
}

// keys of an app, and the account where it is one of the console.
func (h wechatCallbacks) keys(ctx context.Context, appID string) (wechat.Credentials, *publish.Account, error) {
	if h.mini.AppID != "" && h.mini.AppID == appID {
		return h.mini, nil, nil
	}
	a, err := h.store.AccountByApp(ctx, publish.WeChat, appID)
	if err != nil {
		return wechat.Credentials{}, nil, err
	}
	return credentials(*a), a, nil
}

// publishing hands an event of an official account to the queue.
func (h wechatCallbacks) publishing(ctx context.Context, a publish.Account, in pushed) error {
	ev, ours := h.platform.event(a, in.event)
	if !ours {
		return nil
	}
	if in.signed {
		return h.svc.TakeEvent(ctx, ev)
	}
	return h.svc.TakeHint(ctx, ev)
}
