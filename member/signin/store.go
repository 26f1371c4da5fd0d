package signin

import (
	"context"
	"time"

	"tongxin/internal/ids"
	"tongxin/internal/trail"
	"tongxin/member"
)

// Store keeps sessions, bindings, links, invite codes and preferences. For all
// methods: a missing row is errs.NotFound, and the entry is stored in the
// transaction of the change.
type Store interface {
	// Session returns a session that has not ended, with the member as the
	// roster has them now, in whatever state.
	Session(ctx context.Context, id ids.ID) (*Session, *member.Member, error)
	// Sessions lists a member's sessions that have not ended, newest use first.
	Sessions(ctx context.Context, of ids.ID) ([]Session, error)
	// Start stores a session and everything a sign-in changes at once. What was
	// used up meanwhile, or a member who is no longer active, is errs.Conflict.
	Start(ctx context.Context, st Start, e trail.Entry) error
	// Rotate moves a session from one generation to the next; false when
	// somebody else did, or the session has ended.
	Rotate(ctx context.Context, id ids.ID, from int64, at time.Time, addr string) (bool, error)
	// Touch notes a use.
	Touch(ctx context.Context, id ids.ID, at time.Time) error
	// End ends one session of a member, or all with id zero, and says how many.
	End(ctx context.Context, of, id ids.ID, why string, e trail.Entry) (int, error)

	// Link finds a one-time thing by its hash, used or not.
	Link(ctx context.Context, kind LinkKind, hash string) (*Link, error)
	AddLink(ctx context.Context, l Link, e trail.Entry) error
	// Guess counts a wrong try at a ticket and returns how many there were.
	Guess(ctx context.Context, ticket ids.ID, e trail.Entry) (int, error)

	// Bound finds the binding of a WeChat identity: by openid in its app, else by
	// unionid in any.
	Bound(ctx context.Context, w Identity) (*Binding, error)
	Bindings(ctx context.Context, of ids.ID) ([]Binding, error)
	// Unbind removes a binding of a member and ends the sessions that came by it.
	Unbind(ctx context.Context, of, id ids.ID, e trail.Entry) error

	// Settings are the defaults when none were saved.
	Settings(ctx context.Context, of ids.ID) (Settings, error)
	SaveSettings(ctx context.Context, of ids.ID, s Settings, e trail.Entry) error
	// Sweep deletes what ended before a time.
	Sweep(ctx context.Context, before time.Time) (int, error)
}

// Client says what a session runs in.
type Client string

// Clients: 小程序, 网页.
const (
	Mini Client = "mini"
	H5   Client = "h5"
)

// Session is one device on which a member is signed in.
type Session struct {
	ID         ids.ID    `json:"id"`
	MemberID   ids.ID    `json:"-"`
	Client     Client    `json:"client" enum:"mini,h5"`
	Device     string    `json:"device" doc:"what the device calls itself"`
	Addr       string    `json:"addr"`
	CreatedAt  time.Time `json:"createdAt"`
	SeenAt     time.Time `json:"seenAt"`
	ExpiresAt  time.Time `json:"expiresAt" doc:"at the latest; sooner when it is not used"`
	BindingID  ids.ID    `json:"-"` // the WeChat identity it began with; none for a link
	Nonce      string    `json:"-"`
	Generation int64     `json:"-"` // of the refresh token, from 1
	RotatedAt  time.Time `json:"-"`
}

// Identity is a person as WeChat knows them in one app. UnionID joins the apps
// of one owner; it may be empty.
type Identity struct {
	AppID, OpenID, UnionID string
}

// Binding joins a WeChat identity with a member.
type Binding struct {
	ID       ids.ID    `json:"id"`
	MemberID ids.ID    `json:"-"`
	Identity Identity  `json:"-"`
	How      string    `json:"how" enum:"phone,invite,union" doc:"how the person proved who they are"`
	BoundAt  time.Time `json:"boundAt"`
	Mini     bool      `json:"mini" doc:"in the mini-program; else in the official account"`
}

// LinkKind says what a one-time thing is for.
type LinkKind string

// Kinds: a sign-in link, an invite code, and the ticket of somebody whom WeChat
// knows and the roster does not yet.
const (
	SignInLink LinkKind = "signin"
	InviteCode LinkKind = "invite"
	BindTicket LinkKind = "ticket"
)

// Link is a thing that works once and for a while. Only its hash is stored.
type Link struct {
	ID        ids.ID
	Kind      LinkKind
	Hash      string
	MemberID  ids.ID // of a sign-in link and an invite code
	Identity  Identity
	Client    Client // of a ticket
	CreatedAt time.Time
	ExpiresAt time.Time
	UsedAt    time.Time
	Tries     int // wrong guesses with a ticket
}

// Start is everything a sign-in writes.
type Start struct {
	Session Session
	Spend   []ids.ID // links that are used up by it
	Bind    *Binding // a new binding; it replaces the member's earlier one in that app
}

// Settings are what a member chose. See Defaults.
type Settings struct {
	TextSize        string `json:"textSize" enum:"normal,large,larger"`
	HighContrast    bool   `json:"highContrast"`
	Recommendations bool   `json:"recommendations" doc:"suggest practice by my results"`
	Rankings        bool   `json:"rankings" doc:"show my name in rankings"`
}

// Defaults are the settings of who chose nothing.
func Defaults() Settings {
	return Settings{TextSize: "normal", Recommendations: true, Rankings: true}
}
