package publish_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tongxin/internal/ids"
	"tongxin/publish"
)

// The heart of the queue: processes die or stand still at every border of every
// call, the platform fails in every way, events come early, late, twice or never,
// people cancel: no delivery is ever submitted twice and none is lost.
func TestNoCrashPublishesTwice(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	rapid.Check(t, func(rt *rapid.T) {
		c := newChaos(h, rt)
		for range rapid.IntRange(2, 10).Draw(rt, "steps") {
			c.step()
			c.onlyOnce()
		}
		c.settle()
	})
}

// Every single border of a plain run, one after the other, and every border of
// a run whose submit is not answered.
func TestDeathAtEveryBorder(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, answer := range []*fault{nil, lost(), trouble(publish.KindUnknown, 0)} {
		for _, mode := range []publish.Mode{publish.ModePublish, publish.ModeMass} {
			if mode == publish.ModeMass && answer != nil && !answer.late {
				continue // nothing to be found: left to a person, as its own test says
			}
			for at := 1; ; at++ {
				h.freshPlatform(fmt.Sprint("号", at))
				h.sim.duration = 30 * time.Second
				if answer != nil {
					h.sim.failing("submit", 1, answer)
				}
				id := h.schedule(h.approved(3, "文"), 0, mode).ID
				l := &life{at: at}
				first := h.process(l)
				h.lastOf(first)
				if !l.dead {
					h.rest()
					break // beyond the last border
				}
				h.sim.healed()
				h.after(7 * time.Hour)
				h.wantEnd(t, h.sole(id), mode)
				h.rest()
			}
		}
	}
}

// lastOf runs a process for ten minutes or until it is dead.
func (h *house) lastOf(s *publish.Service) {
	h.t.Helper()
	for end := h.clock.Now().Add(10 * time.Minute); h.clock.Now().Before(end); {
		worked, err := s.Queue().Turn(h.ctx)
		if errors.Is(err, errDead) {
			return
		}
		must(h.t, err)
		if worked {
			continue
		}
		next, err := h.store.NextDue(h.ctx, publish.Part{})
		must(h.t, err)
		if next.IsZero() {
			return
		}
		h.clock.Add(max(next.Sub(h.clock.Now()), time.Millisecond))
	}
}

// freshPlatform is an empty platform with a new account.
func (h *house) freshPlatform(name string) {
	h.sim = newSimulator(h.clock)
	h.Service = h.service(func(c *publish.Config) { c.Platforms = map[string]publish.Platform{publish.WeChat: h.sim} })
	h.account = h.newAccount(1, name, publish.ModePublish)
}

// rest keeps what is left of a run out of the next.
func (h *house) rest() {
	h.t.Helper()
	must(h.t, h.pause(h.account))
}

// wantEnd asserts what must hold when everything has come to rest.
func (h *house) wantEnd(t failer, d publish.Delivery, mode publish.Mode) {
	t.Helper()
	n := h.sim.accepted(d.ID)
	switch {
	case n > 1:
		t.Fatalf("submitted %d times: %+v", n, d)
	case d.State == publish.Published && n == 0:
		t.Fatalf("published without a submit: %+v", d)
	case n == 1 && d.State != publish.Published && d.State != publish.Unknown:
		t.Fatalf("accepted by the platform, and called %s: %+v", d.State, d)
	case d.State == publish.Unknown && mode == publish.ModePublish:
		t.Fatalf("left unknown: %+v", d)
	case d.State != publish.Unknown && !d.State.Over():
		t.Fatalf("not at an end: %+v", d)
	case d.State == publish.Failed && d.Note == "":
		t.Fatalf("failed without a word: %+v", d)
	}
}

type chaos struct {
	*house
	rt     *rapid.T
	posts  []ids.ID
	mode   map[ids.ID]publish.Mode
	faults []int
	twins  bool
}

func newChaos(h *house, rt *rapid.T) *chaos {
	c := &chaos{
		house: h, rt: rt, mode: map[ids.ID]publish.Mode{}, twins: rapid.IntRange(0, 3).Draw(rt, "twins") == 0,
		faults: rapid.SliceOfN(rapid.IntRange(0, 20), 0, 60).Draw(rt, "faults"),
	}
	h.freshPlatform("号")
	h.sim.duration = rapid.SampledFrom([]time.Duration{0, 10 * time.Second, 5 * time.Minute, time.Hour}).Draw(rt, "duration")
	h.sim.fails = c.fault
	for i := range rapid.IntRange(1, 4).Draw(rt, "posts") {
		title := fmt.Sprint("文", i)
		if c.twins {
			title = "同一篇"
		}
		mode := rapid.SampledFrom([]publish.Mode{publish.ModePublish, publish.ModePublish, publish.ModeMass}).Draw(rt, "mode")
		due := rapid.SampledFrom([]time.Duration{0, time.Minute, 11 * time.Minute}).Draw(rt, "due")
		id := h.schedule(h.approved(3, title), due, mode).ID
		c.posts = append(c.posts, id)
		c.mode[id] = mode
	}
	return c
}

