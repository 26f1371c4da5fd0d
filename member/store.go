package member

import (
	"context"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
)

// Store keeps the roster. For all methods: a missing row is errs.NotFound; a
// write that finds another version than expected is errs.Stale and leaves
// nothing behind; the entry is stored in the transaction of the change. A phone
// or ID number that another active member of the house has, and a staff account
// that another member is linked with, are errs.Conflict naming the field.
type Store interface {
	RosterStore
	RequestStore
}

// RosterStore keeps members.
type RosterStore interface {
	Member(ctx context.Context, id ids.ID) (*Member, error)
	Members(ctx context.Context, f Filter, r page.Request) ([]Member, error) // up to Limit+1, by id
	// Holders finds members of the whole house, active or not, by the blind
	// indexes of a phone or an ID number: no scope, so never show them unchecked.
	Holders(ctx context.Context, k Keys) ([]Member, error)
	// Create honours the request's idempotency key and returns the id that stands.
	Create(ctx context.Context, w Write, e trail.Entry) (ids.ID, error)
	Save(ctx context.Context, w Write, e trail.Entry) error
	// Import creates and changes all or nothing in one transaction; every write
	// carries its own entry, e is the import's.
	Import(ctx context.Context, list []Write, e trail.Entry) error
	// Record keeps an entry of something that changes nothing: a number was shown.
	Record(ctx context.Context, e trail.Entry) error
	// Counts counts active members for each branch of the scope, also those
	// without any, by path.
	Counts(ctx context.Context, scope authz.Scope) ([]Count, error)
	// Probation lists active probationary members of a scope, at most limit.
	Probation(ctx context.Context, scope authz.Scope, limit int) ([]Member, error)
	// Expired lists members in one of the states who left on or before a day and
	// still have a number, at most limit.
	Expired(ctx context.Context, states []State, leftBy Date, limit int) ([]Member, error)
}

// RequestStore keeps what people ask about their data. Text and answer are
// sealed by the domain.
type RequestStore interface {
	Request(ctx context.Context, id ids.ID) (*Request, error)
	Requests(ctx context.Context, f RequestFilter, r page.Request) ([]Request, error) // up to Limit+1, newest first
	// CreateRequest honours the idempotency key.
	CreateRequest(ctx context.Context, q *Request, e trail.Entry) (ids.ID, error)
	// Decide stores a decision and, with it, what it changes of the member; nil
	// for nothing.
	Decide(ctx context.Context, q *Request, expect int64, w *Write, e trail.Entry) error
}

// Keys are blind indexes under every key that the house holds.
type Keys struct{ Phone, ID []string }

// Write is a member as it shall stand. Expect is the version it replaces, 0 for
// a new one. Keys are what nobody else may have; the store compares them while
// it writes. Entry is used by Import only.
type Write struct {
	Member *Member
	Expect int64
	Keys   Keys
	Entry  trail.Entry
}

// Filter narrows a list; zero fields do not.
type Filter struct {
	Scope authz.Scope // required
	Under string      // path of an organisation: it and everything under it
	Group ids.ID
	Kind  Kind
	State State
	Post  string
	Query string // part of the name
	Keys  Keys   // any of the indexes; for a search by number
}

// Count is how many active members a branch has.
type Count struct {
	OrgID   ids.ID
	OrgName string
	Path    string
	Full    int
	All     int
}

// Request is what a person asks about the data that is kept about them.
type Request struct {
	ID         ids.ID       `json:"id"`
	MemberID   ids.ID       `json:"memberId"`
	MemberName string       `json:"memberName"`
	OrgID      ids.ID       `json:"orgId"`
	OrgName    string       `json:"orgName"`
	OrgPath    string       `json:"-"`
	Kind       RequestKind  `json:"kind" enum:"correction,deletion"`
	State      RequestState `json:"state" enum:"open,done,refused"`
	Text       string       `json:"text" doc:"what is asked for, in the person's words"`
	Answer     string       `json:"answer,omitempty"`
	CreatedAt  time.Time    `json:"createdAt"`
	CreatedBy  string       `json:"createdBy"`
	DecidedAt  time.Time    `json:"decidedAt,omitzero"`
	DecidedBy  string       `json:"decidedBy,omitempty"`
	Version    int64        `json:"version"`

	SealedText   string `json:"-"`
	SealedAnswer string `json:"-"`
}

// RequestKind says what is asked for.
type RequestKind string

// Kinds of requests: 更正, 删除.
const (
	Correction RequestKind = "correction"
	Deletion   RequestKind = "deletion"
)

// RequestState says what became of a request.
type RequestState string

// States of requests: 待处理, 已办理, 未采纳.
const (
	Open    RequestState = "open"
	Done    RequestState = "done"
	Refused RequestState = "refused"
)

// RequestFilter narrows a list of requests.
type RequestFilter struct {
	Scope  authz.Scope // required
	Member ids.ID
	State  RequestState
}
