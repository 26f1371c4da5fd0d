package contest

import (
	"context"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
)

// Command does what a host asks to a contest that was opened.
func (s *Service) Command(ctx context.Context, actor *authz.Actor, id ids.ID, cmd Command) (*Contest, error) {
	c, err := s.opened(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	switch cmd.Verb {
	case Start, Next, Skip, Pause, Resume, Lock, Unlock, Remove, End:
	case Close, Recover:
		return nil, errs.Bad("verb", "没有这种操作。")
	}
	if c.Mode == Match && cmd.Verb != End && cmd.Verb != Remove {
		return nil, errs.New(errs.Conflict, "对战由系统自动主持。")
	}
	now, err := s.hub.Command(ctx, id, cmd, actor)
	if err != nil {
		return nil, err
	}
	now.OrgPath = c.OrgPath
	return s.dress(now), nil
}

func (s *Service) opened(ctx context.Context, actor *authz.Actor, id ids.ID) (*Contest, error) {
	c, err := s.Get(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	if c.State == Draft {
		return nil, errs.New(errs.Conflict, "请先开放比赛，再进行这个操作。")
	}
	return c, nil
}

// View gives a host a ticket to look: as host, or for the projector.
func (s *Service) View(ctx context.Context, actor *authz.Actor, id ids.ID, role Role) (*Entrance, error) {
	c, err := s.opened(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	text, t, err := s.ticket(c, actor.ID, role)
	if err != nil {
		return nil, err
	}
	if err := s.cfg.Store.Ticket(ctx, t, entryOf(actor, "view", c, map[string]string{"role": string(role)})); err != nil {
		return nil, err
	}
	return s.entrance(c, text, t), nil
}

// Players lists who joined, for removing somebody.
func (s *Service) Players(ctx context.Context, actor *authz.Actor, id ids.ID, q string, r page.Request) (*page.Result[Player], error) {
	if _, err := s.Get(ctx, actor, id); err != nil {
		return nil, err
	}
	rows, err := s.cfg.Store.Players(ctx, id, q, r)
	if err != nil {
		return nil, err
	}
	res := page.Of(rows, r.Limit, func(p Player) ids.ID { return p.ID })
	return &res, nil
}

// Outcome is a contest with its boards.
type Outcome struct {
	Contest *Contest    `json:"contest"`
	Places  []Place     `json:"places"`
	Teams   []TeamPlace `json:"teams"`
}

// Results are the boards, from what is stored. Who switched rankings off has no
// name here either.
func (s *Service) Results(ctx context.Context, actor *authz.Actor, id ids.ID) (*Outcome, error) {
	c, err := s.opened(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	players, totals, err := s.cfg.Store.Results(ctx, id)
	if err != nil {
		return nil, err
	}
	out := &Outcome{Contest: c}
	out.Places, out.Teams = Board(players, totals, c.Mode, c.Plan.BestOf)
	if out.Teams == nil {
		out.Teams = []TeamPlace{}
	}
	return out, nil
}
