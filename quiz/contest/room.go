package contest

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/call"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/trail"
	"tongxin/quiz"
)

const (
	roomBox   = 4096                   // notes that wait; a client that brings more waits in its own loop
	settling  = 60 * time.Millisecond  // between the end of a question and its board: answers that arrived in time are on their way
	beat      = 250 * time.Millisecond // counts for the views; every fourth beat tells other nodes that the owner lives
	stepTime  = 10 * time.Second       // for storing one step
	retryStep = 500 * time.Millisecond
	nodeGone  = 10 * time.Second // a node that says nothing has no clients any more
)

// post is what the owner knows of one node.
type post struct {
	seats map[string]seat
	seq   int64
	heard time.Time
}

// room runs one contest: one goroutine that owns the engine. Everything comes in
// through box and leaves through desks; no client can make it wait.
type room struct {
	id     ids.ID
	node   string
	store  RoomStore
	clock  clock.Clock
	log    *slog.Logger
	bus    Bus // nil: alone
	local  *desk
	lease  Lease
	engine *Engine
	saver  *saver

	box     chan note
	stop    chan struct{} // closed to end it
	ending  sync.Once
	done    chan struct{} // closed when it has ended
	over    chan struct{} // closed when nothing of it is left
	renewed time.Time     // the hub's upkeep alone uses it
	rest    atomic.Bool   // nothing happens without somebody's doing
	posts   map[string]*post
	players map[ids.ID]int       // open connections by player
	away    map[ids.ID]time.Time // since when players without one are gone

	closing  bool      // the question is over, its board is not out yet
	closeAt  time.Time // when the board may be made
	retryAt  time.Time
	beats    int
	shown    int // answers told to the views
	lobbyOld bool
	lobbyAt  time.Time
	lobbyWas json.RawMessage
	welcome  json.RawMessage // cached; nil after a change
	deposed  bool

	lastReveal, lastBoard, lastFinal made
}

func newRoom(h *Hub, d *desk, l Lease, e *Engine) *room {
	r := &room{
		id: d.id, node: h.cfg.Node, store: h.cfg.Store, clock: h.cfg.Clock, log: h.cfg.Log, bus: h.cfg.Bus, local: d, lease: l, engine: e,
		box: make(chan note, roomBox), stop: make(chan struct{}), done: make(chan struct{}), over: make(chan struct{}),
		renewed: h.cfg.Clock.Now(), posts: map[string]*post{}, players: map[ids.ID]int{}, away: map[ids.ID]time.Time{},
	}
	r.saver = newSaver(r.store, r.id, l.Fence, h.cfg.Log)
	return r
}

// end asks the loop to end.
func (r *room) end() { r.ending.Do(func() { close(r.stop) }) }

// resting reports that the contest waits for somebody and not for a time.
func (r *room) resting() bool { return r.rest.Load() }

// post gives the room a note, waiting for a place if need be.
func (r *room) post(ctx context.Context, n note) error {
	select {
	case r.box <- n:
		return nil
	case <-r.done:
	case <-ctx.Done():
	}
	return errs.New(errs.Unavailable, "比赛暂时没有连上，请稍候。")
}

// run is the room's loop. It ends when stop is closed or another node owns the
// contest.
func (r *room) run(ctx context.Context) {
	defer close(r.done)
	saving := make(chan struct{})
	go func() {
		defer close(saving)
		r.saver.run(ctx)
	}()
	timer := time.NewTimer(time.Hour)
	tick := time.NewTicker(beat)
	defer timer.Stop()
	defer tick.Stop()
	for !r.deposed {
		timer.Reset(r.wait())
		select {
		case <-r.stop:
			r.drain()
			r.saver.close()
			<-saving
			r.collect()
			return
		case n := <-r.box:
			r.guard(func() { r.take(ctx, n) })
		case <-r.saver.wake:
			r.guard(r.collect)
		case <-timer.C:
		case <-tick.C:
			r.guard(func() { r.beat(ctx, r.clock.Now()) })
		}
		r.guard(func() { r.due(ctx) })
		r.settle()
	}
	r.saver.close()
	<-saving
}

