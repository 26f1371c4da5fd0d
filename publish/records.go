package publish

import (
	"time"

	"tongxin/internal/ids"
)

// Decision of a reviewer.
type Decision string

const (
	Pass   Decision = "pass"
	Return Decision = "return"
)

// Review is one decision of the chain. It names the hash that was read.
type Review struct {
	ID           ids.ID    `json:"id"`
	PostID       ids.ID    `json:"postId"`
	Version      int64     `json:"version"`
	Hash         string    `json:"hash"`
	Level        int       `json:"level"`
	Decision     Decision  `json:"decision" enum:"pass,return"`
	Reason       string    `json:"reason,omitempty"`
	ReviewerID   ids.ID    `json:"reviewerId"`
	ReviewerName string    `json:"reviewerName"`
	At           time.Time `json:"at"`
}

// Comment is anchored in the text by quotation with a little context, which
// survives edits elsewhere (the text-quote selector of W3C Web Annotation).
type Comment struct {
	ID         ids.ID    `json:"id"`
	PostID     ids.ID    `json:"postId"`
	ParentID   ids.ID    `json:"parentId,omitempty"`
	Version    int64     `json:"version" doc:"of the post when it was written"`
	Article    int       `json:"article" doc:"index of the article"`
	Quote      string    `json:"quote,omitempty"`
	Prefix     string    `json:"prefix,omitempty"`
	Suffix     string    `json:"suffix,omitempty"`
	Body       string    `json:"body"`
	AuthorID   ids.ID    `json:"authorId"`
	AuthorName string    `json:"authorName"`
	At         time.Time `json:"at"`
	ResolvedAt time.Time `json:"resolvedAt,omitzero"`
	ResolvedBy string    `json:"resolvedBy,omitempty"`
}

// Asset is a picture of the media library of one organisation.
type Asset struct {
	ID        ids.ID    `json:"id"`
	OrgID     ids.ID    `json:"orgId"`
	OrgPath   string    `json:"-"`
	Hash      string    `json:"hash" doc:"SHA-256 of the stored bytes; refer to it as asset:<hash>"`
	Name      string    `json:"name"`
	Alt       string    `json:"alt" doc:"what the picture shows, for those who cannot see it"`
	Mime      string    `json:"mime"`
	Width     int       `json:"width"`
	Height    int       `json:"height"`
	Size      int64     `json:"size" doc:"bytes"`
	CreatedBy string    `json:"createdBy"`
	CreatedAt time.Time `json:"createdAt"`
}

// Word is one entry of the word list that lint applies.
type Word struct {
	ID      ids.ID `json:"id"`
	Text    string `json:"text" minLength:"1" maxLength:"64"`
	Kind    string `json:"kind" enum:"sensitive,typo,allow" doc:"allow: correct text that contains another entry"`
	Suggest string `json:"suggest,omitempty" maxLength:"64"`
	Note    string `json:"note,omitempty" maxLength:"200"`
}

// Slot is a weekly time at which an account usually publishes.
type Slot struct {
	ID        ids.ID `json:"id"`
	OrgID     ids.ID `json:"orgId"`
	OrgPath   string `json:"-"`
	AccountID ids.ID `json:"accountId"`
	Weekday   int    `json:"weekday" minimum:"1" maximum:"7" doc:"1 Monday … 7 Sunday"`
	Minute    int    `json:"minute" minimum:"0" maximum:"1439" doc:"minutes after midnight in Asia/Shanghai"`
	Label     string `json:"label,omitempty" maxLength:"40"`
}

// PlatformEvent is a callback about a submit, as the platform's adapter read it.
type PlatformEvent struct {
	ID        ids.ID    `json:"id"`
	AccountID ids.ID    `json:"accountId"`
	Dedupe    string    `json:"-"` // the platform's identity of the event
	Receipt   Receipt   `json:"receipt"`
	Outcome   Outcome   `json:"outcome"`
	At        time.Time `json:"at"`
}
