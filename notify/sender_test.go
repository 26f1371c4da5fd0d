package notify_test

import (
	"fmt"
	"testing"

	"tongxin/internal/authz"
	"tongxin/internal/page"
	"tongxin/notify"
)

// What the platform says decides what becomes of each message.
func TestOutcomes(t *testing.T) {
	for name, x := range map[string]struct {
		err   *notify.PushError
		times int // how often it is said
		state notify.SendState
		calls int
		left  int64 // grants
	}{
		"well":            {nil, 0, notify.SendSent, 1, 0},
		"busy once":       {&notify.PushError{Code: 45011}, 1, notify.SendSent, 2, 0},
		"busy for ever":   {&notify.PushError{Code: -1}, 99, notify.SendFailed, 8, 1},
		"unknown":         {&notify.PushError{Unknown: true}, 99, notify.SendUnknown, 1, 0},
		"unknown with -1": {&notify.PushError{Code: -1, Unknown: true}, 99, notify.SendUnknown, 1, 0},
		"no such person":  {&notify.PushError{Code: 40003}, 99, notify.SendFailed, 1, 1},
		"none allowed":    {&notify.PushError{Code: 43101}, 99, notify.SendFailed, 1, 0},
		"strange code":    {&notify.PushError{Code: 99999, Kind: notify.GiveUp}, 99, notify.SendFailed, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			anna := h.person("a", "安娜")
			h.reachable(1000)
			h.push.answer = func(_ notify.Message, n int) error {
				if n > x.times || x.err == nil {
					return nil
				}
				return x.err
			}
			c := h.send(h.secretary("a"), h.input("a"))
			h.run("settled", func() bool { return h.state(c.ID) == notify.Done }, h.svc)
			if got := h.progress(c.ID); got[string(x.state)] != 1 || len(got) != 1 {
				t.Errorf("%v", got)
			}
			left, err := h.store.Balance(t.Context(), anna.ID)
			h.ok(err)
			if n := h.push.got["o-"+anna.ID.String()]; n != x.calls || left["t1"] != x.left {
				t.Errorf("called %d times, %d grants left", n, left["t1"])
			}
		})
	}
}

// A wrong field stops the campaign for everybody, names the field, and nobody
// is lost when it goes on.
func TestWrongFieldStops(t *testing.T) {
	h := newHouse(t)
	for i := range 30 {
		h.person("a", fmt.Sprint("党员", i))
	}
	h.reachable(500)
	wrong := true
	h.push.answer = func(notify.Message, int) error {
		if wrong {
			return &notify.PushError{Code: 47003, Field: "thing1"}
		}
		return nil
	}
	a := h.secretary("a")
	c := h.send(a, h.input("a"))
	h.run("halted, nothing under way", func() bool {
		return h.state(c.ID) == notify.Paused && h.progress(c.ID)["sending"] == 0
	}, h.svc)
	got, err := h.svc.Campaign(t.Context(), a, c.ID)
	h.ok(err)
	if got.Problem == "" || !contains(got.Problem, "thing1") || got.Progress.ByState["waiting"] != 30 {
		t.Fatalf("%q %v", got.Problem, got.Progress)
	}
	h.push.mu.Lock()
	wrong = false
	h.push.mu.Unlock()
	_, err = h.svc.Act(t.Context(), a, c.ID, got.Version, notify.Resume)
	h.ok(err)
	h.run("sent", func() bool { return h.state(c.ID) == notify.Done }, h.svc)
	h.exactlyOnce(30)
}

func contains(s, part string) bool {
	for i := range s {
		if len(s[i:]) >= len(part) && s[i:i+len(part)] == part {
			return true
		}
	}
	return false
}

func (h *house) exactlyOnce(people int) {
	h.t.Helper()
	h.push.mu.Lock()
	defer h.push.mu.Unlock()
	if len(h.push.sent) != people {
		h.t.Errorf("%d of %d people were sent a message", len(h.push.sent), people)
	}
	for who, n := range h.push.sent {
		if n != 1 {
			h.t.Errorf("%s was sent %d", who, n)
		}
	}
}

// Two nodes, paused and resumed, stopped and started in the middle: each person
// gets one message and one row.
func TestTwoNodesOnce(t *testing.T) {
	h := newHouse(t)
	const people = 300
	for i := range people {
		h.person([]string{"a", "b"}[i%2], fmt.Sprint("党员", i))
	}
	h.reachable(400)
	root := h.secretary("root")
	in := h.input("root")
	c := h.send(root, in)
	sent := func() int { h.push.mu.Lock(); defer h.push.mu.Unlock(); return len(h.push.sent) }
	for _, stop := range []int{40, 90} { // both nodes stop in the middle and come again
		h.run("some were sent", func() bool { return sent() >= stop }, h.node("one"), h.node("two"))
	}
	if got := h.progress(c.ID); got["sending"] != 0 || got["unknown"] != 0 {
		t.Errorf("an orderly end left %v", got)
	}
	got, err := h.svc.Campaign(t.Context(), root, c.ID)
	h.ok(err)
	got, err = h.svc.Act(t.Context(), root, c.ID, got.Version, notify.Pause)
	h.ok(err)
	before := sent()
	h.run("a look or two", func() bool { return true }, h.node("one"))
	if sent() != before {
		t.Error("a paused campaign went on")
	}
	_, err = h.svc.Act(t.Context(), root, c.ID, got.Version, notify.Resume)
	h.ok(err)
	h.run("all were sent", func() bool { return h.state(c.ID) == notify.Done }, h.node("one"), h.node("two"))
	h.exactlyOnce(people)
	list, err := h.svc.Recipients(t.Context(), root, notify.RecipientFilter{Campaign: c.ID}, 0, page.Request{Limit: 1000})
	h.ok(err)
	if len(list.Items) != people {
		t.Errorf("%d inboxes", len(list.Items))
	}
	if h.push.last.Values["thing1"] != "关于召开支部党员大会的通知" || h.push.last.Page != "pages/notice?id="+c.ID.String() {
		t.Errorf("%+v", h.push.last)
	}
}

func TestCancelStops(t *testing.T) {
	h := newHouse(t)
	for i := range 50 {
		h.person("a", fmt.Sprint("党员", i))
	}
	h.reachable(20)
	a := h.secretary("a")
	c := h.send(a, h.input("a"))
	n := func() int { h.push.mu.Lock(); defer h.push.mu.Unlock(); return len(h.push.sent) }
	h.run("a few were sent", func() bool { return n() > 3 }, h.svc)
	got, err := h.svc.Campaign(t.Context(), a, c.ID)
	h.ok(err)
	_, err = h.svc.Act(t.Context(), a, c.ID, got.Version, notify.Cancel)
	h.ok(err)
	p := h.progress(c.ID)
	if p["waiting"] != 0 || p["stopped"] == 0 || p["stopped"]+p["sent"] != 50 {
		t.Errorf("%v", p)
	}
	_, err = h.svc.Grants(t.Context(), authz.SystemActor("t"))
	h.ok(err)
}
