package storage_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/publish"
	"tongxin/storage"
	"tongxin/storage/storagetest"
)

// Whatever queue, people and lost workers do in whatever order: a delivery that
// is leased is not claimed, a lost lease stores nothing, what was submitted is
// never cancelled, and a post is queued exactly while a delivery is under way.
func TestPublishQueueModel(t *testing.T) {
	c := newManual()
	h := newHouse(t, storagetest.Open(t, storage.Options{DSN: t.TempDir() + "/model.db", Clock: c}), c)
	a := h.account(2, "号")
	rapid.Check(t, func(rt *rapid.T) {
		m := &queueModel{house: h, rt: rt, held: map[ids.ID]*publish.Delivery{}}
		p := h.post(2, "模型")
		accounts := []*publish.Account{a, a, a}[:rapid.IntRange(1, 3).Draw(rt, "deliveries")]
		for _, d := range h.queue(p, accounts...) {
			m.all = append(m.all, d.ID)
		}
		m.post = p.ID
		rt.Repeat(map[string]func(*rapid.T){
			"claim": m.claimSome, "store": m.store, "cancel": func(*rapid.T) { m.person(true) }, "move": func(*rapid.T) { m.person(false) },
			"wait": func(rt *rapid.T) { c.Add(time.Duration(rapid.IntRange(1, 90).Draw(rt, "seconds")) * time.Second) },
			"":     m.invariant,
		})
		// Nothing of this case may be claimed in the next one.
		h.exec(`UPDATE deliveries SET next_at = 0 WHERE post_id = ?`, p.ID)
	})
}

type queueModel struct {
	*house
	rt   *rapid.T
	post ids.ID
	all  []ids.ID
	held map[ids.ID]*publish.Delivery // what some worker believes to hold
}

func (m *queueModel) stored() map[ids.ID]publish.Delivery {
	list, err := m.DeliveriesOf(m.t.Context(), m.post)
	if err != nil {
		m.rt.Fatal(err)
	}
	out := map[ids.ID]publish.Delivery{}
	for _, d := range list {
		out[d.ID] = d
	}
	return out
}

func (m *queueModel) claimSome(rt *rapid.T) {
	before, now := m.stored(), m.clock.Now()
	for _, d := range m.take(fmt.Sprint("worker ", rapid.IntRange(1, 3).Draw(rt, "worker")), rapid.IntRange(1, 3).Draw(rt, "limit")) {
		b := before[d.ID]
		if b.LeaseUntil.After(now) || b.NextAt.IsZero() || b.NextAt.After(now) || d.Version != b.Version+1 {
			rt.Fatalf("claimed %+v as %+v", b, d)
		}
		m.held[d.ID] = d
	}
}

// store lets a worker store what it believes; it must only work when nobody
// else changed the delivery since.
func (m *queueModel) store(rt *rapid.T) {
	id := rapid.SampledFrom(m.all).Draw(rt, "delivery")
	d := m.held[id]
	if d == nil {
		return
	}
	before := m.stored()[id]
	next := *d
	switch d.State {
	case publish.Waiting:
		next.State = rapid.SampledFrom([]publish.DeliveryState{publish.Waiting, publish.Submitting, publish.ByHand, publish.Failed}).Draw(rt, "to")
	case publish.Submitting, publish.Submitted, publish.Unknown:
		next.State = rapid.SampledFrom([]publish.DeliveryState{publish.Submitted, publish.Unknown, publish.Published, publish.Failed}).Draw(rt, "to")
	}
	next.LeaseUntil, next.NextAt = time.Time{}, m.clock.Now().Add(time.Duration(rapid.IntRange(0, 60).Draw(rt, "again"))*time.Second)
	err := m.SaveDelivery(m.t.Context(), &next, d.Version, "", nil)
	if (err == nil) != (before.Version == d.Version) || err != nil && !errs.Is(err, errs.Stale) {
		rt.Fatalf("holds version %d of %d: %v", d.Version, before.Version, err)
	}
	after := m.stored()[id]
	if err != nil && after.Version != before.Version {
		rt.Fatalf("a refused save changed %+v", after)
	}
	delete(m.held, id)
}

func (m *queueModel) person(cancel bool) {
	p, before := m.load(m.post), m.stored()
	if p.State != publish.Queued {
		return
	}
	c := publish.Change{Post: m.step(p, publish.Approved), Expect: p.Version, Cancel: cancel, Entry: m.entry("person")}
	if !cancel {
		c.Post.State, c.MoveTo = publish.Queued, m.clock.Now().Add(time.Hour)
	}
	err := m.Commit(m.t.Context(), c)
	free := 0
	for _, b := range before {
		if b.State == publish.Waiting || cancel && b.State == publish.ByHand {
			free++
		}
	}
	for id, d := range m.stored() {
		b := before[id]
		mine := err == nil && (b.State == publish.Waiting || cancel && b.State == publish.ByHand)
		if mine != (d.Version == b.Version+1) || !mine && (d.State != b.State || d.Version != b.Version) || mine && cancel != (d.State == publish.Cancelled) {
			m.rt.Fatalf("cancel %v (%v) made of %+v: %+v", cancel, err, b, d)
		}
	}
	if err != nil && (free > 0 || !errs.Is(err, errs.Conflict)) {
		m.rt.Fatalf("cancel %v with %d free: %v", cancel, free, err)
	}
}

func (m *queueModel) invariant(rt *rapid.T) {
	open, published := 0, 0
	for _, d := range m.stored() {
		if !d.State.Over() {
			open++
		}
		if d.State == publish.Published {
			published++
		}
	}
	state := m.load(m.post).State
	if (open > 0) != (state == publish.Queued) || published > 0 && open == 0 && state != publish.Finished {
		rt.Fatalf("%d under way, %d published, post %s", open, published, state)
	}
}
