package wechat_test

import (
	"strings"
	"testing"

	"tongxin/wechat"
	"tongxin/wechat/sandbox"
)

func withTemplates(c *sandbox.Config) {
	c.Accounts[0].Pages = []string{"pages/notice/index"}
	c.Accounts[0].Crowd = true
	c.Accounts[0].Templates = []sandbox.MsgTemplate{
		{ID: "tmpl-mini", Use: "mini", Title: "通知提醒", Fields: []string{"thing1", "time2", "phrase3"}},
		{ID: "tmpl-off", Use: "template", Title: "会议通知", Fields: []string{"thing1"}},
		{ID: "tmpl-biz", Use: "subscribe", Title: "学习提醒", Fields: []string{"thing1"}},
	}
}

func message(openID string) wechat.Message {
	return wechat.Message{
		OpenID: openID, TemplateID: "tmpl-mini", Page: "pages/notice/index?id=1",
		Data: map[string]string{"thing1": "支部党员大会 <&>", "time2": "2026年3月2日 15:01", "phrase3": "通知"},
	}
}

func TestSubscribeSend(t *testing.T) {
	w := start(t, withTemplates)
	ctx := t.Context()
	app := w.creds.AppID
	w.box.Meet(app, "o1", false)
	_, err := w.acc.SubscribeSend(ctx, message("o1"))
	if wechat.CodeOf(err) != 43101 || wechat.OutcomeUnknown(err) {
		t.Fatal(err)
	}
	if err := w.box.Answer(app, "o1", "tmpl-mini", "accept"); err != nil {
		t.Fatal(err)
	}
	id, err := w.acc.SubscribeSend(ctx, message("o1"))
	if err != nil || id == "" {
		t.Fatal(id, err)
	}
	got := w.box.Messages(app)
	if len(got) != 1 || got[0].OpenID != "o1" || got[0].MsgID != id || got[0].Data["thing1"] != "支部党员大会 <&>" || got[0].Page != "pages/notice/index?id=1" {
		t.Fatalf("%+v", got)
	}
	// One acceptance, one message.
	if _, err = w.acc.SubscribeSend(ctx, message("o1")); wechat.CodeOf(err) != 43101 {
		t.Error(err)
	}
	for name, x := range map[string]struct {
		change func(*wechat.Message)
		code   int
		field  string
	}{
		"unknown person": {func(m *wechat.Message) { m.OpenID = "o9" }, 40003, ""},
		"no template":    {func(m *wechat.Message) { m.TemplateID = "x" }, 40037, ""},
		"other call's":   {func(m *wechat.Message) { m.TemplateID = "tmpl-off" }, 40037, ""},
		"page":           {func(m *wechat.Message) { m.Page = "pages/none" }, 41030, ""},
		"too long":       {func(m *wechat.Message) { m.Data["thing1"] = strings.Repeat("长", 21) }, 47003, "thing1"},
		"time":           {func(m *wechat.Message) { m.Data["time2"] = "明天" }, 47003, "time2"},
		"phrase":         {func(m *wechat.Message) { m.Data["phrase3"] = "abc" }, 47003, "phrase3"},
		"missing":        {func(m *wechat.Message) { delete(m.Data, "time2") }, 47003, "time2"},
		"empty":          {func(m *wechat.Message) { m.Data["thing1"] = "" }, 47003, "thing1"},
		"surplus":        {func(m *wechat.Message) { m.Data["zzz9"] = "x" }, 47003, "zzz9"},
		"no openid":      {func(m *wechat.Message) { m.OpenID = "" }, 40003, ""},
	} {
		m := message(sandbox.Crowd + "1")
		x.change(&m)
		_, err := w.acc.SubscribeSend(ctx, m)
		we, ok := err.(*wechat.Error) //nolint:errorlint // the package returns it bare
		if !ok || we.Code != x.code || we.Field != x.field || we.Outcome != wechat.NotAccepted {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := w.box.MessageCounts(app)[sandbox.Crowd+"1 pages/notice/index?id=1"]; n != 0 {
		t.Error("a refused message arrived")
	}
}

func TestOfficialMessages(t *testing.T) {
	w := start(t, withTemplates)
	ctx := t.Context()
	app := w.creds.AppID
	w.box.Meet(app, "fan", true)
	w.box.Meet(app, "other", false)
	m := wechat.Message{OpenID: "fan", TemplateID: "tmpl-off", Ref: "tx-1", MiniAppID: "wxmini", Page: "pages/notice/index", Data: map[string]string{"thing1": "开会"}}
	first, err := w.acc.TemplateSend(ctx, m)
	if err != nil || first == "" {
		t.Fatal(err)
	}
	if _, err := w.acc.TemplateSend(ctx, m); err != nil { // the same ref: accepted, not sent
		t.Fatal(err)
	}
	if n := w.box.MessageCounts(app)["fan pages/notice/index"]; n != 1 {
		t.Errorf("%d messages", n)
	}
	m.OpenID = "other"
	if _, err := w.acc.TemplateSend(ctx, m); wechat.CodeOf(err) != 43004 {
		t.Error(err)
	}
	m.Ref = strings.Repeat("r", 33)
	if _, err := w.acc.TemplateSend(ctx, m); wechat.CodeOf(err) != 45067 {
		t.Error(err)
	}
	biz := wechat.Message{OpenID: "fan", TemplateID: "tmpl-biz", Data: map[string]string{"thing1": "学习"}}
	if _, err := w.acc.BizSend(ctx, biz); wechat.CodeOf(err) != 43101 {
		t.Error(err)
	}
	if err := w.box.Answer(app, "fan", "tmpl-biz", "accept"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.acc.BizSend(ctx, biz); err != nil {
		t.Error(err)
	}
}

// A message that may have arrived is told apart from one that did not.
func TestMessageOutcomes(t *testing.T) {
	w := start(t, withTemplates)
	m := message(sandbox.Crowd + "1")
	const path = "/cgi-bin/message/subscribe/send"
	for kind, unknown := range map[string]bool{
		sandbox.CloseAfter: true, sandbox.GatewayAfter: true, sandbox.BusyAfter: true, sandbox.GarbageAfter: true,
		sandbox.CloseBefore: true, sandbox.BusyBefore: true,
	} {
		if err := w.box.SetFaults(sandbox.Faults{Rules: []sandbox.Rule{{Path: path, Kind: kind, Next: 1}}}); err != nil {
			t.Fatal(err)
		}
		_, err := w.acc.SubscribeSend(t.Context(), m)
		if err == nil || wechat.OutcomeUnknown(err) != unknown {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if err := w.box.SetFaults(sandbox.Faults{Rules: []sandbox.Rule{{Path: path, Kind: sandbox.ErrCode, Code: 45009, Next: 1}}}); err != nil {
		t.Fatal(err)
	}
	_, err := w.acc.SubscribeSend(t.Context(), m)
	if wechat.OutcomeUnknown(err) || wechat.KindOf(err) != wechat.Quota {
		t.Error(err)
	}
}