// fault gives each call the next of the drawn troubles; most are none.
func (c *chaos) fault(call string, _ int) *fault {
	if len(c.faults) == 0 {
		return nil
	}
	n := c.faults[0]
	c.faults = c.faults[1:]
	switch n {
	case 1, 2:
		return lost()
	case 3:
		return trouble(publish.KindUnknown, 0)
	case 4, 5:
		return trouble(publish.KindTransient, -1)
	case 6:
		return trouble(publish.KindQuota, 45009)
	case 7:
		return trouble(publish.KindAuth, 40164)
	case 8:
		return trouble(publish.KindPermanent, 45166)
	}
	return nil
}

func (c *chaos) step() {
	switch rapid.SampledFrom([]string{"die", "die", "die", "freeze", "freeze", "run", "time", "event", "event", "cancel", "move", "resume"}).Draw(c.rt, "step") {
	case "die":
		c.run(&life{at: rapid.IntRange(1, 40).Draw(c.rt, "border")})
	case "freeze":
		c.run(&life{at: rapid.IntRange(1, 40).Draw(c.rt, "border"), pause: c.standStill})
	case "run":
		c.run(&life{})
	case "time":
		c.clock.Add(rapid.SampledFrom([]time.Duration{time.Second, time.Minute, 2 * time.Minute, time.Hour}).Draw(c.rt, "time"))
	case "event":
		c.event(&life{at: rapid.IntRange(0, 8).Draw(c.rt, "border")})
	case "cancel":
		_, _ = c.Service.Cancel(c.ctx, c.planner, rapid.SampledFrom(c.posts).Draw(c.rt, "post"))
	case "move":
		_, _ = c.Reschedule(c.ctx, c.planner, rapid.SampledFrom(c.posts).Draw(c.rt, "post"), c.clock.Now().Add(time.Minute))
	case "resume":
		must(c.rt, c.store.WakeAccount(c.ctx, c.account.ID, c.clock.Now(), publish.Waiting))
	}
}

// run lets one process work for a while.
func (c *chaos) run(l *life) {
	s := c.process(l)
	for range rapid.IntRange(1, 25).Draw(c.rt, "turns") {
		worked, err := s.Queue().Turn(c.ctx)
		if errors.Is(err, errDead) || l.dead {
			return
		}
		must(c.rt, err)
		if !worked {
			c.clock.Add(20 * time.Second)
		}
	}
}

// standStill is a process that stops for longer than its lease while another
// works. A submit under way is cut off by its deadline before that.
func (c *chaos) standStill(call string, before bool) {
	if call == "submit" && before {
		c.clock.Add(20 * time.Second)
		return
	}
	c.clock.Add(100 * time.Second)
	other := c.process(&life{})
	for range 12 {
		worked, err := other.Queue().Turn(c.ctx)
		must(c.rt, err)
		if !worked {
			return
		}
	}
}

// event calls back about one accepted submit, perhaps in a process that dies over it.
func (c *chaos) event(l *life) {
	n := c.sim.submits()
	if n == 0 {
		return
	}
	ev := c.sim.event(rapid.IntRange(0, n-1).Draw(c.rt, "job"))
	_ = c.process(l).TakeEvent(c.ctx, ev) // an error makes the platform call again, or give up
}

func (c *chaos) onlyOnce() {
	for _, id := range c.posts {
		for _, d := range c.get(id).Deliveries {
			n := c.sim.accepted(d.ID)
			if n > 1 || n == 1 && d.State == publish.Cancelled {
				c.rt.Fatalf("%d submits of a %s delivery: %+v", n, d.State, d)
			}
		}
	}
}

// settle ends all trouble and lets the queue finish.
func (c *chaos) settle() {
	c.sim.healed()
	c.faults = nil
	c.after(32 * time.Hour)
	for _, id := range c.posts {
		d, mode := c.sole(id), c.mode[id]
		if c.twins {
			mode = "" // twins may have to be told apart by a person
		}
		c.wantEnd(c.rt, d, mode)
		if state := c.get(id).State; d.State.Over() && state != publish.Finished && d.State != publish.Cancelled {
			c.rt.Fatalf("the delivery is %s, its post %s", d.State, state)
		}
	}
	must(c.rt, c.pause(c.account))
}
