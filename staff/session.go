package staff

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"sync/atomic"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
)

const (
	cacheAge   = 5 * time.Second // how long a change on another node may go unseen
	cacheMax   = 10_000          // sessions, and organisations, remembered
	touchEvery = time.Minute     // how exact SeenAt is
)

// Live is a session in use: who it is and what counts for them now. It is
// shared between requests and must not be changed.
type Live struct {
	Session Session
	Account Account
	Actor   *authz.Actor
	Key     string // names the account in rate limits
	CSRF    string
	// MustEnrol and PasswordDue say what has to be done before any right counts;
	// Refusal is the sentence for it and Actor has no grants meanwhile.
	MustEnrol   bool
	PasswordDue bool
	Refusal     string
}

type remembered struct {
	live  *Live
	until time.Time
	seen  atomic.Int64 // ms
}

func tokenHash(token string) string {
	h := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(h[:])
}

// newToken makes 256 random bits and the hash that is stored of them.
func (s *Service) newToken() (token, hash string, err error) {
	var b [32]byte
	if _, err := s.cfg.Random.Read(b[:]); err != nil {
		return "", "", err
	}
	token = base64.RawURLEncoding.EncodeToString(b[:])
	return token, tokenHash(token), nil
}

// Resolve finds the session of a token; nil when there is none, or no longer.
func (s *Service) Resolve(ctx context.Context, token string) (*Live, error) {
	if len(token) != 43 {
		return nil, nil
	}
	key := sha256.Sum256([]byte(token))
	now := s.cfg.Clock.Now()
	r, gen := s.sessions.Get(key)
	if r == nil || !now.Before(r.until) {
		live, err := s.load(ctx, token, now)
		if err != nil || live == nil {
			return nil, err
		}
		r = &remembered{live: live, until: now.Add(cacheAge)}
		r.seen.Store(live.Session.SeenAt.UnixMilli())
		s.sessions.Put(key, r, gen)
	}
	if s.over(&r.live.Session, time.UnixMilli(r.seen.Load()), now) {
		return nil, nil
	}
	return r.live, s.touch(ctx, r, now)
}

func (s *Service) over(x *Session, seen, now time.Time) bool {
	return !now.Before(x.ExpiresAt) || now.Sub(seen) >= s.policy.IdleAge
}

// touch notes the use at most once a minute; one of several requests wins.
func (s *Service) touch(ctx context.Context, r *remembered, now time.Time) error {
	seen := r.seen.Load()
	if now.UnixMilli()-seen < touchEvery.Milliseconds() || !r.seen.CompareAndSwap(seen, now.UnixMilli()) {
		return nil
	}
	return s.cfg.Store.TouchSession(ctx, r.live.Session.ID, now)
}

func (s *Service) load(ctx context.Context, token string, now time.Time) (*Live, error) {
	x, a, err := s.cfg.Store.Session(ctx, tokenHash(token))
	if errs.Is(err, errs.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if a.State != Active {
		return nil, nil
	}
	l := &Live{Session: *x, Account: *a, Actor: s.actor(a), Key: a.ID.String(), CSRF: s.csrf(token)}
	l.MustEnrol = s.policy.SecondFactor && !a.SecondFactor && s.needsSecondFactor(a)
	l.PasswordDue = s.policy.PasswordDays > 0 && !a.PasswordAt.IsZero() && now.Sub(a.PasswordAt) > time.Duration(s.policy.PasswordDays)*24*time.Hour
	switch {
	case l.PasswordDue:
		l.Refusal = "密码已超过使用期限，请先修改密码。"
	case l.MustEnrol:
		l.Refusal = "您的角色须使用双重验证，请先绑定动态口令。"
	}
	if l.Refusal != "" {
		l.Actor.Grants = nil
	}
	return l, nil
}

func (s *Service) needsSecondFactor(a *Account) bool {
	for _, r := range a.Roles {
		if s.roles[r.Role].SecondFactor {
			return true
		}
	}
	return false
}

// csrf is bound to the session: a token of another session does not fit.
func (s *Service) csrf(token string) string {
	m := hmac.New(sha256.New, s.cfg.CSRFKey)
	m.Write([]byte(tokenHash(token)))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// Sessions lists where the actor is signed in.
func (s *Service) Sessions(ctx context.Context, actor *authz.Actor) ([]Session, error) {
	all, err := s.cfg.Store.Sessions(ctx, actor.ID)
	if err != nil {
		return nil, err
	}
	now, out := s.cfg.Clock.Now(), []Session{}
	for _, x := range all {
		if !s.over(&x, x.SeenAt, now) {
			out = append(out, x)
		}
	}
	return out, nil
}

// SignOut ends one session of whoever is signed in, or all with id zero.
func (s *Service) SignOut(ctx context.Context, l *Live, id ids.ID) error {
	action := "signout.one"
	if id == 0 {
		action = "signout.everywhere"
	}
	n, err := s.cfg.Store.EndSessions(ctx, l.Account.ID, id, accountEntry(l.Actor, action, &l.Account, nil))
	if err != nil {
		return err
	}
	if id != 0 && n == 0 {
		return errs.Missing("登录")
	}
	s.changed()
	return nil
}

// Sweep deletes what ended long ago; cmd runs it once in a while.
func (s *Service) Sweep(ctx context.Context) (int, error) {
	return s.cfg.Store.Sweep(ctx, s.cfg.Clock.Now().Add(-24*time.Hour))
}
