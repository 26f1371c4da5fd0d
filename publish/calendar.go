package publish

import (
	"cmp"
	"context"
	"slices"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/publish/render"
)

// CalendarItem is one delivery, or an approved post without one, on a day.
type CalendarItem struct {
	PostID        ids.ID        `json:"postId"`
	DeliveryID    ids.ID        `json:"deliveryId,omitempty"`
	Title         string        `json:"title"`
	State         PostState     `json:"state,omitempty" enum:"draft,in_review,returned,approved,queued,finished"`
	DeliveryState DeliveryState `json:"deliveryState,omitempty" enum:"waiting,submitting,submitted,unknown,by_hand,published,failed,cancelled,retracted"`
	AccountID     ids.ID        `json:"accountId,omitempty"`
	AccountName   string        `json:"accountName,omitempty"`
	Mode          Mode          `json:"mode,omitempty" enum:"publish,mass,draft"`
	DueAt         time.Time     `json:"dueAt"`
	Movable       bool          `json:"movable" doc:"may still be dragged to another time"`
	Warnings      []string      `json:"warnings"`
}

// QuotaDay is how much of an account's daily limit is planned or used.
type QuotaDay struct {
	AccountID ids.ID `json:"accountId"`
	Day       string `json:"day" doc:"YYYY-MM-DD in Asia/Shanghai"`
	Mode      Mode   `json:"mode" enum:"publish,mass,draft"`
	Planned   int    `json:"planned"`
	Limit     int    `json:"limit"`
}

// Calendar is a span of days.
type Calendar struct {
	Items  []CalendarItem `json:"items"`
	Slots  []Slot         `json:"slots"`
	Quotas []QuotaDay     `json:"quotas"`
	Ready  []Summary      `json:"ready" doc:"approved posts that wait for a time"`
}

// CalendarFilter narrows a calendar.
type CalendarFilter struct {
	From, To  time.Time
	AccountID ids.ID
	OrgID     ids.ID
	States    []DeliveryState
}

// maxSpan of one calendar request.
const maxSpan = 100 * 24 * time.Hour

// CalendarOf returns what is planned in [From, To).
func (s *Service) CalendarOf(ctx context.Context, actor *authz.Actor, f CalendarFilter) (*Calendar, error) {
	if !f.To.After(f.From) || f.To.Sub(f.From) > maxSpan {
		return nil, errs.Bad("to", "请选择 1 到 100 天的范围。")
	}
	scope := actor.Scope(PostRead)
	rows, err := s.allDeliveries(ctx, DeliveryFilter{Scope: scope, States: f.States, AccountID: f.AccountID, OrgID: f.OrgID, From: f.From, To: f.To})
	if err != nil {
		return nil, err
	}
	c := &Calendar{Items: []CalendarItem{}, Slots: []Slot{}, Quotas: []QuotaDay{}, Ready: []Summary{}}
	for _, d := range rows {
		if d.State == Cancelled && len(f.States) == 0 {
			continue
		}
		c.Items = append(c.Items, CalendarItem{
			PostID: d.PostID, DeliveryID: d.ID, Title: d.PostTitle, DeliveryState: d.State,
			AccountID: d.AccountID, AccountName: d.AccountName, Mode: d.Mode, DueAt: d.DueAt,
			Movable: d.State == Waiting && actor.Can(PostSchedule, d.OrgPath), Warnings: []string{},
		})
	}
	slices.SortFunc(c.Items, func(a, b CalendarItem) int {
		return cmp.Or(a.DueAt.Compare(b.DueAt), cmp.Compare(a.DeliveryID, b.DeliveryID))
	})
	if err := s.warn(ctx, scope, c.Items); err != nil {
		return nil, err
	}
	if c.Slots, err = s.Store.Slots(ctx, scope); err != nil {
		return nil, err
	}
	if c.Quotas, err = s.quotas(ctx, actor, c.Items); err != nil {
		return nil, err
	}
	ready, err := s.List(ctx, actor, PostFilter{State: Approved, OrgID: f.OrgID}, page.Request{Limit: page.Max})
	c.Ready = ready.Items
	return c, err
}

