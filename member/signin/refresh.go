package signin

import (
	"context"
	"errors"

	"tongxin/internal/call"
	"tongxin/internal/errs"
	"tongxin/member"
)

func signInAgain() error {
	return errs.New(errs.Unauthorized, "登录已过期，请重新登录。")
}

// Refresh gives new tokens for a refresh token and makes the old one useless.
//
// A token of an earlier generation was copied by somebody: nobody can tell the
// thief from the owner, so the session ends for both. One exception: two calls
// of one device at the same moment. Within raceAge the generation before gets
// the same successor again, which harms nobody, since a thief who comes later
// is found out and one who comes at once gets nothing that lasts: the next
// refresh of either shows two holders.
func (s *Service) Refresh(ctx context.Context, token string) (Tokens, *Live, error) {
	c, ok := readClaim(token)
	if !ok {
		return Tokens{}, nil, signInAgain()
	}
	for range 3 { // a rotation by another call in between is looked at anew
		x, m, err := s.cfg.Store.Session(ctx, c.session)
		if errs.Is(err, errs.NotFound) {
			return Tokens{}, nil, signInAgain()
		}
		if err != nil {
			return Tokens{}, nil, err
		}
		now := s.cfg.Clock.Now()
		if !s.keys.proves(c.body, c.sum, x.Nonce) || over(x, now) {
			return Tokens{}, nil, signInAgain()
		}
		if m.State != member.Active {
			return Tokens{}, nil, gone()
		}
		live := &Live{Session: *x, Member: *m, Actor: s.actor(m), Key: "m" + m.ID.String()}
		switch {
		case c.generation == x.Generation:
			moved, err := s.cfg.Store.Rotate(ctx, x.ID, c.generation, now, call.From(ctx).Addr)
			if err != nil {
				return Tokens{}, nil, err
			}
			if !moved {
				continue
			}
			x.Generation++
			x.RotatedAt, live.Session = now, *x
			return s.tokens(x, now), live, nil
		case c.generation == x.Generation-1 && now.Sub(x.RotatedAt) < raceAge:
			return s.tokens(x, now), live, nil
		default:
			return Tokens{}, nil, s.stolen(ctx, live)
		}
	}
	return Tokens{}, nil, errs.Wrap(errors.New("signin: a session kept changing"), errs.Unavailable, "现在登录的人较多，请稍后再试。")
}

// stolen ends a session whose refresh token has two holders.
func (s *Service) stolen(ctx context.Context, l *Live) error {
	e := entry(l.Actor, "member.refresh_reused", &l.Member, map[string]string{"device": l.Session.Device})
	if _, err := s.cfg.Store.End(ctx, l.Member.ID, l.Session.ID, "reused", e); err != nil {
		return err
	}
	s.changed()
	if s.cfg.OnStolen != nil {
		s.cfg.OnStolen(ctx, l)
	}
	return errs.New(errs.Unauthorized, "这台设备的登录凭证可能被他人使用，已为您退出，请重新登录。如有疑问请联系支部书记。")
}
