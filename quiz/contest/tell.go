package contest

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
)

// telling is a frame on its way out, with what each player gets merged in.
type telling struct {
	drop drop
	own  func(ids.ID) json.RawMessage
}

// toAll sends one frame to everybody; own is merged in for each player.
func (r *room) toAll(t topic, shared json.RawMessage, own func(ids.ID) json.RawMessage) {
	r.out(telling{drop{To: everybody, Topic: t, Shared: shared}, own})
}

func (r *room) toViews(t topic, shared json.RawMessage) {
	r.out(telling{drop: drop{To: views, Topic: t, Shared: shared}})
}

// out gives frames that belong together to every node: by hand here, in one
// parcel each elsewhere.
func (r *room) out(list ...telling) {
	for node, p := range r.posts {
		drops := make([]drop, len(list))
		for i, t := range list {
			drops[i] = t.drop
			if t.own != nil {
				drops[i].Own = ownParts(p, t.own)
			}
		}
		r.give(node, drops...)
	}
}

// ownParts are the parts of one node's players.
func ownParts(p *post, own func(ids.ID) json.RawMessage) map[ids.ID]json.RawMessage {
	out := make(map[ids.ID]json.RawMessage, len(p.seats))
	for _, s := range p.seats {
		if s.Role != RolePlayer || s.Player == nil {
			continue
		}
		if b := own(s.Player.ID); b != nil {
			out[s.Player.ID] = b
		}
	}
	return out
}

func (r *room) toConn(node, conn string, t topic, shared json.RawMessage, own map[ids.ID]json.RawMessage) {
	r.give(node, drop{To: oneConn, Conn: conn, Topic: t, Shared: shared, Own: own})
}

func (r *room) give(node string, list ...drop) {
	if node == r.node {
		r.local.deliver(list...)
		return
	}
	n := 0
	for i := range list {
		n += len(list[i].Own)
	}
	if n > ownPerParcel && len(list) > 1 {
		for i := range list {
			r.send(node, parcel{Drops: list[i : i+1]})
		}
		return
	}
	r.send(node, parcel{Drops: list})
}

// ownPerParcel keeps a parcel below the 1 MiB of the bus.
const ownPerParcel = 4000

// send puts a parcel on the bus. A lost one shows in the next one's number.
func (r *room) send(node string, p parcel) {
	if r.bus == nil || node == r.node {
		return
	}
	to := r.posts[node]
	if to == nil {
		return
	}
	to.seq++
	p.Fence, p.Seq = r.lease.Fence, to.seq
	b, err := json.Marshal(p)
	if err == nil {
		err = r.bus.Publish(subjectNode(r.id, node), b)
	}
	if err != nil {
		r.log.Warn("contest: a parcel was not sent", "contest", r.id, "node", node, "err", err)
	}
}

// greet sends one connection its welcome and what is now.
func (r *room) greet(node string, s seat) {
	now, c := r.clock.Now(), r.engine.Contest()
	if r.welcome == nil {
		r.welcome = encode(contestFrameOf(&c))
	}
	own := welcomeOwn{Role: s.Role, Now: now}
	if s.Role != RolePlayer {
		own.Code = c.Code
	}
	var id ids.ID
	if s.Player != nil {
		id = s.Player.ID
		p := r.engine.Player(id)
		if p == nil {
			r.give(node, drop{To: oneConn, Conn: s.Conn, Topic: topicEnd, Shared: encode(typeFrame{"removed"}), Kick: true})
			return
		}
		own.Me = &playerMe{ID: id, Name: p.Name, Team: p.Team}
		if t := r.engine.totals[id]; t != nil {
			own.Me.Score = t.Score
		}
	}
	// Roles other than players have no own part: the frame is made for this one.
	r.toConn(node, s.Conn, topicWelcome, join(nil, r.welcome, encode(own)), nil)
	r.state(node, s.Conn, id, now, &c)
}

// state sends the frames that lead to the present state, as if the connection
// had been there all the time.
func (r *room) state(node, conn string, player ids.ID, now time.Time, c *Contest) {
	own := func(f func(ids.ID) json.RawMessage) map[ids.ID]json.RawMessage {
		return map[ids.ID]json.RawMessage{player: f(player)}
	}
	one := func(t topic, shared json.RawMessage, f func(ids.ID) json.RawMessage) {
		if f == nil || player == 0 {
			r.toConn(node, conn, t, shared, nil)
			return
		}
		r.toConn(node, conn, t, shared, own(f))
	}
	switch {
	case c.State == Lobby:
		if r.lobbyWas == nil { // else the next beat brings it up to date
			r.lobbyWas = r.lobby()
		}
		one(topicLobby, r.lobbyWas, nil)
		return
	case c.State == Finished:
		shared, mine := r.final()
		one(topicEnd, shared, mine)
		return
	case c.Phase == Open && c.State == Running:
		one(topicQuestion, r.engine.question(now), nil)
		if g, ok := r.engine.GivenBy(player); ok {
			one(topicAck, encode(ackFrame{"ack", g.N, g.ReceivedAt}), nil)
		}
	case c.Phase == Closed:
		shared, mine := r.revealed()
		one(topicReveal, shared, mine)
		shared, mine = r.board()
		one(topicBoard, shared, mine)
	case c.Phase == Skipped:
		one(topicState, encode(numberFrame{"skipped", c.N}), nil)
	}
	if c.State == Paused {
		one(topicState, encode(pausedFrame{"paused", c.N, c.Left.Milliseconds()}), nil)
	}
}

