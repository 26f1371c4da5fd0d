package publish

import (
	"context"
	"errors"
	"math/bits"
	"runtime/debug"
	"strconv"
	"time"

	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/trail"
)

// Timing of the queue. The zero value of a field means its default.
type Timing struct {
	// Lease is how long one worker owns a delivery between two stored steps.
	// Every outside call ends within a third of it, the submitting call within a
	// quarter, so that no call is still under way when another worker may look.
	Lease time.Duration // default 90 s
	// PollAfter is the first look at the result of an accepted submit; further
	// looks double the pause. The platform's event usually comes first.
	PollAfter time.Duration // default 1 min
	// Settle is how long a platform may take to show an accepted submit. A
	// submit of unknown outcome that left its draft in the box and nothing in
	// the published list for this long was not accepted.
	Settle time.Duration // default 2 h
	// Retry is the first pause after a transient failure; further ones double.
	Retry time.Duration // default 5 s
	// AuthRetry is the pause while a person must mend credentials.
	AuthRetry time.Duration // default 10 min
}

func (t Timing) withDefaults() Timing {
	set := func(v *time.Duration, d time.Duration) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&t.Lease, 90*time.Second)
	set(&t.PollAfter, time.Minute)
	set(&t.Settle, 2*time.Hour)
	set(&t.Retry, 5*time.Second)
	set(&t.AuthRetry, 10*time.Minute)
	return t
}

// Limits of patience.
const (
	maxAttempts  = 12             // transient failures of one step, about 3 h at the default pace
	authPatience = 24 * time.Hour // after the due time
	pollPatience = 72 * time.Hour // after the submit
)

// worker carries one claimed delivery through its steps.
type worker struct {
	*Queue
	d *Delivery
}

// advance does everything that is due now. It returns errs.Stale when the
// delivery was taken away (cancelled, edited, leased by another): the fencing
// version then kept it from storing anything.
func (w *worker) advance(ctx context.Context, stop <-chan struct{}) error {
	a, err := w.s.Store.Account(ctx, w.d.AccountID)
	if err != nil {
		return err
	}
	p, ok := w.s.Platforms[a.Platform]
	if !ok {
		return w.fail(ctx, KindPermanent, 0, "这个平台没有启用，请联系管理员。")
	}
	if w.d.State == Submitted || w.d.State == Unknown || w.d.State == Published {
		w.d.Attempt = 0 // stored only when this look ends well, see stuck
	}
	switch w.d.State {
	case Waiting:
		return w.forward(ctx, stop, p, *a)
	case Submitting:
		return w.unsure(ctx, "程序在提交途中中断，不能确定平台是否已收到。系统不会重复提交，正在向平台核对。")
	case Submitted:
		return w.poll(ctx, p, *a)
	case Unknown:
		return w.look(ctx, p, *a)
	case Cancelled:
		return w.clean(ctx, p, *a)
	case Published:
		return w.figures(ctx, p, *a)
	default:
		w.release(time.Time{})
		return w.save(ctx, "", nil)
	}
}

// forward prepares the draft and, at the due time, submits it.
func (w *worker) forward(ctx context.Context, stop <-chan struct{}, p Platform, a Account) error {
	if w.d.Step != StepReady || w.d.DraftID == "" {
		// Woken early, or moved to a later time: pictures and the last check
		// belong shortly before the due time.
		if start := prepareAt(w.d.DueAt, w.now()); start.After(w.now()) {
			w.release(start)
			return w.save(ctx, "", nil)
		}
		if err := w.prepare(ctx, p, a); err != nil {
			return w.setback(ctx, err)
		}
	}
	if now := w.now(); now.Before(w.d.DueAt) {
		w.release(w.d.DueAt)
		return w.save(ctx, "", nil)
	}
	select {
	case <-stop: // shutting down: leave the submit to the next process
		w.release(w.now())
		return w.save(ctx, "", nil)
	default:
	}
	if w.d.Mode == ModeDraft {
		return w.handOver(ctx)
	}
	return w.submit(ctx, p, a)
}

