package notify

import (
	"context"
	"slices"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
)

// GrantKind is one step of the ledger of grants.
type GrantKind string

// Steps: 允许, 已用, 退回, 拒绝或用尽, 失效, 已核对.
const (
	Granted   GrantKind = "granted"
	Used      GrantKind = "used"
	Returned  GrantKind = "returned" // a message that was certainly not sent gives it back
	Refused   GrantKind = "refused"  // switched off by the person, or none left by the platform's word
	Expired   GrantKind = "expired"
	Confirmed GrantKind = "confirmed" // the other side told of the same acceptance: counts nothing
)

// GrantSource tells who said that a person accepted.
type GrantSource string

// Sources of grants: the client after its dialog, the platform's event, the program.
const (
	FromClient  GrantSource = "client"
	FromEvent   GrantSource = "event"
	FromProgram GrantSource = "program"
)

// GrantRow is one step: append-only, Left is the balance after it and never
// below zero.
type GrantRow struct {
	Member   ids.ID
	Template string
	Seq      int64
	Kind     GrantKind
	N        int64 // change of the balance
	Left     int64
	Source   GrantSource
	Campaign ids.ID
	At       time.Time
}

// MaxGrants is how many acceptances of one template are kept for one person:
// more would only tell of a client that lies.
const MaxGrants = 100

// pairing is how far the client's word and the platform's event of one
// acceptance may lie apart.
const pairing = 5 * time.Minute

// GrantStore is the ledger of grants: one acceptance allows one message.
type GrantStore interface {
	// Grant adds one, accepted at a time (zero: now). When the other source told
	// of the same acceptance within the pairing, it only confirms it. An event is
	// the same as another of its time, and counts once.
	Grant(ctx context.Context, member ids.ID, template string, source GrantSource, at time.Time, pairing time.Duration) error
	// Empty takes what is left.
	Empty(ctx context.Context, member ids.ID, template string, kind GrantKind, source GrantSource) error
	GrantRows(ctx context.Context, member ids.ID, template string) ([]GrantRow, error)
	// GrantSummary counts members with something left, and all that is left, by
	// template, within a scope.
	GrantSummary(ctx context.Context, scope authz.Scope) ([]GrantCount, error)
	// MemberOf finds who is bound to an openid of an app.
	MemberOf(ctx context.Context, appID, openID string) (ids.ID, error)
	// Balance of a member by template; what was never granted is absent.
	Balance(ctx context.Context, member ids.ID) (map[string]int64, error)
}

// GrantCount is how much is left of a template.
type GrantCount struct {
	TemplateID string `json:"templateId"`
	Title      string `json:"title,omitempty"`
	Members    int    `json:"members" doc:"people who can be sent at least one message"`
	Left       int    `json:"left" doc:"messages in all"`
}

// GrantCounts lists them.
type GrantCounts struct {
	Items []GrantCount `json:"items"`
}

// Grants says how many people of the actor's scope can be reached by template.
func (s *Service) Grants(ctx context.Context, actor *authz.Actor) (*GrantCounts, error) {
	list, err := s.Store.GrantSummary(ctx, actor.Scope(Send))
	if err != nil {
		return nil, err
	}
	set, err := s.Store.Settings(ctx)
	if err != nil {
		return nil, err
	}
	out := &GrantCounts{Items: []GrantCount{}}
	for _, t := range set.Templates {
		if !t.NeedsGrant() {
			continue
		}
		row := GrantCount{TemplateID: t.ID, Title: t.Title}
		for _, g := range list {
			if g.TemplateID == t.ID {
				row.Members, row.Left = g.Members, g.Left
			}
		}
		out.Items = append(out.Items, row)
	}
	return out, nil
}

// Subscription is a template that a member may allow a message of.
type Subscription struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	About string `json:"about"`
	Left  int    `json:"left" doc:"messages still allowed"`
}

// Subscriptions lists them.
type Subscriptions struct {
	Templates []Subscription `json:"templates" doc:"at most three: what one dialog of WeChat takes"`
}

// maxDialog is how many templates wx.requestSubscribeMessage takes at once.
// Source: its documentation, 2026-03-01.
const maxDialog = 3

// Subscriptions lists the templates of the mini-program.
func (s *Service) Subscriptions(ctx context.Context, actor *authz.Actor) (*Subscriptions, error) {
	if err := member(actor); err != nil {
		return nil, err
	}
	set, err := s.Store.Settings(ctx)
	if err != nil {
		return nil, err
	}
	left, err := s.Store.Balance(ctx, actor.ID)
	if err != nil {
		return nil, err
	}
	out := &Subscriptions{Templates: []Subscription{}}
	for _, t := range set.Templates {
		if t.Channel == Mini && len(out.Templates) < maxDialog {
			out.Templates = append(out.Templates, Subscription{ID: t.ID, Title: t.Title, About: t.About, Left: int(left[t.ID])})
		}
	}
	return out, nil
}

// Subscribe takes what the dialog answered for each template. Only "accept"
// allows a message; the other answers take nothing that was allowed before,
// since the dialog may be refused once and accepted another time.
func (s *Service) Subscribe(ctx context.Context, actor *authz.Actor, results map[string]string) error {
	if err := member(actor); err != nil {
		return err
	}
	set, err := s.Store.Settings(ctx)
	if err != nil {
		return err
	}
	for id, answer := range results {
		if !slices.Contains([]string{"accept", "reject", "ban", "filter"}, answer) {
			return errs.Bad("results", "订阅结果不正确，请重试。")
		}
		if _, ok := set.mini(id); !ok {
			return errs.Bad("results", "订阅的消息模板已更新，请刷新后重试。")
		}
	}
	for id, answer := range results {
		if answer != "accept" {
			continue
		}
		if err := s.Store.Grant(ctx, actor.ID, id, FromClient, time.Time{}, pairing); err != nil {
			return err
		}
	}
	return nil
}

// GrantEvent is what the platform told of a person's subscriptions or of a
// message that was sent.
type GrantEvent struct {
	AppID    string
	OpenID   string
	At       time.Time // of the event, to the second
	Template string
	What     string // "accept", "reject" of a dialog; "off" in the settings; "sent", "failed" of a message
	MsgID    string
	Code     int
	Note     string
}

// TakeGrantEvent applies an event. Unknown templates and messages are ignored:
// other systems may use the same account.
func (s *Service) TakeGrantEvent(ctx context.Context, ev GrantEvent) error {
	switch ev.What {
	case "accept", "off":
		set, err := s.Store.Settings(ctx)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(set.Templates, func(t Template) bool { return t.ID == ev.Template && t.NeedsGrant() }) {
			return nil
		}
		member, err := s.Store.MemberOf(ctx, ev.AppID, ev.OpenID)
		if errs.Is(err, errs.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if ev.What == "off" {
			return s.Store.Empty(ctx, member, ev.Template, Refused, FromEvent)
		}
		return s.Store.Grant(ctx, member, ev.Template, FromEvent, ev.At, pairing)
	case "sent", "failed":
		if ev.MsgID == "" {
			return nil
		}
		campaign, member, err := s.Store.SentMessage(ctx, ev.MsgID)
		if errs.Is(err, errs.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if ev.What == "sent" {
			return nil
		}
		return s.Store.SettleSend(ctx, campaign, member, SendFailed, ev.Code, ev.Note)
	}
	return nil
}
