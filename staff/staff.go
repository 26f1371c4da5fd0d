// Package staff is who works here: organisations as a tree, accounts with roles
// on subtrees, and how they sign in. It owns every rule about passwords, second
// factors, sessions and one-time links; it never sees HTTP or SQL.
package staff

import (
	"cmp"
	"crypto/sha256"
	"io"
	"time"

	"golang.org/x/sync/semaphore"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/ids"
	"tongxin/internal/recent"
)

// Rights of this domain.
const (
	OrgRead     authz.Right = "org.read"
	OrgManage   authz.Right = "org.manage"
	StaffRead   authz.Right = "staff.read"
	StaffManage authz.Right = "staff.manage"
)

// AdminRole is the role whose last holder over the whole house stays.
const AdminRole = "admin"

// Role is what a grant on an organisation means. Which rights a role has is
// data from the composition, because most rights belong to other domains.
type Role struct {
	Name         string
	Label        string // Chinese
	Rights       []authz.Right
	SecondFactor bool // needs a second factor when the policy asks for it
}

// Sealer keeps phone numbers and second-factor secrets at rest. The context
// binds a sealed value to its row and use.
type Sealer interface {
	Seal(plain []byte, context string) (string, error)
	Open(sealed, context string) ([]byte, error)
}

// Policy is what the house asks of sign-ins. The zero value of a field means
// its default.
type Policy struct {
	SessionAge   time.Duration // absolute life of a session: 12 h
	IdleAge      time.Duration // life without use: 30 min
	InviteAge    time.Duration // life of an invitation link: 72 h
	PasswordDays int           // a password must change after so many days; 0: never
	MinPassword  int           // characters: 10
	History      int           // former passwords refused: 3
	// SecondFactor makes roles marked so bind one before any right counts.
	SecondFactor bool
	Hash         HashParams // argon2id
}

// Config is what the service needs. All fields but Policy are required.
type Config struct {
	Store   Store
	IDs     *ids.Source
	Clock   clock.Clock
	Random  io.Reader
	Sealer  Sealer
	CSRFKey []byte // at least 32 bytes
	Roles   []Role
	Policy  Policy
	Issuer  string // shown in authenticator apps
	// OnChange is called after roles, states, organisations or sessions changed,
	// so that other nodes drop what they remember (see Forget). May be nil.
	OnChange func()
}

// Service is the domain. Safe for concurrent use.
type Service struct {
	cfg      Config
	policy   Policy
	roles    map[string]Role
	hashing  *semaphore.Weighted
	dummy    string // what an unknown login is compared with
	sessions *recent.Cache[[sha256.Size]byte, *remembered]
	orgs     *recent.Cache[ids.ID, *effective]
}

// New checks the configuration and makes the service.
func New(cfg Config) (*Service, error) {
	p := cfg.Policy
	p.SessionAge = cmp.Or(p.SessionAge, 12*time.Hour)
	p.IdleAge = cmp.Or(p.IdleAge, 30*time.Minute)
	p.InviteAge = cmp.Or(p.InviteAge, 72*time.Hour)
	p.MinPassword = cmp.Or(p.MinPassword, 10)
	p.History = cmp.Or(p.History, 3)
	p.Hash = cmp.Or(p.Hash, OWASP())
	s := &Service{
		cfg: cfg, policy: p, roles: map[string]Role{},
		sessions: recent.New[[sha256.Size]byte, *remembered](cacheMax), orgs: recent.New[ids.ID, *effective](cacheMax),
	}
	for _, r := range cfg.Roles {
		s.roles[r.Name] = r
	}
	s.hashing = semaphore.NewWeighted(hashesAtOnce)
	var err error
	if s.dummy, err = s.hash("no account has this password"); err != nil {
		return nil, err
	}
	return s, nil
}

// Roles lists the roles in the order of the configuration.
func (s *Service) Roles() []Role { return s.cfg.Roles }

// Label is a role in Chinese; its name when it is not configured any more.
func (s *Service) Label(role string) string {
	return cmp.Or(s.roles[role].Label, role)
}

// Forget drops what is remembered of sessions and organisations: call it when
// another node changed roles or states. Without it a change elsewhere shows
// within 5 seconds.
func (s *Service) Forget() {
	s.sessions.Clear()
	s.orgs.Clear()
}

// changed is called after a write that remembered sessions depend on.
func (s *Service) changed() {
	s.Forget()
	if s.cfg.OnChange != nil {
		s.cfg.OnChange()
	}
}
