// Package signin lets members in: by WeChat in the mini-program and in the
// official account, joined with the roster by their phone number or by a code
// from their secretary. It owns their sessions, devices, bindings and
// preferences. It never sees HTTP, SQL or a session_key.
package signin

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"sync/atomic"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/recent"
	"tongxin/internal/trail"
	"tongxin/member"
)

// Times of tokens and sessions.
const (
	AccessAge  = 15 * time.Minute
	IdleAge    = 30 * 24 * time.Hour // a device that is not used that long is signed out
	SessionAge = 90 * 24 * time.Hour // every device signs in anew after that
	InviteAge  = 7 * 24 * time.Hour
	ticketAge  = 15 * time.Minute
	raceAge    = 30 * time.Second // two refreshes at once on one device are no theft
	cacheAge   = 5 * time.Second  // how long a change on another node may go unseen
	aloneAge   = time.Minute      // the same where no other node can write
	cacheMax   = 50_000
	touchEvery = time.Minute
	guesses    = 5 // wrong invite codes with one ticket
)

// WeChat proves who somebody is. Errors are sentences for people.
type WeChat interface {
	// Mini exchanges the code of wx.login.
	Mini(ctx context.Context, code string) (Identity, error)
	// Phone exchanges the code of the phone button of the mini-program.
	Phone(ctx context.Context, code string) (string, error)
	// Web exchanges the code of the official account's page authorisation.
	Web(ctx context.Context, code string) (Identity, error)
	// WebURL is where a browser asks for that code.
	WebURL(ctx context.Context, back, state string) (string, error)
}

// Config is what the service needs. All fields are required.
type Config struct {
	Store  Store
	Roster *member.Service
	WeChat WeChat
	Clock  clock.Clock
	IDs    *ids.Source
	Random io.Reader
	// Keys sign tokens: the first signs, all are believed, so that a change of
	// the secret signs nobody out.
	Keys [][]byte
	// Rights of a member on the own branch.
	Rights []authz.Right
	// MiniAppID tells the mini-program's bindings from the official account's.
	MiniAppID string
	// OnChange tells other nodes to forget what they remember.
	OnChange func()
	// Alone tells that no other process writes the database: whatever changes a
	// member or a session then tells this service (Forget), and what it remembers
	// may be good for longer. Thousands who answer an exam at once would otherwise
	// each be read again every few seconds.
	Alone bool
	// OnUse hears that a member uses the program, at sign-in and then at most
	// once a minute for each session; nil: nobody listens.
	OnUse func(ctx context.Context, member ids.ID, c Client)
	// OnStolen hears that a session was ended because its refresh token had two
	// holders; nil: nobody listens.
	OnStolen func(ctx context.Context, l *Live)
}

// Service is the domain. Safe for concurrent use.
type Service struct {
	cfg  Config
	keys keys
	keep time.Duration // of what live remembers
	live *recent.Cache[ids.ID, *remembered]
}

// New makes the service.
func New(cfg Config) *Service {
	keep := cacheAge
	if cfg.Alone {
		keep = aloneAge
	}
	return &Service{cfg: cfg, keys: cfg.Keys, keep: keep, live: recent.New[ids.ID, *remembered](cacheMax)}
}

// Forget drops what this node remembers of sessions and members.
func (s *Service) Forget() { s.live.Clear() }

// changed makes this node forget now and the others within cacheAge.
func (s *Service) changed() {
	s.live.Clear()
	s.cfg.OnChange()
}

// Live is a session in use: who it is and what counts for them now. It is
// shared between requests and must not be changed.
type Live struct {
	Session Session
	Member  member.Member
	Actor   *authz.Actor
	Key     string // names the member in rate limits
}

type remembered struct {
	live  *Live // nil: nobody
	until time.Time
	seen  atomic.Int64 // ms
}

// Resolve finds who an access token belongs to; nil when it is not good, or no
// longer. It reads the database at most once in a few seconds for each session (Alone: a minute).
func (s *Service) Resolve(ctx context.Context, token string) (*Live, error) {
	a, ok := s.keys.readAccess(token)
	now := s.cfg.Clock.Now()
	if !ok || !now.Before(a.expires) {
		return nil, nil
	}
	r, gen := s.live.Get(a.session)
	if r == nil || !now.Before(r.until) {
		l, err := s.load(ctx, a.session, now)
		if err != nil {
			return nil, err
		}
		r = &remembered{live: l, until: now.Add(s.keep)}
		if l != nil {
			r.seen.Store(l.Session.SeenAt.UnixMilli())
		}
		s.live.Put(a.session, r, gen)
	}
	if r.live == nil || r.live.Member.ID != a.member {
		return nil, nil
	}
	return r.live, s.touch(ctx, r, now)
}

// touch notes the use at most once a minute; one of several requests wins.
func (s *Service) touch(ctx context.Context, r *remembered, now time.Time) error {
	seen := r.seen.Load()
	if now.UnixMilli()-seen < touchEvery.Milliseconds() || !r.seen.CompareAndSwap(seen, now.UnixMilli()) {
		return nil
	}
	s.used(ctx, r.live.Member.ID, r.live.Session.Client)
	return s.cfg.Store.Touch(ctx, r.live.Session.ID, now)
}

func (s *Service) used(ctx context.Context, member ids.ID, c Client) {
	if s.cfg.OnUse != nil {
		s.cfg.OnUse(ctx, member, c)
	}
}

// load reads a session; nil when it is over or its member has left.
func (s *Service) load(ctx context.Context, id ids.ID, now time.Time) (*Live, error) {
	x, m, err := s.cfg.Store.Session(ctx, id)
	if errs.Is(err, errs.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if m.State != member.Active || over(x, now) {
		return nil, nil
	}
	return &Live{Session: *x, Member: *m, Actor: s.actor(m), Key: "m" + m.ID.String()}, nil
}

func over(x *Session, now time.Time) bool {
	return !now.Before(x.ExpiresAt) || now.Sub(x.SeenAt) >= IdleAge
}

// actor is a member with the rights of members on the own branch.
func (s *Service) actor(m *member.Member) *authz.Actor {
	return &authz.Actor{
		ID: m.ID, Kind: authz.Member, Name: m.Name,
		Grants: []authz.Grant{{Role: "member", OrgID: m.OrgID, Path: m.OrgPath, Rights: s.cfg.Rights}},
	}
}

func entry(actor *authz.Actor, action string, m *member.Member, detail map[string]string) trail.Entry {
	return trail.Entry{Actor: actor, Action: action, Object: "member", ID: m.ID, OrgID: m.OrgID, OrgPath: m.OrgPath, Detail: detail}
}

func hash(token string) string {
	h := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(h[:])
}

// random makes 256 random bits as text.
func (s *Service) random() (string, error) {
	var b [32]byte
	if _, err := io.ReadFull(s.cfg.Random, b[:]); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}
