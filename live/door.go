package live

import (
	"context"
	"strconv"
	"strings"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
)

// How long a pass lets in. Who is in stays in; a pass is needed again only to
// connect anew. A program such as OBS cannot fetch another one by itself.
const (
	PassLife = 10 * time.Minute
	OBSLife  = 12 * time.Hour
	// passKept is how long after its end a pass still says whose connection it
	// made: connecting takes at most half a minute.
	passKept = time.Hour
)

// Card is a lecture as a member sees it.
type Card struct {
	ID       ids.ID    `json:"id"`
	Title    string    `json:"title"`
	Speaker  string    `json:"speaker,omitempty"`
	OrgName  string    `json:"orgName"`
	State    State     `json:"state" enum:"planned,open,ended"`
	StartsAt time.Time `json:"startsAt"`
	OpenedAt time.Time `json:"openedAt,omitzero"`
	Agenda   []string  `json:"agenda"`
	Present  int       `json:"present" doc:"people connected now"`
}

// Pass lets its bearer connect, by WHIP to send or by WHEP to watch.
type Pass struct {
	RoomID    ids.ID    `json:"roomId"`
	Path      string    `json:"path" doc:"WHIP or WHEP address on this host"`
	Bearer    string    `json:"bearer" doc:"token for the Authorization header"`
	Role      Role      `json:"role" enum:"host,cohost,speaker,member,guest"`
	ExpiresAt time.Time `json:"expiresAt" doc:"ask again before connecting anew after this"`
}

func cardOf(r *Room) Card {
	return Card{
		ID: r.ID, Title: r.Title, Speaker: r.Speaker, OrgName: r.OrgName, State: r.State, StartsAt: r.StartsAt, OpenedAt: r.OpenedAt,
		Agenda: r.Agenda, Present: r.Present,
	}
}

// Cards lists planned and open lectures that are meant for the member, newest first.
func (s *Service) Cards(ctx context.Context, actor *authz.Actor, p page.Request) (*page.Result[Card], error) {
	rows, err := s.cfg.Store.Rooms(ctx, Filter{Member: true, Orgs: actor.Above(Watch), States: []State{Planned, Open}}, p)
	if err != nil {
		return nil, err
	}
	cards := make([]Card, len(rows))
	for i := range rows {
		cards[i] = cardOf(&rows[i])
	}
	res := page.Of(cards, p.Limit, func(c Card) ids.ID { return c.ID })
	return &res, nil
}

