package contest

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
)

// Card is a contest as a member sees it.
type Card struct {
	ID        ids.ID    `json:"id"`
	Title     string    `json:"title"`
	State     State     `json:"state" enum:"lobby,running,paused,finished"`
	Mode      Mode      `json:"mode" enum:"solo,teams,branches,match"`
	OrgName   string    `json:"orgName"`
	StartsAt  time.Time `json:"startsAt,omitzero"`
	Players   int       `json:"players"`
	Questions int       `json:"questions"`
	Teams     []string  `json:"teams,omitempty" doc:"to choose from when joining; absent in a team contest: type a name"`
	Joined    bool      `json:"joined"`
	Rule      string    `json:"rule"`
}

// Cards lists what is meant for the member or was joined, newest first.
func (s *Service) Cards(ctx context.Context, actor *authz.Actor, r page.Request) (*page.Result[Card], error) {
	rows, err := s.cfg.Store.Contests(ctx, Filter{Member: actor.ID, Orgs: actor.Above(Play), States: []State{Lobby, Running, Paused, Finished}}, r)
	if err != nil {
		return nil, err
	}
	list := make([]ids.ID, len(rows))
	for i := range rows {
		list[i] = rows[i].ID
	}
	joined, err := s.cfg.Store.Joined(ctx, actor.ID, list)
	if err != nil {
		return nil, err
	}
	cards := make([]Card, len(rows))
	for i := range rows {
		cards[i] = s.card(&rows[i], joined[rows[i].ID])
	}
	res := page.Of(cards, r.Limit, func(c Card) ids.ID { return c.ID })
	return &res, nil
}

func (s *Service) card(c *Contest, joined bool) Card {
	return Card{
		ID: c.ID, Title: c.Title, State: c.State, Mode: c.Mode, OrgName: c.OrgName, StartsAt: c.StartsAt, Players: c.Players, Questions: c.Total,
		Teams: c.Plan.Teams, Joined: joined, Rule: s.hub.rule(c.Rule).Text,
	}
}

// Join lets a member into a contest of an organisation above, or one joined
// before by code. Coming back is always allowed, but not after a removal.
func (s *Service) Join(ctx context.Context, actor *authz.Actor, id ids.ID, team string) (*Entrance, error) {
	c, err := s.cfg.Store.Contest(ctx, id)
	if err != nil {
		return nil, err
	}
	if c.State == Draft || !actor.Within(Play, c.OrgPath) {
		joined, err := s.cfg.Store.Joined(ctx, actor.ID, []ids.ID{id})
		if err != nil {
			return nil, err
		}
		if c.State == Draft || !joined[id] {
			return nil, errs.Missing("比赛")
		}
	}
	return s.join(ctx, actor, c, team)
}

// JoinByCode lets any member in who knows the code.
func (s *Service) JoinByCode(ctx context.Context, actor *authz.Actor, code, team string) (*Entrance, error) {
	if ok, wait := s.codes.Allow(actor.ID.String()); !ok {
		e := errs.New(errs.TooMany, "尝试次数过多，请稍后再试。")
		e.RetryAfter = wait
		return nil, e
	}
	c, err := s.cfg.Store.ByCode(ctx, FoldCode(code))
	if errs.Is(err, errs.NotFound) {
		return nil, errs.Bad("code", "没有找到这个参赛码对应的比赛，请核对后再输入。")
	}
	if err != nil {
		return nil, err
	}
	return s.join(ctx, actor, c, team)
}

// FoldCode reads a code as a person typed it.
func FoldCode(code string) string {
	return strings.ToUpper(strings.Join(strings.Fields(strings.ReplaceAll(code, "-", "")), ""))
}

func (s *Service) join(ctx context.Context, actor *authz.Actor, c *Contest, team string) (*Entrance, error) {
	if actor.Kind != authz.Member || !actor.Has(Play) {
		return nil, errs.Missing("比赛")
	}
	p := Player{ID: actor.ID, Name: actor.Name}
	if len(actor.Grants) > 0 {
		o, err := s.cfg.Org(ctx, actor.Grants[0].OrgID)
		if err != nil {
			return nil, err
		}
		p.OrgID, p.OrgName = o.ID, o.Name
	}
	var err error
	if p.Team, err = s.team(ctx, actor, c, p, team); err != nil {
		return nil, err
	}
	if s.cfg.Hidden != nil {
		if p.Hidden, err = s.cfg.Hidden(ctx, actor.ID); err != nil {
			return nil, err
		}
	}
	text, t, err := s.ticket(c, actor.ID, RolePlayer)
	if err != nil {
		return nil, err
	}
	if _, err := s.cfg.Store.Join(ctx, c.ID, p, t); err != nil {
		return nil, err
	}
	return s.entrance(c, text, t), nil
}

