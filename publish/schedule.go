package publish

import (
	"context"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/trail"
)

// Target is one account of a schedule. An empty mode means the account's own.
type Target struct {
	AccountID ids.ID `json:"accountId"`
	Mode      Mode   `json:"mode,omitempty" enum:"publish,mass,draft"`
}

// MaxAhead is how far ahead a post may be planned.
const MaxAhead = 366 * 24 * time.Hour

// Schedule puts an approved post into the queue: one delivery per account, all
// bound to the approved hash. A due time in the past or absent means now.
func (s *Service) Schedule(ctx context.Context, actor *authz.Actor, id ids.ID, expect int64, due time.Time, targets []Target) (*Detail, error) {
	p, err := s.postFor(ctx, actor, id, PostSchedule)
	if err != nil {
		return nil, err
	}
	if p.Version != expect {
		return nil, s.stale(ctx, p, expect)
	}
	if err := s.schedulable(ctx, p); err != nil {
		return nil, err
	}
	now := s.Clock.Now()
	if due.Before(now) {
		due = now
	}
	if due.After(now.Add(MaxAhead)) {
		return nil, errs.Bad("dueAt", "发布时间最多只能安排到一年以内。")
	}
	deliveries, err := s.deliveriesFor(ctx, actor, p, due, targets)
	if err != nil {
		return nil, err
	}
	next := *p
	next.State, next.DueAt = Queued, due
	next.Version, next.UpdatedAt, next.UpdatedBy = expect+1, now, actor.Name
	err = s.Store.Commit(ctx, Change{
		Post: &next, Expect: expect, Add: deliveries,
		Entry: s.entry(actor, "post.schedule", p, map[string]string{"dueAt": due.Format(time.RFC3339), "accounts": itoa(len(deliveries)), "hash": p.Hash}),
	})
	if err != nil {
		return nil, s.explainStale(ctx, id, expect, err)
	}
	s.queue.Wake()
	return s.detail(ctx, actor, &next)
}

// schedulable says why a post cannot go into the queue; nil when it can.
func (s *Service) schedulable(ctx context.Context, p *Post) error {
	if p.ApprovedHash == "" || p.ApprovedHash != p.Hash {
		return errs.New(errs.Conflict, "这篇图文还没有通过审核，通过后才能安排发布。")
	}
	switch p.State {
	case Approved:
		return nil
	case Finished:
		ds, err := s.Store.DeliveriesOf(ctx, p.ID)
		if err != nil {
			return err
		}
		for _, d := range ds {
			if d.State == Published {
				return errs.New(errs.Conflict, "这篇图文已经发布过，如需再发请复制一份。")
			}
		}
		return nil
	default:
		return errs.New(errs.Conflict, "这篇图文已经在发布队列中，可以改期或取消。")
	}
}

