package signin

import (
	"context"
	"time"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
)

// Sessions lists where the member is signed in.
func (s *Service) Sessions(ctx context.Context, l *Live) ([]Session, error) {
	all, err := s.cfg.Store.Sessions(ctx, l.Member.ID)
	if err != nil {
		return nil, err
	}
	now, out := s.cfg.Clock.Now(), []Session{}
	for i := range all {
		if !over(&all[i], now) {
			out = append(out, all[i])
		}
	}
	return out, nil
}

// SignOut ends one session of the member, or all with id zero.
func (s *Service) SignOut(ctx context.Context, l *Live, id ids.ID) error {
	action := "member.signout"
	if id == 0 {
		action = "member.signout_everywhere"
	}
	n, err := s.cfg.Store.End(ctx, l.Member.ID, id, "signout", entry(l.Actor, action, &l.Member, nil))
	if err != nil {
		return err
	}
	if id != 0 && n == 0 {
		return errs.Missing("登录设备")
	}
	s.changed()
	return nil
}

// Settings are what the member chose.
func (s *Service) Settings(ctx context.Context, of ids.ID) (Settings, error) {
	return s.cfg.Store.Settings(ctx, of)
}

// SaveSettings keeps what the member chose.
func (s *Service) SaveSettings(ctx context.Context, l *Live, in Settings) error {
	if in.TextSize != "normal" && in.TextSize != "large" && in.TextSize != "larger" {
		return errs.Bad("textSize", "请选择标准、大或特大。")
	}
	return s.cfg.Store.SaveSettings(ctx, l.Member.ID, in, entry(l.Actor, "member.settings", &l.Member, nil))
}

// Sweep deletes what ended long ago; cmd runs it once in a while.
func (s *Service) Sweep(ctx context.Context) (int, error) {
	return s.cfg.Store.Sweep(ctx, s.cfg.Clock.Now().Add(-7*24*time.Hour))
}
