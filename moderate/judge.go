package moderate

import (
	"context"
	"errors"
	"strings"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
)

// judge brings an item that this node holds one step on, stores it and tells.
// It returns the item as it stands now.
func (s *Service) judge(ctx context.Context, it *Item) *Item {
	was := it.Version
	next := *it
	if it.State == Waiting {
		s.step(ctx, &next)
		next.Version = was + 1
		if err := s.save(ctx, &next, was); err != nil {
			return it // somebody else decided meanwhile, or the lease brings it again
		}
	}
	if next.State.Final() {
		s.tell(context.WithoutCancel(ctx), &next)
	}
	return &next
}

func (s *Service) save(ctx context.Context, it *Item, expect int64) error {
	now := s.cfg.Clock.Now()
	it.LeaseOwner, it.LeaseUntil = "", time.Time{}
	if it.State.Final() { // told at once by this node; by another one if this dies
		it.NextAt, it.LeaseOwner, it.LeaseUntil = now, s.owner, now.Add(lease)
		it.DecidedAt = now
	} else if it.State == InReview {
		it.NextAt = time.Time{}
	}
	e := verdict(authz.SystemActor("内容检测"), it)
	if it.State == Waiting {
		e = nil
	}
	err := s.cfg.Store.Save(context.WithoutCancel(ctx), it, expect, e)
	if err != nil && !errs.Is(err, errs.Stale) {
		s.cfg.Log.Error("moderate: a verdict was not stored", "item", it.ID, "err", err)
	}
	return err
}

// step asks the house's list and WeChat, and changes it accordingly.
func (s *Service) step(ctx context.Context, it *Item) {
	now := s.cfg.Clock.Now()
	if it.Trace != "" {
		s.look(ctx, it, now)
		return
	}
	var ans Answer
	var err error
	if it.Media == Picture {
		err = s.start(ctx, it, now)
		if err == nil {
			return
		}
	} else {
		ans, err = s.ask(ctx, it)
		if err == nil && it.State == Refused { // the house's list
			return
		}
	}
	if err != nil {
		s.hold(it, now, err)
		return
	}
	s.apply(it, ans)
}

// ask judges a text. The house's list refuses before anybody outside is asked;
// of WeChat's answers to the pieces the worst counts.
func (s *Service) ask(ctx context.Context, it *Item) (Answer, error) {
	plain, err := s.cfg.Sealer.Open(it.Sealed, TextUse(it.ID))
	if err != nil {
		return Answer{}, &Trouble{Why: NotTaken, Cause: err}
	}
	text := string(plain)
	if s.cfg.Words != nil {
		found, err := s.cfg.Words(ctx, text)
		if err != nil {
			return Answer{}, err
		}
		if len(found) > 0 {
			it.State, it.By, it.Hold = Refused, ByWords, ""
			it.Reason = "内容含有不宜使用的词语（" + strings.Join(found[:min(len(found), 5)], "、") + "），请修改后重新提交。"
			return Answer{}, nil
		}
	}
	worst := Answer{Suggest: Pass}
	for _, part := range pieces(text, s.rules.limit("textChars"), s.rules.limit("textOverlap")) {
		ans, err := s.cfg.Checker.CheckText(ctx, Ask{Author: it.AuthorID, Scene: it.Scene, Text: part})
		if err != nil {
			return Answer{}, err
		}
		if rank(ans.Suggest) > rank(worst.Suggest) {
			worst = ans
		}
		if worst.Suggest == Risky {
			break
		}
	}
	return worst, nil
}

// rank orders suggestions; one that is not known counts as left to people.
func rank(s Suggest) int {
	switch s {
	case Pass:
		return 0
	case Risky:
		return 2
	}
	return 1
}

// start begins the check of a picture.
func (s *Service) start(ctx context.Context, it *Item, now time.Time) error {
	url := it.Ref
	if s.cfg.PictureURL != nil {
		var err error
		if url, err = s.cfg.PictureURL(ctx, it.Ref); err != nil {
			return err
		}
	}
	trace, err := s.cfg.Checker.CheckPicture(ctx, Ask{Author: it.AuthorID, Scene: it.Scene, URL: url})
	if err != nil {
		return err
	}
	it.Trace, it.Hold, it.Tries = trace, Result, 0
	it.NextAt = now.Add(5 * time.Second) // a result may have come before its name was stored
	return nil
}

