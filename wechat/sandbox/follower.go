package sandbox

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"
)

// follower lets the phone's owner write, follow or unfollow: the account's
// callback gets it, and a text in its answer is shown.
func (s *Sandbox) follower(r *http.Request) (any, error) {
	var in struct {
		AppID string `json:"appid"`
		Type  string `json:"type"` // "text", "subscribe", "unsubscribe"
		Text  string `json:"text"`
	}
	if err := input(r, &in); err != nil {
		return nil, err
	}
	a, err := s.must(in.AppID)
	if err != nil {
		return nil, err
	}
	now := s.clock.Now()
	a.mu.Lock()
	ev := event{name: in.Type}
	switch in.Type {
	case "text":
		if in.Text = strings.TrimSpace(in.Text); in.Text == "" || utf8.RuneCountInString(in.Text) > 600 {
			a.mu.Unlock()
			return nil, fmt.Errorf("sandbox: a text has 1 to 600 characters")
		}
		a.Stream = append(a.Stream, note{At: now, Kind: "out", Text: in.Text})
		ev.body = a.head("text", now) + fmt.Sprintf("<Content>%s</Content><MsgId>%d</MsgId></xml>", cdata(in.Text), a.jobNumber())
	case "subscribe", "unsubscribe":
		ev.body = a.head("event", now) + "<Event>" + cdata(in.Type) + "</Event><EventKey></EventKey></xml>"
	default:
		a.mu.Unlock()
		return nil, fmt.Errorf("sandbox: type is text, subscribe or unsubscribe")
	}
	set := a.Settings
	a.mu.Unlock()
	s.changed()
	if set.CallbackURL == "" {
		return fields{"ok": true, "note": "no callback address"}, nil
	}
	s.after(0, func() { s.answerText(a, s.deliver(set, ev)) })
	return fields{"ok": true}, nil
}

// answerText shows a passive answer of type text. An encrypted answer is not
// opened: the product answers "success" and nothing else.
func (s *Sandbox) answerText(a *account, answer string) {
	var reply struct {
		Content string `xml:"Content"`
	}
	if answer == "" || answer == "success" || xml.Unmarshal([]byte(answer), &reply) != nil || reply.Content == "" {
		return
	}
	a.mu.Lock()
	a.Stream = append(a.Stream, note{At: s.clock.Now(), Kind: "in", Text: reply.Content})
	a.mu.Unlock()
	s.changed()
}

// contentType of a stored picture.
func contentType(data []byte) string {
	if t := typeOf(data); t != "" {
		return "image/" + t
	}
	return http.DetectContentType(data)
}
