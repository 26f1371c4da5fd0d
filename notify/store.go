package notify

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
// and leaves nothing behind; an entry is stored in the transaction of the
// change. Lists return up to Limit+1 rows, newest first.
type Store interface {
	InboxStore
	CampaignStore
	SendStore
	GrantStore
	SettingsStore
}

// InboxStore keeps what members received. Its rows are the record themselves:
// reading and answering leave no audit entry.
type InboxStore interface {
	Inbox(ctx context.Context, f InboxFilter, r page.Request) ([]Item, error) // the cursor is a Seq
	UnreadCount(ctx context.Context, member ids.ID) (int, error)
	InboxItem(ctx context.Context, member, campaign ids.ID) (*Item, string, error) // with the body's Markdown
	MarkRead(ctx context.Context, member, campaign ids.ID) error
	MarkAllRead(ctx context.Context, member, upTo ids.ID) error
	// SaveAnswer also marks the notice as read.
	SaveAnswer(ctx context.Context, member, campaign ids.ID, a Answer) error
}

// CampaignStore keeps campaigns and writes inboxes.
type CampaignStore interface {
	// CreateCampaign honours the idempotency key, and the Dedupe of c: it returns
	// the id that stands. With a pause, errs.TooMany when the organisation
	// reminded of c.RemindOf within it.
	CreateCampaign(ctx context.Context, c *Campaign, pause time.Duration, e trail.Entry) (ids.ID, error)
	Campaign(ctx context.Context, id ids.ID) (*Campaign, error)
	Campaigns(ctx context.Context, f CampaignFilter, r page.Request) ([]Campaign, error)
	SaveCampaign(ctx context.Context, c *Campaign, expect int64, e trail.Entry) error
	DeleteCampaign(ctx context.Context, id ids.ID, expect int64, e trail.Entry) error

	// Reach counts the people of a target.
	Reach(ctx context.Context, t Target, way Way) (*Reach, error)
	// FanOut writes the next inbox rows of a campaign, at most n, and the sends
	// beside them, when its fence is still as in c; it raises c.Fence. done tells
	// that it wrote the last and moved the campaign on.
	FanOut(ctx context.Context, c *Campaign, way Way, owner string, until time.Time, n int) (done bool, err error)
	// ClaimFanOut leases one campaign in state fanning whose lease is free; nil:
	// there is none.
	ClaimFanOut(ctx context.Context, owner string, now, until time.Time) (*Campaign, error)

	// Progress counts what became of the sends.
	Progress(ctx context.Context, id ids.ID) (*Progress, error)
	// Recipients lists the people of a campaign within a scope, by member id.
	Recipients(ctx context.Context, f RecipientFilter, r page.Request) ([]Recipient, error)
	// Branches counts readers and answers for each branch of a scope.
	Branches(ctx context.Context, id ids.ID, scope authz.Scope) ([]BranchCount, error)
}

// CampaignFilter narrows a list; zero fields do not.
type CampaignFilter struct {
	Scope authz.Scope // whose campaigns
	Above []ids.ID    // started ones of these organisations too
	State State
	Query string
}
