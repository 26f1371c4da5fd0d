package publish_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/publish"
)

// faulty fails some calls of the store as long as err is set.
type faulty struct {
	publish.Store
	account, delivery error
}

func (s *faulty) Account(ctx context.Context, id ids.ID) (*publish.Account, error) {
	if s.account != nil {
		return nil, s.account
	}
	return s.Store.Account(ctx, id)
}

func (s *faulty) Delivery(ctx context.Context, id ids.ID) (*publish.Delivery, error) {
	if s.delivery != nil {
		return nil, s.delivery
	}
	return s.Store.Delivery(ctx, id)
}

// faultyHouse also has turn, which works on all that is due and counts the
// looks that ended in an error.
func faultyHouse(t *testing.T) (h *house, f *faulty, pass func(d time.Duration) (failed int)) {
	f = &faulty{}
	h = newHouse(t, withStore(func(s publish.Store) publish.Store {
		f.Store = s
		return f
	}))
	return h, f, func(d time.Duration) (failed int) {
		for end := h.clock.Now().Add(d); h.clock.Now().Before(end); {
			for {
				worked, err := h.Queue().Turn(h.ctx)
				if err != nil {
					failed++
				}
				if !worked {
					break
				}
			}
			h.clock.Add(15 * time.Second)
		}
		return failed
	}
}

func TestOwnFaultsEndAtAPerson(t *testing.T) {
	h, f, pass := faultyHouse(t)
	d := h.queued("文", 0)
	f.account = errors.New("storage: a row nobody can read")
	if n := pass(24 * time.Hour); n != 12 {
		t.Fatalf("%d tries", n)
	}
	f.account = nil
	got := h.wantState(d.ID, publish.Failed)
	has(t, got.Note, "多次出错，已停止发布")
	if !got.NextAt.IsZero() || h.audits("delivery.failed") != 1 || h.sim.count("submit") != 0 {
		t.Fatalf("%+v", got)
	}
}

func TestOwnFaultsOfLooks(t *testing.T) {
	for name, lose := range map[string]bool{"submitted": false, "unknown": true} {
		h, f, pass := faultyHouse(t)
		if lose {
			h.sim.failing("submit", 1, lost())
		}
		q := h.queued("文", 0)
		h.drain()
		unknown := h.audits("delivery.unknown")
		f.account = errs.New(errs.Conflict, "谁也没有料到。")
		if n := pass(48 * time.Hour); n < 12 || n > 24 {
			t.Fatalf("%s: %d tries", name, n)
		}
		f.account = nil
		d := h.wantState(q.ID, publish.Unknown)
		has(t, d.Note, "多次出错，请到公众平台查看")
		if h.audits("delivery.unknown") != unknown+1 || h.sim.count("submit") != 1 {
			t.Fatalf("%s: %d audits", name, h.audits("delivery.unknown"))
		}
		pass(7 * time.Hour) // it still looks, and finds
		if d = h.wantState(q.ID, publish.Published); d.Attempt != 0 {
			t.Fatalf("%s: %+v", name, d)
		}
	}
}

// A database that is away for a day fails no post.
func TestOutagesCountNothing(t *testing.T) {
	h, f, pass := faultyHouse(t)
	q := h.queued("文", 0)
	f.account = errors.New("connection refused")
	f.delivery = f.account
	if pass(24*time.Hour) < 100 {
		t.Fatal("gave up")
	}
	f.account, f.delivery = nil, nil
	h.after(time.Hour)
	h.wantState(q.ID, publish.Published)
}
