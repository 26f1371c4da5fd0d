// Package live is rooms: who may speak in one, who may watch, and how long
// each person really was there. It owns rooms, the people in them and the
// intervals of their presence. It never sees HTTP, SQL or a packet: the media
// core (live/sfu) asks it who may come in, and tells it who is there.
package live

import (
	"context"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
)

// Rights of this domain.
const (
	Host  authz.Right = "live.host"  // staff: plan and give lectures
	Watch authz.Right = "live.watch" // members: watch what is meant for them
)

// Kind of a room.
type Kind string

// Lecture has few speakers and many viewers.
const Lecture Kind = "lecture"

// State of a room. Only an open one lets people in.
type State string

// States.
const (
	Planned State = "planned"
	Open    State = "open"
	Ended   State = "ended"
)

// Role of a person in a room.
type Role string

// Roles. Host, CoHost and Speaker may send picture and sound.
const (
	RoleHost    Role = "host"
	RoleCoHost  Role = "cohost"
	RoleSpeaker Role = "speaker"
	RoleMember  Role = "member"
	RoleGuest   Role = "guest" // a member of another organisation, by the room's code
)

// Publishes reports whether a role may send picture and sound.
func (r Role) Publishes() bool { return r == RoleHost || r == RoleCoHost || r == RoleSpeaker }

// Bounds of a room.
const (
	MaxTitle, MaxSpeaker, MaxItem = 60, 60, 100 // characters
	MaxAgenda                     = 30
	MaxViewers                    = 5000
	CodeLength                    = 6
)

// Room is one lecture.
type Room struct {
	ID      ids.ID   `json:"id"`
	OrgID   ids.ID   `json:"orgId"`
	OrgName string   `json:"orgName"`
	OrgPath string   `json:"-"`
	Kind    Kind     `json:"kind" enum:"lecture"`
	State   State    `json:"state" enum:"planned,open,ended"`
	Title   string   `json:"title"`
	Speaker string   `json:"speaker,omitempty" doc:"who speaks, as a text"`
	Agenda  []string `json:"agenda"`
	Code    string   `json:"code,omitempty" doc:"lets members of other organisations in; until the lecture ends"`
	Most    int      `json:"most" doc:"most people at once; 0: as many as the server carries"`
	Locked  bool     `json:"locked" doc:"nobody new may come in"`

	StartsAt  time.Time `json:"startsAt" doc:"planned"`
	OpenedAt  time.Time `json:"openedAt,omitzero"`
	EndedAt   time.Time `json:"endedAt,omitzero"`
	CreatedAt time.Time `json:"createdAt"`
	CreatedBy string    `json:"createdBy"`
	Present   int       `json:"present" doc:"people connected now"`
	Version   int64     `json:"version"`
}

// Person is somebody who was let into a room.
type Person struct {
	ID        ids.ID
	Name      string
	OrgID     ids.ID
	OrgName   string
	Role      Role
	RemovedAt time.Time
}

// Seat is one connection of a person: an interval of presence. LeftAt is zero
// while it lasts; then SeenAt is the last proof of it.
type Seat struct {
	ID       ids.ID
	RoomID   ids.ID
	PersonID ids.ID
	Node     string
	JoinedAt time.Time
	SeenAt   time.Time
	LeftAt   time.Time
}

// Filter narrows a list of rooms.
type Filter struct {
	Scope  authz.Scope // staff: where they are hosts
	Orgs   []ids.ID    // members: whose rooms are meant for them; used when Member is set
	Member bool
	States []State
}

// Store keeps rooms. A missing row is errs.NotFound; a write that finds another
// version than expected is errs.Stale and leaves nothing behind. An entry is
// stored in the transaction of the change. Seats carry none: they are the record.
type Store interface {
	// Create honours the request's idempotency key and returns the id that stands.
	// A code that another living room has is errs.Conflict.
	Create(ctx context.Context, r *Room, e trail.Entry) (ids.ID, error)
	// Save replaces what a host decides and the state. When the room has ended,
	// it closes its seats at the end.
	Save(ctx context.Context, r *Room, expect int64, e trail.Entry) error
	Delete(ctx context.Context, id ids.ID, expect int64, e trail.Entry) error // planned ones only
	Room(ctx context.Context, id ids.ID) (*Room, error)
	ByCode(ctx context.Context, code string) (*Room, error)
	Rooms(ctx context.Context, f Filter, r page.Request) ([]Room, error) // up to Limit+1, newest first

	// Enter notes that a person was let in, or was before. In one transaction it
	// checks that the room lets in: errs.Conflict when it is not open, locked or
	// full, errs.Forbidden when the person was removed.
	Enter(ctx context.Context, room ids.ID, p Person) error
	// Standing is the state of a room and whether the person was removed.
	// errs.NotFound for who was never let in.
	Standing(ctx context.Context, room, person ids.ID) (State, bool, error)
	// Remove shuts a person out and closes the seats.
	Remove(ctx context.Context, room, person ids.ID, e trail.Entry) error
	People(ctx context.Context, room ids.ID) ([]Person, []Seat, error)
	// Refused are the open seats of a node that must end: of rooms that are not
	// open and of people who were removed, whether or not they are closed yet.
	Refused(ctx context.Context, seats []ids.ID) ([]ids.ID, error)

	// Sit opens seats; Stand closes those that are still open.
	Sit(ctx context.Context, seats []Seat) error
	Stand(ctx context.Context, seats []ids.ID, at time.Time) error
	// Seen notes that the open seats of a node are still taken.
	Seen(ctx context.Context, node string, at time.Time) error
	// Expire closes seats that nobody saw since before, at the last proof.
	Expire(ctx context.Context, before time.Time) error
}