// submit stores the intent, calls once, and stores what is known.
func (w *worker) submit(ctx context.Context, p Platform, a Account) error {
	w.submits.wait(w.d.AccountID)
	defer w.submits.leave(w.d.AccountID)
	w.d.State, w.d.Step, w.d.SubmitAt = Submitting, StepSubmit, w.now()
	w.hold()
	if err := w.save(ctx, "", nil); err != nil {
		return err
	}
	// A process that was stopped for longer than its lease must not submit any
	// more: others already treat this delivery as unknown.
	if w.now().After(w.d.SubmitAt.Add(w.timing().Lease / 2)) {
		return w.unsure(ctx, "程序停顿过久，没有提交。正在核对。")
	}
	callCtx, cancel := context.WithTimeout(ctx, w.timing().Lease/4)
	receipt, err := p.Submit(callCtx, a, w.d.DraftID, w.d.Mode, w.d.ClientID())
	cancel()
	if err != nil {
		return w.setback(ctx, err)
	}
	w.d.State, w.d.Step, w.d.Receipt = Submitted, StepResult, receipt
	w.clearError()
	w.release(w.now().Add(w.timing().PollAfter))
	if err := w.keepReceipt(ctx); err != nil {
		return err
	}
	return w.s.applyStoredEvents(ctx, w.d)
}

// keepReceipt stores an acceptance. A database that is away for a moment must
// not turn what is known into something unknown, so it is tried for a quarter
// of the lease.
func (w *worker) keepReceipt(ctx context.Context) error {
	e := deliveryEntry(w.actor, "delivery.submitted", w.d, map[string]string{"publishId": w.d.Receipt.PublishID, "msgId": w.d.Receipt.MsgID})
	ctx, cancel := context.WithTimeout(ctx, w.timing().Lease/4)
	defer cancel()
	for pause := 50 * time.Millisecond; ; pause *= 2 {
		err := w.save(ctx, "平台已接收，等待发布结果。", e)
		if err == nil || errs.Is(err, errs.Stale) || ctx.Err() != nil {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return err
		}
	}
}

// handOver ends the queue's part for accounts that may not publish by API.
func (w *worker) handOver(ctx context.Context) error {
	w.d.State, w.d.Note = ByHand, "草稿已存入公众号草稿箱，请到公众平台手动发布，然后回来确认。"
	w.release(time.Time{})
	return w.save(ctx, w.d.Note, deliveryEntry(w.actor, "delivery.by_hand", w.d, map[string]string{"draftId": w.d.DraftID}))
}

// setback sorts a failed outside step by what to do next.
func (w *worker) setback(ctx context.Context, err error) error {
	pe, submitting := AsPlatformError(err), w.d.State == Submitting
	var theirs *PlatformError
	var domain *errs.Error
	// What a platform says counts, whatever caused it: behind an unknown outcome
	// may stand one of our own errors, and that is no leave to submit again.
	if !submitting && !errors.As(err, &theirs) && errors.As(err, &domain) {
		if domain.Code == errs.Stale {
			return err
		}
		pe = &PlatformError{Kind: KindTransient, Msg: domain.Msg, Cause: err}
		switch domain.Code {
		case errs.Invalid, errs.NotFound, errs.TooLarge, errs.Unsupported:
			pe.Kind = KindPermanent
		}
	}
	w.s.Log.Warn("queue: step failed", "delivery", w.d.ID, "step", w.d.Step, "kind", pe.Kind, "code", pe.Code, "err", pe.Cause)
	if submitting && pe.Kind == KindUnknown {
		w.d.ErrKind, w.d.ErrCode = KindUnknown, pe.Code
		return w.unsure(ctx, "提交后没有收到平台的明确答复，不能确定是否已发布。系统不会重复提交，正在向平台核对。")
	}
	if submitting { // refused for certain: the draft is as it was
		w.d.State, w.d.Step, w.d.SubmitAt = Waiting, StepReady, time.Time{}
	}
	if w.d.Step == StepDraft {
		w.d.DraftID = ""
	}
	switch pe.Kind {
	case KindPermanent:
		return w.fail(ctx, pe.Kind, pe.Code, pe.Msg)
	case KindQuota:
		return w.wait(ctx, pe, w.quotaTime(pe))
	case KindAuth:
		if w.now().After(w.d.DueAt.Add(authPatience)) {
			return w.fail(ctx, pe.Kind, pe.Code, pe.Msg)
		}
		return w.wait(ctx, pe, w.now().Add(w.timing().AuthRetry))
	default: // transient, or unknown in a step that is harmless to repeat
		w.d.Attempt++
		if w.d.Attempt >= maxAttempts {
			return w.fail(ctx, pe.Kind, pe.Code, "多次尝试后仍未成功："+pe.Msg)
		}
		return w.wait(ctx, pe, w.now().Add(doubling(w.timing().Retry, w.d.Attempt-1, 30*time.Minute)))
	}
}

func (w *worker) quotaTime(pe *PlatformError) time.Time {
	now := w.now()
	if pe.NotBefore.After(now) {
		return pe.NotBefore
	}
	return nextMidnight(now)
}