func (s *Service) allDeliveries(ctx context.Context, f DeliveryFilter) ([]Delivery, error) {
	var out []Delivery
	for r := (page.Request{Limit: page.Max}); ; {
		rows, err := s.Store.ListDeliveries(ctx, f, r)
		if err != nil {
			return nil, err
		}
		res := page.Of(rows, r.Limit, func(d Delivery) ids.ID { return d.ID })
		out = append(out, res.Items...)
		if res.Next == "" || len(out) >= 5000 {
			return out, nil
		}
		if r, err = page.Parse(res.Next, page.Max); err != nil {
			return nil, err
		}
	}
}

// warn notes what a planner would want to know: another post of the account in
// the same hour, and a similar post near by.
func (s *Service) warn(ctx context.Context, scope authz.Scope, items []CalendarItem) error {
	prints, err := s.Store.Fingerprints(ctx, scope, s.Clock.Now().Add(-90*24*time.Hour))
	if err != nil {
		return err
	}
	sims := map[ids.ID]uint64{}
	for _, p := range prints {
		sims[p.PostID] = p.Sim
	}
	for i := range items {
		for j := i - 1; j >= 0; j-- { // items are sorted: j is earlier
			a, b := &items[i], &items[j]
			gap := a.DueAt.Sub(b.DueAt)
			if gap > 7*24*time.Hour {
				break
			}
			if a.PostID == b.PostID || a.gone() || b.gone() {
				continue
			}
			if a.AccountID == b.AccountID && gap < time.Hour {
				a.warn("同一公众号一小时内还有《" + b.Title + "》。")
				b.warn("同一公众号一小时内还有《" + a.Title + "》。")
			}
			if sims[a.PostID] != 0 && sims[b.PostID] != 0 && render.Distance(sims[a.PostID], sims[b.PostID]) <= nearDuplicate {
				a.warn("与《" + b.Title + "》内容相近。")
			}
		}
	}
	return nil
}

// gone says that readers do not see the item and will not.
func (it *CalendarItem) gone() bool {
	return it.DeliveryState == Failed || it.DeliveryState == Cancelled || it.DeliveryState == Retracted
}

// maxWarnings of one item: a thousand posts of one hour would else warn of each
// other a million times.
const maxWarnings = 5

func (it *CalendarItem) warn(text string) {
	if len(it.Warnings) < maxWarnings {
		it.Warnings = append(it.Warnings, text)
	}
}

// nearDuplicate is the largest distance of two fingerprints that is worth a warning.
const nearDuplicate = render.NearDuplicate

func (s *Service) quotas(ctx context.Context, actor *authz.Actor, items []CalendarItem) ([]QuotaDay, error) {
	accounts, err := s.Store.ListAccounts(ctx, actor.Scope(AccountRead))
	if err != nil {
		return nil, err
	}
	type key struct {
		account ids.ID
		day     string
		mode    Mode
	}
	planned := map[key]int{}
	for _, it := range items {
		if it.DeliveryState != Failed && it.DeliveryState != Cancelled && it.Mode != ModeDraft {
			planned[key{it.AccountID, it.DueAt.In(clock.Shanghai()).Format("2006-01-02"), it.Mode}]++
		}
	}
	out := []QuotaDay{}
	for k, n := range planned {
		i := slices.IndexFunc(accounts, func(a Account) bool { return a.ID == k.account })
		if i < 0 {
			continue
		}
		limit := accounts[i].Limits.PublishPerDay
		if k.mode == ModeMass {
			limit = accounts[i].Limits.MassPerDay
		}
		out = append(out, QuotaDay{AccountID: k.account, Day: k.day, Mode: k.mode, Planned: n, Limit: limit})
	}
	slices.SortFunc(out, func(a, b QuotaDay) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.AccountID, b.AccountID))
	})
	return out, nil
}
