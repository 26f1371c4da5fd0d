// Package member is the roster: party members of a branch, their personal data
// and the requests they make about it, the import from a spreadsheet, and the
// alarms that rules raise. Phone and ID numbers are sealed before they reach a
// store and found by blind indexes; it never sees HTTP or SQL.
package member

import (
	"context"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/ids"
)

// Rights of this domain.
const (
	Read   authz.Right = "member.read"
	Manage authz.Right = "member.manage"
	Reveal authz.Right = "member.reveal" // see a phone or ID number whole, with a reason
)

// Kind of membership.
type Kind string

// Kinds: 正式党员, 预备党员.
const (
	Full         Kind = "full"
	Probationary Kind = "probationary"
)

// State of a member in the roster.
type State string

// States: 在册, 已离开, 已去世, 组织关系已转出.
const (
	Active         State = "active"
	Left           State = "left"
	Deceased       State = "deceased"
	TransferredOut State = "transferred_out"
)

// Member is one person of a roster. It never holds a number in full: Phone and
// IDNumber are masked ("138****5678", "110***********1234").
type Member struct {
	ID           ids.ID    `json:"id"`
	OrgID        ids.ID    `json:"orgId" doc:"the branch"`
	OrgName      string    `json:"orgName"`
	OrgPath      string    `json:"-"`
	GroupID      ids.ID    `json:"groupId" doc:"a group of the branch; empty for none"`
	GroupName    string    `json:"groupName,omitempty"`
	Name         string    `json:"name"`
	Kind         Kind      `json:"kind" enum:"full,probationary"`
	Posts        []string  `json:"posts" doc:"codes of posts held; the rules name them"`
	Gender       string    `json:"gender,omitempty" enum:"male,female"`
	BirthDate    Date      `json:"birthDate,omitempty"`
	JoinedAt     Date      `json:"joinedAt,omitempty" doc:"入党日期"`
	FullAt       Date      `json:"fullAt,omitempty" doc:"转正日期"`
	ExtendedTo   Date      `json:"extendedTo,omitempty" doc:"end of an extended probation"`
	ProbationDue Date      `json:"probationDue,omitempty" doc:"when the probation ends; probationary members only"`
	State        State     `json:"state" enum:"active,left,deceased,transferred_out"`
	LeftAt       Date      `json:"leftAt,omitempty"`
	LeftWhy      string    `json:"leftWhy,omitempty"`
	Phone        string    `json:"phone,omitempty" doc:"masked"`
	IDNumber     string    `json:"idNumber,omitempty" doc:"masked"`
	StaffID      ids.ID    `json:"staffId" doc:"the staff account of the same person; empty for none"`
	StaffName    string    `json:"staffName,omitempty"`
	Note         string    `json:"note,omitempty"`
	PurgedAt     time.Time `json:"purgedAt,omitzero" doc:"when the numbers were deleted"`
	Version      int64     `json:"version"`
	CreatedAt    time.Time `json:"createdAt"`
	UpdatedAt    time.Time `json:"updatedAt"`
	UpdatedBy    string    `json:"updatedBy"`

	// What is stored instead of the numbers: sealed text, empty for none, and
	// the blind index it is found by.
	SealedPhone string `json:"-"`
	PhoneIndex  string `json:"-"`
	SealedID    string `json:"-"`
	IDIndex     string `json:"-"`
}

// Org is what this domain knows of an organisation.
type Org struct {
	ID, ParentID ids.ID
	Path         string
	Branch       bool // members belong to branches
	Group        bool
	Name, Short  string
}

// Person is a staff account that a member may be linked with.
type Person struct {
	Name    string
	OrgPath string
}

// Sealer keeps phone and ID numbers at rest. The context binds a sealed value
// to its row and use; BlindIndexes gives the current index first, then those of
// earlier keys.
type Sealer interface {
	Seal(plain []byte, context string) (string, error)
	Open(sealed, context string) ([]byte, error)
	BlindIndexes(purpose, value string) []string
}

// Config is what the service needs. All fields but OnChange are required.
type Config struct {
	Store  Store
	Sealer Sealer
	Clock  clock.Clock
	IDs    *ids.Source
	// Orgs lists every organisation that is not archived, parents first.
	Orgs func(ctx context.Context) ([]Org, error)
	// Staff finds a staff account; errs.NotFound when there is none.
	Staff func(ctx context.Context, id ids.ID) (Person, error)
	// OnChange is told that a member changed or left, so that whoever remembers
	// members looks again; nil: nobody does.
	OnChange func()
	// Elsewhere lists what other parts of the program keep about a member, for
	// that member's own data; nil: nothing.
	Elsewhere func(ctx context.Context, m *Member) ([]Part, error)
}

// Service is the domain. Safe for concurrent use.
type Service struct {
	cfg   Config
	rules *Rules
}

// New reads the rules that are built in and makes the service.
func New(cfg Config) (*Service, error) {
	rules, err := builtIn()
	if err != nil {
		return nil, err
	}
	if cfg.OnChange == nil {
		cfg.OnChange = func() {}
	}
	return &Service{cfg: cfg, rules: rules}, nil
}

// PhoneUse and the like bind sealed values to their rows; a rotation of keys
// needs them too.
func PhoneUse(id ids.ID) string { return "member.phone:" + id.String() }

// IDUse is the context of a sealed ID number.
func IDUse(id ids.ID) string { return "member.id_number:" + id.String() }

// RequestUse is the context of the sealed text of a request.
func RequestUse(id ids.ID) string { return "member.request:" + id.String() }

// AnswerUse is the context of the sealed answer to a request.
func AnswerUse(id ids.ID) string { return "member.answer:" + id.String() }

// Purposes of the blind indexes.
const (
	PhonePurpose = "member.phone"
	IDPurpose    = "member.id_number"
)
