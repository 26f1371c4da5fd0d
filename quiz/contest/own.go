package contest

import (
	"context"
	"encoding/json"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
)

// ready subscribes the desk and sees that the contest has an owner.
func (d *desk) ready(ctx context.Context) error {
	d.claim.Lock()
	defer d.claim.Unlock()
	if err := d.listen(); err != nil {
		return err
	}
	d.mu.Lock()
	have := d.room != nil || !d.stale()
	d.mu.Unlock()
	if have {
		return nil
	}
	return d.own(ctx)
}

// stale reports that the owner, if there is one, was not heard for long; under d.mu.
func (d *desk) stale() bool {
	return d.hub.cfg.Clock.Now().Sub(d.heard) > d.hub.cfg.Lease/2
}

// listen subscribes to what other owners send, once.
func (d *desk) listen() error {
	h := d.hub
	d.mu.Lock()
	have := d.cancels != nil || h.cfg.Bus == nil
	d.mu.Unlock()
	if have {
		return nil
	}
	frames, err := h.cfg.Bus.Subscribe(subjectNode(d.id, h.cfg.Node), func(b []byte) { d.receive(h.base, b) })
	if err != nil {
		return err
	}
	news, err := h.cfg.Bus.Subscribe(subjectNews(d.id), func(b []byte) { d.news(h.base, b) })
	if err != nil {
		frames()
		return err
	}
	d.mu.Lock()
	d.cancels = []func(){frames, news}
	d.mu.Unlock()
	return nil
}

// own takes the contest when its lease is free, rebuilds it from the database
// and starts its room. d.claim is held.
func (d *desk) own(ctx context.Context) error {
	h := d.hub
	now, before, won, err := h.cfg.Store.Claim(ctx, d.id, h.cfg.Node, h.cfg.Lease, h.cfg.Alone)
	if err != nil {
		return err
	}
	if !won {
		d.mu.Lock()
		if now.Fence > d.fence {
			d.follow(now.Fence)
		}
		d.mu.Unlock()
		return nil
	}
	r, err := d.rebuild(ctx, now, before)
	if err != nil {
		if free := h.cfg.Store.Free(context.WithoutCancel(ctx), d.id, now); free != nil {
			h.cfg.Log.Warn("contest: lease not given back", "contest", d.id, "err", free)
		}
		return err
	}
	cancel := func() {}
	if h.cfg.Bus != nil {
		if cancel, err = h.cfg.Bus.Subscribe(subjectOwner(d.id), func(b []byte) { d.forRoom(r, b) }); err != nil {
			return err
		}
	}
	d.mu.Lock()
	d.room, d.fence = r, now.Fence
	d.mu.Unlock()
	h.rooms.Go(func() {
		r.run(h.base)
		close(r.over)
		cancel()
		d.mu.Lock()
		if d.room == r {
			d.room, d.heard = nil, time.Time{}
			d.follow(d.fence)
		}
		d.mu.Unlock()
		if !r.deposed {
			if err := h.cfg.Store.Free(context.WithoutCancel(h.base), d.id, r.lease); err != nil {
				h.cfg.Log.Warn("contest: lease not given back", "contest", d.id, "err", err)
			}
		}
	})
	if h.cfg.Bus != nil {
		if err := h.cfg.Bus.Publish(subjectNews(d.id), encodeNews(now.Fence)); err != nil {
			h.cfg.Log.Warn("contest: news not sent", "contest", d.id, "err", err)
		}
	}
	if list := d.all(nil); len(list) > 0 {
		h.rooms.Go(func() { d.attach(h.base, list...) })
	}
	return nil
}

// rebuild makes a room from what is stored, and gives back the time in which
// nobody ran the contest.
func (d *desk) rebuild(ctx context.Context, now, before Lease) (*room, error) {
	h := d.hub
	saved, err := h.cfg.Store.Load(ctx, d.id)
	if err != nil {
		return nil, err
	}
	items, err := h.cfg.Items(ctx, &saved.Contest)
	if err != nil {
		return nil, err
	}
	rule := h.rule(saved.Contest.Rule)
	saved.Contest.RuleText = rule.Text
	r := newRoom(h, d, now, NewEngine(*saved, rule, items))
	lost := time.Duration(0)
	if before.Owner != "" && !before.Until.IsZero() { // it died: nobody gave the lease back
		lost = h.cfg.Clock.Now().Sub(before.Until.Add(-h.cfg.Lease))
	}
	c := saved.Contest
	if lost <= 0 || c.State != Running {
		return r, nil
	}
	if err := r.step(ctx, Command{Verb: Recover, Lost: lost + comeBack}, authz.SystemActor("contest")); err != nil {
		return nil, err
	}
	return r, nil
}

