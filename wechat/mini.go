package wechat

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// maxCode bounds a code that a phone hands on. Those seen have 32 characters
// (login, pages) or 64 (phone numbers).
const maxCode = 512

// Identity is who somebody is to one app. UnionID is the same in all apps of
// one open-platform account, and empty where the app belongs to none.
//
// There is no place for the session_key: it is never even decoded.
type Identity struct {
	AppID   string
	OpenID  string
	UnionID string
}

// CodeSession exchanges the code of wx.login. A code is good once, for five
// minutes: 40029 unknown or too old, 40163 used, 45011 too often, 40226 WeChat
// calls the person high-risk. It is never repeated, because the first try may
// have used the code up: the phone fetches another one.
// Source: code2Session.
func (a *Account) CodeSession(ctx context.Context, code string) (Identity, error) {
	o := op{path: "/sns/jscode2session", effect: true}
	var out identityAnswer
	if err := a.exchange(ctx, o, "js_code", code, &out); err != nil {
		return Identity{}, err
	}
	return out.identity(o, a.creds.AppID)
}

// identityAnswer is what both exchanges of a code answer, without the keys
// that come along.
type identityAnswer struct {
	OpenID  string `json:"openid"`
	UnionID string `json:"unionid"`
}

func (x identityAnswer) identity(o op, appID string) (Identity, error) {
	if x.OpenID == "" || len(x.OpenID) > 64 || len(x.UnionID) > 64 {
		return Identity{}, &Error{Op: o.name(), Kind: Unknown, Outcome: MayBeAccepted, Msg: "answer without a usable openid"}
	}
	return Identity{AppID: appID, OpenID: x.OpenID, UnionID: x.UnionID}, nil
}

// exchange hands in a code with the app's keys in the query, as the /sns calls
// want it, and without an access token. Neither keys nor code come back in an
// error: transport errors are named without their address, and the platform's
// text is cleaned of them.
func (a *Account) exchange(ctx context.Context, o op, name, code string, out any) error {
	c := a.client
	if a.creds.AppID == "" || a.creds.Secret == "" {
		return refusal(o.name(), Auth, 41004, "no appid or secret")
	}
	if code == "" || len(code) > maxCode {
		return refusal(o.name(), Permanent, 40029, "code of %d characters", len(code))
	}
	start := time.Now()
	body, left, err := c.send(ctx, wire{method: http.MethodGet, path: o.path, timeout: c.timeout, once: true, query: url.Values{
		"appid": {a.creds.AppID}, "secret": {a.creds.Secret}, name: {code}, "grant_type": {"authorization_code"},
	}})
	if err == nil {
		err = c.judge(o, body, out, a.creds.Secret, code)
	} else {
		err = c.lost(o, left, err)
	}
	c.log.Debug("wechat call", "app", a.creds.AppID, "op", o.name(), "took", time.Since(start), "err", err)
	return err
}

// PhoneNumber is a number that WeChat vouches for.
type PhoneNumber struct {
	Number  string // without the country code
	Country string // "86"
}

// String keeps the number out of formatted text and of logs.
func (PhoneNumber) String() string { return "wechat.PhoneNumber(***)" }

// GoString keeps the number out of %#v.
func (p PhoneNumber) GoString() string { return p.String() }

// PhoneNumber exchanges the code of the phone button: another code than that
// of wx.login, good once and for five minutes (40029, 40163). It is not
// repeated, except with a new access token after the old one was refused, when
// nothing happened. An answer marked for another app is no answer.
// Source: getPhoneNumber (phonenumber.getPhoneNumber).
func (a *Account) PhoneNumber(ctx context.Context, code string) (PhoneNumber, error) {
	o := op{path: "/wxa/business/getuserphonenumber", effect: true}
	if code == "" || len(code) > maxCode {
		return PhoneNumber{}, refusal(o.name(), Permanent, 40029, "code of %d characters", len(code))
	}
	var out struct {
		Info struct {
			Pure      string `json:"purePhoneNumber"`
			Country   string `json:"countryCode"`
			Watermark struct {
				AppID string `json:"appid"`
			} `json:"watermark"`
		} `json:"phone_info"`
	}
	if err := a.post(ctx, o, map[string]any{"code": code}, &out); err != nil {
		return PhoneNumber{}, err
	}
	if out.Info.Pure == "" || out.Info.Watermark.AppID != a.creds.AppID {
		return PhoneNumber{}, &Error{Op: o.name(), Kind: Unknown, Outcome: MayBeAccepted, Msg: "answer without a number of this app"}
	}
	return PhoneNumber{Number: out.Info.Pure, Country: out.Info.Country}, nil
}
