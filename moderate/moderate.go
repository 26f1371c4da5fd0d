// Package moderate is the check that stands before everything members write
// for others: a text or a picture is handed in, the house's word list and
// WeChat's content check judge it, people decide what these leave open, and the
// domain that handed it in is told. Until then nobody else may see it. It never
// sees HTTP, SQL or WeChat.
package moderate

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/ids"
)

// Review is the right to see and decide what members wrote, on an organisation.
const Review authz.Right = "moderate.review"

// Media is what was handed in.
type Media string

// Media: 文字, 图片.
const (
	Text    Media = "text"
	Picture Media = "picture"
)

// Scene says where a text will stand, as WeChat's check asks.
type Scene int

// Scenes: 资料, 评论, 论坛, 社交日志.
const (
	Profile Scene = 1
	Comment Scene = 2
	Forum   Scene = 3
	Journal Scene = 4
)

// State of an item. Others may see the object behind it in Passed only.
type State string

// States: 等待检测, 通过, 待人工审核, 未通过, 已被新内容替换.
const (
	Waiting   State = "waiting"
	Passed    State = "passed"
	InReview  State = "review"
	Refused   State = "refused"
	Replaced  State = "replaced"
	AwaitsAny State = "todo" // of filters only: what a person is asked to decide
)

// Final reports a state that the domain behind the item is told of.
func (s State) Final() bool { return s == Passed || s == Refused }

// Hold is why an item is not decided.
type Hold string

// Reasons to wait, and reasons why a person is asked.
const (
	Asking   Hold = "asking"   // about to be asked
	Down     Hold = "down"     // WeChat did not answer; asked again later
	Inactive Hold = "inactive" // WeChat checks only for who used the mini-program of late
	Result   Hold = "result"   // a picture's result comes later

	Unsure    Hold = "unsure"     // WeChat leaves it to people
	NoProgram Hold = "no_program" // the house has no mini-program
	NoOpenID  Hold = "no_openid"  // the author never opened the mini-program
	Late      Hold = "late"       // no result within the time
	NotTaken  Hold = "not_taken"  // WeChat refused to check it
	Unsigned  Hold = "unsigned"   // a result that nobody signed
)

// By is who judged.
type By string

// Judges: 单位词表, 微信, 审核人.
const (
	ByWords  By = "words"
	ByWeChat By = "wechat"
	ByPerson By = "person"
)

// Item is one text or picture that was handed in.
type Item struct {
	ID         ids.ID    `json:"id"`
	OrgID      ids.ID    `json:"orgId"`
	OrgName    string    `json:"orgName"`
	OrgPath    string    `json:"-"`
	Kind       string    `json:"kind" doc:"what the text belongs to"`
	KindName   string    `json:"kindName"`
	ObjectID   ids.ID    `json:"objectId"`
	Revision   int64     `json:"revision" doc:"of the object; a later one replaces this"`
	Media      Media     `json:"media" enum:"text,picture"`
	Scene      Scene     `json:"scene"`
	AuthorID   ids.ID    `json:"authorId"`
	AuthorName string    `json:"authorName"`
	Text       string    `json:"text,omitempty" doc:"absent for pictures, and once the time to keep it is over"`
	PictureURL string    `json:"pictureUrl,omitempty" doc:"signed and expiring"`
	State      State     `json:"state" enum:"waiting,passed,review,refused,replaced"`
	Hold       Hold      `json:"hold,omitempty" doc:"why it waits, or why a person is asked"`
	HoldText   string    `json:"holdText,omitempty"`
	By         By        `json:"by,omitempty" enum:"words,wechat,person"`
	Label      int       `json:"label,omitempty" doc:"of WeChat's check"`
	LabelText  string    `json:"labelText,omitempty"`
	Reason     string    `json:"reason,omitempty" doc:"of a refusal, for the author"`
	CreatedAt  time.Time `json:"createdAt"`
	DecidedAt  time.Time `json:"decidedAt,omitzero"`
	DecidedBy  string    `json:"decidedBy,omitempty"`
	ErasedAt   time.Time `json:"erasedAt,omitzero" doc:"when the copy of the text was deleted"`
	Version    int64     `json:"version"`

	// AuthorStaff is the staff account of the author, none for most.
	AuthorStaff ids.ID `json:"-"`
	Sealed      string `json:"-"` // the text at rest
	Ref         string `json:"-"` // names a picture; Config.PictureURL makes an address of it
	Trace       string `json:"-"` // WeChat's name of a check under way
	Tries       int    `json:"-"`
	// NextAt is when there is something to do: to ask, to look, or to tell.
	NextAt     time.Time `json:"-"`
	LeaseOwner string    `json:"-"`
	LeaseUntil time.Time `json:"-"`
}

// Decision is what the domain behind an object is told, at least once for each
// change: it may come again, and a later one may differ, when a person corrects
// a verdict. Reason is for the author.
type Decision struct {
	Kind     string
	ObjectID ids.ID
	Revision int64
	Passed   bool
	Reason   string
}

// Kind of object whose words are checked.
type Kind struct {
	Name  string `json:"name"`  // "notice_answer"
	Label string `json:"label"` // "通知回复"
}

// Sealer keeps texts at rest; see member.Sealer.
type Sealer interface {
	Seal(plain []byte, context string) (string, error)
	Open(sealed, context string) ([]byte, error)
}

// TextUse binds a sealed text to its row; a rotation of keys needs it too.
func TextUse(id ids.ID) string { return "moderate.text:" + id.String() }

// Config is what the service needs. All are required but Words, PictureURL and Wake.
type Config struct {
	Store   Store
	Checker Checker
	Sealer  Sealer
	Clock   clock.Clock
	IDs     *ids.Source
	Log     *slog.Logger
	// OrgPath finds the path of an organisation; errs.NotFound when there is none.
	OrgPath func(ctx context.Context, id ids.ID) (string, error)
	// Words lists what the house's list forbids in a text; nil: no list.
	Words func(ctx context.Context, text string) ([]string, error)
	// PictureURL is a public, expiring address of a picture. nil: a picture's
	// reference is its address.
	PictureURL func(ctx context.Context, ref string) (string, error)
	// Wake makes other nodes look now.
	Wake func()
}

// Service is the domain. Safe for concurrent use.
type Service struct {
	cfg   Config
	rules *Rules
	owner string
	wake  chan struct{}
	work  sync.WaitGroup

	mu    sync.Mutex
	kinds map[string]registered
	// quiet is until when no caller is kept waiting for WeChat: it just failed.
	quiet time.Time
}

type registered struct {
	Kind
	decided func(context.Context, Decision) error
}

// New reads the rules that are built in and makes the service.
func New(cfg Config) (*Service, error) {
	rules, err := builtIn()
	if err != nil {
		return nil, err
	}
	return &Service{cfg: cfg, rules: rules, owner: cfg.IDs.New().String(), wake: make(chan struct{}, 1), kinds: map[string]registered{}}, nil
}

// OnDecided says who is told about objects of a kind. fn is called at least
// once for each decision and may be called by any node; an error brings the
// call again later. Call it before texts of that kind come in.
func (s *Service) OnDecided(k Kind, fn func(context.Context, Decision) error) {
	s.mu.Lock()
	s.kinds[k.Name] = registered{k, fn}
	s.mu.Unlock()
}

func (s *Service) kind(name string) (registered, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, ok := s.kinds[name]
	return k, ok
}
