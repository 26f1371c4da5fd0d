package wechat

import (
	"context"
)

// QuotaLeft is what one call may still do today.
type QuotaLeft struct {
	Path  string // "/cgi-bin/draft/add"
	Limit int    // a day
	Used  int
	Left  int
}

// GetQuota asks for one call's daily figures; path is as "/cgi-bin/draft/add".
func (a *Account) GetQuota(ctx context.Context, path string) (QuotaLeft, error) {
	var out struct {
		Quota struct {
			Limit int `json:"daily_limit"`
			Used  int `json:"used"`
			Left  int `json:"remain"`
		} `json:"quota"`
	}
	err := a.post(ctx, op{path: "/cgi-bin/openapi/quota/get"}, map[string]string{"cgi_path": path}, &out)
	return QuotaLeft{Path: path, Limit: out.Quota.Limit, Used: out.Quota.Used, Left: out.Quota.Left}, err
}

// CallbackIPs lists the addresses that callbacks come from (getcallbackip).
func (a *Account) CallbackIPs(ctx context.Context) ([]string, error) {
	return a.addresses(ctx, "/cgi-bin/getcallbackip")
}

func (a *Account) addresses(ctx context.Context, path string) ([]string, error) {
	var out struct {
		List []string `json:"ip_list"`
	}
	err := a.get(ctx, op{path: path}, &out)
	return out.List, err
}
