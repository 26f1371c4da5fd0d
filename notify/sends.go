package notify

import (
	"context"
	"errors"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
	"tongxin/internal/page"
)

// SendState is what became of one message of a platform.
type SendState string

// States: 等待, 正在发送, 已发送, 未发送, 结果不明, 无法送达.
const (
	SendWaiting SendState = "waiting"
	SendIntent  SendState = "sending" // stored before the call
	SendSent    SendState = "sent"
	SendFailed  SendState = "failed"
	SendUnknown SendState = "unknown" // no clear answer: never repeated
	SendSkipped SendState = "skipped" // no way left to reach the person; the inbox has it
	SendStopped SendState = "stopped" // the campaign was cancelled before
)

// Outgoing is one message of a platform, claimed and about to go.
type Outgoing struct {
	MemberID ids.ID
	OpenID   string
	Version  int64
	Attempt  int
	At       time.Time // its place in the rate
}

// Claim asks for messages of one campaign and one channel.
type Claim struct {
	Campaign ids.ID
	Template Template
	Next     Channel // where those go who cannot be reached by this one; "": nowhere
	Rate     float64 // a second, of the account, over all nodes
	Owner    string
	Now      time.Time
	Until    time.Time // end of the lease
	Max      int
}

// Shape of the rate: how far ahead messages are spoken for, and how much of
// what was missed may be caught up.
const (
	Horizon = 300 * time.Millisecond
	Burst   = time.Second
)

// Claimed is what a claim got.
type Claimed struct {
	Sends []Outgoing
	Moved int           // rows that went to another channel or nowhere
	Wait  time.Duration // when there was no room in the rate
}

// Result of one message.
type Result struct {
	Campaign, Member ids.ID
	Version          int64 // of the claim
	Template         string
	State            SendState
	Channel          Channel // another one than before; "": the same
	Kind             OutcomeKind
	Code             int
	Note             string
	MsgID            string
	NextAt           time.Time // of SendWaiting
	Attempt          int
	GiveBack         bool // the grant that was taken was not used
	Empty            bool // the platform says that there is no grant left
	At               time.Time
}

// SendStore is the queue of messages. Its rows are the record themselves.
type SendStore interface {
	// SendingCampaigns lists the campaigns in state sending, without bodies.
	SendingCampaigns(ctx context.Context) ([]Campaign, error)
	// ClaimSends stores the intent to send: it takes from the account's rate,
	// from each member's grants where the channel needs one, and leases the rows.
	// Only rows of a campaign that is still sending are claimed.
	ClaimSends(ctx context.Context, c Claim) (*Claimed, error)
	// StoreResults keeps results whose claim still stands; it returns how many.
	StoreResults(ctx context.Context, list []Result) (int, error)
	// LoseSends makes unknown what was being sent by a node whose lease ended.
	LoseSends(ctx context.Context, now time.Time) (int, error)
	// NextSend is the earliest time at which a waiting row of a campaign is due.
	NextSend(ctx context.Context, id ids.ID) (time.Time, error)
	// FinishCampaign moves a campaign on when nothing waits any more.
	FinishCampaign(ctx context.Context, id ids.ID) (bool, error)
	// HaltCampaign pauses a campaign that is sending and says why.
	HaltCampaign(ctx context.Context, id ids.ID, problem string) error
	// DeferSends makes what waits for a channel of a campaign wait until a time.
	DeferSends(ctx context.Context, id ids.ID, channel Channel, until time.Time) error
	// SentMessage finds a message by its receipt: an event of the platform.
	SentMessage(ctx context.Context, msgID string) (campaign, member ids.ID, err error)
	// SettleSend replaces the outcome of a message that was sent or unknown: the
	// platform said later what became of it.
	SettleSend(ctx context.Context, campaign, member ids.ID, state SendState, code int, note string) error
}

// Progress of the messages of a campaign.
type Progress struct {
	Total    int            `json:"total" doc:"people who can be reached by a message"`
	ByState  map[string]int `json:"byState" doc:"waiting, sending, sent, failed, unknown, skipped, stopped"`
	Read     int            `json:"read"`
	Answered int            `json:"answered"`
	Choices  []int          `json:"choices,omitempty" doc:"answers for each option"`
	Seconds  int            `json:"seconds" doc:"estimate until the last message is sent; 0: nothing to send"`
	Rate     float64        `json:"rate" doc:"messages a second that the account allows"`
}

