package publish

import (
	"context"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
)

// NoticeKind is what a notice is about.
type NoticeKind string

// Kinds of notices.
const (
	ReviewAsked       NoticeKind = "review_asked"
	ReviewDueSoon     NoticeKind = "review_due_soon"
	ReviewOverdue     NoticeKind = "review_overdue"
	PostReturned      NoticeKind = "returned"
	PostApproved      NoticeKind = "approved"
	DeliveryByHand    NoticeKind = "by_hand"
	DeliveryFailed    NoticeKind = "delivery_failed"
	DeliveryUnknown   NoticeKind = "delivery_unknown"
	DeliveryPublished NoticeKind = "delivery_published"
	AccountUnwell     NoticeKind = "account_unwell"
)

// NoticeAge is how long notices are kept. Remind makes none about anything that
// began longer ago than two thirds of it, so that what was swept does not return.
const NoticeAge = 90 * 24 * time.Hour

// Notice tells one person what to know or do. Each exists once for a person and
// an occasion (Dedupe), however often and wherever the occasion is seen.
type Notice struct {
	ID         ids.ID     `json:"id"`
	AccountID  ids.ID     `json:"-"` // the person's staff account
	Dedupe     string     `json:"-"`
	OrgID      ids.ID     `json:"-"`
	Kind       NoticeKind `json:"kind" enum:"review_asked,review_due_soon,review_overdue,returned,approved,by_hand,delivery_failed,delivery_unknown,delivery_published,account_unwell"`
	PostID     ids.ID     `json:"postId,omitempty"`
	DeliveryID ids.ID     `json:"deliveryId,omitempty"`
	Title      string     `json:"title"`
	Text       string     `json:"text" doc:"what happened and what to do"`
	Link       string     `json:"link" doc:"route of the console"`
	At         time.Time  `json:"at"`
	ReadAt     time.Time  `json:"readAt,omitzero"`
}

// Holder is a person who holds a right.
type Holder struct {
	ID   ids.ID
	Name string
}

// NoticeStore keeps notices and finds the occasions for them. The lists give up
// to limit rows in a fixed order; a list is over when it gives fewer.
type NoticeStore interface {
	// AddNotices stores those that are new for their person and occasion and
	// returns how many that were.
	AddNotices(ctx context.Context, list []Notice) (int, error)
	// Notices lists newest first, as page.Of wants it.
	Notices(ctx context.Context, f NoticeFilter, r page.Request) ([]Notice, error)
	CountNotices(ctx context.Context, f NoticeFilter) (int, error)
	// ReadNotice marks one notice of the filter; errs.NotFound when it is none
	// of them. ReadNotices marks all of the filter up to an id (0: all).
	ReadNotice(ctx context.Context, f NoticeFilter, id ids.ID, at time.Time) error
	ReadNotices(ctx context.Context, f NoticeFilter, upTo ids.ID, at time.Time) error
	// SweepNotices deletes what was made before a time.
	SweepNotices(ctx context.Context, before time.Time) (int, error)

	// PostsInReview lists by id, without contents.
	PostsInReview(ctx context.Context, after ids.ID, limit int) ([]Post, error)
	// PostsDecided lists the approved and returned posts that changed since a
	// time, without contents, in the order of (UpdatedAt, ID) after a row.
	PostsDecided(ctx context.Context, since time.Time, after Post, limit int) ([]Post, error)
	// DeliveriesOpen lists by id what waits for a person: unknown and by hand.
	DeliveriesOpen(ctx context.Context, after ids.ID, limit int) ([]Attention, error)
	// DeliveriesEnded lists the events after one (see ids.From) by which a
	// delivery came to the failed or published state that it still has.
	DeliveriesEnded(ctx context.Context, after ids.ID, limit int) ([]Attention, error)
	// AccountsRefused names the accounts whose deliveries, due by a time, wait
	// because the platform refused the credentials.
	AccountsRefused(ctx context.Context, dueBy time.Time) ([]ids.ID, error)
}

// NoticeFilter is whose notices, and where the person may still see what they
// are about: who lost a right reads no old titles. All fields are required but
// Unread.
type NoticeFilter struct {
	AccountID ids.ID
	Posts     authz.Scope // of notices about posts and deliveries
	Accounts  authz.Scope // of notices about accounts
	Unread    bool
}

// Attention is a delivery in as many words as a notice needs.
type Attention struct {
	Event       ids.ID // of DeliveriesEnded: where it stands in the list
	ID          ids.ID
	PostID      ids.ID
	PostTitle   string
	AuthorID    ids.ID
	OrgID       ids.ID
	OrgPath     string
	AccountName string
	State       DeliveryState
	Note        string
	Since       time.Time // when it came to its state
}

func ownNotices(actor *authz.Actor, unread bool) NoticeFilter {
	return NoticeFilter{AccountID: actor.ID, Posts: actor.Scope(PostRead), Accounts: actor.Scope(AccountManage), Unread: unread}
}

// Notices lists the actor's own notices, newest first.
func (s *Service) Notices(ctx context.Context, actor *authz.Actor, unread bool, r page.Request) (page.Result[Notice], error) {
	rows, err := s.Store.Notices(ctx, ownNotices(actor, unread), r)
	if err != nil {
		return page.Result[Notice]{}, err
	}
	return page.Of(rows, r.Limit, func(n Notice) ids.ID { return n.ID }), nil
}

// UnreadNotices counts what the actor has not read.
func (s *Service) UnreadNotices(ctx context.Context, actor *authz.Actor) (int, error) {
	return s.Store.CountNotices(ctx, ownNotices(actor, true))
}

// ReadNotice marks one of the actor's notices as read. It is no business of
// others, so no audit row tells of it.
func (s *Service) ReadNotice(ctx context.Context, actor *authz.Actor, id ids.ID) error {
	if id == 0 {
		return errs.Missing("提醒")
	}
	return s.Store.ReadNotice(ctx, ownNotices(actor, false), id, s.Clock.Now())
}

// ReadNotices marks the actor's notices as read: those up to an id, the newest
// that the person saw, or all.
func (s *Service) ReadNotices(ctx context.Context, actor *authz.Actor, upTo ids.ID) error {
	return s.Store.ReadNotices(ctx, ownNotices(actor, true), upTo, s.Clock.Now())
}