// nextMidnight is five minutes after the next midnight in Asia/Shanghai, when
// daily quotas start anew.
func nextMidnight(now time.Time) time.Time {
	t := now.In(clock.Shanghai())
	return time.Date(t.Year(), t.Month(), t.Day()+1, 0, 5, 0, 0, t.Location()).UTC()
}

func (w *worker) wait(ctx context.Context, pe *PlatformError, until time.Time) error {
	w.d.ErrKind, w.d.ErrCode = pe.Kind, pe.Code
	w.d.Note = pe.Msg + "将于 " + until.In(clock.Shanghai()).Format("1月2日 15:04:05") + " 再试。"
	w.release(until)
	return w.save(ctx, w.d.Note, nil)
}

func (w *worker) fail(ctx context.Context, kind ErrKind, code int, msg string) error {
	w.d.State, w.d.ErrKind, w.d.ErrCode, w.d.Note, w.d.DoneAt = Failed, kind, code, msg, w.now()
	w.release(time.Time{})
	return w.save(ctx, msg, deliveryEntry(w.actor, "delivery.failed", w.d, map[string]string{"code": strconv.Itoa(code), "note": msg}))
}

func (w *worker) unsure(ctx context.Context, note string) error {
	w.d.State, w.d.Step, w.d.ErrKind, w.d.Note = Unknown, StepResult, KindUnknown, note
	w.d.Attempt, w.d.Polls = 0, 0
	w.release(w.now().Add(w.timing().PollAfter / 4))
	return w.save(ctx, note, deliveryEntry(w.actor, "delivery.unknown", w.d, map[string]string{"draftId": w.d.DraftID}))
}

// clean drops the draft of a cancelled delivery. Failing leaves an unread
// draft in the box: logged, not repeated for ever.
func (w *worker) clean(ctx context.Context, p Platform, a Account) error {
	w.d.Attempt++
	if w.d.DraftID != "" {
		callCtx, cancel := context.WithTimeout(ctx, w.timing().Lease/3)
		err := p.DropDraft(callCtx, a, w.d.DraftID)
		cancel()
		if err != nil && w.d.Attempt < 3 {
			w.release(w.now().Add(doubling(w.timing().Retry, w.d.Attempt, time.Hour)))
			return w.save(ctx, "", nil)
		}
		if err == nil {
			w.d.DraftID = ""
		}
	}
	w.release(time.Time{})
	return w.save(ctx, "", nil)
}

// survive keeps one post from ending the program. A delivery that still waits
// fails with a sentence; one that was being submitted becomes unknown when its
// lease ends, as after any other death; looks are repeated a few times.
func (w *worker) survive(ctx context.Context) {
	cause := recover()
	if cause == nil {
		return
	}
	w.s.Log.Error("queue: panic", "delivery", w.d.ID, "step", w.d.Step, "panic", cause, "stack", string(debug.Stack()))
	if w.d.State != Waiting {
		w.stuck(ctx)
		return
	}
	if err := w.fail(ctx, KindPermanent, 0, "处理这篇图文时程序出错，已停止发布。请检查内容，或联系管理员。"); err != nil {
		w.s.Log.Error("queue: delivery not failed after a panic", "delivery", w.d.ID, "err", err)
	}
}

func (w *worker) now() time.Time { return w.s.Clock.Now() }
func (w *worker) timing() Timing { return w.s.Timing }

// hold keeps the lease for one more step.
func (w *worker) hold() {
	w.d.LeaseOwner, w.d.LeaseUntil, w.d.NextAt = w.owner, w.now().Add(w.timing().Lease), w.now()
}

// release gives the delivery back until next; zero means there is nothing more to do.
func (w *worker) release(next time.Time) {
	w.d.LeaseOwner, w.d.LeaseUntil, w.d.NextAt = "", time.Time{}, next
}

func (w *worker) clearError() { w.d.ErrKind, w.d.ErrCode, w.d.Note, w.d.Attempt = "", 0, "", 0 }

func (w *worker) save(ctx context.Context, note string, e *trail.Entry) error {
	err := w.s.Store.SaveDelivery(ctx, w.d, w.d.Version, note, e)
	if err == nil && note != "" {
		w.s.remindSoon()
	}
	return err
}

// doubling is base × 2ⁿ, at most limit.
func doubling(base time.Duration, n int, limit time.Duration) time.Duration {
	if n < 0 {
		n = 0
	}
	if n > 30 || bits.Len64(uint64(base))+n > 62 {
		return limit
	}
	return min(base<<n, limit)
}

// ClientID names the delivery to platforms that remove duplicates themselves:
// 22 characters, under WeChat's limit of 32 for clientmsgid.
func (d *Delivery) ClientID() string { return "tx-" + strconv.FormatInt(int64(d.ID), 10) }
