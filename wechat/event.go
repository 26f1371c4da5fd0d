package wechat

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// EventKind is what a callback is about.
type EventKind string

const (
	EventPublish        EventKind = "publish"         // PUBLISHJOBFINISH
	EventMass           EventKind = "mass"            // MASSSENDJOBFINISH
	EventSubscribe      EventKind = "subscribe"       // a new follower
	EventUnsubscribe    EventKind = "unsubscribe"     // a follower left
	EventMediaCheck     EventKind = "media_check"     // wxa_media_check: the verdict of CheckPicture
	EventTemplateChoice EventKind = "template_choice" // subscribe_msg_popup_event, subscribe_msg_change_event
	EventTemplateSent   EventKind = "template_sent"   // subscribe_msg_sent_event
	EventMessage        EventKind = "message"         // somebody wrote: text, image, voice …
	EventOther          EventKind = "other"
)

// Event is one message or event of the platform. Everything in it comes from
// outside, verified as the platform's.
type Event struct {
	Kind    EventKind
	To      string // original id of the account, gh_…
	From    string // openid of the person; personal data
	Created time.Time
	MsgType string // "event", "text", "image" …
	Name    string // of an event, as sent: "PUBLISHJOBFINISH"
	Key     string // EventKey
	MsgID   string // of messages and of MASSSENDJOBFINISH
	Content string // of text messages
	Publish *PublishResult
	Mass    *MassResult
	Check   *MediaCheck
	Choices []TemplateChoice // of EventTemplateChoice
	Sent    []TemplateSent   // of EventTemplateSent
}

// MediaCheck is the late verdict of a picture. Code other than 0 means that it
// was not checked (-1008: could not be downloaded); Suggest is empty then.
type MediaCheck struct {
	CheckResult
	Code int
}

// MassResult is the outcome of a mass send.
type MassResult struct {
	MsgID     string
	Status    string // "send success", "send fail", "err(10001)" …
	Total     int    // followers in the group
	Filtered  int    // left after filters; sent + errors
	Sent      int
	Errors    int
	Check     int              // CheckState of the check for originality: 1 passed, 2 flagged, 3 refused
	Copyright []CopyrightCheck // per article
	URLs      []PublishedURL
}

// OK reports whether the send went out.
func (m MassResult) OK() bool { return m.Status == "send success" }

// CopyrightCheck is the check for originality of one article.
type CopyrightCheck struct {
	Index      int    // from 1
	AuditState int    // 0 none, 1 not reprinted, 2 reprinted and may be, 3 reprinted and refused
	Original   string // address of the article it was found to copy
	CanReprint bool
}

// DedupeKey is the same for every delivery of one event, and differs between
// events of one account: MsgId of messages, else sender, time and event with
// the job it is about.
func (e Event) DedupeKey() string {
	if e.Kind == EventMessage && e.MsgID != "" {
		return "msg:" + e.MsgID
	}
	parts := []string{"event", e.From, strconv.FormatInt(e.Created.Unix(), 10), e.MsgType, e.Name, e.Key}
	if e.Publish != nil {
		parts = append(parts, e.Publish.PublishID, strconv.Itoa(int(e.Publish.State)))
	}
	if e.MsgID != "" {
		parts = append(parts, e.MsgID)
	}
	if e.Check != nil {
		parts = append(parts, e.Check.TraceID)
	}
	parts = append(parts, e.templateKey()...)
	return strings.Join(parts, ":")
}

// xmlItem is a row of an article list in either event.
type xmlItem struct {
	Idx         int    `xml:"idx"`
	URL         string `xml:"article_url"`
	ArticleIdx  int    `xml:"ArticleIdx"`
	ArticleURL  string `xml:"ArticleUrl"`
	AuditState  int    `xml:"AuditState"`
	OriginalURL string `xml:"OriginalArticleUrl"`
	CanReprint  int    `xml:"CanReprint"`
}

type xmlEvent struct {
	XMLName xml.Name `xml:"xml"`
	To      string   `xml:"ToUserName"`
	From    string   `xml:"FromUserName"`
	Created int64    `xml:"CreateTime"`
	MsgType string   `xml:"MsgType"`
	Event   string   `xml:"Event"`
	Key     string   `xml:"EventKey"`
	MsgID   string   `xml:"MsgId"` // messages
	MassID  string   `xml:"MsgID"` // MASSSENDJOBFINISH
	Content string   `xml:"Content"`
	Publish *struct {
		ID        string    `xml:"publish_id"`
		Status    string    `xml:"publish_status"`
		ArticleID string    `xml:"article_id"`
		Items     []xmlItem `xml:"article_detail>item"`
		FailIdx   []int     `xml:"fail_idx"`
	} `xml:"PublishEventInfo"`
	Status    string `xml:"Status"`
	Total     int    `xml:"TotalCount"`
	Filtered  int    `xml:"FilterCount"`
	Sent      int    `xml:"SentCount"`
	Errors    int    `xml:"ErrorCount"`
	Copyright struct {
		State int       `xml:"CheckState"`
		Items []xmlItem `xml:"ResultList>item"`
	} `xml:"CopyrightCheckResult"`
	URLs    []xmlItem     `xml:"ArticleUrlResult>ResultList>item"`
	TraceID string        `xml:"trace_id"`
	Suggest string        `xml:"result>suggest"`
	Label   int           `xml:"result>label"`
	ErrCode int           `xml:"errcode"`
	Popup   []templateRow `xml:"SubscribeMsgPopupEvent>List"`
	Change  []templateRow `xml:"SubscribeMsgChangeEvent>List"`
	Sends   []templateRow `xml:"SubscribeMsgSentEvent>List"`
}