// Recipient is one person of a campaign.
type Recipient struct {
	MemberID ids.ID      `json:"memberId"`
	Name     string      `json:"name"`
	OrgID    ids.ID      `json:"orgId"`
	OrgName  string      `json:"orgName"`
	ReadAt   time.Time   `json:"readAt,omitzero"`
	Answer   *Answer     `json:"answer,omitempty"`
	Outcome  string      `json:"outcome" doc:"inbox: no message beside it; else the state of the message" enum:"inbox,waiting,sending,sent,failed,unknown,skipped,stopped"`
	Channel  Channel     `json:"channel,omitempty"`
	Kind     OutcomeKind `json:"kind,omitempty"`
	Code     int         `json:"code,omitempty" doc:"the platform's number"`
	Note     string      `json:"note,omitempty" doc:"what the platform said, and what to do"`
	At       time.Time   `json:"at,omitzero" doc:"of the outcome"`
}

// RecipientFilter narrows a list of recipients.
type RecipientFilter struct {
	Campaign ids.ID
	Scope    authz.Scope // of the people
	Under    string
	Outcome  string
	Kind     OutcomeKind
	Missing  string // "read" or "answer": who did not
}

// BranchCount is how a branch took a notice.
type BranchCount struct {
	OrgID    ids.ID `json:"orgId"`
	OrgName  string `json:"orgName"`
	Total    int    `json:"total"`
	Read     int    `json:"read"`
	Answered int    `json:"answered"`
}

// Message is one message as it goes to the platform.
type Message struct {
	Channel    Channel
	AppID      string
	OpenID     string
	TemplateID string
	Page       string
	Ref        string            // the same for a repeated message of one campaign
	Values     map[string]string // by field of the template
}

// Pusher sends one message. It fails with a *PushError.
type Pusher interface {
	Push(ctx context.Context, m Message) (msgID string, err error)
}

// PushError is a message that was not sent, or of which nobody knows.
type PushError struct {
	Code    int         // of the platform; 0: none
	Field   string      // the wrong field of the template, when it is named
	Unknown bool        // it may have arrived
	Kind    OutcomeKind // when the table of codes does not know the code
	Msg     string      // for people
	RetryAt time.Time
	Cause   error
}

func (e *PushError) Error() string { return "notify: push: " + e.Msg }
func (e *PushError) Unwrap() error { return e.Cause }

// pushError reads an error of a Pusher; one that says nothing is unknown.
func pushError(err error) *PushError {
	var pe *PushError
	if errors.As(err, &pe) {
		return pe
	}
	return &PushError{Unknown: true, Msg: "没有收到明确的答复，可能已经送达。", Cause: err}
}

// Recipients lists the people of a campaign that the actor may see: those of
// the actor's own scope, also when an organisation above sent it.
func (s *Service) Recipients(ctx context.Context, actor *authz.Actor, f RecipientFilter, org ids.ID, r page.Request) (*page.Result[Recipient], error) {
	if _, err := s.seen(ctx, actor, f.Campaign); err != nil {
		return nil, err
	}
	f.Scope = actor.Scope(Send)
	if org != 0 {
		o, err := s.mine(ctx, actor, org)
		if err != nil {
			return nil, err
		}
		f.Under = o.Path
	}
	rows, err := s.Store.Recipients(ctx, f, r)
	if err != nil {
		return nil, err
	}
	if err := s.hide(ctx, f.Campaign, rows); err != nil {
		return nil, err
	}
	res := page.Of(rows, r.Limit, func(x Recipient) ids.ID { return x.MemberID })
	return &res, nil
}

// BranchCounts is how the branches of the actor's scope took a notice.
type BranchCounts struct {
	Items []BranchCount `json:"items"`
}

// Branches counts readers and answers for each branch of the actor's scope.
func (s *Service) Branches(ctx context.Context, actor *authz.Actor, id ids.ID) (*BranchCounts, error) {
	if _, err := s.seen(ctx, actor, id); err != nil {
		return nil, err
	}
	list, err := s.Store.Branches(ctx, id, actor.Scope(Send))
	if list == nil {
		list = []BranchCount{}
	}
	return &BranchCounts{Items: list}, err
}
