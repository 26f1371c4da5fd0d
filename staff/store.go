package staff

import (
	"context"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
)

// Store keeps everything of this domain. For all methods: a missing row is
// errs.NotFound; a write that finds another version than expected is errs.Stale
// and leaves nothing behind; the entry is stored in the transaction of the
// change.
type Store interface {
	OrgStore
	AccountStore
	SignInStore
	HolderStore
}

// OrgStore keeps the tree.
type OrgStore interface {
	// Orgs lists a scope ordered by path.
	Orgs(ctx context.Context, scope authz.Scope, archived bool) ([]Org, error)
	Org(ctx context.Context, id ids.ID) (*Org, error)
	OrgsByID(ctx context.Context, ids []ids.ID) ([]Org, error) // ordered by path
	// Deepest is the depth of the deepest organisation under path.
	Deepest(ctx context.Context, path string) (int, error)
	// CreateOrg honours the request's idempotency key and returns the id that
	// stands. errs.Conflict when the parent moved meanwhile.
	CreateOrg(ctx context.Context, o *Org, e trail.Entry) (ids.ID, error)
	SaveOrg(ctx context.Context, o *Org, expect int64, e trail.Entry) error
	// MoveOrg re-paths the subtree of o from old in every table that keeps
	// paths. errs.Conflict when the parent no longer stands at parentPath.
	MoveOrg(ctx context.Context, o *Org, expect int64, old, parentPath string, e trail.Entry) error
}

// AccountStore keeps accounts and roles. A change that would leave nobody
// active with AdminRole on a root organisation is errs.Conflict.
type AccountStore interface {
	Account(ctx context.Context, id ids.ID) (*Account, error)
	Accounts(ctx context.Context, f AccountFilter, r page.Request) ([]Account, error) // up to Limit+1, by id
	// CreateAccount honours the idempotency key; errs.Conflict when the login is
	// taken. fresh is false when an earlier call had made it.
	CreateAccount(ctx context.Context, a *Account, l Link, e trail.Entry) (id ids.ID, fresh bool, err error)
	SaveAccount(ctx context.Context, a *Account, expect int64, e trail.Entry) error
	SetRoles(ctx context.Context, a *Account, expect int64, roles []RoleAt, e trail.Entry) error
	// SetState also ends the sessions and voids the links when state is not Active.
	SetState(ctx context.Context, a *Account, expect int64, state State, e trail.Entry) error
	// Reset voids password, second factor, sessions and older links, makes the
	// account Invited and adds the link.
	Reset(ctx context.Context, a *Account, expect int64, l Link, e trail.Entry) error
}

// SignInStore keeps credentials, sessions, links and failures.
type SignInStore interface {
	// Credentials finds by login. ID zero and nil error: there is none.
	Credentials(ctx context.Context, login string) (Credentials, error)
	CredentialsOf(ctx context.Context, account ids.ID) (Credentials, error)
	// SetPassword sets hash and history, ends every session but keep, and when
	// link is not zero uses it up and makes an invited account active.
	// errs.Conflict when the link was used already or the credentials changed.
	SetPassword(ctx context.Context, c Credentials, link, keep ids.ID, e trail.Entry) error
	// SaveCredentials stores the secrets of c and ends nothing; errs.Conflict
	// when they changed since they were read.
	SaveCredentials(ctx context.Context, c Credentials, e trail.Entry) error

	Failures(ctx context.Context, names []string) ([]Failure, error)
	// NoteFailures reads each name, lets next say what stands after one more
	// failure, and writes that, all in one transaction: tries at the same moment
	// are all counted. next may run more than once and gets a zero Failure but
	// for its Name when there is none. Without names only e is kept.
	NoteFailures(ctx context.Context, names []string, next func(i int, before Failure) Failure, e trail.Entry) error

	// StartSession writes what a successful sign-in changes; see Start.
	// errs.Conflict when another sign-in used the same code, link or credentials.
	StartSession(ctx context.Context, s Start, e trail.Entry) error
	// Session finds a session by the hash of its token, with its account.
	Session(ctx context.Context, hash string) (*Session, *Account, error)
	Sessions(ctx context.Context, account ids.ID) ([]Session, error)
	TouchSession(ctx context.Context, id ids.ID, at time.Time) error
	// EndSessions ends one (only) or all of an account and tells how many. With
	// all of them the link of its calendar ends too.
	EndSessions(ctx context.Context, account, only ids.ID, e trail.Entry) (int, error)

	// AddLink keeps a link; spent, when not zero, is a link that is used up for
	// it: errs.Conflict when it was used before.
	AddLink(ctx context.Context, l Link, spent ids.ID, e trail.Entry) error
	// Link finds an unused link; NotFound for used ones. Expiry is the domain's.
	Link(ctx context.Context, kind LinkKind, hash string) (*Link, error)
	// Sweep deletes sessions, links and failures that ended before a time.
	Sweep(ctx context.Context, before time.Time) (int, error)
}

// Credentials are an account's secrets as stored: hashes and sealed text.
type Credentials struct {
	ID         ids.ID
	Login      string
	Name       string
	OrgID      ids.ID
	OrgPath    string
	State      State
	Hash       string   // argon2id in PHC form; empty: no password
	History    []string // former hashes, newest first
	PasswordAt time.Time
	TOTP       string // sealed secret; empty: no second factor
	TOTPStep   int64  // last time step that was used
	Recovery   []string
	Version    int64 // of the credentials, not of the account
}

// Start is what a successful sign-in writes at once.
type Start struct {
	Session Session
	Hash    string   // of the session's token
	Clear   []string // failures to forget
	Link    ids.ID   // link that is used up
	// Activate lets an invited account in: its link proves who it is.
	Activate bool
	Creds    *Credentials // new Hash, TOTPStep or Recovery, swapped on Version; nil: unchanged
	// Judged is what the password was judged by: Conflict when its Version is
	// no longer the newest. Nil: the sign-in proved something else.
	Judged *Credentials
}

// Failure counts wrong tries under a name (a hash of login and address).
type Failure struct {
	Name  string
	Tries int
	Last  time.Time
	Until time.Time // locked until; zero: not locked
}

// LinkKind is what a one-time link is good for.
type LinkKind string

// Kinds of links.
const (
	InviteLink LinkKind = "invite" // set a password
	SignInLink LinkKind = "signin" // start a session
	TicketLink LinkKind = "ticket" // the password was right, the second factor is due
)

// Link is a one-time secret; only the hash of its token is kept.
type Link struct {
	ID        ids.ID
	Kind      LinkKind
	Hash      string
	AccountID ids.ID
	CreatedAt time.Time
	ExpiresAt time.Time
}

// Session is one signed-in browser.
type Session struct {
	ID        ids.ID    `json:"id"`
	AccountID ids.ID    `json:"-"`
	CreatedAt time.Time `json:"createdAt"`
	SeenAt    time.Time `json:"seenAt"`
	ExpiresAt time.Time `json:"expiresAt"`
	Addr      string    `json:"addr"`
	UserAgent string    `json:"userAgent"`
	Method    string    `json:"method" doc:"password, totp, recovery, link, invite"`
}
