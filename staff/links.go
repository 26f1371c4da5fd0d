package staff

import (
	"context"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/trail"
)

func (s *Service) newLink(kind LinkKind, account ids.ID, ttl time.Duration) (token string, l Link, err error) {
	token, hash, err := s.newToken()
	now := s.cfg.Clock.Now()
	return token, Link{ID: s.cfg.IDs.New(), Kind: kind, Hash: hash, AccountID: account, CreatedAt: now, ExpiresAt: now.Add(ttl)}, err
}

// link finds an unused, unexpired link; sentence is the answer otherwise.
func (s *Service) link(ctx context.Context, kind LinkKind, token, sentence string) (*Link, error) {
	l, err := s.cfg.Store.Link(ctx, kind, tokenHash(token))
	if errs.Is(err, errs.NotFound) || (err == nil && !s.cfg.Clock.Now().Before(l.ExpiresAt)) {
		return nil, errs.New(errs.Unauthorized, "%s", sentence)
	}
	return l, err
}

const deadInvitation = "邀请链接无效、已用过或已过期，请联系管理员重新发送。"

// IssueSigninLink makes a one-time link that signs the account in. Only the
// program itself calls it: at the first start, for a demonstration.
func (s *Service) IssueSigninLink(ctx context.Context, account ids.ID, ttl time.Duration) (token string, err error) {
	a, err := s.cfg.Store.Account(ctx, account)
	if err != nil {
		return "", err
	}
	token, l, err := s.newLink(SignInLink, account, ttl)
	if err != nil {
		return "", err
	}
	e := accountEntry(authz.SystemActor("tongxin"), "account.signin_link", a, nil)
	return token, s.cfg.Store.AddLink(ctx, l, 0, e)
}

// Invitation is what the page of an invitation link shows.
type Invitation struct {
	Login   string    `json:"login"`
	Name    string    `json:"name"`
	Expires time.Time `json:"expiresAt"`
	Least   int       `json:"minPassword" doc:"characters a password needs"`
}

// Invitation looks at an invitation without using it up.
func (s *Service) Invitation(ctx context.Context, token string) (*Invitation, error) {
	l, err := s.link(ctx, InviteLink, token, deadInvitation)
	if err != nil {
		return nil, err
	}
	c, err := s.cfg.Store.CredentialsOf(ctx, l.AccountID)
	if err != nil {
		return nil, err
	}
	return &Invitation{Login: c.Login, Name: c.Name, Expires: l.ExpiresAt, Least: s.policy.MinPassword}, nil
}

// AcceptInvitation sets the first password and signs in.
func (s *Service) AcceptInvitation(ctx context.Context, token, password string) (Outcome, error) {
	l, err := s.link(ctx, InviteLink, token, deadInvitation)
	if err != nil {
		return Outcome{}, err
	}
	c, err := s.cfg.Store.CredentialsOf(ctx, l.AccountID)
	if err != nil {
		return Outcome{}, err
	}
	if c.State != Invited {
		return Outcome{}, errs.New(errs.Unauthorized, deadInvitation)
	}
	if err := s.checkNew(ctx, &c, password); err != nil {
		return Outcome{}, err
	}
	hash, err := s.hashBounded(ctx, password)
	if err != nil {
		return Outcome{}, err
	}
	s.remember(&c, hash)
	err = s.cfg.Store.SetPassword(ctx, c, l.ID, 0, signInEntry(&c, "account.accept", trail.OK))
	if errs.Is(err, errs.Conflict) {
		return Outcome{}, errs.New(errs.Unauthorized, deadInvitation)
	}
	if err != nil {
		return Outcome{}, err
	}
	s.changed()
	return s.start(ctx, &c, "invite", Start{})
}

// ChangePassword changes the actor's own password and ends every other session.
// Who came by a sign-in link and has no password yet sets the first one.
func (s *Service) ChangePassword(ctx context.Context, actor *authz.Actor, keep ids.ID, current, password string) error {
	c, err := s.cfg.Store.CredentialsOf(ctx, actor.ID)
	if err != nil {
		return err
	}
	if c.Hash != "" {
		if err := s.confirm(ctx, &c, "current", current); err != nil {
			return err
		}
	}
	if err := s.checkNew(ctx, &c, password); err != nil {
		return err
	}
	hash, err := s.hashBounded(ctx, password)
	if err != nil {
		return err
	}
	s.remember(&c, hash)
	if err := s.cfg.Store.SetPassword(ctx, c, 0, keep, signInEntry(&c, "account.password", trail.OK)); err != nil {
		return err
	}
	s.changed()
	return nil
}

// confirm asks for the present password before something dangerous; wrong ones
// count towards the lockout.
func (s *Service) confirm(ctx context.Context, c *Credentials, field, password string) error {
	names := []string{failureName("confirm", c.Login)}
	if err := s.locked(ctx, names); err != nil {
		return err
	}
	if c.Hash == "" {
		return errs.New(errs.Conflict, "您还没有设置密码，请联系管理员发送邀请链接。")
	}
	ok, _, err := s.verify(ctx, c.Hash, clipBytes(password, maxPassword+1))
	if err != nil {
		return err
	}
	if !ok {
		return s.fail(ctx, names, c, "account.confirm", errs.Bad(field, "当前密码不正确。"))
	}
	return s.locked(ctx, names) // guesses that were hashed meanwhile count
}