// Card shows one lecture that is meant for the member.
func (s *Service) Card(ctx context.Context, actor *authz.Actor, id ids.ID) (*Card, error) {
	r, err := s.meant(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	c := cardOf(r)
	return &c, nil
}

// meant finds a room for a member: one of an organisation at or above the own
// one, or one that let the member in by its code.
func (s *Service) meant(ctx context.Context, actor *authz.Actor, id ids.ID) (*Room, error) {
	r, err := s.cfg.Store.Room(ctx, id)
	if err != nil {
		return nil, err
	}
	if actor.Within(Watch, r.OrgPath) {
		return r, nil
	}
	if _, _, err := s.cfg.Store.Standing(ctx, id, actor.ID); err != nil || !actor.Has(Watch) {
		return nil, errs.Missing("讲座")
	}
	return r, nil
}

// Join gives a member a pass to watch. It is asked for again to reconnect.
func (s *Service) Join(ctx context.Context, actor *authz.Actor, id ids.ID) (*Pass, error) {
	r, err := s.meant(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	return s.enter(ctx, actor, r)
}

// JoinByCode gives a pass to any member who knows the code.
func (s *Service) JoinByCode(ctx context.Context, actor *authz.Actor, code string) (*Pass, error) {
	if !actor.Has(Watch) {
		return nil, errs.Missing("讲座")
	}
	if ok, wait := s.codes.Allow(actor.ID.String()); !ok {
		e := errs.New(errs.TooMany, "尝试次数过多，请稍后再试。")
		e.RetryAfter = wait
		return nil, e
	}
	r, err := s.cfg.Store.ByCode(ctx, FoldCode(code))
	if errs.Is(err, errs.NotFound) {
		return nil, errs.Bad("code", "没有找到这个观看码对应的讲座，请核对后再输入。")
	}
	if err != nil {
		return nil, err
	}
	return s.enter(ctx, actor, r)
}

// FoldCode reads a code as a person typed it.
func FoldCode(code string) string {
	return strings.ToUpper(strings.Join(strings.Fields(strings.ReplaceAll(code, "-", "")), ""))
}

func (s *Service) enter(ctx context.Context, actor *authz.Actor, r *Room) (*Pass, error) {
	if err := s.carries(); err != nil {
		return nil, err
	}
	p := Person{ID: actor.ID, Name: actor.Name, Role: RoleGuest}
	if actor.Within(Watch, r.OrgPath) {
		p.Role = RoleMember
	}
	if len(actor.Grants) > 0 {
		o, err := s.cfg.Org(ctx, actor.Grants[0].OrgID)
		if err != nil {
			return nil, err
		}
		p.OrgID, p.OrgName = o.ID, o.Name
	}
	if err := s.cfg.Store.Enter(ctx, r.ID, p); err != nil {
		return nil, err
	}
	return s.pass(r.ID, p, PassLife), nil
}

// Publish gives a host a pass to send picture and sound: for a browser, or a
// longer one for OBS.
func (s *Service) Publish(ctx context.Context, actor *authz.Actor, id ids.ID, obs bool) (*Pass, error) {
	r, err := s.opened(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	if err := s.carries(); err != nil {
		return nil, err
	}
	p := Person{ID: actor.ID, Name: actor.Name, OrgID: r.OrgID, OrgName: r.OrgName, Role: RoleHost}
	if err := s.cfg.Store.Enter(ctx, r.ID, p); err != nil {
		return nil, err
	}
	life := PassLife
	if obs {
		life = OBSLife
	}
	return s.pass(r.ID, p, life), nil
}

// seat is what a pass says.
type seat struct {
	room, person ids.ID
	role         Role
	until        time.Time
}

func (s *Service) pass(room ids.ID, p Person, life time.Duration) *Pass {
	until := s.cfg.Clock.Now().Add(life)
	value := strings.Join([]string{room.String(), p.ID.String(), string(p.Role), strconv.FormatInt(until.UnixMilli(), 10)}, ":")
	path := "/whep/"
	if p.Role.Publishes() {
		path = "/whip/"
	}
	return &Pass{RoomID: room, Path: path + room.String(), Bearer: s.cfg.Signer.Token(value, life+passKept), Role: p.Role, ExpiresAt: until}
}

// read opens a pass, even one that lets nobody in any more.
func (s *Service) read(bearer string) (seat, bool) {
	value, _, err := s.cfg.Signer.Open(bearer)
	part := strings.Split(value, ":")
	if err != nil || len(part) != 4 {
		return seat{}, false
	}
	room, err1 := ids.Parse(part[0])
	person, err2 := ids.Parse(part[1])
	until, err3 := strconv.ParseInt(part[3], 10, 64)
	return seat{room, person, Role(part[2]), time.UnixMilli(until)}, err1 == nil && err2 == nil && err3 == nil
}

// Admit decides whether the bearer of a pass may connect to a room now. It looks
// at the room each time, so that an end and a removal hold at once. Refusals are
// errs.Unauthorized; a pass to send lets its bearer watch, too.
func (s *Service) Admit(ctx context.Context, room, bearer string, publish bool) error {
	refused := errs.New(errs.Unauthorized, "直播间的凭证无效或已过期，请回到讲座页面重新进入。")
	it, ok := s.read(bearer)
	if !ok || it.room.String() != room || publish && !it.role.Publishes() || !s.cfg.Clock.Now().Before(it.until) {
		return refused
	}
	state, removed, err := s.cfg.Store.Standing(ctx, it.room, it.person)
	switch {
	case errs.Is(err, errs.NotFound):
		return refused
	case err != nil:
		return err
	case removed:
		return errs.New(errs.Unauthorized, "您已被主持人移出这场讲座，不能再次进入。")
	case state != Open:
		return errs.New(errs.Unauthorized, "这场讲座没有在直播中。")
	}
	return nil
}
