package publish

import (
	"context"
	"io"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
)

// Store keeps everything of this domain. Contract for all methods: a missing
// row is errs.NotFound; a write that finds another version than expected is
// errs.Stale and leaves nothing behind; the audit entry is stored in the same
// transaction as the change. Lists with a page.Request return up to one row more
// than its limit, newest first, for page.Of.
type Store interface {
	PostStore
	QueueStore
	AccountStore
	MediaStore
	WordStore
	PlanStore
	NoticeStore
	ReadingStore
}

// PostStore keeps posts, revisions, reviews and comments.
type PostStore interface {
	// CreatePost inserts p with its first revision. When the request carries an
	// idempotency key that was used before, it writes nothing and returns the
	// id of the post made then.
	CreatePost(ctx context.Context, p *Post, e trail.Entry) (ids.ID, error)
	Post(ctx context.Context, id ids.ID) (*Post, error)
	// PostHead is Post without its content, and how many articles that has: all
	// that rights and small changes need.
	PostHead(ctx context.Context, id ids.ID) (p *Post, articles int, err error)
	ListPosts(ctx context.Context, f PostFilter, r page.Request) ([]Summary, error)
	// Commit applies one change of a post atomically; see Change.
	Commit(ctx context.Context, c Change) error
	// DeletePost removes a post that never had a delivery.
	DeletePost(ctx context.Context, id ids.ID, expect int64, e trail.Entry) error

	// Revisions lists without contents; the cursor is a version.
	Revisions(ctx context.Context, post ids.ID, r page.Request) ([]Revision, error)
	// Revision is the content as it stood at a version of the post: the newest
	// revision not above it.
	Revision(ctx context.Context, post ids.ID, version int64) (*Revision, error)
	Reviews(ctx context.Context, post ids.ID) ([]Review, error)
	Comments(ctx context.Context, post ids.ID) ([]Comment, error)
	Comment(ctx context.Context, id ids.ID) (*Comment, error)
	AddComment(ctx context.Context, c *Comment, e trail.Entry) (ids.ID, error)
	ResolveComment(ctx context.Context, id ids.ID, by string, at time.Time, e trail.Entry) error
	// Fingerprints returns the near-duplicate fingerprints of posts of the
	// scope changed since a time, newest first, at most 2,000.
	Fingerprints(ctx context.Context, scope authz.Scope, since time.Time) ([]Fingerprint, error)
	// ThinRevisions keeps of the autosaves before a time one per ten minutes, and
	// all whose content is current, approved, reviewed or delivered. It also
	// sweeps contents that nothing names any more.
	ThinRevisions(ctx context.Context, before time.Time) (int, error)
}

// Change is one atomic step of a post. Post.Version must be Expect+1.
type Change struct {
	Post        *Post
	Expect      int64
	Revision    *Revision   // newly saved content, if it changed
	Fingerprint uint64      // of that content
	Review      *Review     // a decision
	Add         []*Delivery // new deliveries
	// Cancel and MoveTo touch the post's deliveries that still wait; the count
	// of those that were too late is returned in Late through the error
	// errs.Conflict only when All of them were too late. The store sets
	// Post.State to what follows: a post that is taken out of the queue
	// (Approved) stays Queued while a delivery is under way and is Finished when
	// one was published; a Queued one with none left is Finished.
	Cancel bool
	MoveTo time.Time
	Entry  trail.Entry
}

// PostFilter narrows a list; the zero fields do not.
type PostFilter struct {
	Scope     authz.Scope // required
	State     PostState
	Delivery  DeliveryState // posts with a delivery in this state
	OrgID     ids.ID
	AccountID ids.ID
	AuthorID  ids.ID
	Query     string // part of the title
	Level     int    // with State InReview: waits at this level
	NotEditor ids.ID // leaves out posts that this person wrote or changed
}

// Summary is a post in a list.
type Summary struct {
	ID         ids.ID           `json:"id"`
	OrgID      ids.ID           `json:"orgId"`
	OrgName    string           `json:"orgName"`
	OrgPath    string           `json:"-"`
	Title      string           `json:"title"`
	State      PostState        `json:"state" enum:"draft,in_review,returned,approved,queued,finished"`
	Version    int64            `json:"version"`
	Level      int              `json:"level"`
	Levels     int              `json:"levels"`
	ReviewDue  time.Time        `json:"reviewDue,omitzero"`
	AuthorName string           `json:"authorName"`
	Articles   int              `json:"articles"`
	Cover      string           `json:"cover,omitempty" doc:"asset hash"`
	DueAt      time.Time        `json:"dueAt,omitzero"`
	UpdatedAt  time.Time        `json:"updatedAt"`
	UpdatedBy  string           `json:"updatedBy"`
	Deliveries []DeliverySketch `json:"deliveries"`
}

