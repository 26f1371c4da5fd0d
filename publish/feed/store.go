package feed

import (
	"context"
	"time"

	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
	"tongxin/publish"
)

// Store keeps feeds. A missing row is errs.NotFound; a write that finds another
// version than expected is errs.Stale and leaves nothing behind.
type Store interface {
	// SavePicture notes that the account holds the picture; once is enough.
	SavePicture(ctx context.Context, account ids.ID, p Picture) error
	// Picture finds a picture only while a published item of the account shows it.
	Picture(ctx context.Context, account ids.ID, hash string) (*Picture, error)

	AddDraft(ctx context.Context, d *Draft) error
	Draft(ctx context.Context, account, id ids.ID) (*Draft, error)
	// DropDraft removes a draft; an absent one is no error.
	DropDraft(ctx context.Context, account, id ids.ID) error

	// Publish makes the message of the draft public, removes the draft and adds
	// a job per enabled webhook of the account, in one transaction. When the
	// account already has a message of m.ClientID it writes nothing and returns
	// that one. A draft that is gone is errs.NotFound.
	Publish(ctx context.Context, m *Message, draft ids.ID, ev Event) (*Message, error)
	// MessageByClient finds what an earlier Publish made.
	MessageByClient(ctx context.Context, account ids.ID, clientID string) (*Message, error)
	Message(ctx context.Context, account, id ids.ID) (*Message, error)
	// Messages lists messages that are out, newest first, with their items.
	Messages(ctx context.Context, account ids.ID, offset, limit int) ([]Message, error)
	// Remove takes a message and its items back and adds the jobs; a message
	// that was removed before is left alone and adds nothing.
	Remove(ctx context.Context, account, message ids.ID, ev Event) error
	// Items lists items that are out, newest first.
	Items(ctx context.Context, account ids.ID, limit int) ([]Item, error)
	// Item finds an item, also a removed one.
	Item(ctx context.Context, account, id ids.ID) (*Item, error)
	// Stamp changes whenever an item of the account appears or goes.
	Stamp(ctx context.Context, account ids.ID) (string, error)

	HookStore
	// Sweep removes drafts made before drafts, and jobs that ended before jobs.
	Sweep(ctx context.Context, drafts, jobs time.Time) (int, error)
}

// HookStore keeps webhooks and their jobs; secrets are sealed by the implementation.
type HookStore interface {
	// AddWebhook is idempotent by the request's key, like other creating calls:
	// it returns the id of the webhook made then. errs.Invalid when the account
	// has the address already.
	AddWebhook(ctx context.Context, h *Webhook, e trail.Entry) (ids.ID, error)
	Webhook(ctx context.Context, id ids.ID) (*Webhook, error)
	Webhooks(ctx context.Context, account ids.ID) ([]Webhook, error)
	// SaveWebhook stores Enabled and Note.
	SaveWebhook(ctx context.Context, h *Webhook, e trail.Entry) error
	// DeleteWebhook removes it with its jobs and their log.
	DeleteWebhook(ctx context.Context, id ids.ID, e trail.Entry) error
	AddJob(ctx context.Context, hook *Webhook, ev Event) error

	// ClaimJobs leases up to limit waiting jobs whose NextAt has come: NextAt
	// becomes until and Version rises, so no other worker sees them before.
	ClaimJobs(ctx context.Context, owner string, now, until time.Time, limit int) ([]*Job, error)
	// NextJob is the earliest NextAt of all waiting jobs; zero when there is none.
	NextJob(ctx context.Context) (time.Time, error)
	// SaveJob stores the outcome of an attempt with its log line. With disable
	// the webhook is switched off, and that reason becomes its note.
	SaveJob(ctx context.Context, j *Job, expect int64, a Attempt, disable string) error
	// Jobs lists an account's jobs, newest first, one row more than the limit.
	Jobs(ctx context.Context, account ids.ID, r page.Request) ([]Job, error)
	// Attempts is the log of a job of the account, oldest first.
	Attempts(ctx context.Context, account, job ids.ID) ([]Attempt, error)
	// HookHealth counts the account's webhooks and its jobs that gave up since a time.
	HookHealth(ctx context.Context, account ids.ID, since time.Time) (hooks, disabled, failed int, err error)
}

// Picture that an account holds.
type Picture struct {
	Hash string
	Mime string
}

// Draft is what SaveDraft stored.
type Draft struct {
	ID        ids.ID
	AccountID ids.ID
	Articles  []publish.Rendered
	CreatedAt time.Time
}

// Message is one submitted draft: 1–8 items.
type Message struct {
	ID          ids.ID
	AccountID   ids.ID
	ClientID    string // unique in the account
	PublishedAt time.Time
	RemovedAt   time.Time
	Items       []Item
}

// Item is one article of the public feed.
type Item struct {
	ID          ids.ID
	AccountID   ids.ID
	MessageID   ids.ID
	Position    int
	Title       string
	Author      string
	Digest      string
	HTML        string // sanitised; pictures by their public address
	Cover       string // hash of a Picture, or empty
	SourceURL   string
	Pictures    []string // hashes that the item shows, the cover included
	PublishedAt time.Time
	RemovedAt   time.Time
}

// Webhook is an address that is told of every message of an account.
type Webhook struct {
	ID        ids.ID    `json:"id"`
	AccountID ids.ID    `json:"accountId"`
	URL       string    `json:"url"`
	Secret    []byte    `json:"-"`
	Enabled   bool      `json:"enabled"`
	Note      string    `json:"note,omitempty" doc:"why it was switched off"`
	CreatedBy string    `json:"createdBy"`
	CreatedAt time.Time `json:"createdAt"`
}

// Event is what webhooks are told; Body is the exact JSON that is signed.
type Event struct {
	Type string
	Body string
	At   time.Time
}

// JobState of one delivery to one webhook.
type JobState string

const (
	JobWaiting JobState = "waiting"
	JobDone    JobState = "done"
	JobFailed  JobState = "failed" // gave up
)

// Job is one event for one webhook.
type Job struct {
	ID         ids.ID    `json:"id"`
	WebhookID  ids.ID    `json:"webhookId"`
	AccountID  ids.ID    `json:"-"`
	Event      string    `json:"event" enum:"post.published,post.retracted,ping"`
	Body       string    `json:"-"`
	State      JobState  `json:"state" enum:"waiting,done,failed"`
	Attempt    int       `json:"attempt" doc:"tries so far"`
	NextAt     time.Time `json:"nextAt,omitzero" doc:"next try, or end of the lease of the one under way"`
	LeaseOwner string    `json:"-"`
	Version    int64     `json:"-"`
	Status     int       `json:"status,omitempty" doc:"HTTP status of the last try"`
	Note       string    `json:"note,omitempty"`
	CreatedAt  time.Time `json:"createdAt"`
	DoneAt     time.Time `json:"doneAt,omitzero"`
}

// Attempt is one line of a job's log.
type Attempt struct {
	Attempt int       `json:"attempt"`
	At      time.Time `json:"at"`
	Status  int       `json:"status,omitempty" doc:"HTTP status; absent when there was no answer"`
	Millis  int       `json:"millis" doc:"how long it took"`
	Note    string    `json:"note"`
}
