package contest

import (
	"context"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
)

// Store keeps contests. A missing row is errs.NotFound; a write under a fence
// that is no longer the contest's, or that finds another version than expected,
// is errs.Stale and leaves nothing behind. An entry is stored in the transaction
// of the change.
type Store interface {
	PlanStore
	DoorStore
	RoomStore
}

// PlanStore keeps what hosts prepare.
type PlanStore interface {
	// Create honours the request's idempotency key and returns the id that stands.
	Create(ctx context.Context, c *Contest, e trail.Entry) (ids.ID, error)
	// Save replaces title, mode, plan, start, state and code of a contest that no
	// room runs. A code that another living contest has is errs.Conflict.
	Save(ctx context.Context, c *Contest, expect int64, e trail.Entry) error
	Delete(ctx context.Context, id ids.ID, expect int64, e trail.Entry) error // drafts only
	Contest(ctx context.Context, id ids.ID) (*Contest, error)
	Contests(ctx context.Context, f Filter, r page.Request) ([]Contest, error) // up to Limit+1, newest first
	Players(ctx context.Context, id ids.ID, q string, r page.Request) ([]Player, error)
	// Results are the players, and the totals over the questions that count.
	Results(ctx context.Context, id ids.ID) ([]Player, map[ids.ID]*Total, error)
}

// Filter narrows a list of contests.
type Filter struct {
	Scope  authz.Scope // staff: where they are hosts
	Orgs   []ids.ID    // members: whose contests are meant for them
	Member ids.ID      // members: also those they joined
	States []State
	Match  bool // whether matches are listed
}

// DoorStore lets people in.
type DoorStore interface {
	ByCode(ctx context.Context, code string) (*Contest, error)
	// Join enters a player, or finds the one who joined before (then only the name
	// and Hidden change), and keeps the ticket. In one transaction it checks that
	// the contest may be joined: errs.Conflict when it is over, locked or full, or
	// when the person was removed.
	Join(ctx context.Context, id ids.ID, p Player, t Ticket) (*Player, error)
	// Ticket keeps a ticket of somebody who does not play.
	Ticket(ctx context.Context, t Ticket, e trail.Entry) error
	// Redeem uses a ticket up and notes that its player entered. Unknown, used and
	// expired ones are errs.Unauthorized.
	Redeem(ctx context.Context, hash string) (*Pass, error)
	// OpenMatch is the match in which the member waits already, or the oldest one
	// with a free seat that waits for opponents; nil: none.
	OpenMatch(ctx context.Context, org ids.ID, size int, topic string, member ids.ID) (*Contest, error)
	// Joined tells which of the contests the member joined.
	Joined(ctx context.Context, member ids.ID, contests []ids.ID) (map[ids.ID]bool, error)
	Sweep(ctx context.Context) error // tickets that ran out
}

// Ticket opens one connection within a minute. Only its hash is stored.
type Ticket struct {
	Hash      string
	ContestID ids.ID
	Holder    ids.ID // member or staff account
	Role      Role
	ExpiresAt time.Time
}

// Pass is a redeemed ticket.
type Pass struct {
	ContestID ids.ID
	Holder    ids.ID
	Role      Role
	Player    *Player // RolePlayer only
}

// RoomStore is what the owner of a contest writes under its fence.
type RoomStore interface {
	// Claim takes the contest for owner when nobody holds it, its lease ran out,
	// or force says that no other process can. before is the lease that was
	// there; won says whether now is owner's.
	Claim(ctx context.Context, id ids.ID, owner string, until time.Duration, force bool) (now, before Lease, won bool, err error)
	// Renew extends a lease; errs.Stale when somebody else has it.
	Renew(ctx context.Context, id ids.ID, l Lease, until time.Duration) error
	Free(ctx context.Context, id ids.ID, l Lease) error
	Load(ctx context.Context, id ids.ID) (*Saved, error)
	Step(ctx context.Context, fence int64, s *Step, e trail.Entry) error
	// SaveAnswers keeps answers in one transaction and returns them as they stand:
	// where a player's earlier answer to the question is there, that one.
	SaveAnswers(ctx context.Context, id ids.ID, fence int64, list []Given) ([]Given, error)
	// Orphans lists contests that somebody must run and nobody does.
	Orphans(ctx context.Context, all bool) ([]ids.ID, error)
}
