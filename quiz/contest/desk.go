package contest

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
)

// desk is one contest on this node: its clients, and the way to whoever runs it.
// Lock order: Hub.mu, desk.claim, desk.mu, outlet.mu. Nothing is sent to a room
// or the bus under desk.mu: a room delivers under it.
type desk struct {
	hub *Hub
	id  ids.ID

	claim sync.Mutex // one attempt to own at a time; guards nothing else

	mu      sync.Mutex
	clients map[string]*client
	room    *room // when this node owns the contest
	fence   int64 // newest owner heard of
	seq     int64
	heard   time.Time // of the owner
	idle    time.Time // since when nobody is here; zero: somebody is
	waiting map[string]chan reply
	cancels []func() // subscriptions
	gone    bool
}

// tell brings a note to the owner: the room here, or whoever it is.
func (d *desk) tell(ctx context.Context, n note) error {
	d.mu.Lock()
	r := d.room
	d.mu.Unlock()
	if r != nil {
		return r.post(ctx, n)
	}
	if d.hub.cfg.Bus == nil {
		return errs.New(errs.Unavailable, "比赛暂时没有连上，请稍候。")
	}
	b, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return d.hub.cfg.Bus.Publish(subjectOwner(d.id), b)
}

// attach asks the owner for a client's welcome.
func (d *desk) attach(ctx context.Context, list ...*client) {
	seats := make([]seat, len(list))
	d.mu.Lock()
	for i, c := range list {
		seats[i] = c.seat()
		c.welcomed, c.asked = false, d.hub.cfg.Clock.Now()
	}
	d.mu.Unlock()
	for len(seats) > 0 {
		n := min(len(seats), seatsPerNote)
		if err := d.tell(ctx, note{Node: d.hub.cfg.Node, Attach: seats[:n]}); err != nil {
			d.hub.cfg.Log.Debug("contest: attach", "contest", d.id, "err", err)
		}
		seats = seats[n:]
	}
}

// seatsPerNote keeps a note far below what the bus carries.
const seatsPerNote = 500

// all lists the clients; with only, those that it picks.
func (d *desk) all(only func(*client) bool) []*client {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []*client
	for _, c := range d.clients {
		if only == nil || only(c) {
			out = append(out, c)
		}
	}
	return out
}

// deliver hands frames that belong together to the clients they are for. It
// never waits for one.
func (d *desk) deliver(list ...drop) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(list) == 1 && list[0].To == oneConn {
		if c := d.clients[list[0].Conn]; c != nil {
			d.hand(c, list, nil)
		}
		return
	}
	var room [4]queued
	for _, c := range d.clients {
		d.hand(c, list, room[:0])
	}
}

// concerns reports whether a drop is for a client.
func (p *drop) concerns(c *client) bool {
	switch p.To {
	case oneConn:
		return c.id == p.Conn
	case onePlayer:
		return c.role == RolePlayer && c.holder == p.Player
	case views:
		return c.role != RolePlayer
	case everybody:
	}
	return true
}

// hand puts what of the list is for c into its queue, at once.
func (d *desk) hand(c *client, list []drop, frames []queued) {
	for i := range list {
		p := &list[i]
		if !p.concerns(c) {
			continue
		}
		if p.Topic == topicWelcome {
			c.welcomed = true
		} else if !c.welcomed && !p.Kick {
			continue
		}
		frame := []byte(p.Shared)
		if c.role == RolePlayer && p.Own != nil {
			if own := p.Own[c.holder]; len(own) > 2 {
				frame = join(make([]byte, 0, len(p.Shared)+len(own)), p.Shared, own)
			}
		}
		frames = append(frames, queued{p.Topic, frame, p.Kick})
	}
	if len(frames) > 0 {
		c.out.put(frames...)
	}
}

// receive takes a parcel of an owner on another node.
func (d *desk) receive(ctx context.Context, b []byte) {
	var p parcel
	if err := json.Unmarshal(b, &p); err != nil {
		d.hub.cfg.Log.Warn("contest: a parcel that does not decode", "contest", d.id, "err", err)
		return
	}
	d.mu.Lock()
	if d.room != nil || p.Fence < d.fence {
		d.mu.Unlock()
		return // an owner that does not know yet that it was followed
	}
	newer := p.Fence > d.fence
	if newer {
		d.follow(p.Fence)
	}
	missed := p.Seq != d.seq+1
	d.seq, d.heard = p.Seq, d.hub.cfg.Clock.Now()
	d.mu.Unlock()
	if len(p.Drops) > 0 {
		d.deliver(p.Drops...)
	}
	if p.Reply != nil {
		d.answered(*p.Reply)
	}
	if missed {
		d.attach(ctx, d.all(func(c *client) bool { return c.welcomed })...)
	}
	if newer {
		d.ask(ctx)
	}
}

// follow turns to a new owner, who knows none of the clients; under d.mu.
func (d *desk) follow(fence int64) {
	d.fence, d.seq = fence, 0
	for _, c := range d.clients {
		c.welcomed, c.asked = false, time.Time{}
	}
}

// ask asks for the welcomes that did not come.
func (d *desk) ask(ctx context.Context) {
	now := d.hub.cfg.Clock.Now()
	d.attach(ctx, d.all(func(c *client) bool { return !c.welcomed && now.Sub(c.asked) > askAgain })...)
}

// news tells of a new owner: it does not know this node's clients yet.
func (d *desk) news(ctx context.Context, b []byte) {
	var p parcel
	if json.Unmarshal(b, &p) != nil {
		return
	}
	d.mu.Lock()
	newer := d.room == nil && p.Fence > d.fence
	if newer {
		d.follow(p.Fence)
		d.heard = d.hub.cfg.Clock.Now()
	}
	d.mu.Unlock()
	if newer {
		d.ask(ctx)
	}
}

func (d *desk) answered(r reply) {
	d.mu.Lock()
	ch := d.waiting[r.ID]
	delete(d.waiting, r.ID)
	d.mu.Unlock()
	if ch != nil {
		ch <- r // 1 place
	}
}