// comeBack is what players get on top for connecting again.
const comeBack = 2 * time.Second

// forRoom takes a note of another node.
func (d *desk) forRoom(r *room, b []byte) {
	at := d.hub.cfg.Clock.Now() // arrival at the owner: what counts
	var n note
	if err := json.Unmarshal(b, &n); err != nil || n.Node == d.hub.cfg.Node {
		return
	}
	n.at = at
	if n.Control != nil {
		n.Control.answer = nil
	}
	if err := r.post(d.hub.base, n); err != nil {
		d.hub.cfg.Log.Debug("contest: a note came too late", "contest", d.id)
	}
}

// enter adds a client; false once the desk is gone.
func (d *desk) enter(c *client) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.gone {
		return false
	}
	d.clients[c.id] = c
	d.idle = time.Time{}
	return true
}

func (d *desk) leave(c *client) {
	d.mu.Lock()
	delete(d.clients, c.id)
	if len(d.clients) == 0 {
		d.idle = d.hub.cfg.Clock.Now()
	}
	d.mu.Unlock()
	if err := d.tell(d.hub.base, note{Node: d.hub.cfg.Node, Detach: []string{c.id}}); err != nil {
		d.hub.cfg.Log.Debug("contest: detach", "contest", d.id, "err", err)
	}
}

const (
	idleFor   = 30 * time.Second // a desk nobody uses is cleared away after this
	askAgain  = 700 * time.Millisecond
	aliveNote = 3 * time.Second
)

// upkeep renews the lease of an owned contest, or sees to it that somebody owns
// it, and asks again for welcomes that the bus lost.
func (d *desk) upkeep(ctx context.Context) {
	h, now := d.hub, d.hub.cfg.Clock.Now()
	d.mu.Lock()
	r, users := d.room, len(d.clients)+len(d.waiting)
	idle := users == 0 && !d.idle.IsZero() && now.Sub(d.idle) > idleFor
	d.mu.Unlock()
	if r != nil {
		d.renew(ctx, r)
		if idle && r.resting() {
			r.end()
			d.retire()
		}
		return
	}
	if users == 0 {
		if idle {
			d.retire()
		}
		return
	}
	d.mu.Lock()
	stale := d.stale()
	d.mu.Unlock()
	if stale {
		d.claim.Lock()
		err := d.own(ctx)
		d.claim.Unlock()
		if err != nil {
			h.problem(ctx, "own", err)
		}
	}
	d.ask(ctx)
	if err := d.tell(ctx, note{Node: h.cfg.Node}); err != nil { // this node lives
		h.problem(ctx, "tell", err)
	}
}

func (d *desk) renew(ctx context.Context, r *room) {
	now := d.hub.cfg.Clock.Now()
	if r.renewed.Add(d.hub.cfg.Lease / 3).After(now) {
		return
	}
	err := d.hub.cfg.Store.Renew(ctx, d.id, r.lease, d.hub.cfg.Lease)
	switch {
	case err == nil:
		r.renewed = now
	case errs.Is(err, errs.Stale):
		r.end()
	default:
		d.hub.problem(ctx, "renew", err)
	}
}

// retire takes the desk away, unless somebody came meanwhile.
func (d *desk) retire() {
	h := d.hub
	h.mu.Lock()
	d.mu.Lock()
	stay := len(d.clients)+len(d.waiting) > 0
	if !stay {
		d.gone = true
		delete(h.desks, d.id)
	}
	cancels := d.cancels
	d.mu.Unlock()
	h.mu.Unlock()
	if stay {
		return
	}
	for _, cancel := range cancels {
		cancel()
	}
}

// shutdown sends the clients away and ends the room.
func (d *desk) shutdown() {
	d.mu.Lock()
	d.gone = true
	r, cancels := d.room, d.cancels
	for _, c := range d.clients {
		c.leave(CloseRestart)
	}
	d.mu.Unlock()
	if r != nil {
		r.end()
	}
	for _, cancel := range cancels {
		cancel()
	}
}
