package notify

import (
	"context"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
)

// FeedItem is a published post in the feed.
type FeedItem struct {
	ID          ids.ID    `json:"id"`
	Title       string    `json:"title"`
	Digest      string    `json:"digest"`
	Cover       string    `json:"cover,omitempty" doc:"address of the picture"`
	PublishedAt time.Time `json:"publishedAt"`
	From        string    `json:"from" doc:"the organisation"`
	Articles    int       `json:"articles"`
}

// FeedPost is a published post with its articles.
type FeedPost struct {
	ID          ids.ID        `json:"id"`
	Articles    []FeedArticle `json:"articles"`
	PublishedAt time.Time     `json:"publishedAt"`
	From        string        `json:"from"`
}

// FeedArticle is one article of it.
type FeedArticle struct {
	Title  string `json:"title"`
	Author string `json:"author,omitempty"`
	Digest string `json:"digest,omitempty"`
	HTML   string `json:"html"`
	Cover  string `json:"cover,omitempty"`
	URL    string `json:"url,omitempty" doc:"of the article on the platform"`
}

// Feed lists what the actor's branch and the organisations above it published.
func (s *Service) Feed(ctx context.Context, actor *authz.Actor, query string, r page.Request) (*page.Result[FeedItem], error) {
	if err := member(actor); err != nil {
		return nil, err
	}
	if s.Posts == nil {
		return &page.Result[FeedItem]{Items: []FeedItem{}}, nil
	}
	return s.Posts(ctx, actor.Above(Receive), query, r)
}

// FeedPost is one post of the feed; NotFound for a post of other organisations,
// one that is not published, and one that was taken back.
func (s *Service) FeedPost(ctx context.Context, actor *authz.Actor, id ids.ID) (*FeedPost, error) {
	if err := member(actor); err != nil {
		return nil, err
	}
	if s.Post == nil {
		return nil, errs.Missing("文章")
	}
	return s.Post(ctx, actor.Above(Receive), id)
}
