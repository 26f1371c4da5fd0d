package sandbox

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// MsgTemplate is a message template of an account. Use says which call takes
// it: "mini" (subscription message), "template" (template message of an
// official account) or "subscribe" (its subscription notice).
type MsgTemplate struct {
	ID     string   `json:"id"`
	Use    string   `json:"use"`
	Title  string   `json:"title"`
	Fields []string `json:"fields"` // "thing1", "time2"; the value must hold each
}

// Crowd begins the openids of people who exist only where an account has a
// crowd: any number of them, who follow and allow everything. For load.
const Crowd = "crowd-"

// Received is one message that reached a person.
type Received struct {
	At       time.Time         `json:"at"`
	OpenID   string            `json:"openid"`
	Use      string            `json:"use"`
	Template string            `json:"template_id"`
	Title    string            `json:"title"`
	Page     string            `json:"page,omitempty"`
	Data     map[string]string `json:"data"`
	MsgID    string            `json:"msgid"`
}

// messageRequest is what the three calls take.
type messageRequest struct {
	ToUser      string `json:"touser"`
	TemplateID  string `json:"template_id"`
	Page        string `json:"page"`
	URL         string `json:"url"`
	ClientMsgID string `json:"client_msg_id"`
	Mini        struct {
		AppID string `json:"appid"`
		Page  string `json:"pagepath"`
	} `json:"miniprogram"`
	Data map[string]struct {
		Value json.RawMessage `json:"value"`
	} `json:"data"`
}

// keptMessages of one account; counts go on beyond them.
const keptMessages = 500

// sendMessage is one of the three calls.
func (s *Sandbox) sendMessage(use string) func(*callCtx) result {
	return func(c *callCtx) result {
		var in messageRequest
		if bad := decode(c.body, &in); bad != 0 {
			return fail(bad)
		}
		a := c.acc
		a.mu.Lock()
		defer a.mu.Unlock()
		i := slices.IndexFunc(a.Settings.Templates, func(t MsgTemplate) bool { return t.ID == in.TemplateID && t.Use == use })
		if i < 0 {
			return fail(40037)
		}
		t := a.Settings.Templates[i]
		known, follows, allowed := s.person(a, in.ToUser, in.TemplateID)
		if !known {
			return fail(40003)
		}
		if bad := checkData(t, in); bad != "" {
			return result{code: 47003, detail: "argument invalid! data." + bad + ".value invalid"}
		}
		if page := in.Page + in.Mini.Page; page != "" && !a.hasPage(page) {
			return fail(41030)
		}
		if use == "template" {
			if !follows {
				return fail(43004)
			}
			// One client_msg_id is sent once within ten minutes.
			if key := in.ToUser + " " + in.ClientMsgID; in.ClientMsgID != "" {
				if at, ok := a.refs[key]; ok && s.clock.Now().Sub(at) < 10*time.Minute {
					return done(accepted(fields{"msgid": a.jobNumber()}), "repeated")
				}
				makeMap(&a.refs)
				a.refs[key] = s.clock.Now()
			}
		} else if allowed <= 0 {
			return fail(43101)
		}
		return s.receive(a, t, in)
	}
}

// receive keeps a message that was accepted. Call with mu held.
func (s *Sandbox) receive(a *account, t MsgTemplate, in messageRequest) result {
	crowd := strings.HasPrefix(in.ToUser, Crowd)
	key := in.ToUser + " " + in.TemplateID
	if t.Use != "template" && !crowd {
		a.Grants[key]--
	}
	id := a.jobNumber()
	page := in.Page + in.Mini.Page
	makeMap(&a.counts)
	a.counts[in.ToUser+" "+page]++
	a.total++
	if !crowd {
		m := Received{
			At: s.clock.Now(), OpenID: in.ToUser, Use: t.Use, Template: t.ID, Title: t.Title, Page: page, MsgID: strconv.FormatInt(id, 10), Data: map[string]string{},
		}
		var b strings.Builder
		b.WriteString("【" + t.Title + "】")
		for _, f := range t.Fields {
			m.Data[f] = textOf(in.Data[f].Value)
			b.WriteString("\n" + m.Data[f])
		}
		a.Received = append(a.Received, m)
		a.Received = a.Received[max(0, len(a.Received)-keptMessages):]
		if in.ToUser == a.openID() {
			a.Stream = append(a.Stream, note{At: m.At, Kind: "in", Text: b.String()})
		}
		s.changed()
		if t.Use == "mini" {
			ev := event{name: "subscribe_msg_sent_event", note: m.MsgID, body: a.sentEvent(m)}
			s.after(0, func() { s.push(a, ev) })
		}
	}
	return done(accepted(fields{"msgid": id}), t.Title)
}

