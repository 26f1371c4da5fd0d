package staff

import (
	"context"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
)

// ActorByLogin finds an account by its login name with the rights it has, also
// while its invitation is open: for the seeding of a demonstration. NotFound
// when it is disabled.
func (s *Service) ActorByLogin(ctx context.Context, login string) (*authz.Actor, error) {
	c, err := s.cfg.Store.Credentials(ctx, login)
	if err != nil {
		return nil, err
	}
	if c.ID == 0 {
		return nil, errs.Missing("账号")
	}
	a, err := s.cfg.Store.Account(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	if a.State == Disabled {
		return nil, errs.Missing("账号")
	}
	return s.actor(a), nil
}
