package wechat

import (
	"context"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Message is one message to one person. The fields are those of the template
// at the platform; their limits are the platform's and the caller's business,
// since a value that is too long is refused whole (47003).
type Message struct {
	OpenID     string
	TemplateID string
	// Page of the mini-program that a tap opens. For an official account it needs
	// MiniAppID; without it URL is opened.
	Page      string
	MiniAppID string
	URL       string
	// Ref lets template messages of an official account be repeated without
	// harm: the platform sends one for each openid and ref within 10 minutes.
	// Source: template/send, client_msg_id, 2026-03-01. At most 32 characters.
	Ref  string
	Data map[string]string // field → value
}

type messageValue struct {
	Value string `json:"value"`
}

type miniPage struct {
	AppID string `json:"appid"`
	Page  string `json:"pagepath,omitempty"`
}

// SubscribeSend sends a subscription message of a mini-program. Each takes one
// acceptance of the person: 43101 when there is none left. It returns the
// message's id, which the platform's event names; "" when it gave none.
func (a *Account) SubscribeSend(ctx context.Context, m Message) (string, error) {
	return a.message(ctx, op{path: "/cgi-bin/message/subscribe/send", effect: true}, m, map[string]any{"page": m.Page, "lang": "zh_CN"})
}

// TemplateSend sends a template message of an official account to a follower
// (43004 for others).
func (a *Account) TemplateSend(ctx context.Context, m Message) (string, error) {
	body := map[string]any{"client_msg_id": m.Ref}
	return a.message(ctx, op{path: "/cgi-bin/message/template/send", effect: true}, m, m.target(body))
}

// BizSend sends a subscription notice of an official account: like
// SubscribeSend it takes an acceptance.
func (a *Account) BizSend(ctx context.Context, m Message) (string, error) {
	return a.message(ctx, op{path: "/cgi-bin/message/subscribe/bizsend", effect: true}, m, m.target(map[string]any{}))
}

// target says what a tap on a message of an official account opens.
func (m Message) target(body map[string]any) map[string]any {
	if m.MiniAppID != "" && m.Page != "" {
		body["miniprogram"] = miniPage{AppID: m.MiniAppID, Page: m.Page}
	}
	if m.URL != "" {
		body["url"] = m.URL
	}
	return body
}

func (a *Account) message(ctx context.Context, o op, m Message, body map[string]any) (string, error) {
	switch {
	case m.OpenID == "":
		return "", refusal(o.name(), Permanent, 40003, "no openid")
	case m.TemplateID == "":
		return "", refusal(o.name(), Permanent, 40037, "no template_id")
	case utf8.RuneCountInString(m.Ref) > MaxClientMsgID:
		return "", refusal(o.name(), Permanent, 45067, "client_msg_id of %d characters", utf8.RuneCountInString(m.Ref))
	}
	data := make(map[string]messageValue, len(m.Data))
	for k, v := range m.Data {
		data[k] = messageValue{v}
	}
	body["touser"], body["template_id"], body["data"] = m.OpenID, m.TemplateID, data
	for k, v := range body {
		if v == "" {
			delete(body, k)
		}
	}
	var out struct {
		MsgID flexID `json:"msgid"`
	}
	if err := a.post(ctx, o, body, &out); err != nil {
		return "", err
	}
	return string(out.MsgID), nil
}

// fieldIn finds the field that 47003 complains about:
// "argument invalid! data.thing1.value invalid".
func fieldIn(errmsg string) string {
	m := regexp.MustCompile(`data\.([A-Za-z0-9_.]{1,40}?)\.value`).FindStringSubmatch(errmsg)
	if m == nil {
		return ""
	}
	return strings.TrimSpace(m[1])
}
