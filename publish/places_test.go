package publish_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"tongxin/internal/ids"
	"tongxin/publish"
)

// hanging is a platform on which some calls of one account get no answer until
// released.
type hanging struct {
	publish.Platform
	call    string
	account ids.ID
	reached atomic.Int32
	release chan struct{}
}

func (p *hanging) hang(call string, a publish.Account) {
	if call == p.call && a.ID == p.account {
		p.reached.Add(1)
		<-p.release
	}
}

func (p *hanging) SaveDraft(ctx context.Context, a publish.Account, articles []publish.Rendered) (string, error) {
	p.hang("draft", a)
	return p.Platform.SaveDraft(ctx, a, articles)
}

func (p *hanging) Submit(ctx context.Context, a publish.Account, id string, mode publish.Mode, clientID string) (publish.Receipt, error) {
	p.hang("submit", a)
	return p.Platform.Submit(ctx, a, id, mode, clientID)
}

func (p *hanging) Recent(ctx context.Context, a publish.Account, offset int) ([]publish.Found, bool, error) {
	p.hang("recent", a)
	return p.Platform.Recent(ctx, a, offset)
}

// hangingFleet runs one queue; n posts of the fleet's account wait, due.
func hangingFleet(t *testing.T, call string, n int) (*fleet, *hanging, []ids.ID) {
	f := newFleet(t, 1)
	p := &hanging{Platform: f.sim, call: call, account: f.account.ID, release: make(chan struct{})}
	f.nodes = []*publish.Service{f.service(func(c *publish.Config) {
		c.Platforms = map[string]publish.Platform{publish.WeChat: p}
	})}
	var posts []ids.ID
	for i := range n {
		posts = append(posts, f.queued(fmt.Sprint("文", i), 0).ID)
	}
	f.Service = f.nodes[0]
	return f, p, posts
}

// An account whose platform does not answer keeps no other account waiting,
// neither for its drafts nor for its submits.
func TestHangingAccountLeavesPlaces(t *testing.T) {
	for call, most := range map[string]int32{"draft": 96, "submit": 48} {
		t.Run(call, func(t *testing.T) {
			f, p, _ := hangingFleet(t, call, 130)
			b := f.newAccount(1, "第二个号", publish.ModePublish)
			other := f.queued("别的文", 0, b)
			defer f.run()()
			defer close(p.release)
			f.until("the other account's post", f.all([]ids.ID{other.ID}, publish.Submitted))
			if got := p.reached.Load(); got > most {
				t.Errorf("%d places of one account", got)
			}
		})
	}
}

// Looks at unknown posts that hang keep no due post waiting, not even of the
// same account.
func TestHangingLooksLeavePlaces(t *testing.T) {
	f, p, posts := hangingFleet(t, "recent", 130)
	f.sim.failing("submit", 130, lost())
	defer f.run()()
	defer close(p.release)
	f.until("unknown", f.all(posts, publish.Unknown))
	f.clock.Add(20 * time.Second)
	f.nudge()
	due := f.queued("新文", 0)
	f.until("the due post", f.all([]ids.ID{due.ID}, publish.Submitted))
}
