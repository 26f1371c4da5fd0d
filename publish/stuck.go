package publish

import (
	"context"
	"time"

	"tongxin/internal/errs"
)

// personLook is how often a delivery that waits for a person is still looked at.
const personLook = 6 * time.Hour

// work is advance, and what follows from an error nothing else has answered. It
// returns that error; one of a delivery that was taken away is none.
func (w *worker) work(ctx context.Context, stop <-chan struct{}) error {
	err := w.advance(ctx, stop)
	if err == nil || errs.Is(err, errs.Stale) {
		return nil
	}
	w.s.Log.Error("queue: delivery stopped", "delivery", w.d.ID, "step", w.d.Step, "err", err)
	w.stuck(ctx)
	return err
}

// stuck counts a step that failed by our own fault and pauses the delivery, a
// little longer each time; in the end it is put to a person. Only what can be
// stored counts: while the database is away the lease runs out, and the
// delivery goes on as it was.
func (w *worker) stuck(ctx context.Context) {
	d, err := w.s.Store.Delivery(ctx, w.d.ID)
	if err != nil || d.Version != w.d.Version || d.LeaseOwner != w.owner {
		return // the database is away, or it is another's by now
	}
	if d.State == Submitting { // when the lease ends it is unknown, as after any death
		return
	}
	w.d = d
	if d.Attempt++; d.Attempt < maxAttempts {
		w.release(w.now().Add(doubling(w.timing().Retry, d.Attempt-1, 30*time.Minute)))
		err = w.save(ctx, "", nil)
	} else {
		err = w.giveUp(ctx)
	}
	if err != nil && !errs.Is(err, errs.Stale) {
		w.s.Log.Error("queue: a stopped delivery could not be put off", "delivery", d.ID, "err", err)
	}
}

// giveUp ends the tries of a step that failed by our own fault too often.
func (w *worker) giveUp(ctx context.Context) error {
	switch w.d.State {
	case Waiting:
		return w.fail(ctx, KindTransient, 0, "处理这篇图文时多次出错，已停止发布，平台没有收到。请稍后重新发布；如果仍然失败，请联系管理员。")
	case Submitted, Unknown:
		const note = "核对发布结果时多次出错，请到公众平台查看后在这里确认，并联系管理员。系统不会重复提交。"
		again := w.d.State == Unknown && w.d.Note == note
		w.d.State, w.d.Step, w.d.ErrKind, w.d.Note = Unknown, StepResult, KindUnknown, note
		w.release(w.now().Add(personLook))
		if again {
			return w.save(ctx, "", nil)
		}
		return w.save(ctx, note, deliveryEntry(w.actor, "delivery.unknown", w.d, map[string]string{"draftId": w.d.DraftID}))
	default: // a draft that stays in the box, figures that are not read: no loss to readers
		w.release(time.Time{})
		return w.save(ctx, "", nil)
	}
}
