package publish

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	ics "github.com/arran4/golang-ical"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/trail"
)

// Slots lists the weekly slots of the actor's organisations.
func (s *Service) Slots(ctx context.Context, actor *authz.Actor) ([]Slot, error) {
	return s.Store.Slots(ctx, actor.Scope(PostRead))
}

// AddSlot stores a weekly slot of an account.
func (s *Service) AddSlot(ctx context.Context, actor *authz.Actor, slot Slot) (*Slot, error) {
	a, err := s.targetAccount(ctx, actor, "accountId", slot.AccountID)
	if err != nil {
		return nil, err
	}
	if slot.Weekday < 1 || slot.Weekday > 7 || slot.Minute < 0 || slot.Minute > 1439 {
		return nil, errs.Bad("weekday", "请选择星期几和时间。")
	}
	slot.ID, slot.OrgID, slot.OrgPath = s.IDs.New(), a.OrgID, a.OrgPath
	err = s.Store.AddSlot(ctx, &slot, trail.Entry{Actor: actor, Action: "slot.add", Object: "slot", ID: slot.ID, OrgID: a.OrgID, OrgPath: a.OrgPath})
	return &slot, err
}

// DeleteSlot removes a weekly slot.
func (s *Service) DeleteSlot(ctx context.Context, actor *authz.Actor, id ids.ID) error {
	slots, err := s.Store.Slots(ctx, actor.Scope(PostSchedule))
	if err != nil {
		return err
	}
	for _, slot := range slots {
		if slot.ID == id {
			return s.Store.DeleteSlot(ctx, id, trail.Entry{Actor: actor, Action: "slot.delete", Object: "slot", ID: id, OrgID: slot.OrgID, OrgPath: slot.OrgPath})
		}
	}
	return errs.Missing("固定时段")
}

// NextSlot is the account's next free weekly slot after now, within four weeks.
func (s *Service) NextSlot(ctx context.Context, actor *authz.Actor, account ids.ID) (time.Time, error) {
	slots, err := s.Slots(ctx, actor)
	if err != nil {
		return time.Time{}, err
	}
	now := s.Clock.Now()
	taken, err := s.allDeliveries(ctx, DeliveryFilter{Scope: actor.Scope(PostRead), AccountID: account, From: now, To: now.Add(29 * 24 * time.Hour)})
	if err != nil {
		return time.Time{}, err
	}
	busy := map[int64]bool{}
	for _, d := range taken {
		if d.State != Cancelled && d.State != Failed {
			busy[d.DueAt.UnixMilli()] = true
		}
	}
	local := now.In(clock.Shanghai())
	var best time.Time
	for _, slot := range slots {
		if slot.AccountID != account {
			continue
		}
		for day := range 28 {
			t := time.Date(local.Year(), local.Month(), local.Day()+day, 0, slot.Minute, 0, 0, local.Location())
			if isoWeekday(t) == slot.Weekday && t.After(now) && !busy[t.UnixMilli()] && (best.IsZero() || t.Before(best)) {
				best = t
			}
		}
	}
	if best.IsZero() {
		return best, errs.New(errs.NotFound, "这个公众号四周内没有空闲的固定时段，请先添加固定时段或直接选择时间。")
	}
	return best.UTC(), nil
}

func isoWeekday(t time.Time) int {
	if d := int(t.Weekday()); d != 0 {
		return d
	}
	return 7
}

// NewCalendarLink makes the secret of the actor's .ics feed; an older link dies.
func (s *Service) NewCalendarLink(ctx context.Context, actor *authz.Actor) (token string, err error) {
	token = s.Token()
	return token, s.Store.SaveCalendarToken(ctx, actor.ID, tokenHash(token))
}

func tokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// ICS renders the calendar of whoever owns the link: 30 days back, 90 ahead,
// with the rights that person has now.
func (s *Service) ICS(ctx context.Context, token string) ([]byte, error) {
	owner, err := s.Store.CalendarOwner(ctx, tokenHash(token))
	if err != nil {
		return nil, err
	}
	actor, err := s.Actor(ctx, owner)
	if err != nil {
		return nil, errs.Missing("日历")
	}
	now := s.Clock.Now()
	rows, err := s.allDeliveries(ctx, DeliveryFilter{Scope: actor.Scope(PostRead), From: now.AddDate(0, 0, -30), To: now.AddDate(0, 0, 90)})
	if err != nil {
		return nil, err
	}
	cal := ics.NewCalendar()
	cal.SetProductId("-//Tongxin//Publishing//ZH")
	cal.SetName("同心发布日历")
	cal.SetMethod(ics.MethodPublish)
	for _, d := range rows {
		if d.State == Cancelled {
			continue
		}
		ev := cal.AddEvent(d.ID.String() + "@tongxin")
		ev.SetDtStampTime(now)
		ev.SetStartAt(d.DueAt)
		ev.SetEndAt(d.DueAt.Add(15 * time.Minute))
		ev.SetSummary(d.PostTitle + "（" + d.AccountName + "）")
		ev.SetDescription(StateName(d.State))
	}
	var buf bytes.Buffer
	if err := cal.SerializeTo(&buf); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// StateName is the Chinese name of a delivery's state.
func StateName(st DeliveryState) string {
	names := map[DeliveryState]string{
		Waiting: "待发布", Submitting: "提交中", Submitted: "已提交，等待结果", Unknown: "结果待核对",
		ByHand: "待手动发布", Published: "已发布", Failed: "发布失败", Cancelled: "已取消", Retracted: "已撤下",
	}
	return names[st]
}
