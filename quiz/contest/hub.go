package contest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/call"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/quiz"
)

// HubConfig is what a hub needs. Store, Items, Clock, IDs, Node and Log are required.
type HubConfig struct {
	Store interface {
		DoorStore
		RoomStore
		Contest(ctx context.Context, id ids.ID) (*Contest, error)
	}
	// Items renders the questions of a contest, in order.
	Items func(ctx context.Context, c *Contest) ([]Item, error)
	Clock clock.Clock
	IDs   interface{ New() ids.ID }
	Bus   Bus    // nil: this node is alone
	Node  string // unique among running nodes; letters and digits
	Alone bool   // no other process uses the database: leases of dead ones need not be waited for
	Lease time.Duration
	Log   *slog.Logger

	PerMember  int // connections of one member, here
	PerAddress int // of one address, here: a whole hall may share one
	Most       int // of all
}

// Hub is everything of live contests on one node.
type Hub struct {
	cfg   HubConfig
	rules []Rule

	mu       sync.Mutex
	desks    map[ids.ID]*desk
	members  map[ids.ID]int
	addrs    map[string]int
	total    int
	stopping bool
	base     context.Context
	cut      context.CancelFunc
	clients  sync.WaitGroup
	rooms    sync.WaitGroup
}

// NewHub makes a hub; Run moves it.
func NewHub(cfg HubConfig) (*Hub, error) {
	rules, err := Rules()
	if err != nil {
		return nil, err
	}
	if cfg.Lease <= 0 {
		cfg.Lease = 6 * time.Second
	}
	h := &Hub{cfg: cfg, rules: rules, desks: map[ids.ID]*desk{}, members: map[ids.ID]int{}, addrs: map[string]int{}}
	h.base, h.cut = context.WithCancel(context.Background())
	return h, nil
}

// Entry is a connection that was let in: run it, or close it.
type Entry struct {
	hub   *Hub
	pass  *Pass
	addr  string
	late  *time.Timer // gives the place back when no connection comes of it
	mu    sync.Mutex
	state entryState
}

type entryState int

const (
	admitted entryState = iota
	serving
	closed
)

// connectTime is how long an entry waits for its connection.
const connectTime = 15 * time.Second

// HashTicket is what is stored of a ticket.
func HashTicket(ticket string) string {
	sum := sha256.Sum256([]byte("contest ticket " + ticket))
	return hex.EncodeToString(sum[:])
}

// Admit uses a ticket up and takes a place for its connection. The caller must
// Serve or Close the entry.
func (h *Hub) Admit(ctx context.Context, ticket, addr string) (*Entry, error) {
	if len(ticket) < 20 || len(ticket) > 100 {
		return nil, errs.New(errs.Unauthorized, "入场凭证无效，请重新进入比赛。")
	}
	pass, err := h.cfg.Store.Redeem(ctx, HashTicket(ticket))
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.stopping:
		return nil, errs.New(errs.Unavailable, "服务正在重启，请稍后重新进入比赛。")
	case over(h.cfg.PerMember, h.members[pass.Holder]):
		return nil, errs.New(errs.TooMany, "您已在多台设备上进入比赛，请先关闭其他页面。")
	case over(h.cfg.PerAddress, h.addrs[addr]), over(h.cfg.Most, h.total):
		return nil, errs.New(errs.TooMany, "现在进入的人较多，请稍后再试。")
	}
	h.members[pass.Holder]++
	h.addrs[addr]++
	h.total++
	h.clients.Add(1)
	e := &Entry{hub: h, pass: pass, addr: addr}
	e.late = time.AfterFunc(connectTime, e.Close)
	return e, nil
}

func over(most, have int) bool { return most > 0 && have >= most }

// move changes the state; false when it is not the one expected.
func (e *Entry) move(from, to entryState) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.state != from {
		return false
	}
	e.state = to
	return true
}

// Close gives the place back, unless the connection is served: then that does.
func (e *Entry) Close() {
	if e.move(admitted, closed) {
		e.release()
	}
}

func (e *Entry) release() {
	e.late.Stop()
	h := e.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.addrs[e.addr]--; h.addrs[e.addr] <= 0 {
		delete(h.addrs, e.addr)
	}
	if h.members[e.pass.Holder]--; h.members[e.pass.Holder] <= 0 {
		delete(h.members, e.pass.Holder)
	}
	h.total--
	h.clients.Done()
}

// Serve runs the connection until it ends.
func (e *Entry) Serve(sock Socket) {
	if !e.move(admitted, serving) {
		sock.Close(CloseRestart, "")
		return
	}
	defer e.release()
	h := e.hub
	ctx, cancel := context.WithCancel(h.base)
	defer cancel()
	d, err := h.desk(ctx, e.pass.ContestID)
	if err != nil {
		h.cfg.Log.Warn("contest: no desk", "contest", e.pass.ContestID, "err", err)
		sock.Close(CloseRestart, "")
		return
	}
	c := &client{
		id: h.cfg.IDs.New().String(), role: e.pass.Role, holder: e.pass.Holder, player: e.pass.Player, out: newOutlet(), sock: sock, desk: d,
		leaving: make(chan int, 1),
	}
	if !d.enter(c) {
		sock.Close(CloseRestart, "")
		return
	}
	done, written := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(written)
		c.write(done)
	}()
	d.attach(ctx, c)
	c.read(ctx, h.cfg.Clock, h.cfg.Log)
	close(done)
	<-written
	d.leave(c)
}

