package wechat

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// Mini-programs may have their callbacks as JSON instead of XML ("数据格式" on
// the page of the push settings). The fields are the same, but the template
// events have no element around their list.

// isJSON tells the two forms apart: no XML begins with a brace.
func isJSON(body []byte) bool {
	body = bytes.TrimLeft(body, " \t\r\n")
	return len(body) > 0 && body[0] == '{'
}

// looseInt is a number that the platform writes bare or as text.
type looseInt int64

// UnmarshalJSON implements json.Unmarshaler.
func (n *looseInt) UnmarshalJSON(b []byte) error {
	text := strings.Trim(string(b), `"`)
	if text == "" || text == "null" {
		*n = 0
		return nil
	}
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return ErrMalformed
	}
	*n = looseInt(v)
	return nil
}

// oneOrMore is a list that the platform writes without brackets when it has
// one row.
type oneOrMore []templateRow

// UnmarshalJSON implements json.Unmarshaler.
func (l *oneOrMore) UnmarshalJSON(b []byte) error {
	if isJSON(b) {
		*l = make([]templateRow, 1)
		return json.Unmarshal(b, &(*l)[0])
	}
	return json.Unmarshal(b, (*[]templateRow)(l))
}

// templateRow is one template of an event about subscription messages.
type templateRow struct {
	TemplateID string   `json:"TemplateId" xml:"TemplateId"`
	Choice     string   `json:"SubscribeStatusString" xml:"SubscribeStatusString"`
	Scene      looseInt `json:"PopupScene" xml:"PopupScene"`
	MsgID      flexID   `json:"MsgID" xml:"MsgID"`
	Code       looseInt `json:"ErrorCode" xml:"ErrorCode"`
	Status     string   `json:"ErrorStatus" xml:"ErrorStatus"`
}

type jsonEvent struct {
	To      string    `json:"ToUserName"`
	From    string    `json:"FromUserName"`
	Created looseInt  `json:"CreateTime"`
	MsgType string    `json:"MsgType"`
	Event   string    `json:"Event"`
	Key     string    `json:"EventKey"`
	MsgID   flexID    `json:"MsgId"`
	Content string    `json:"Content"`
	List    oneOrMore `json:"List"`
	TraceID string    `json:"trace_id"`
	ErrCode looseInt  `json:"errcode"`
	Result  struct {
		Suggest string   `json:"suggest"`
		Label   looseInt `json:"label"`
	} `json:"result"`
}

// parseJSONEvent reads a verified plain body. Events of publishing never come
// in this form: an official account has no such setting.
func parseJSONEvent(body []byte) (*Event, error) {
	var x jsonEvent
	if json.Unmarshal(body, &x) != nil || x.MsgType == "" || x.Created <= 0 || x.Created > 1<<40 {
		return nil, ErrMalformed
	}
	e := &Event{
		Kind: EventOther, To: x.To, From: x.From, Created: time.Unix(int64(x.Created), 0).UTC(),
		MsgType: x.MsgType, Name: x.Event, Key: x.Key, MsgID: string(x.MsgID), Content: x.Content,
	}
	if x.MsgType != "event" {
		e.Kind = EventMessage
		return e, nil
	}
	switch x.Event {
	case "subscribe", "unsubscribe":
		e.Kind = EventKind(x.Event)
	case "wxa_media_check":
		if x.TraceID == "" {
			return nil, ErrMalformed
		}
		e.Kind, e.Check = EventMediaCheck, xmlEvent{
			TraceID: x.TraceID, ErrCode: int(x.ErrCode), Suggest: x.Result.Suggest, Label: int(x.Result.Label),
		}.check()
	default:
		return e, e.templates(x.List)
	}
	return e, nil
}

// TemplateChoice is what somebody answered to a question about a template, or
// changed in the settings of the mini-program.
type TemplateChoice struct {
	TemplateID string
	Accepted   bool // else refused
}

// TemplateSent is the late outcome of one subscription message; Code 0 is well.
type TemplateSent struct {
	TemplateID string
	MsgID      string
	Code       int
	Status     string // "success", "user refuse to accept the message" …
}

// Names of the events about subscription messages. Source: 小程序订阅消息,
// 事件推送.
const (
	popupEvent  = "subscribe_msg_popup_event"
	changeEvent = "subscribe_msg_change_event"
	sentEvent   = "subscribe_msg_sent_event"
)

// templates takes the rows over, when the event is about templates.
func (e *Event) templates(rows []templateRow) error {
	switch e.Name {
	case popupEvent, changeEvent:
		e.Kind = EventTemplateChoice
	case sentEvent:
		e.Kind = EventTemplateSent
	default:
		return nil
	}
	if len(rows) == 0 || len(rows) > 64 || e.From == "" {
		return ErrMalformed
	}
	for _, r := range rows {
		if r.TemplateID == "" {
			return ErrMalformed
		}
		if e.Kind == EventTemplateSent {
			e.Sent = append(e.Sent, TemplateSent{TemplateID: r.TemplateID, MsgID: string(r.MsgID), Code: int(r.Code), Status: r.Status})
		} else {
			e.Choices = append(e.Choices, TemplateChoice{TemplateID: r.TemplateID, Accepted: r.Choice == "accept"})
		}
	}
	return nil
}

// templateKey tells events of one person at one second apart.
func (e Event) templateKey() []string {
	var parts []string
	for _, c := range e.Choices {
		parts = append(parts, c.TemplateID+"="+strconv.FormatBool(c.Accepted))
	}
	for _, s := range e.Sent {
		parts = append(parts, cmp.Or(s.MsgID, s.TemplateID))
	}
	return parts
}
