package publish

import (
	"time"

	"tongxin/internal/ids"
)

// Mode is how an account brings posts to its readers.
type Mode string

const (
	ModePublish Mode = "publish" // 发布: no push to followers
	ModeMass    Mode = "mass"    // 群发: pushed, small quota
	ModeDraft   Mode = "draft"   // draft only; a person publishes by hand
)

// DeliveryState is where one post stands on one account.
type DeliveryState string

const (
	Waiting    DeliveryState = "waiting"    // in the queue; may still be cancelled
	Submitting DeliveryState = "submitting" // intent to submit is on disk: no way back
	Submitted  DeliveryState = "submitted"  // accepted by the platform, result awaited
	Unknown    DeliveryState = "unknown"    // the submit's outcome is not known; never repeated
	ByHand     DeliveryState = "by_hand"    // draft is in the box, a person publishes it
	Published  DeliveryState = "published"
	Failed     DeliveryState = "failed"
	Cancelled  DeliveryState = "cancelled"
	Retracted  DeliveryState = "retracted" // taken back by us, or deleted or banned on the platform
)

// Over reports an end state: the queue has nothing more to do by itself.
func (s DeliveryState) Over() bool {
	return s == Published || s == Failed || s == Cancelled || s == Retracted
}

// Step is the outside step whose intent was stored last.
type Step string

const (
	StepNone   Step = ""
	StepUpload Step = "upload" // pictures and covers are being uploaded
	StepDraft  Step = "draft"  // the draft is being saved
	StepReady  Step = "ready"  // draft saved; waits for the due time
	StepSubmit Step = "submit" // submit intent stored
	StepResult Step = "result" // waits for the platform's result
)

// Delivery is the unit of the queue: one approved content for one account.
//
// NextAt is when the queue must look again. LeaseUntil and Version fence:
// every stored step compares and raises Version, so a worker that lost its
// lease cannot overwrite.
type Delivery struct {
	ID          ids.ID        `json:"id"`
	PostID      ids.ID        `json:"postId"`
	AccountID   ids.ID        `json:"accountId"`
	AccountName string        `json:"accountName"`
	PostTitle   string        `json:"postTitle"`
	OrgID       ids.ID        `json:"orgId"`
	OrgPath     string        `json:"-"`
	Platform    string        `json:"platform" doc:"kind of the account: wechat or feed"`
	Mode        Mode          `json:"mode" enum:"publish,mass,draft"`
	State       DeliveryState `json:"state" enum:"waiting,submitting,submitted,unknown,by_hand,published,failed,cancelled,retracted"`
	Step        Step          `json:"step"`
	Hash        string        `json:"hash" doc:"content that was approved"`
	PostVersion int64         `json:"-"`
	DueAt       time.Time     `json:"dueAt"`
	NextAt      time.Time     `json:"nextAt,omitzero"`
	LeaseOwner  string        `json:"-"`
	LeaseUntil  time.Time     `json:"-"`
	Version     int64         `json:"version"`
	Attempt     int           `json:"attempt" doc:"failed tries of the present step"`
	DraftID     string        `json:"draftId,omitempty"`
	Receipt     Receipt       `json:"receipt,omitzero"`
	SubmitAt    time.Time     `json:"submitAt,omitzero" doc:"when the intent to submit was stored"`
	DoneAt      time.Time     `json:"doneAt,omitzero"`
	ArticleID   string        `json:"articleId,omitempty"`
	URLs        []string      `json:"urls,omitempty"`
	ErrKind     ErrKind       `json:"errKind,omitempty"`
	ErrCode     int           `json:"errCode,omitempty"`
	Note        string        `json:"note,omitempty" doc:"what happened and what to do, for a person"`
	Polls       int           `json:"polls" doc:"result look-ups so far"`
}

// Receipt is what a platform answers to an accepted submit.
type Receipt struct {
	PublishID string `json:"publishId,omitempty"`
	MsgID     string `json:"msgId,omitempty"`
	MsgDataID string `json:"msgDataId,omitempty"`
}

// Event of a delivery's history, for the timeline a person sees.
type Event struct {
	ID         ids.ID    `json:"id"`
	DeliveryID ids.ID    `json:"deliveryId"`
	At         time.Time `json:"at"`
	State      string    `json:"state"`
	Step       string    `json:"step"`
	Note       string    `json:"note"`
}
