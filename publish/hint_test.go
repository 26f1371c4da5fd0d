package publish_test

import (
	"testing"
	"time"

	"tongxin/publish"
)

// What an unsigned event says is not believed: the platform is asked.
func TestHintOnlyAsks(t *testing.T) {
	h := newHouse(t)
	h.sim.duration = 20 * time.Second
	q := h.queued("文", 0)
	h.drain()
	forged := h.sim.event(0)
	forged.Outcome = publish.Outcome{State: publish.OutcomeFailed, Msg: "伪造"}
	before := h.wantState(q.ID, publish.Submitted)
	must(t, h.TakeHint(h.ctx, forged))
	h.drain()
	if d := h.wantState(q.ID, publish.Submitted); d.Polls != before.Polls+1 || h.sim.count("result") != 1 {
		t.Fatalf("%+v", d)
	}
	h.clock.Add(20 * time.Second) // long before the next look
	must(t, h.TakeHint(h.ctx, forged))
	h.drain()
	h.wantState(q.ID, publish.Published)
	forged.Outcome = publish.Outcome{State: publish.OutcomeRemoved, Msg: "伪造"}
	must(t, h.TakeHint(h.ctx, forged))
	h.drain()
	h.wantState(q.ID, publish.Published)
	forged.Receipt.PublishID = "nobody's"
	must(t, h.TakeHint(h.ctx, forged))
}

// Who repeats a hint does not use up the day's look-ups.
func TestHintsAreBounded(t *testing.T) {
	h := newHouse(t)
	h.sim.duration = time.Hour
	q := h.queued("文", 0)
	h.drain()
	for range 50 {
		must(t, h.TakeHint(h.ctx, h.sim.event(0)))
		h.drain()
	}
	if n := h.sim.count("result"); n > 7 {
		t.Fatalf("%d look-ups", n)
	}
	h.after(24 * time.Hour)
	h.wantState(q.ID, publish.Published)
}