// desk finds or makes the desk of a contest, and makes this node its owner when
// it has none.
func (h *Hub) desk(ctx context.Context, id ids.ID) (*desk, error) {
	h.mu.Lock()
	d := h.desks[id]
	if d == nil {
		d = &desk{hub: h, id: id, clients: map[string]*client{}, waiting: map[string]chan reply{}, idle: h.cfg.Clock.Now()}
		h.desks[id] = d
	}
	h.mu.Unlock()
	return d, d.ready(ctx)
}

// Command brings a host's command to whoever runs the contest and waits for what
// became of it. The caller has asked for the right.
func (h *Hub) Command(ctx context.Context, id ids.ID, cmd Command, actor *authz.Actor) (*Contest, error) {
	d, err := h.desk(ctx, id)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	c := &control{ID: h.cfg.IDs.New().String(), Command: cmd, Kind: actor.Kind, Actor: actor.ID, Name: actor.Name, Call: call.From(ctx)}
	ch := make(chan reply, 1)
	d.mu.Lock()
	d.waiting[c.ID] = ch
	here := d.room != nil
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		delete(d.waiting, c.ID)
		d.mu.Unlock()
	}()
	if here {
		c.answer = d.answered
	}
	if err := d.tell(ctx, note{Node: h.cfg.Node, Control: c}); err != nil {
		return nil, err
	}
	select {
	case r := <-ch:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Contest, nil
	case <-ctx.Done():
		return nil, errs.Wrap(ctx.Err(), errs.Unavailable, "比赛服务器没有及时答复，请看清现在的状态后再操作一次。")
	}
}

// commandTime bounds a command, also across nodes.
const commandTime = 8 * time.Second

// Online counts the connections on this node, for metrics.
func (h *Hub) Online() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.total
}

// Run keeps leases, takes over orphans and clears up, until ctx ends; then it
// tells every client to connect again elsewhere, stores what was taken, and
// gives the contests free.
func (h *Hub) Run(ctx context.Context) {
	tick := time.NewTicker(h.cfg.Lease / 6)
	defer tick.Stop()
	for n := 0; ; n++ {
		h.upkeep(ctx, n)
		select {
		case <-ctx.Done():
			h.shutdown()
			return
		case <-tick.C:
		}
	}
}

func (h *Hub) upkeep(ctx context.Context, n int) {
	for _, d := range h.list() {
		d.upkeep(ctx)
	}
	if n%6 != 0 {
		return
	}
	orphans, err := h.cfg.Store.Orphans(ctx, h.cfg.Alone && n == 0)
	if err != nil {
		h.problem(ctx, "orphans", err)
		return
	}
	for _, id := range orphans {
		if _, err := h.desk(ctx, id); err != nil {
			h.problem(ctx, "adopt", err)
		}
	}
	if n%600 == 0 {
		if err := h.cfg.Store.Sweep(ctx); err != nil {
			h.problem(ctx, "sweep", err)
		}
	}
}

func (h *Hub) problem(ctx context.Context, what string, err error) {
	if ctx.Err() == nil {
		h.cfg.Log.Warn("contest: upkeep", "what", what, "err", err)
	}
}

func (h *Hub) list() []*desk {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make([]*desk, 0, len(h.desks))
	for _, d := range h.desks {
		out = append(out, d)
	}
	return out
}

func (h *Hub) shutdown() {
	h.mu.Lock()
	h.stopping = true
	h.mu.Unlock()
	for _, d := range h.list() {
		d.shutdown()
	}
	h.clients.Wait()
	h.rooms.Wait()
	h.cut()
}

// rule of a contest.
func (h *Hub) rule(version int) Rule {
	if version < 1 || version > len(h.rules) {
		return h.rules[len(h.rules)-1]
	}
	return h.rules[version-1]
}

// Items renders the questions of a contest from the bank: in the same order for
// everybody, so that what the projector shows is what a phone shows.
func Items(ctx context.Context, bank quiz.BankStore, html func(string) string, c *Contest) ([]Item, error) {
	list, err := bank.Contents(ctx, c.Plan.Questions)
	if err != nil {
		return nil, err
	}
	out := make([]Item, len(list))
	for i, q := range list {
		s := quiz.NewShuffle(&q, uint64(c.Seed), i+1, true)
		out[i] = Item{Content: q, Shuffle: s, Shown: s.Show(&q, html), Key: s.Key(&q, html)}
	}
	return out, nil
}

func encodeNews(fence int64) []byte {
	b, err := json.Marshal(parcel{Fence: fence})
	if err != nil {
		return nil
	}
	return b
}