// DeliverySketch is a delivery in a list of posts.
type DeliverySketch struct {
	ID          ids.ID        `json:"id"`
	AccountID   ids.ID        `json:"accountId"`
	AccountName string        `json:"accountName"`
	Mode        Mode          `json:"mode" enum:"publish,mass,draft"`
	State       DeliveryState `json:"state" enum:"waiting,submitting,submitted,unknown,by_hand,published,failed,cancelled,retracted"`
	Step        Step          `json:"step"`
	DueAt       time.Time     `json:"dueAt"`
	Note        string        `json:"note,omitempty"`
	URL         string        `json:"url,omitempty"`
}

// Fingerprint is what near-duplicate search needs of a post.
type Fingerprint struct {
	PostID  ids.ID
	OrgPath string
	Title   string
	Hash    string
	Sim     uint64
}

// QueueStore is the queue of record.
type QueueStore interface {
	// Claim leases up to limit deliveries of the part that are due for a look,
	// whose lease is free and whose account is not paused, in order of NextAt.
	Claim(ctx context.Context, owner string, now, until time.Time, part Part, limit int) ([]*Delivery, error)
	// NextDue is the earliest NextAt (or lease end) of all that Claim could
	// return some time; zero when there is nothing.
	NextDue(ctx context.Context, part Part) (time.Time, error)
	// SaveDelivery stores d when its stored version is still expect, else
	// errs.Stale. With a note it adds an event to the timeline, with an entry an
	// audit row. When d is over and the last of its post, the post is finished
	// in the same transaction. A published delivery claims its ArticleID: when
	// another delivery of the account holds it already, errs.Conflict. d.Version
	// is raised on success.
	SaveDelivery(ctx context.Context, d *Delivery, expect int64, note string, e *trail.Entry) error
	Delivery(ctx context.Context, id ids.ID) (*Delivery, error)
	DeliveriesOf(ctx context.Context, post ids.ID) ([]Delivery, error)
	ListDeliveries(ctx context.Context, f DeliveryFilter, r page.Request) ([]Delivery, error)
	DeliveryEvents(ctx context.Context, id ids.ID) ([]Event, error)
	DeliveryByReceipt(ctx context.Context, account ids.ID, r Receipt) (*Delivery, error)
	// ClaimedArticles tells which of the platform's article ids already belong
	// to a delivery of the account.
	ClaimedArticles(ctx context.Context, account ids.ID, articleIDs []string) (map[string]bool, error)

	// SavePlatformEvent stores a callback once; false when it was known already.
	SavePlatformEvent(ctx context.Context, ev PlatformEvent) (bool, error)
	// PlatformEvents lists stored events of an account since a time that no
	// delivery has claimed, oldest first.
	PlatformEvents(ctx context.Context, account ids.ID, since time.Time) ([]PlatformEvent, error)
	// UnknownMass counts the account's mass sends to which an event without a
	// known receipt could belong: outcome unknown, or the submit under way.
	UnknownMass(ctx context.Context, account ids.ID) (int, error)
	ClaimPlatformEvent(ctx context.Context, id, delivery ids.ID) error

	// Uploads returns what the account already holds of these assets: key
	// (Upload.Key) → platform reference.
	Uploads(ctx context.Context, account ids.ID, keys []string) (map[string]string, error)
	// SaveUpload keeps the first reference of a key: drafts hold it already.
	SaveUpload(ctx context.Context, account ids.ID, key, ref string) error

	// Spend counts one call of an account's daily budget (a day of
	// Asia/Shanghai) and reports whether it was within limit; over it nothing is counted.
	Spend(ctx context.Context, account ids.ID, day, call string, limit int) (bool, error)
	Spent(ctx context.Context, account ids.ID, day string) (map[string]int, error)
	// QueueCounts counts the deliveries that are not over, and the failed ones,
	// by state; the time is the earliest DueAt of those that wait.
	QueueCounts(ctx context.Context, scope authz.Scope) (map[DeliveryState]int, time.Time, error)
	SaveFigures(ctx context.Context, delivery ids.ID, f []Figures) error
	FiguresOf(ctx context.Context, delivery ids.ID) ([]Figures, error)
}