// parseEvent reads a verified plain body.
func parseEvent(body []byte) (*Event, error) {
	if isJSON(body) {
		return parseJSONEvent(body)
	}
	var x xmlEvent
	if err := strictXML(body, &x); err != nil {
		return nil, err
	}
	if x.MsgType == "" || x.Created <= 0 || x.Created > 1<<40 {
		return nil, ErrMalformed
	}
	e := &Event{
		Kind: EventOther, To: x.To, From: x.From, Created: time.Unix(x.Created, 0).UTC(),
		MsgType: x.MsgType, Name: x.Event, Key: x.Key, MsgID: cmp.Or(x.MsgID, x.MassID), Content: x.Content,
	}
	if x.MsgType != "event" {
		e.Kind = EventMessage
		return e, nil
	}
	switch x.Event {
	case "subscribe":
		e.Kind = EventSubscribe
	case "unsubscribe":
		e.Kind = EventUnsubscribe
	case "PUBLISHJOBFINISH":
		r, err := x.publish()
		if err != nil {
			return nil, err
		}
		e.Kind, e.Publish = EventPublish, r
	case "wxa_media_check":
		if x.TraceID == "" {
			return nil, ErrMalformed
		}
		e.Kind, e.Check = EventMediaCheck, x.check()
	case "MASSSENDJOBFINISH":
		if e.MsgID == "" {
			return nil, ErrMalformed
		}
		e.Kind, e.Mass = EventMass, x.mass(e.MsgID)
	default:
		return e, e.templates(slices.Concat(x.Popup, x.Change, x.Sends))
	}
	return e, nil
}

// publish reads PublishEventInfo. A missing status must not read as 0.
func (x xmlEvent) publish() (*PublishResult, error) {
	p := x.Publish
	if p == nil || strings.TrimSpace(p.ID) == "" {
		return nil, ErrMalformed
	}
	state, err := strconv.Atoi(strings.TrimSpace(p.Status))
	if err != nil {
		return nil, ErrMalformed
	}
	r := &PublishResult{
		PublishID: strings.TrimSpace(p.ID), State: PublishState(state), ArticleID: strings.TrimSpace(p.ArticleID), FailIdx: p.FailIdx,
	}
	for _, it := range p.Items {
		r.URLs = append(r.URLs, PublishedURL{Index: it.Idx, URL: it.URL})
	}
	return r, nil
}

// check reads a verdict; of a picture that was not checked there is none.
func (x xmlEvent) check() *MediaCheck {
	c := &MediaCheck{Code: x.ErrCode}
	c.TraceID = x.TraceID
	if x.ErrCode == 0 {
		c.Suggest, c.Label = CheckSuggest(x.Suggest), x.Label
	}
	return c
}

func (x xmlEvent) mass(id string) *MassResult {
	m := &MassResult{
		MsgID: id, Status: strings.TrimSpace(x.Status), Total: x.Total, Filtered: x.Filtered, Sent: x.Sent, Errors: x.Errors,
		Check: x.Copyright.State,
	}
	for _, it := range x.Copyright.Items {
		m.Copyright = append(m.Copyright, CopyrightCheck{
			Index: it.ArticleIdx, AuditState: it.AuditState, Original: it.OriginalURL, CanReprint: it.CanReprint == 1,
		})
	}
	for _, it := range x.URLs {
		m.URLs = append(m.URLs, PublishedURL{Index: it.ArticleIdx, URL: it.ArticleURL})
	}
	return m
}

// maxDepth is deeper than any event the platform sends.
const maxDepth = 16

// strictXML decodes one small document and refuses what such a document never
// has: a DOCTYPE or other directive (entity tricks), processing instructions
// but the declaration, deep nesting, and anything after the root.
func strictXML(body []byte, into any) error {
	d := xml.NewDecoder(bytes.NewReader(body))
	depth, roots := 0, 0
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return ErrMalformed
		}
		switch t := tok.(type) {
		case xml.Directive:
			return ErrMalformed
		case xml.ProcInst:
			if t.Target != "xml" {
				return ErrMalformed
			}
		case xml.StartElement:
			if depth == 0 {
				roots++
			}
			if depth++; depth > maxDepth || roots > 1 {
				return ErrMalformed
			}
		case xml.EndElement:
			depth--
		}
	}
	if roots != 1 || xml.Unmarshal(body, into) != nil {
		return ErrMalformed
	}
	return nil
}
