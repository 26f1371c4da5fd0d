// Package notify brings notices to members: an inbox with read receipts and
// answers, the feed of published posts, and campaigns that also reach out
// through messages of a platform, each recipient at most once. It knows no SQL
// and no platform; what a message may look like is data.
package notify

import (
	"context"
	"log/slog"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
)

// Rights of this domain.
const (
	Send    authz.Right = "notify.send"    // staff: write notices, see who read them
	Receive authz.Right = "notify.receive" // members
)

// Org is what this domain knows of an organisation.
type Org struct {
	ID     ids.ID
	Path   string
	Name   string
	Branch bool
	Group  bool
}

// Config is what the program gives the domain. Push, Wake and the functions of
// the feed may be nil; the rest is required.
type Config struct {
	Store Store
	Clock clock.Clock
	IDs   *ids.Source
	Log   *slog.Logger
	// Org finds an organisation that is not archived.
	Org func(ctx context.Context, id ids.ID) (Org, error)
	// Render turns Markdown into safe HTML and its plain text.
	Render func(markdown string) (html, text string, err error)
	// Posts lists published posts of organisations, newest first, with a search.
	Posts func(ctx context.Context, orgs []ids.ID, query string, r page.Request) (*page.Result[FeedItem], error)
	// Post is one of them with its articles.
	Post func(ctx context.Context, orgs []ids.ID, id ids.ID) (*FeedPost, error)
	// Pusher sends messages of the platform; nil: notices stay in the inbox.
	Pusher Pusher
	// Owner names this process in leases.
	Owner string
	// Timing of sending; zero fields take their defaults.
	Timing Timing
	// Screen hands what members wrote to the content check and says what others
	// may read; in the order asked. nil: nobody reads it.
	Screen func(ctx context.Context, list []Written) ([]Screened, error)
	// Wake tells other nodes that there is something to send.
	Wake func()
}

// Service is the domain's face: every method checks the actor's rights itself.
type Service struct {
	Config
	rules  *rules
	nudges chan struct{}
	turns  turns
}

// New reads the rules that are built in and makes the service.
func New(c Config) (*Service, error) {
	r, err := builtIn()
	if err != nil {
		return nil, err
	}
	c.Timing = c.Timing.withDefaults()
	return &Service{Config: c, rules: r, nudges: make(chan struct{}, 1)}, nil
}

// Kind of a notice.
type Kind string

// Kinds: 通知, 图文, 答题, 竞赛, 会议, 系统消息.
const (
	Notice  Kind = "notice"
	Post    Kind = "post"
	Quiz    Kind = "quiz"
	Contest Kind = "contest"
	Meeting Kind = "meeting"
	System  Kind = "system"
)

// Link leads from a notice to another thing.
type Link struct {
	Kind string `json:"kind" enum:"notice,post,quiz,contest,meeting"`
	ID   ids.ID `json:"id"`
}

// Ask is a question that a notice asks: its options, in order.
type Ask struct {
	Options []string `json:"options" minItems:"2" maxItems:"4"`
}

// Answer of a member to an ask.
type Answer struct {
	Choice int       `json:"choice" doc:"number of the option, from 0"`
	Text   string    `json:"text,omitempty" doc:"others see it once the content check passed it"`
	At     time.Time `json:"at"`
	Note   string    `json:"note,omitempty" doc:"how it stands with the text"`
}

// Item is a notice in a member's inbox.
type Item struct {
	ID      ids.ID    `json:"id"`
	Seq     ids.ID    `json:"-"` // rises with the time of sending: the cursor
	Kind    Kind      `json:"kind" enum:"notice,post,quiz,contest,meeting,system"`
	Title   string    `json:"title"`
	Summary string    `json:"summary"`
	At      time.Time `json:"at"`
	ReadAt  time.Time `json:"readAt,omitzero"`
	From    string    `json:"from" doc:"the organisation that sent it"`
	EventAt time.Time `json:"eventAt,omitzero"`
	Place   string    `json:"place,omitempty"`
	Link    *Link     `json:"link,omitempty"`
	Ask     *Ask      `json:"ask,omitempty"`
	Answer  *Answer   `json:"answer,omitempty"`
	Body    string    `json:"body,omitempty" doc:"HTML; only of a single notice"`
}

// InboxFilter narrows an inbox.
type InboxFilter struct {
	Member ids.ID
	Unread bool
	Query  string // part of title or summary
}

// Inbox lists the actor's own notices, newest first.
func (s *Service) Inbox(ctx context.Context, actor *authz.Actor, unread bool, query string, r page.Request) (*page.Result[Item], error) {
	if err := member(actor); err != nil {
		return nil, err
	}
	rows, err := s.Store.Inbox(ctx, InboxFilter{Member: actor.ID, Unread: unread, Query: query}, r)
	if err != nil {
		return nil, err
	}
	res := page.Of(rows, r.Limit, func(i Item) ids.ID { return i.Seq })
	return &res, nil
}

// Unread counts the actor's unread notices.
func (s *Service) Unread(ctx context.Context, actor *authz.Actor) (int, error) {
	if err := member(actor); err != nil {
		return 0, err
	}
	return s.Store.UnreadCount(ctx, actor.ID)
}

// Item is one notice of the actor with its body; NotFound when the actor did
// not get it.
func (s *Service) Item(ctx context.Context, actor *authz.Actor, id ids.ID) (*Item, error) {
	if err := member(actor); err != nil {
		return nil, err
	}
	it, markdown, err := s.Store.InboxItem(ctx, actor.ID, id)
	if err != nil {
		return nil, err
	}
	if it.Body, _, err = s.Render(markdown); err != nil {
		return nil, err
	}
	return it, s.note(ctx, actor, it)
}

// Read leaves a read receipt; the first one stands.
func (s *Service) Read(ctx context.Context, actor *authz.Actor, id ids.ID) error {
	if err := member(actor); err != nil {
		return err
	}
	return s.Store.MarkRead(ctx, actor.ID, id)
}

// ReadAll marks the notices up to one as read; none: all.
func (s *Service) ReadAll(ctx context.Context, actor *authz.Actor, upTo ids.ID) error {
	if err := member(actor); err != nil {
		return err
	}
	return s.Store.MarkAllRead(ctx, actor.ID, upTo)
}

// maxAnswer is how long the text beside an answer may be, in characters.
const maxAnswer = 200

// Reply stores or replaces the actor's answer to a notice that asks.
func (s *Service) Reply(ctx context.Context, actor *authz.Actor, id ids.ID, choice int, text string) (*Item, error) {
	it, err := s.Item(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	if it.Ask == nil {
		return nil, errs.New(errs.Conflict, "这条通知不需要回复。")
	}
	if choice < 0 || choice >= len(it.Ask.Options) {
		return nil, errs.Bad("choice", "请从给出的选项中选择一项。")
	}
	if text, err = plainText("text", text, maxAnswer); err != nil {
		return nil, err
	}
	it.Answer = &Answer{Choice: choice, Text: text, At: s.Clock.Now()}
	if err := s.Store.SaveAnswer(ctx, actor.ID, id, *it.Answer); err != nil {
		return nil, err
	}
	if it.ReadAt.IsZero() {
		it.ReadAt = it.Answer.At
	}
	return it, s.note(ctx, actor, it)
}

// member asks for the right of people who receive notices. Others have no inbox.
func member(actor *authz.Actor) error {
	if actor == nil || actor.Kind != authz.Member || !actor.Has(Receive) {
		return errs.New(errs.Forbidden, "只有在册党员可以查看自己的消息。")
	}
	return nil
}
