package main

import (
	"net/url"

	"tongxin/wechat/sandbox"
)

// demoMini is the mini-program of the demonstration. Like the official
// accounts' its keys are worth nothing anywhere else.
func demoMini() demoApp {
	return demoApp{"wx00000000000de3ff", "同心（小程序）", "0000demo0000mini000program000000", "demotoken", "ZGVtb2RlbW9kZW1vZGVtb2RlbW9kZW1vZGVtb2RlbW8"}
}

// demoMini connects the sandbox's mini-program, and its first official account
// for web pages, where the settings name none.
func (s *settings) demoMini() {
	if *s.miniAppID == "" {
		mini := demoMini()
		*s.miniAppID, *s.miniSecret, *s.miniToken, *s.miniAESKey = mini.appID, mini.secret, mini.token, mini.aesKey
	}
	if *s.oauthAppID == "" {
		*s.oauthAppID = demoApps()[0].appID
	}
}

// demoUsers have WeChat on the phone: members of each branch with the numbers
// of the roster, the last probationary one, and somebody whom no roster knows.
func demoUsers() []sandbox.User {
	return []sandbox.User{
		{ID: "liufang", Nickname: "刘芳（书记）", Phone: "19900000100"},
		{ID: "maguoqiang", Nickname: "马国强", Phone: "19900000101"},
		{ID: "sunxiuying", Nickname: "孙秀英", Phone: "19900000102"},
		{ID: "chengsiyu", Nickname: "程思雨（预备党员）", Phone: "19900000113"},
		{ID: "caojianhua", Nickname: "曹建华（第二支部）", Phone: "19900000200"},
		{ID: "zhoudesheng", Nickname: "周德胜（退休支部）", Phone: "19900000300"},
		{ID: "luren", Nickname: "路人（不在名册）", Phone: "19911112222"},
	}
}

// originHost is the host of an address, for the list of domains that the
// authorisation page may lead back to.
func originHost(address string) string {
	if u, err := url.Parse(address); err == nil {
		return u.Host
	}
	return ""
}