// look finds the result of a picture, or notes that it is late.
func (s *Service) look(ctx context.Context, it *Item, now time.Time) {
	out, err := s.cfg.Store.OutcomeOf(ctx, it.Trace)
	if err == nil {
		s.applyOutcome(it, *out)
		return
	}
	limit := s.rules.minutes("resultMinutes")
	it.Tries++
	switch due := it.CreatedAt.Add(limit); {
	case !errs.Is(err, errs.NotFound):
		it.NextAt = now.Add(backoff(it.Tries))
	case it.Tries == 1: // from the start of the check, not of the waiting for it
		it.NextAt = now.Add(limit)
	case it.Tries >= 2:
		it.State, it.Hold = InReview, Late
	default:
		it.NextAt = due
	}
}

func (s *Service) applyOutcome(it *Item, o Outcome) {
	if o.Suggest == "" { // it could not be downloaded
		it.State, it.Hold, it.By = InReview, NotTaken, ""
		return
	}
	if o.Suggest == Pass && !o.Signed { // anybody may have written it
		it.State, it.Hold, it.By = InReview, Unsigned, ""
		return
	}
	s.apply(it, Answer{Suggest: o.Suggest, Label: o.Label})
}

// apply turns an answer into a state.
func (s *Service) apply(it *Item, a Answer) {
	it.Label, it.By, it.Hold = a.Label, ByWeChat, ""
	switch a.Suggest {
	case Pass:
		it.State = Passed
	case Risky:
		it.State = Refused
		it.Reason = "内容没有通过微信的安全检测，请修改后重新提交。"
		if name := s.rules.label(a.Label); name != "" && a.Label != 100 {
			it.Reason = "内容没有通过微信的安全检测（涉及：" + name + "），请修改后重新提交。"
		}
	default:
		it.State, it.Hold, it.By = InReview, Unsure, ""
	}
}

// hold decides what becomes of an item that could not be checked.
func (s *Service) hold(it *Item, now time.Time, err error) {
	t := &Trouble{Why: Down, Cause: err}
	errors.As(err, &t)
	it.Tries++
	switch t.Why {
	case NoProgram, NoOpenID, NotTaken:
		it.State, it.Hold = InReview, t.Why
	case Inactive:
		it.Hold, it.NextAt = Inactive, it.CreatedAt.Add(s.rules.hours("inactiveHours"))
		if !now.Before(it.NextAt) {
			it.State, it.Hold = InReview, Late
		}
	default:
		s.failed(now)
		it.Hold, it.NextAt = Down, now.Add(backoff(it.Tries))
		if t.NotBefore.After(it.NextAt) {
			it.NextAt = t.NotBefore
		}
		if now.Sub(it.CreatedAt) >= s.rules.hours("downHours") {
			it.State, it.Hold = InReview, Late
		}
		s.cfg.Log.Warn("moderate: content check not made", "item", it.ID, "tries", it.Tries, "err", err)
	}
}

// backoff doubles from five seconds to ten minutes.
func backoff(tries int) time.Duration {
	return min(5*time.Second<<min(max(tries-1, 0), 7), 10*time.Minute)
}

// tell calls the domain behind the object until it heard the verdict that
// stands: when a person decided meanwhile, the later one is told again, so that
// it is the last.
func (s *Service) tell(ctx context.Context, it *Item) {
	for range 10 {
		k, ok := s.kind(it.Kind)
		again := time.Time{}
		if !ok {
			s.cfg.Log.Error("moderate: nobody to tell about this kind", "kind", it.Kind)
			again = s.cfg.Clock.Now().Add(10 * time.Minute)
		} else if err := k.decided(ctx, Decision{Kind: it.Kind, ObjectID: it.ObjectID, Revision: it.Revision, Passed: it.State == Passed, Reason: it.Reason}); err != nil {
			it.Tries++
			again = s.cfg.Clock.Now().Add(backoff(it.Tries))
			s.cfg.Log.Error("moderate: a verdict was not taken", "item", it.ID, "kind", it.Kind, "err", err)
		}
		err := s.cfg.Store.Told(ctx, it.ID, it.Version, again)
		if !errs.Is(err, errs.Stale) {
			if err != nil {
				s.cfg.Log.Error("moderate: not noted that a verdict was told", "item", it.ID, "err", err)
			}
			return
		}
		now, err := s.cfg.Store.Item(ctx, it.ID)
		if err != nil || !now.State.Final() {
			return
		}
		it = now
	}
}
