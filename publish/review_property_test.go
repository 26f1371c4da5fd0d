package publish_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/publish"
)

func parsePage(cursor string, n int) (page.Request, error) { return page.Parse(cursor, n) }

// Whatever people do in whatever order, nothing waits in the queue or reaches
// the platform that was not passed, in that very content, by as many different
// people as the chain asked for, none of whom wrote it.
func TestNothingUnreviewedIsQueued(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	people := []*authz.Actor{h.root, h.editor, h.judges[0], h.judges[1], h.judges[2], h.judges[3]}
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		levels := rapid.IntRange(0, 3).Draw(rt, "levels")
		h.orgs[1] = publish.Org{ID: 1, Path: "/1/", Name: "市委", ReviewLevels: levels}
		c := &chain{house: h, rt: rt, asked: map[string]int{}, titles: []string{"甲", "乙", "丙"}, account: h.account.ID}
		for i := range c.titles {
			c.titles[i] = fmt.Sprintf("%s %d", c.titles[i], round)
		}
		author := rapid.SampledFrom(people).Draw(rt, "author")
		if !author.Can(publish.PostWrite, "/1/") {
			return
		}
		p, err := h.Create(h.ctx, author, 1, h.content(c.titles[0]))
		must(rt, err)
		c.id = p.ID
		c.wrote(author.ID)
		for range rapid.IntRange(8, 30).Draw(rt, "steps") {
			c.step(rapid.SampledFrom(people).Draw(rt, "who"))
			c.check()
		}
	})
}

// chain follows one post and keeps its own record of who wrote.
type chain struct {
	*house
	rt      *rapid.T
	id      ids.ID
	account ids.ID
	titles  []string
	writers []ids.ID
	asked   map[string]int // content → levels asked when it was last submitted
}

func (c *chain) wrote(id ids.ID) { c.writers = append(c.writers, id) }

// likely are the actions worth trying: what leads on counts for more.
func likely(state publish.PostState) []string {
	all := []string{"edit", "submit", "decide", "withdraw", "schedule", "cancel", "restore", "levels", "run", "retry"}
	for range 6 {
		switch state {
		case publish.Draft, publish.Returned:
			all = append(all, "submit", "submit", "edit")
		case publish.InReview:
			all = append(all, "decide", "decide", "decide", "decide")
		case publish.Approved:
			all = append(all, "schedule", "schedule")
		}
	}
	return all
}

// step does one thing that may well be refused: refusals are part of the game.
func (c *chain) step(who *authz.Actor) {
	p := c.get(c.id)
	// Often the right one, sometimes an older look at the post.
	version := p.Version - int64(rapid.SampledFrom([]int{0, 0, 0, 1}).Draw(c.rt, "behind"))
	switch rapid.SampledFrom(likely(p.State)).Draw(c.rt, "action") {
	case "edit":
		q, err := c.Edit(c.ctx, who, c.id, version, c.content(rapid.SampledFrom(c.titles).Draw(c.rt, "title")), false)
		if err == nil && q.Version != p.Version {
			c.wrote(who.ID)
		}
	case "restore":
		q, err := c.Restore(c.ctx, who, c.id, version, rapid.Int64Range(1, p.Version).Draw(c.rt, "old"))
		if err == nil && q.Version != p.Version {
			c.wrote(who.ID)
		}
	case "submit":
		if q, err := c.Submit(c.ctx, who, c.id, version); err == nil {
			c.asked[q.Hash] = q.Levels
		}
	case "decide":
		v := publish.Verdict{Level: max(p.Level, 1), Hash: p.Hash, Decision: publish.Pass, Reason: "因为"}
		switch rapid.IntRange(0, 9).Draw(c.rt, "slip") {
		case 0:
			v.Decision = publish.Return
		case 1:
			v.Level = rapid.IntRange(1, 3).Draw(c.rt, "level")
		case 2:
			v.Hash = c.content(c.titles[2]).Hash()
		}
		_, _ = c.Decide(c.ctx, who, c.id, v)
	case "withdraw":
		_, _ = c.Withdraw(c.ctx, who, c.id)
	case "schedule":
		due := c.clock.Now().Add(time.Duration(rapid.IntRange(0, 2).Draw(c.rt, "hours")) * time.Hour)
		_, _ = c.Schedule(c.ctx, c.root, c.id, version, due, []publish.Target{{AccountID: c.account}})
	case "cancel":
		_, _ = c.Service.Cancel(c.ctx, c.root, c.id)
	case "levels": // the house changes its mind in between
		o := c.orgs[1]
		o.ReviewLevels = rapid.IntRange(0, 3).Draw(c.rt, "new levels")
		c.orgs[1] = o
	case "run":
		c.clock.Add(time.Hour)
		c.drain()
	case "retry":
		for _, d := range p.Deliveries {
			_, _ = c.Retry(c.ctx, c.root, d.ID)
		}
	}
}

func (c *chain) check() {
	p := c.get(c.id)
	live := 0
	for _, d := range p.Deliveries {
		if d.State == publish.Cancelled {
			continue
		}
		live++
		var passed []ids.ID
		for _, r := range p.Reviews {
			if r.Decision == publish.Pass && r.Hash == d.Hash && !slices.Contains(c.writers, r.ReviewerID) && !slices.Contains(passed, r.ReviewerID) {
				passed = append(passed, r.ReviewerID)
			}
		}
		levels, asked := c.asked[d.Hash]
		if !asked || len(passed) < levels {
			c.rt.Fatalf("%s delivery of a content that %d of %d passed (submitted: %v); writers %v, reviews %+v",
				d.State, len(passed), levels, asked, c.writers, p.Reviews)
		}
		if d.State == publish.Waiting && (p.ApprovedHash != d.Hash || p.Hash != d.Hash || p.State != publish.Queued) {
			c.rt.Fatalf("a waiting delivery of %s while the post is %s with %s", d.Hash, p.State, p.ApprovedHash)
		}
		if c.sim.accepted(d.ID) > 1 {
			c.rt.Fatal("submitted twice")
		}
	}
	if live > 1 {
		c.rt.Fatalf("%d live deliveries on one account", live)
	}
	if (p.ApprovedHash != "") != (p.State == publish.Approved || p.State == publish.Queued || p.State == publish.Finished) {
		c.rt.Fatalf("%s with approval %q", p.State, p.ApprovedHash)
	}
}
