package publish

import (
	"cmp"
	"context"
	"slices"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
)

func shanghaiDay(t time.Time) string { return t.In(clock.Shanghai()).Format("2006-01-02") }

// TakeEvent stores a platform's callback once and applies it. The caller
// answers the platform only after it returned nil, so no event is lost.
func (s *Service) TakeEvent(ctx context.Context, ev PlatformEvent) error {
	ev.ID, ev.At = s.IDs.New(), s.Clock.Now()
	fresh, err := s.Store.SavePlatformEvent(ctx, ev)
	if err == nil && !fresh {
		ev, fresh, err = s.unfinishedEvent(ctx, ev)
	}
	if err != nil || !fresh {
		return err
	}
	d, err := s.Store.DeliveryByReceipt(ctx, ev.AccountID, ev.Receipt)
	if errs.Is(err, errs.NotFound) {
		// A submit whose answer was lost, or whose receipt is about to be stored:
		// the worker looks at stored events after storing it.
		if err := s.Store.WakeAccount(ctx, ev.AccountID, s.Clock.Now(), Unknown); err != nil {
			return err
		}
		s.queue.Wake()
		return nil
	}
	if err != nil {
		return err
	}
	return s.applyEvent(ctx, d, ev)
}

// hintPolls is how many polls hints may bring forward: who repeats one must not
// use up the day's look-ups.
const hintPolls = 6

// TakeHint is for callbacks whose content nobody vouches for: the platform is
// asked about the delivery they name, now instead of later, and nothing else
// follows.
func (s *Service) TakeHint(ctx context.Context, ev PlatformEvent) error {
	d, err := s.Store.DeliveryByReceipt(ctx, ev.AccountID, ev.Receipt)
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	now := s.Clock.Now()
	if err != nil || d.State != Submitted || d.Polls >= hintPolls || d.LeaseUntil.After(now) || !d.NextAt.After(now) {
		return err
	}
	d.NextAt = now
	if err := s.Store.SaveDelivery(ctx, d, d.Version, "", nil); err != nil && !errs.Is(err, errs.Stale) {
		return err
	}
	s.queue.Wake()
	return nil
}

// unfinishedEvent finds the stored form of an event that came before but was
// not brought to its delivery: the platform repeats it because we failed then.
func (s *Service) unfinishedEvent(ctx context.Context, ev PlatformEvent) (PlatformEvent, bool, error) {
	stored, err := s.Store.PlatformEvents(ctx, ev.AccountID, ev.At.Add(-24*time.Hour))
	if err != nil {
		return ev, false, err
	}
	i := slices.IndexFunc(stored, func(e PlatformEvent) bool { return e.Dedupe == ev.Dedupe })
	if i < 0 {
		return ev, false, nil
	}
	return stored[i], true, nil
}

// applyEvent brings a stored event to its delivery. A worker may hold the
// delivery: the compare-and-swap is repeated on the fresh row.
func (s *Service) applyEvent(ctx context.Context, d *Delivery, ev PlatformEvent) error {
	for range 5 {
		err := s.applyOutcome(ctx, d, ev.Outcome, ev.Receipt)
		if err == nil {
			return s.Store.ClaimPlatformEvent(ctx, ev.ID, d.ID)
		}
		if !errs.Is(err, errs.Stale) {
			return err
		}
		if d, err = s.Store.Delivery(ctx, d.ID); err != nil {
			return err
		}
	}
	return errs.New(errs.Unavailable, "发布结果正在更新，请稍后重试。")
}

// tryStoredEvents applies an event that came before the receipt was stored.
func (s *Service) tryStoredEvents(ctx context.Context, d *Delivery) (bool, error) {
	if d.Receipt == (Receipt{}) {
		return false, nil
	}
	events, err := s.Store.PlatformEvents(ctx, d.AccountID, d.SubmitAt.Add(-time.Minute))
	if err != nil {
		return false, err
	}
	for _, ev := range events {
		if ev.Receipt.PublishID != "" && ev.Receipt.PublishID == d.Receipt.PublishID ||
			ev.Receipt.MsgID != "" && ev.Receipt.MsgID == d.Receipt.MsgID ||
			ev.Receipt.MsgDataID != "" && ev.Receipt.MsgDataID == d.Receipt.MsgDataID {
			return true, s.applyEvent(ctx, d, ev)
		}
	}
	return false, nil
}

func (s *Service) applyStoredEvents(ctx context.Context, d *Delivery) error {
	_, err := s.tryStoredEvents(ctx, d)
	return err
}

// fill adds numbers that were not known. An event names fewer of them than the
// answer to the submit, so it must not wipe those out.
func (r *Receipt) fill(more Receipt) {
	r.PublishID = cmp.Or(r.PublishID, more.PublishID)
	r.MsgID = cmp.Or(r.MsgID, more.MsgID)
	r.MsgDataID = cmp.Or(r.MsgDataID, more.MsgDataID)
}

// applyOutcome stores the platform's word. Words that say nothing new are ignored.
func (s *Service) applyOutcome(ctx context.Context, d *Delivery, out Outcome, r Receipt) error {
	actor := authz.SystemActor("平台通知")
	switch {
	case out.State == OutcomeRunning, d.State == Retracted, d.State == Cancelled:
		return nil
	case out.State == OutcomeRemoved:
		d.State, d.Note = Retracted, out.Msg
	case out.State == OutcomeFailed && d.State != Published:
		d.State, d.Note, d.ErrKind, d.ErrCode = Failed, out.Msg, KindPermanent, out.Code
	case out.State == OutcomePublished && d.State != Published:
		d.State, d.Step, d.Note = Published, StepResult, ""
		d.ErrKind, d.ErrCode = "", 0
		d.ArticleID, d.URLs = out.ArticleID, out.URLs
	default:
		return nil
	}
	d.Receipt.fill(r)
	d.DoneAt = s.Clock.Now()
	d.LeaseOwner, d.LeaseUntil, d.NextAt = "", time.Time{}, time.Time{}
	note := d.Note
	if d.State == Published {
		d.NextAt = nextFigures(d.DoneAt)
		note = "已发布。"
	}
	err := s.Store.SaveDelivery(ctx, d, d.Version, note,
		deliveryEntry(actor, "delivery."+string(d.State), d, map[string]string{"articleId": d.ArticleID}))
	if errs.Is(err, errs.Conflict) { // another delivery of the account holds this article: only a person can tell
		d.State, d.ArticleID, d.URLs, d.DoneAt, d.ErrKind = Unknown, "", nil, time.Time{}, KindUnknown
		d.Note = "平台给出的文章已属于另一条发布记录，无法自动判断，请到公众平台查看后人工确认。"
		d.NextAt = s.Clock.Now().Add(personLook)
		err = s.Store.SaveDelivery(ctx, d, d.Version, d.Note, deliveryEntry(actor, "delivery.unknown", d, nil))
	}
	if err == nil {
		s.remindSoon()
	}
	return err
}