// made is a frame that is the same until the state changes.
type made struct {
	version int64
	shared  json.RawMessage
	own     func(ids.ID) json.RawMessage
}

func (r *room) kept(m *made, version int64, make func() (json.RawMessage, func(ids.ID) json.RawMessage)) (json.RawMessage, func(ids.ID) json.RawMessage) {
	if m.shared == nil || m.version != version {
		m.version = version
		m.shared, m.own = make()
	}
	return m.shared, m.own
}

func (r *room) revealed() (json.RawMessage, func(ids.ID) json.RawMessage) {
	return r.kept(&r.lastReveal, r.engine.c.Version, r.engine.reveal)
}

func (r *room) board() (json.RawMessage, func(ids.ID) json.RawMessage) {
	return r.kept(&r.lastBoard, r.engine.c.Version, func() (json.RawMessage, func(ids.ID) json.RawMessage) { return r.engine.ranking("board") })
}

func (r *room) final() (json.RawMessage, func(ids.ID) json.RawMessage) {
	return r.kept(&r.lastFinal, r.engine.c.Version, func() (json.RawMessage, func(ids.ID) json.RawMessage) { return r.engine.ranking("finished") })
}

// announce tells everybody of a step.
func (r *room) announce(s *Step) {
	now, c := r.clock.Now(), &s.Next
	switch s.Verb {
	case Start, Next:
		if c.State == Finished {
			shared, own := r.final()
			r.toAll(topicEnd, shared, own)
			return
		}
		r.shown = 0
		r.toAll(topicQuestion, r.engine.question(now), nil)
	case Close:
		key, mine := r.revealed()
		places, me := r.board()
		r.out(
			telling{drop: drop{To: everybody, Topic: topicState, Shared: encode(numberFrame{"closed", c.N})}},
			telling{drop{To: everybody, Topic: topicReveal, Shared: key}, mine},
			telling{drop{To: everybody, Topic: topicBoard, Shared: places}, me},
		)
	case Skip:
		r.toAll(topicState, encode(numberFrame{"skipped", c.N}), nil)
	case Pause:
		r.toAll(topicState, encode(pausedFrame{"paused", c.N, c.Left.Milliseconds()}), nil)
	case Resume:
		f := resumedFrame{Type: "resumed", N: c.N, Now: now}
		if c.Phase == Open {
			f.EndsAt = &c.EndsAt
		}
		r.toAll(topicResumed, encode(f), nil)
		if c.Phase == Open { // for who came meanwhile
			r.toAll(topicQuestion, r.engine.question(now), nil)
		}
	case Lock, Unlock:
		r.lobbyOld = true
	case Remove:
		r.out(telling{drop: drop{To: onePlayer, Player: s.Player, Topic: topicEnd, Shared: encode(typeFrame{"removed"}), Kick: true}})
		r.lobbyOld = true
	case End:
		shared, own := r.final()
		r.toAll(topicEnd, shared, own)
	case Recover:
	}
}

// lobby is who is there before the start.
func (r *room) lobby() json.RawMessage {
	c := r.engine.Contest()
	f := lobbyFrame{Type: "lobby", Players: r.engine.Here(), Online: len(r.players), Locked: c.Locked, Size: c.Match.Size}
	var newest []*Player
	for _, p := range r.engine.players {
		if !p.RemovedAt.IsZero() {
			continue
		}
		if p.Team != "" {
			if f.Teams == nil {
				f.Teams = map[string]int{}
			}
			f.Teams[p.Team]++
		}
		newest = append(newest, p)
	}
	slices.SortFunc(newest, func(a, b *Player) int { return b.EnteredAt.Compare(a.EnteredAt) })
	for _, p := range newest[:min(len(newest), lobbyNews)] {
		f.Names = append(f.Names, p.Name)
	}
	if verb, at := r.engine.Due(); verb == Start {
		f.StartAt = &at
	}
	return encode(f)
}

// vacate frees the seats of players who left a match before it began.
func (r *room) vacate(ctx context.Context, now time.Time) {
	for id, since := range r.away {
		if now.Sub(since) < matchAway {
			continue
		}
		delete(r.away, id)
		if err := r.step(ctx, Command{Verb: Remove, Player: id}, authz.SystemActor("contest")); err != nil {
			r.log.Debug("contest: seat not freed", "contest", r.id, "err", err)
		}
	}
}

// beat sends what changes all the time, a few times a second at most.
func (r *room) beat(ctx context.Context, now time.Time) {
	r.beats++
	c := r.engine.Contest()
	if c.Mode == Match && c.State == Lobby {
		r.vacate(ctx, now)
	}
	if n := r.engine.Answered(); c.Phase == Open && n != r.shown {
		r.shown = n
		r.toViews(topicCount, encode(countFrame{"count", c.N, n, len(r.players)}))
	}
	pause := time.Second
	if len(r.players) > 300 {
		pause = 3 * time.Second
	}
	if r.lobbyOld && now.Sub(r.lobbyAt) >= pause {
		r.lobbyOld, r.lobbyAt, r.lobbyWas = false, now, r.lobby()
		if c.State == Lobby {
			r.toAll(topicLobby, r.lobbyWas, nil)
		} else {
			r.toViews(topicLobby, r.lobbyWas)
		}
	}
	if r.beats%4 != 0 {
		return
	}
	for node, p := range r.posts {
		if node == r.node {
			continue
		}
		if now.Sub(p.heard) > nodeGone {
			for _, s := range p.seats {
				r.left(s)
			}
			delete(r.posts, node)
			continue
		}
		r.send(node, parcel{})
	}
}