// Part is the part of the queue that a claim is about; the zero value is all.
type Part struct {
	States  []DeliveryState // empty: any
	Without []ids.ID        // accounts that hold all the places they may
}

// DeliveryFilter narrows a list of deliveries.
type DeliveryFilter struct {
	Scope     authz.Scope // required
	States    []DeliveryState
	AccountID ids.ID
	OrgID     ids.ID
	From, To  time.Time // DueAt in [From, To)
}

// AccountStore keeps accounts; secrets are sealed by the implementation.
type AccountStore interface {
	CreateAccount(ctx context.Context, a *Account, e trail.Entry) (ids.ID, error)
	Account(ctx context.Context, id ids.ID) (*Account, error)
	AccountByApp(ctx context.Context, platform, appID string) (*Account, error)
	// ListAccounts leaves Secrets empty: never save what it returns.
	ListAccounts(ctx context.Context, scope authz.Scope) ([]Account, error)
	// SaveAccount stores everything but health; expect as in Commit.
	SaveAccount(ctx context.Context, a *Account, expect int64, e trail.Entry) error
	SaveHealth(ctx context.Context, id ids.ID, h Health) error
	// LastSuccess tells when each account of the scope last published a post;
	// accounts that never did are absent.
	LastSuccess(ctx context.Context, scope authz.Scope) (map[ids.ID]time.Time, error)
	DeleteAccount(ctx context.Context, id ids.ID, expect int64, e trail.Entry) error
	// WakeAccount makes the account's deliveries in this state due for a look
	// now: waiting ones when its keys were mended or it was resumed, unknown ones
	// when it sent an event that belongs to none. Versions stay, so a worker in
	// the middle is not disturbed.
	WakeAccount(ctx context.Context, id ids.ID, now time.Time, state DeliveryState) error
}

// MediaStore keeps the media library's records; bytes are in Blobs.
type MediaStore interface {
	// SaveAsset inserts the asset for its organisation, or returns the one the
	// organisation already has of the same hash.
	SaveAsset(ctx context.Context, a *Asset, e trail.Entry) (*Asset, error)
	// Asset finds the asset of this hash in any organisation of the scope.
	Asset(ctx context.Context, scope authz.Scope, hash string) (*Asset, error)
	ListAssets(ctx context.Context, scope authz.Scope, org ids.ID, query string, r page.Request) ([]Asset, error)
	UpdateAsset(ctx context.Context, a *Asset, e trail.Entry) error
	DeleteAsset(ctx context.Context, id ids.ID, e trail.Entry) error
	// AssetCopies lists the assets of this hash in all organisations, oldest first.
	AssetCopies(ctx context.Context, hash string) ([]Asset, error)
	// AssetUses counts the posts of the scope whose current content, approved
	// revision or delivered content holds the hash, and the questions of which any
	// revision does.
	AssetUses(ctx context.Context, scope authz.Scope, hash string) (int, error)
}

// Blobs keeps bytes by their SHA-256.
type Blobs interface {
	Put(ctx context.Context, r io.Reader, limit int64) (hash string, size int64, err error)
	Open(ctx context.Context, hash string) (io.ReadCloser, int64, error)
}

// WordStore keeps the house's list of sensitive and easily mistyped words.
type WordStore interface {
	Words(ctx context.Context) ([]Word, error)
	SaveWord(ctx context.Context, w *Word, e trail.Entry) error
	DeleteWord(ctx context.Context, id ids.ID, e trail.Entry) error
}

// PlanStore keeps weekly slots and calendar links.
type PlanStore interface {
	Slots(ctx context.Context, scope authz.Scope) ([]Slot, error)
	AddSlot(ctx context.Context, s *Slot, e trail.Entry) error
	DeleteSlot(ctx context.Context, id ids.ID, e trail.Entry) error
	// CalendarToken finds whose calendar a link's token hash opens.
	CalendarOwner(ctx context.Context, tokenHash string) (ids.ID, error)
	SaveCalendarToken(ctx context.Context, owner ids.ID, tokenHash string) error
}