// person says what the account knows of an openid. Call with mu held.
func (s *Sandbox) person(a *account, openID, template string) (known, follows bool, allowed int) {
	if a.Settings.Crowd && strings.HasPrefix(openID, Crowd) {
		return true, true, 1
	}
	allowed = a.Grants[openID+" "+template]
	if openID != "" && openID == a.openID() {
		return true, true, allowed
	}
	if follows, known = a.People[openID]; known {
		return known, follows, allowed
	}
	known = slices.ContainsFunc(s.Users(), func(u User) bool { return OpenID(a.Settings.AppID, u.ID) == openID })
	return known, false, allowed
}

func (a *account) hasPage(page string) bool {
	page, _, _ = strings.Cut(page, "?")
	return len(a.Settings.Pages) == 0 || slices.Contains(a.Settings.Pages, strings.TrimPrefix(page, "/"))
}

// checkData names the first field that is missing, of a wrong form or too long.
// Source: 订阅消息参数值内容限制说明.
func checkData(t MsgTemplate, in messageRequest) string {
	for _, f := range t.Fields {
		raw, ok := in.Data[f]
		v := textOf(raw.Value)
		if !ok || v == "" || !fieldValue(strings.TrimRight(f, "0123456789"), v) {
			return f
		}
	}
	for _, f := range slices.Sorted(maps.Keys(in.Data)) {
		if !slices.Contains(t.Fields, f) {
			return f
		}
	}
	return ""
}

func textOf(raw json.RawMessage) string {
	var v string
	if json.Unmarshal(raw, &v) == nil {
		return v
	}
	return strings.TrimSpace(string(raw))
}

// fieldValue checks one value by the type in its key.
func fieldValue(kind, v string) bool {
	n := utf8.RuneCountInString(v)
	matches := func(pattern string) bool { return regexp.MustCompile(pattern).MatchString(v) }
	switch kind {
	case "thing", "const":
		return n <= 20
	case "number":
		return matches(`^-?[0-9]{1,32}(\.[0-9]+)?$`)
	case "letter":
		return matches(`^[A-Za-z]{1,32}$`)
	case "symbol":
		return n <= 5
	case "character_string":
		return n <= 32 && !strings.ContainsFunc(v, func(r rune) bool { return unicode.Is(unicode.Han, r) })
	case "time", "date":
		return matches(`^(\d{4}(年\d{1,2}月\d{1,2}日|[-/.]\d{1,2}[-/.]\d{1,2}))?( ?\d{1,2}:\d{2}(:\d{2})?)?([~～].+)?$`)
	case "amount":
		return matches(`^[¥￥$]?-?[0-9]{1,10}(\.[0-9]+)?元?$`)
	case "phone_number":
		return n <= 17 && matches(`^[0-9+\-()]+$`)
	case "car_number":
		return n <= 8
	case "name":
		return n <= 10
	case "phrase":
		return n <= 5 && !strings.ContainsFunc(v, func(r rune) bool { return !unicode.Is(unicode.Han, r) })
	}
	return n <= 200
}

// sentEvent is subscribe_msg_sent_event. Call with mu held.
func (a *account) sentEvent(m Received) string {
	return a.headFrom(m.OpenID, m.At) + "<Event>" + cdata("subscribe_msg_sent_event") + "</Event><SubscribeMsgSentEvent><List><TemplateId>" + cdata(m.Template) +
		"</TemplateId><MsgID>" + m.MsgID + "</MsgID><ErrorCode>0</ErrorCode><ErrorStatus>" + cdata("success") + "</ErrorStatus></List></SubscribeMsgSentEvent></xml>"
}

