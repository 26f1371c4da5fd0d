package wechat

import (
	"context"
	"net/url"
)

// DefaultAuthorize is where a browser inside WeChat is asked who it is.
const DefaultAuthorize = "https://open.weixin.qq.com"

// scopeUserInfo asks the person for consent once. The scope without consent,
// snsapi_base, gives an openid but no unionid, and only a unionid joins the
// official account with the mini-program.
const scopeUserInfo = "snsapi_userinfo"

// WebIdentity is who somebody is to an official account.
type WebIdentity struct {
	Identity
	// Snapshot tells that WeChat showed the page to somebody who did not agree
	// yet, as a made-up person: never sign such a one in.
	Snapshot bool
}

// AuthorizeURL is the address a browser inside WeChat goes to, to come back to
// back (an address on a domain that the official account lists) with a code and
// the state. State is 1–128 letters and figures.
// Source: 网页授权, step 1. The order of the parameters is the platform's.
func (a *Account) AuthorizeURL(back, state string) string {
	return a.client.authorize + "/connect/oauth2/authorize?appid=" + url.QueryEscape(a.creds.AppID) + "&redirect_uri=" + url.QueryEscape(back) +
		"&response_type=code&scope=" + scopeUserInfo + "&state=" + url.QueryEscape(state) + "#wechat_redirect"
}

// WebCode exchanges the code that AuthorizeURL's page gave: good once, for five
// minutes (40029, 40163). It is not repeated. The tokens that come with the
// answer are not kept: nothing here asks WeChat about the person again.
// Source: 网页授权, step 2.
func (a *Account) WebCode(ctx context.Context, code string) (WebIdentity, error) {
	o := op{path: "/sns/oauth2/access_token", effect: true}
	var out struct {
		identityAnswer
		Snapshot int `json:"is_snapshotuser"`
	}
	if err := a.exchange(ctx, o, "code", code, &out); err != nil {
		return WebIdentity{}, err
	}
	id, err := out.identity(o, a.creds.AppID)
	return WebIdentity{Identity: id, Snapshot: out.Snapshot == 1}, err
}