// settle notes whether the room could be given up without loss.
func (r *room) settle() {
	verb, _ := r.engine.Due()
	r.rest.Store(verb == "" && !r.closing && r.engine.Pending() == 0)
}

// guard keeps a bug over one contest from ending the process with all others.
func (r *room) guard(fn func()) {
	defer func() {
		if p := recover(); p != nil {
			r.log.Error("contest: panic in a room", "contest", r.id, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
	}()
	fn()
}

// wait is how long until time asks for something.
func (r *room) wait() time.Duration {
	_, at := r.engine.Due()
	if r.closing {
		at = r.closeAt
	}
	if r.retryAt.After(at) {
		at = r.retryAt
	}
	if at.IsZero() || r.closing && r.engine.Pending() > 0 {
		return time.Hour
	}
	return max(0, at.Sub(r.clock.Now()))
}

// drain handles what waits already.
func (r *room) drain() {
	for n := len(r.box); n > 0; n-- {
		r.guard(func() { r.take(context.Background(), <-r.box) })
	}
}

// due does what time asks for.
func (r *room) due(ctx context.Context) {
	now := r.clock.Now()
	if now.Before(r.retryAt) {
		return
	}
	verb, at := r.engine.Due()
	switch {
	case verb == "" && !r.closing:
		return
	case verb == Close && !r.closing && !now.Before(at):
		r.closeSoon(at.Add(settling))
	}
	if r.closing {
		if now.Before(r.closeAt) {
			return
		}
		if n := len(r.box); n > 0 { // what arrived before the end comes first
			r.drain()
		}
		if r.engine.Pending() > 0 {
			return
		}
		verb, at = Close, now
	}
	if verb == "" || now.Before(at) {
		return
	}
	if err := r.step(ctx, Command{Verb: verb}, authz.SystemActor("contest")); err != nil && !r.deposed {
		r.log.Error("contest: a due step failed", "contest", r.id, "verb", verb, "err", err)
		r.retryAt = now.Add(retryStep)
	}
}

// closeSoon ends the question: its board is made at that moment, and goes out
// together with the news that the question is over.
func (r *room) closeSoon(at time.Time) { r.closing, r.closeAt = true, at }

// step decides, stores, applies and announces one change.
func (r *room) step(ctx context.Context, cmd Command, actor *authz.Actor) error {
	s, err := r.engine.Decide(cmd, r.clock.Now())
	if err != nil {
		return err
	}
	c := r.engine.Contest()
	detail := map[string]string{"verb": string(cmd.Verb), "question": itoa(s.Next.N)}
	if cmd.Player != 0 {
		detail["player"] = cmd.Player.String()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stepTime)
	defer cancel()
	err = r.store.Step(ctx, r.lease.Fence, s, trail.Entry{
		Actor: actor, Action: "contest." + string(cmd.Verb), Object: "contest", ID: c.ID, OrgID: c.OrgID, OrgPath: c.OrgPath, Detail: detail,
	})
	if errs.Is(err, errs.Stale) {
		r.depose()
		return errs.New(errs.Unavailable, "比赛刚换了服务器，请再操作一次。")
	}
	if err != nil {
		return err
	}
	s.Next.Version++
	r.engine.Apply(s)
	r.welcome, r.closing, r.retryAt = nil, false, time.Time{}
	r.announce(s)
	return nil
}

// depose stops the room: another node owns the contest.
func (r *room) depose() {
	r.deposed = true
	r.log.Info("contest: another node owns it", "contest", r.id)
}

// take handles one note.
func (r *room) take(ctx context.Context, n note) {
	p := r.posts[n.Node]
	if p == nil {
		p = &post{seats: map[string]seat{}}
		r.posts[n.Node] = p
	}
	p.heard = r.clock.Now()
	if len(n.Attach) > 0 {
		r.attach(n.Node, p, n.Attach)
	}
	for _, conn := range n.Detach {
		if s, ok := p.seats[conn]; ok {
			delete(p.seats, conn)
			r.left(s)
		}
	}
	if n.Answer != nil {
		r.answer(n.Node, n.Answer, n.at)
	}
	if n.Control != nil {
		r.control(ctx, n.Node, n.Control)
	}
}

func (r *room) left(s seat) {
	if s.Role != RolePlayer || s.Player == nil {
		return
	}
	if r.players[s.Player.ID]--; r.players[s.Player.ID] <= 0 {
		delete(r.players, s.Player.ID)
		r.away[s.Player.ID] = r.clock.Now()
		r.engine.Online(len(r.players), r.clock.Now())
	}
	r.lobbyOld = true
}

// attach seats connections and sends each what is now.
func (r *room) attach(node string, p *post, list []seat) {
	for _, s := range list {
		if old, again := p.seats[s.Conn]; again {
			s = old
		} else {
			p.seats[s.Conn] = s
			if s.Role == RolePlayer && s.Player != nil {
				r.engine.Enter(*s.Player)
				r.players[s.Player.ID]++
				delete(r.away, s.Player.ID)
				r.engine.Online(len(r.players), r.clock.Now())
				r.lobbyOld = true
			}
		}
		r.greet(node, s)
	}
}

// answer judges one answer and gives it to the saver.
func (r *room) answer(node string, h *handed, at time.Time) {
	var a quiz.Answer
	if err := json.Unmarshal(h.Answer, &a); err != nil {
		return // the client's own loop decoded it: nobody to tell
	}
	g, what, no := r.engine.Take(h.Player, h.N, a, at)
	switch {
	case no != nil:
		r.toConn(node, h.Conn, topicAck, encode(refusedFrame{Type: "refused", N: h.N, Code: no.Code, Msg: no.Msg}), nil)
	case what == Known:
		r.toConn(node, h.Conn, topicAck, encode(ackFrame{"ack", g.N, g.ReceivedAt}), nil)
	case what == Fresh:
		r.saver.add(saving{given: g, node: node, conn: h.Conn})
	case what == Waiting:
	}
}

// collect takes what the saver has done: acknowledgements go out now, because
// now the answers are durable.
func (r *room) collect() {
	for _, b := range r.saver.results() {
		list := make([]Given, len(b.list))
		for i, s := range b.list {
			list[i] = s.given
		}
		if b.err != nil {
			r.engine.Lost(list)
			if errs.Is(b.err, errs.Stale) {
				r.depose()
			}
			frame := refuse("retry", "没有保存成功，请再提交一次。")
			for _, s := range b.list {
				r.toConn(s.node, s.conn, topicAck, encode(refusedFrame{Type: "refused", N: s.given.N, Code: frame.Code, Msg: frame.Msg}), nil)
			}
			continue
		}
		r.engine.Stored(list)
		for _, s := range b.list {
			r.toConn(s.node, s.conn, topicAck, encode(ackFrame{"ack", s.given.N, s.given.ReceivedAt}), nil)
		}
	}
	c := r.engine.Contest()
	early := c.Plan.Early && c.State == Running && c.Phase == Open && !r.closing && r.engine.Answered() >= len(r.players)
	if early && r.engine.Everybody(r.online) {
		r.closeSoon(r.clock.Now())
	}
}

func (r *room) online(yield func(ids.ID) bool) {
	for id := range r.players {
		if !yield(id) {
			return
		}
	}
}

// control does what a host asks and answers where the host is.
func (r *room) control(ctx context.Context, node string, c *control) {
	actor := &authz.Actor{ID: c.Actor, Kind: c.Kind, Name: c.Name}
	out := reply{ID: c.ID}
	if err := r.step(call.With(ctx, c.Call), c.Command, actor); err != nil {
		out.Err = wireErr(err)
		if out.Err.Code == errs.Internal {
			r.log.Error("contest: a command failed", "contest", r.id, "verb", c.Command.Verb, "err", err)
		}
	} else {
		now := r.engine.Contest()
		now.Players = r.engine.Here()
		out.Contest = &now
	}
	if c.answer != nil {
		c.answer(out)
		return
	}
	r.send(node, parcel{Reply: &out})
}