// headFrom begins an event of one person.
func (a *account) headFrom(openID string, at time.Time) string {
	return fmt.Sprintf("<xml><ToUserName>%s</ToUserName><FromUserName>%s</FromUserName><CreateTime>%d</CreateTime><MsgType>%s</MsgType>",
		cdata(a.Settings.OriginalID), cdata(openID), at.Unix(), cdata("event"))
}

// Answer is what a person answers to the dialog about a template. It pushes the
// event of the dialog as the platform does.
func (s *Sandbox) Answer(appid, openID, template, answer string) error {
	a := s.account(appid)
	if a == nil {
		return fmt.Errorf("sandbox: no account %q", appid)
	}
	if answer != "accept" && answer != "reject" {
		return fmt.Errorf("sandbox: the answer is accept or reject")
	}
	a.mu.Lock()
	if !slices.ContainsFunc(a.Settings.Templates, func(t MsgTemplate) bool { return t.ID == template && t.Use != "template" }) {
		a.mu.Unlock()
		return fmt.Errorf("sandbox: no template %q to subscribe to", template)
	}
	if answer == "accept" {
		a.Grants[openID+" "+template]++
	}
	body := a.headFrom(openID, s.clock.Now()) + "<Event>" + cdata("subscribe_msg_popup_event") + "</Event><SubscribeMsgPopupEvent><List><TemplateId>" + cdata(template) +
		"</TemplateId><SubscribeStatusString>" + cdata(answer) + "</SubscribeStatusString><PopupScene>1</PopupScene></List></SubscribeMsgPopupEvent></xml>"
	a.mu.Unlock()
	s.changed()
	s.after(0, func() { s.push(a, event{name: "subscribe_msg_popup_event", note: template + " " + answer, body: body}) })
	return nil
}

// Meet makes a person known to an account, as a follower or not.
func (s *Sandbox) Meet(appid, openID string, follows bool) {
	if a := s.account(appid); a != nil {
		a.mu.Lock()
		a.People[openID] = follows
		a.mu.Unlock()
		s.changed()
	}
}

// Messages lists what was received lately, the newest last.
func (s *Sandbox) Messages(appid string) []Received {
	a := s.account(appid)
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return clean(a.Received)
}

// MessageCounts counts what each person received, by "openid page". Not kept
// over a restart.
func (s *Sandbox) MessageCounts(appid string) map[string]int {
	a := s.account(appid)
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.counts)
}

// MessageTotal is how many messages of an account were received since the start.
func (s *Sandbox) MessageTotal(appid string) int {
	a := s.account(appid)
	if a == nil {
		return 0
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.total
}

// answerPage is Answer for the page: without an openid it is the phone's owner.
func (s *Sandbox) answerPage(r *http.Request) (any, error) {
	var in struct {
		AppID    string `json:"appid"`
		OpenID   string `json:"openid"`
		Template string `json:"template_id"`
		Answer   string `json:"answer"`
	}
	if err := input(r, &in); err != nil {
		return nil, err
	}
	a, err := s.must(in.AppID)
	if err != nil {
		return nil, err
	}
	if in.OpenID == "" {
		in.OpenID = a.openID()
	}
	return fields{"ok": true}, s.Answer(in.AppID, in.OpenID, in.Template, in.Answer)
}

// listMessages is Messages for the page, with what each person still allows.
func (s *Sandbox) listMessages(r *http.Request) (any, error) {
	a, err := s.must(r.URL.Query().Get("appid"))
	if err != nil {
		return nil, err
	}
	people := []fields{}
	for _, u := range s.Users() {
		people = append(people, fields{"openid": OpenID(a.Settings.AppID, u.ID), "nickname": u.Nickname})
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return fields{"messages": clean(a.Received), "templates": clean(a.Settings.Templates), "grants": maps.Clone(a.Grants), "people": people}, nil
}