func (s *Service) deliveriesFor(ctx context.Context, actor *authz.Actor, p *Post, due time.Time, targets []Target) ([]*Delivery, error) {
	if len(targets) == 0 {
		return nil, errs.Bad("targets", "请至少选择一个公众号。")
	}
	if len(targets) > 50 {
		return nil, errs.Bad("targets", "一次最多选择 50 个公众号。")
	}
	earlier, err := s.Store.DeliveriesOf(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	taken := takenAccounts(earlier)
	seen := map[ids.ID]bool{}
	var out []*Delivery
	for i, t := range targets {
		field := "targets[" + itoa(i) + "]"
		a, err := s.targetAccount(ctx, actor, field+".accountId", t.AccountID)
		if err != nil {
			return nil, err
		}
		if seen[a.ID] {
			return nil, errs.Bad(field+".accountId", "公众号“%s”选择了两次。", a.Name)
		}
		if taken[a.ID] {
			return nil, errs.New(errs.Conflict, "公众号“%s”已经有这篇图文进行中或已发布的记录，不能重复发布。", a.Name)
		}
		if err := s.mayGoAgain(ctx, a, earlier); err != nil {
			return nil, err
		}
		seen[a.ID] = true
		mode := t.Mode
		if mode == "" {
			mode = a.Mode
		}
		if mode != ModePublish && mode != ModeMass && mode != ModeDraft {
			return nil, errs.Bad(field+".mode", "发布方式无效，请选择发布、群发或仅存草稿。")
		}
		if a.Platform == Feed && mode != ModePublish {
			return nil, errs.Bad(field+".mode", "“%s”是订阅源，没有群发和草稿箱，请选择“发布”。", a.Name)
		}
		out = append(out, &Delivery{
			ID: s.IDs.New(), PostID: p.ID, AccountID: a.ID, AccountName: a.Name, Platform: a.Platform, PostTitle: p.Title,
			OrgID: p.OrgID, OrgPath: p.OrgPath, Mode: mode, State: Waiting, Hash: p.Hash, PostVersion: p.Version,
			DueAt: due, NextAt: prepareAt(due, s.Clock.Now()), Version: 1,
		})
	}
	return out, nil
}

// targetAccount loads an account on which the actor may plan.
func (s *Service) targetAccount(ctx context.Context, actor *authz.Actor, field string, id ids.ID) (*Account, error) {
	a, err := s.Store.Account(ctx, id)
	if err != nil && !errs.Is(err, errs.NotFound) {
		return nil, err
	}
	if err != nil || !actor.Can(PostSchedule, a.OrgPath) {
		return nil, errs.Bad(field, "没有找到这个公众号，或者您没有权限使用它。")
	}
	return a, nil
}

// takenAccounts are those that have the post, or may have it: also an older
// content of it, which an edit of a partly published post leaves behind. No
// account gets a post twice.
func takenAccounts(earlier []Delivery) map[ids.ID]bool {
	taken := map[ids.ID]bool{}
	for _, d := range earlier {
		if d.State != Failed && d.State != Cancelled && d.State != Retracted {
			taken[d.AccountID] = true
		}
	}
	return taken
}

// lead is how long before its time a delivery is prepared: pictures uploaded
// and the draft saved, so that only one call is left when it is due.
const lead = 10 * time.Minute

func prepareAt(due, now time.Time) time.Time {
	if at := due.Add(-lead); at.After(now) {
		return at
	}
	return now
}

// Reschedule moves all deliveries of a post that still wait.
func (s *Service) Reschedule(ctx context.Context, actor *authz.Actor, id ids.ID, due time.Time) (*Detail, error) {
	return s.changeWaiting(ctx, actor, id, func(p *Post, c *Change) error {
		now := s.Clock.Now()
		if due.Before(now) {
			return errs.Bad("dueAt", "这个时间已经过去，请选择以后的时间。")
		}
		if due.After(now.Add(MaxAhead)) {
			return errs.Bad("dueAt", "发布时间最多只能安排到一年以内。")
		}
		c.Post.DueAt, c.MoveTo = due, due
		c.Entry = s.entry(actor, "post.reschedule", p, map[string]string{"from": p.DueAt.Format(time.RFC3339), "to": due.Format(time.RFC3339)})
		return nil
	})
}

// Cancel takes a post out of the queue. Deliveries that were already submitted
// go on; when all of them were, nothing changes and the caller is told.
func (s *Service) Cancel(ctx context.Context, actor *authz.Actor, id ids.ID) (*Detail, error) {
	return s.changeWaiting(ctx, actor, id, func(p *Post, c *Change) error {
		c.Cancel = true
		c.Post.State, c.Post.DueAt = Approved, time.Time{}
		c.Entry = s.entry(actor, "post.cancel", p, nil)
		return nil
	})
}

// changeWaiting applies one change to a queued post and wakes the queue.
func (s *Service) changeWaiting(ctx context.Context, actor *authz.Actor, id ids.ID, edit func(*Post, *Change) error) (*Detail, error) {
	p, err := s.postFor(ctx, actor, id, PostSchedule)
	if err != nil {
		return nil, err
	}
	if p.State != Queued {
		return nil, errs.New(errs.Conflict, "这篇图文不在发布队列中，请刷新页面查看。")
	}
	next := *p
	next.Version, next.UpdatedAt, next.UpdatedBy = p.Version+1, s.Clock.Now(), actor.Name
	c := Change{Post: &next, Expect: p.Version}
	if err := edit(p, &c); err != nil {
		return nil, err
	}
	if err := s.Store.Commit(ctx, c); err != nil {
		return nil, err
	}
	s.queue.Wake()
	fresh, err := s.Store.Post(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.detail(ctx, actor, fresh)
}

// deliveryEntry is the audit entry of what the queue or a person did to a delivery.
func deliveryEntry(actor *authz.Actor, action string, d *Delivery, detail map[string]string) *trail.Entry {
	return &trail.Entry{Actor: actor, Action: action, Object: "delivery", ID: d.ID, OrgID: d.OrgID, OrgPath: d.OrgPath, Detail: detail}
}
