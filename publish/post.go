package publish

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
)

// Rights of this domain. handlers/rights.go says which role holds them.
const (
	PostRead      authz.Right = "post.read"
	PostWrite     authz.Right = "post.write"
	PostSchedule  authz.Right = "post.schedule"
	PostRetract   authz.Right = "post.retract"
	MediaRead     authz.Right = "media.read"
	MediaWrite    authz.Right = "media.write"
	AccountRead   authz.Right = "account.read"
	AccountManage authz.Right = "account.manage"
	WordsManage   authz.Right = "words.manage"
)

// ReviewRight is the right to pass level 1, 2 or 3.
func ReviewRight(level int) authz.Right {
	return [...]authz.Right{"", "post.review1", "post.review2", "post.review3"}[level]
}

// MaxLevels is the length of the longest review chain (三审).
const MaxLevels = 3

// PostState is where a post stands before the queue takes over.
type PostState string

const (
	Draft    PostState = "draft"     // being written
	InReview PostState = "in_review" // waits for Post.Level
	Returned PostState = "returned"  // sent back with a reason
	Approved PostState = "approved"  // may be scheduled; bound to ApprovedHash
	Queued   PostState = "queued"    // has deliveries that are not over
	Finished PostState = "finished"  // every delivery is over
)

// Post is an image-text post (图文): its current content and its place in the
// review chain. Deliveries say what became of it on each account.
type Post struct {
	ID           ids.ID    `json:"id"`
	OrgID        ids.ID    `json:"orgId"`
	OrgPath      string    `json:"-"`
	OrgName      string    `json:"orgName"`
	Title        string    `json:"title" doc:"title of the first article"`
	State        PostState `json:"state" enum:"draft,in_review,returned,approved,queued,finished"`
	Version      int64     `json:"version" doc:"rises with every change; the ETag"`
	Hash         string    `json:"hash" doc:"SHA-256 of the content"`
	Sim          uint64    `json:"-"` // near-duplicate fingerprint, stored by CreatePost; later ones come in Change
	Content      Content   `json:"content"`
	AuthorID     ids.ID    `json:"authorId"`
	AuthorName   string    `json:"authorName"`
	Editors      []ids.ID  `json:"editors" doc:"everyone who changed the content; none of them may review it"`
	Level        int       `json:"level" doc:"review level that is asked now, 0 when none"`
	Levels       int       `json:"levels" doc:"length of the chain when it was submitted"`
	ReviewDue    time.Time `json:"reviewDue,omitzero"`
	ApprovedHash string    `json:"approvedHash,omitempty"`
	DueAt        time.Time `json:"dueAt,omitzero" doc:"planned time; set by scheduling"`
	CreatedAt    time.Time `json:"createdAt"`
	UpdatedAt    time.Time `json:"updatedAt"`
	UpdatedBy    string    `json:"updatedBy"`
}

// Content is what reviewers approve and platforms receive: 1–8 articles.
type Content struct {
	Articles []Article `json:"articles" minItems:"1" maxItems:"8"`
}

// ArticleKind tells articles with text from picture posts.
type ArticleKind string

const (
	News     ArticleKind = "news"     // text with pictures
	Pictures ArticleKind = "pictures" // 1–20 pictures with plain text (newspic)
)

// Article is one item of a post. Picture references in Body are
// "asset:<sha256>". Limits of the platform are checked by lint, not here, so
// that half-written work can be saved.
type Article struct {
	Kind        ArticleKind `json:"kind" enum:"news,pictures" default:"news"`
	Title       string      `json:"title" maxLength:"200"`
	Author      string      `json:"author,omitempty" maxLength:"64"`
	Digest      string      `json:"digest,omitempty" maxLength:"500"`
	Format      string      `json:"format" enum:"markdown,html" default:"html"`
	Body        string      `json:"body" maxLength:"400000"`
	Theme       string      `json:"theme,omitempty" maxLength:"32"`
	Cover       Cover       `json:"cover"`
	Images      []string    `json:"images,omitempty" maxItems:"20" doc:"asset hashes of a picture post, in order"`
	SourceURL   string      `json:"sourceUrl,omitempty" maxLength:"1024"`
	OpenComment bool        `json:"openComment,omitempty"`
	FansOnly    bool        `json:"fansOnly,omitempty" doc:"only followers may comment"`
}

// Cover is an asset and its two crops in fractions of width and height:
// x1, y1, x2, y2. A zero crop means centred.
type Cover struct {
	Asset  string     `json:"asset,omitempty" maxLength:"64"`
	Wide   [4]float64 `json:"wide,omitzero" doc:"crop 2.35:1"`
	Square [4]float64 `json:"square,omitzero" doc:"crop 1:1"`
}

// Hash is the SHA-256 of the content's canonical JSON. An approval is bound to it.
func (c Content) Hash() string {
	b, err := json.Marshal(c)
	if err != nil { // strings, bools and finite floats always marshal; NaN is refused at the border
		return ""
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Title of the post in lists.
func (c Content) Title() string {
	if len(c.Articles) == 0 || c.Articles[0].Title == "" {
		return "（未命名）"
	}
	return c.Articles[0].Title
}

// Revision is one saved content, kept for history and comparison.
type Revision struct {
	PostID     ids.ID    `json:"postId"`
	Version    int64     `json:"version"`
	Hash       string    `json:"hash"`
	Title      string    `json:"title"`
	Content    Content   `json:"-"`
	Auto       bool      `json:"auto" doc:"saved by autosave; thinned out after a day"`
	AuthorName string    `json:"authorName"`
	At         time.Time `json:"at"`
}
