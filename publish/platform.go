package publish

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrKind tells failures of a platform apart by what the queue does next.
type ErrKind string

const (
	KindTransient ErrKind = "transient" // try again soon
	KindPermanent ErrKind = "permanent" // this content or call will never pass
	KindAuth      ErrKind = "auth"      // credentials, IP list or permission: a person must act
	KindQuota     ErrKind = "quota"     // allowed again at NotBefore
	KindUnknown   ErrKind = "unknown"   // it may have been accepted
)

// PlatformError is what every Platform method returns on failure. Msg is a
// Chinese sentence that says what to do; Cause is for the log and holds no secret.
type PlatformError struct {
	Kind      ErrKind
	Code      int
	Msg       string
	NotBefore time.Time // with KindQuota: when it is worth trying again
	Cause     error
}

func (e *PlatformError) Error() string {
	return fmt.Sprintf("platform %s %d: %s: %v", e.Kind, e.Code, e.Msg, e.Cause)
}

func (e *PlatformError) Unwrap() error { return e.Cause }

// AsPlatformError reads err; a foreign error counts as unknown, the careful reading.
func AsPlatformError(err error) *PlatformError {
	var pe *PlatformError
	if errors.As(err, &pe) {
		return pe
	}
	return &PlatformError{Kind: KindUnknown, Msg: "平台没有给出明确答复。", Cause: err}
}

// Rendered is one article in the form a platform receives.
type Rendered struct {
	Kind        ArticleKind
	Title       string
	Author      string
	Digest      string
	HTML        string // inline style only, pictures by platform URL
	Text        string // plain text of a picture post
	CoverID     string // platform id of the cover
	CropWide    string // "x1_y1_x2_y2" or empty
	CropSquare  string
	ImageIDs    []string // platform ids of a picture post
	SourceURL   string
	OpenComment bool
	FansOnly    bool
}

// Found is an article that a platform lists as published.
type Found struct {
	ArticleID string
	Titles    []string
	Digests   []string
	CoverIDs  []string
	Texts     []string // HTML or text as the platform returns it
	URLs      []string
	Updated   time.Time
}

// Outcome is the platform's word on an accepted submit.
type Outcome struct {
	State     OutcomeState
	ArticleID string
	URLs      []string
	Code      int    // the platform's status number
	Msg       string // Chinese sentence
}

// OutcomeState of an accepted submit.
type OutcomeState string

const (
	OutcomeRunning   OutcomeState = "running"
	OutcomePublished OutcomeState = "published"
	OutcomeFailed    OutcomeState = "failed"
	OutcomeRemoved   OutcomeState = "removed" // deleted or banned afterwards
)

// Figures are the readings of one article on one day.
type Figures struct {
	Day    string `json:"day" doc:"YYYY-MM-DD in Asia/Shanghai"`
	Reads  int    `json:"reads"`
	People int    `json:"people"`
	Shares int    `json:"shares"`
	Likes  int    `json:"likes"`
}

// Platform brings content to readers. Every method answers with *PlatformError
// on failure. Submit is the only call whose repetition readers would notice:
// the queue stores its intent first and never calls it twice for a delivery.
type Platform interface {
	// UploadPicture stores a picture for article bodies and returns its URL there.
	UploadPicture(ctx context.Context, a Account, data []byte, mime string) (url string, err error)
	// UploadCover stores a permanent picture and returns its id.
	UploadCover(ctx context.Context, a Account, data []byte, mime string) (id string, err error)
	// SaveDraft stores the articles as one draft. A repetition leaves a second
	// draft in the box, which no reader sees.
	SaveDraft(ctx context.Context, a Account, articles []Rendered) (draftID string, err error)
	// DropDraft removes a draft that is no longer wanted; an absent draft is no error.
	DropDraft(ctx context.Context, a Account, draftID string) error
	// DraftExists reports whether the draft is still in the box.
	DraftExists(ctx context.Context, a Account, draftID string) (bool, error)
	// Submit publishes or mass-sends the draft. clientID (≤ 32 characters) names
	// the delivery for platforms that remove duplicates themselves.
	Submit(ctx context.Context, a Account, draftID string, mode Mode, clientID string) (Receipt, error)
	// Result asks what became of an accepted submit.
	Result(ctx context.Context, a Account, r Receipt, mode Mode) (Outcome, error)
	// Recent lists published articles, newest first, at most 20 a page.
	Recent(ctx context.Context, a Account, offset int) (found []Found, more bool, err error)
	// Retract takes the whole message back from readers.
	Retract(ctx context.Context, a Account, d Delivery) error
	// Figures reads the article's numbers for one day.
	Figures(ctx context.Context, a Account, d Delivery, day time.Time) ([]Figures, error)
	// Health looks at credentials, IP list, permissions and quotas.
	Health(ctx context.Context, a Account) ([]Check, error)
}