// team finds the team of a new player. Who joined before keeps theirs.
func (s *Service) team(ctx context.Context, actor *authz.Actor, c *Contest, p Player, team string) (string, error) {
	if c.Mode == Branches {
		return p.OrgName, nil
	}
	if c.Mode != Teams {
		return "", nil
	}
	joined, err := s.cfg.Store.Joined(ctx, actor.ID, []ids.ID{c.ID})
	if err != nil || joined[c.ID] {
		return "", err
	}
	team = strings.Join(strings.Fields(team), " ")
	if n := utf8.RuneCountInString(team); n == 0 || n > MaxTeamName {
		return "", errs.Bad("team", "请填写队名，最多 %d 个字。", MaxTeamName)
	}
	for _, t := range c.Plan.Teams {
		if t == team {
			return team, nil
		}
	}
	if len(c.Plan.Teams) > 0 {
		return "", errs.Bad("team", "请从列表中选择一支队伍。")
	}
	if s.cfg.Check != nil {
		if err := s.cfg.Check(ctx, actor, team); err != nil {
			return "", err
		}
	}
	return team, nil
}

// MatchAsk asks for opponents.
type MatchAsk struct {
	Size    int    `json:"size,omitempty" enum:"2,4" doc:"with code: as the match is"`
	Topic   string `json:"topic,omitempty" maxLength:"30"`
	Private bool   `json:"private,omitempty" doc:"opponents come by the code that is answered"`
	Code    string `json:"code,omitempty" maxLength:"12"`
}

// Match seats a member in a match: by code, in one that waits for an opponent
// from the same top organisation, or in a new one. The host is automatic.
func (s *Service) Match(ctx context.Context, actor *authz.Actor, ask MatchAsk) (*Entrance, error) {
	if ask.Code != "" {
		return s.JoinByCode(ctx, actor, ask.Code, "")
	}
	if ask.Size != 2 && ask.Size != 4 {
		return nil, errs.Bad("size", "请选择双人或四人对战。")
	}
	if actor.Kind != authz.Member || len(actor.Grants) == 0 {
		return nil, errs.Missing("比赛")
	}
	path := actor.Grants[0].Path
	top, err := s.cfg.Org(ctx, authz.Ancestors(path)[0])
	if err != nil {
		return nil, err
	}
	ask.Topic = strings.TrimSpace(ask.Topic)
	for range 8 { // others may take the last seat meanwhile
		if ask.Private {
			break
		}
		c, err := s.cfg.Store.OpenMatch(ctx, top.ID, ask.Size, ask.Topic, actor.ID)
		if err != nil {
			return nil, err
		}
		if c == nil {
			break
		}
		in, err := s.join(ctx, actor, c, "")
		if !errs.Is(err, errs.Conflict) {
			return in, err
		}
	}
	c, err := s.newMatch(ctx, actor, top, ask)
	if err != nil {
		return nil, err
	}
	in, err := s.join(ctx, actor, c, "")
	if err == nil && ask.Private {
		in.Code = c.Code
	}
	return in, err
}

func (s *Service) newMatch(ctx context.Context, actor *authz.Actor, top Org, ask MatchAsk) (*Contest, error) {
	seed, err := s.seed()
	if err != nil {
		return nil, err
	}
	refs, err := s.draw(ctx, top.Path, Draw{Topic: ask.Topic, Count: MatchQuestions}, uint64(seed))
	if err != nil {
		return nil, err
	}
	title := map[int]string{2: "双人对战", 4: "四人对战"}[ask.Size]
	if ask.Topic != "" {
		title += "：" + ask.Topic
	}
	c := &Contest{
		ID: s.cfg.IDs.New(), OrgID: top.ID, OrgName: top.Name, OrgPath: top.Path, Title: title, Mode: Match, State: Lobby, Seed: seed,
		Rule: len(s.rules), CreatedAt: s.cfg.Clock.Now(), CreatedBy: actor.Name, Version: 1, Total: len(refs),
		Plan:  Plan{Questions: refs, Seconds: MatchSeconds, Early: true, Auto: true, Rest: 5},
		Match: MatchPlan{Size: ask.Size, Topic: ask.Topic, Private: ask.Private},
	}
	for range 5 {
		if c.Code, err = ids.Code(s.cfg.Random, codeLetters, CodeLength); err != nil {
			return nil, err
		}
		if _, err = s.cfg.Store.Create(ctx, c, entryOf(actor, "match", c, map[string]string{"size": itoa(ask.Size)})); !errs.Is(err, errs.Conflict) {
			break
		}
	}
	return c, err
}
