package publish

import (
	"context"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/ids"
	"tongxin/internal/page"
)

// Dashboard is what waits for a person.
type Dashboard struct {
	Review   []Summary      `json:"review" doc:"posts that the caller may review now"`
	Returned []Summary      `json:"returned" doc:"own posts that were sent back"`
	Drafts   []Summary      `json:"drafts" doc:"own drafts, newest first"`
	Ready    []Summary      `json:"ready" doc:"approved posts that wait for a time"`
	Today    []CalendarItem `json:"today"`
	Attend   []Delivery     `json:"attend" doc:"unknown, failed in the last week, and to be published by hand"`
	Accounts []AccountState `json:"accounts"`
	Queue    QueueState     `json:"queue"`
}

// AccountState is an account in one line.
type AccountState struct {
	ID     ids.ID `json:"id"`
	Name   string `json:"name"`
	Paused bool   `json:"paused"`
	OK     bool   `json:"ok"`
	Note   string `json:"note,omitempty"`
}

// QueueState counts the deliveries that are not over.
type QueueState struct {
	Waiting int       `json:"waiting"`
	Running int       `json:"running"`
	Unknown int       `json:"unknown"`
	ByHand  int       `json:"byHand"`
	NextAt  time.Time `json:"nextAt,omitzero"`
}

// shown is how many rows a list of the dashboard holds.
const shown = 10

// Dashboard gathers what waits for the actor. Parts the actor has no right to
// are empty.
func (s *Service) Dashboard(ctx context.Context, actor *authz.Actor) (*Dashboard, error) {
	d := &Dashboard{
		Review: []Summary{}, Returned: []Summary{}, Drafts: []Summary{}, Ready: []Summary{},
		Today: []CalendarItem{}, Attend: []Delivery{}, Accounts: []AccountState{},
	}
	lists := []struct {
		into *[]Summary
		f    PostFilter
	}{
		{&d.Returned, PostFilter{State: Returned, AuthorID: actor.ID}},
		{&d.Drafts, PostFilter{State: Draft, AuthorID: actor.ID}},
		{&d.Ready, PostFilter{State: Approved}},
	}
	first := page.Request{Limit: shown}
	for _, l := range lists {
		res, err := s.List(ctx, actor, l.f, first)
		if err != nil {
			return nil, err
		}
		*l.into = res.Items
	}
	review, err := s.AwaitingReview(ctx, actor, first)
	if err != nil {
		return nil, err
	}
	d.Review = review.Items
	if err := s.dashboardQueue(ctx, actor, d); err != nil {
		return nil, err
	}
	return d, nil
}

func (s *Service) dashboardQueue(ctx context.Context, actor *authz.Actor, d *Dashboard) error {
	now := s.Clock.Now().In(clock.Shanghai())
	from := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	cal, err := s.CalendarOf(ctx, actor, CalendarFilter{From: from.UTC(), To: from.AddDate(0, 0, 1).UTC()})
	if err != nil {
		return err
	}
	d.Today = cal.Items
	scope := actor.Scope(PostRead)
	for _, f := range []DeliveryFilter{
		{Scope: scope, States: []DeliveryState{Unknown, ByHand}},
		{Scope: scope, States: []DeliveryState{Failed}, From: from.AddDate(0, 0, -7).UTC(), To: from.AddDate(1, 0, 0).UTC()},
	} {
		rows, err := s.Store.ListDeliveries(ctx, f, page.Request{Limit: shown})
		if err != nil {
			return err
		}
		d.Attend = append(d.Attend, rows[:min(len(rows), shown)]...)
	}
	counts, next, err := s.Store.QueueCounts(ctx, scope)
	if err != nil {
		return err
	}
	d.Queue = QueueState{
		Waiting: counts[Waiting], Running: counts[Submitting] + counts[Submitted], Unknown: counts[Unknown],
		ByHand: counts[ByHand], NextAt: next,
	}
	accounts, err := s.Store.ListAccounts(ctx, actor.Scope(AccountRead))
	if err != nil {
		return err
	}
	for _, a := range accounts {
		d.Accounts = append(d.Accounts, AccountState{ID: a.ID, Name: a.Name, Paused: a.Paused, OK: a.Health.OK || a.Health.At.IsZero(), Note: a.Note})
	}
	return nil
}
