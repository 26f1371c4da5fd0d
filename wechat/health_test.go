package wechat_test

import (
	"strings"
	"testing"

	"tongxin/wechat"
	"tongxin/wechat/sandbox"
)

func TestHealthOfAGoodAccount(t *testing.T) {
	w := start(t, nil)
	h := w.acc.CheckHealth(t.Context())
	if !h.OK() || !h.CanPublish() || len(h.Quotas) != 7 || !h.At.Equal(w.clock.Now()) {
		t.Errorf("%+v", h)
	}
}

func TestHealthNamesWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*sandbox.Config)
		secret string
		key    string
		code   int
		word   string
	}{
		"no right to publish": {func(c *sandbox.Config) { c.Accounts[0].Deny = []string{"publish"} }, "", "publish", 48001, "手工发布"},
		"no right to draft":   {func(c *sandbox.Config) { c.Accounts[0].Deny = []string{"draft"} }, "", "draft", 48001, "权限"},
		"ip list":             {func(c *sandbox.Config) { c.Accounts[0].Whitelist = []string{"198.51.100.7"} }, "", "ip", 40164, "127.0.0.1"},
		"secret":              {func(*sandbox.Config) {}, "wrong", "credentials", 40125, "AppSecret"},
		"appid":               {func(c *sandbox.Config) { c.Accounts[0].AppID = "wxother" }, "", "credentials", 40013, "AppID"},
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t, c.change)
			creds := w.creds
			if c.secret != "" {
				creds.Secret = c.secret
			}
			h := w.client.Account(creds).CheckHealth(t.Context())
			got := h.Check(c.key)
			if got.State != wechat.CheckBad || got.Code != c.code || !strings.Contains(got.Why, c.word) {
				t.Errorf("%+v", got)
			}
			if h.OK() || (c.key != "draft" && h.CanPublish()) {
				t.Error("reported as fine")
			}
			if c.code == 40164 && h.RefusedIP != "127.0.0.1" {
				t.Errorf("refused address %q", h.RefusedIP)
			}
			for _, ch := range h.Checks {
				clean(t, w, ch.Why)
			}
		})
	}
}

func TestHealthShowsUsedUpQuota(t *testing.T) {
	w := start(t, func(c *sandbox.Config) { c.Faults.Exhausted = []string{submit} })
	h := w.acc.CheckHealth(t.Context())
	if h.OK() || !h.CanPublish() {
		t.Errorf("%+v", h)
	}
	for _, q := range h.Quotas {
		if bad := q.State == wechat.CheckBad; bad != (q.Path == submit) {
			t.Errorf("%+v", q)
		}
	}
}

func TestHealthWhenNobodyAnswers(t *testing.T) {
	w := start(t, nil)
	w.fault(sandbox.Rule{Path: "*", Kind: sandbox.CloseBefore, Probability: 1})
	h := w.acc.CheckHealth(t.Context())
	for _, c := range h.Checks {
		if c.State != wechat.CheckUnknown || c.Why == "" {
			t.Errorf("%+v", c)
		}
	}
	if h.CanPublish() {
		t.Error("nothing is known")
	}
}
